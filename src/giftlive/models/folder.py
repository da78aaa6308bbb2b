"""Models on disk: numbers as JSON, tree ensembles as LightGBM text, arrays as ``.npz``, the card.

No pickle: a saved model can be read without running foreign code, and by other programs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np

from giftlive.errors import InputError, Where
from giftlive.models.base import FittedModel, State, Stored
from giftlive.models.boosted import FittedBoostedLog1p
from giftlive.models.boosted_amount import FittedBoostedAmount
from giftlive.models.delay.trained import KIND, TrainedTreatment
from giftlive.models.ensemble import FittedGeometricMean
from giftlive.models.hurdle import FittedHurdle
from giftlive.models.intervals import FittedIntervals
from giftlive.models.neural.fitted import FittedMultiTask
from giftlive.models.recall_rerank import FittedRecallRerank
from giftlive.models.ridge import FittedRidge
from giftlive.models.ridge_log1p import FittedRidgeLog1p
from giftlive.models.scorer import Scorer
from giftlive.models.trivial import FittedTrivial
from giftlive.models.tweedie_glm import FittedTweedieGlm
from giftlive.models.two_part import FittedTwoPart
from giftlive.models.uncertainty import FittedBootstrap
from giftlive.models.ziln import FittedZiln

ARRAYS = "arrays.npz"

KINDS: dict[str, Callable[[State], Any]] = {
    "trivial": FittedTrivial.from_state,
    "ridge": FittedRidge.from_state,
    "ridge_log1p": FittedRidgeLog1p.from_state,
    "boosted_log1p": FittedBoostedLog1p.from_state,
    "boosted_amount": FittedBoostedAmount.from_state,
    "tweedie_glm": FittedTweedieGlm.from_state,
    "two_part": FittedTwoPart.from_state,
    "hurdle": FittedHurdle.from_state,
    "ziln": FittedZiln.from_state,
    "multi_task": FittedMultiTask.from_state,
    "scorer": Scorer.from_state,
    KIND: TrainedTreatment.from_state,
}

COMPOSED: dict[str, Callable[[State, tuple[FittedModel, ...]], Any]] = {
    "geo_mean": FittedGeometricMean.from_parts,
    "recall_rerank": FittedRecallRerank.from_parts,
    "intervals": FittedIntervals.from_parts,
    "bootstrap": FittedBootstrap.from_parts,
}
"""Models made of other models, whose parts are rebuilt first."""


class Storable(Protocol):
    """Anything that can say itself as data."""

    def state(self) -> State:
        """Return everything needed to rebuild it."""


def save(model: Storable, folder: Path) -> None:
    """Write ``model.json``, one text file per tree ensemble, ``arrays.npz`` and ``card.json``.

    Part i of a model made of others goes to ``part_i/``.
    """
    _save(model.state(), folder)


def _save(state: State, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    forests = {key: len(texts) for key, texts in state.forests.items()}
    for key, texts in state.forests.items():
        for index, text in enumerate(texts):
            _tree_file(folder, key, index).write_text(text, encoding="utf-8")
    for index, part in enumerate(state.parts):
        _save(part, _part_folder(folder, index))
    body: dict[str, Any] = {"kind": state.kind, "numbers": state.numbers, "forests": forests}
    if state.parts:
        body["parts"] = len(state.parts)
    if state.arrays:
        body["arrays"] = sorted(state.arrays)
        plain = {key: stored.array() for key, stored in state.arrays.items()}
        np.savez(folder / ARRAYS, allow_pickle=False, **plain)
    _write(folder / "model.json", body)
    if "card" in state.numbers:
        _write(folder / "card.json", state.numbers["card"])


def load(folder: Path) -> Any:
    """Return the model saved in ``folder``: equal predictions, bit for bit.

    Raises
    ------
    InputError
        The folder holds no model of a known kind.
    """
    path = folder / "model.json"
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        kind, parts = body["kind"], body.get("parts", 0)
        rebuild: Callable[..., Any] = COMPOSED[kind] if parts else KINDS[kind]
        forests = {
            key: tuple(_tree_file(folder, key, i).read_text(encoding="utf-8") for i in range(count))
            for key, count in body["forests"].items()
        }
        arrays = _arrays(folder, body.get("arrays", []))
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise InputError(
            f"not a saved model ({type(error).__name__}: {error})",
            Where(str(path)),
            f"one of {', '.join((*KINDS, *COMPOSED))}",
            "train it again; a model folder is model.json and the .txt and .npz files beside it",
        ) from error
    state = State(kind, body["numbers"], forests, arrays=arrays)
    if not parts:
        return rebuild(state)
    return rebuild(state, tuple(load(_part_folder(folder, i)) for i in range(parts)))


def _part_folder(folder: Path, index: int) -> Path:
    return folder / f"part_{index}"


def _arrays(folder: Path, names: list[str]) -> dict[str, Stored]:
    if not names:
        return {}
    with np.load(folder / ARRAYS, allow_pickle=False) as file:
        return {name: Stored.of(file[name]) for name in names}


def _tree_file(folder: Path, key: str, index: int) -> Path:
    return folder / f"{key}_{index}.txt"


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
