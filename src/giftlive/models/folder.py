"""Models on disk: numbers as JSON, tree ensembles as LightGBM text, arrays as ``.npz``, the card.

No pickle: a saved model can be read without running foreign code, and by other programs.
``model.json`` holds the digest of every file, of its parts' too, and of itself. A cut tree would
otherwise end the whole process inside LightGBM, and one changed digit would be another model.
"""

from __future__ import annotations

import hashlib
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
from giftlive.tables.features.array_folder import digest_of_file

MODEL, CARD, ARRAYS = "model.json", "card.json", "arrays.npz"

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
    body: dict[str, Any] = {"kind": state.kind, "numbers": state.numbers, "forests": forests}
    files = []
    for key, texts in state.forests.items():
        for index, text in enumerate(texts):
            files.append(_tree_file(folder, key, index))
            files[-1].write_text(text, encoding="utf-8")
    for index, part in enumerate(state.parts):
        _save(part, _part_folder(folder, index))
        files.append(_part_folder(folder, index) / MODEL)
    if state.parts:
        body["parts"] = len(state.parts)
    if state.arrays:
        body["arrays"] = sorted(state.arrays)
        plain = {key: stored.array() for key, stored in state.arrays.items()}
        np.savez(folder / ARRAYS, allow_pickle=False, **plain)
        files.append(folder / ARRAYS)
    if "card" in state.numbers:
        _write(folder / CARD, state.numbers["card"])
        files.append(folder / CARD)
    body["files"] = {file.relative_to(folder).as_posix(): digest_of_file(file) for file in files}
    _write(folder / MODEL, body | {"digest": digest_of(body)})


def load(folder: Path) -> Any:
    """Return the model saved in ``folder``: equal predictions, bit for bit.

    Raises
    ------
    InputError
        The folder holds no model of a known kind, or a file of it is not as it was written.
    """
    path = folder / MODEL
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        kind, parts = body["kind"], body.get("parts", 0)
        rebuild: Callable[..., Any] = COMPOSED[kind] if parts else KINDS[kind]
        _as_written(folder, body)
        forests = {
            key: tuple(_tree_file(folder, key, i).read_text(encoding="utf-8") for i in range(count))
            for key, count in body["forests"].items()
        }
        arrays = _arrays(folder, body.get("arrays", []))
        state = State(kind, body["numbers"], forests, arrays=arrays)
        if not parts:
            return rebuild(state)
        return rebuild(state, tuple(load(_part_folder(folder, i)) for i in range(parts)))
    except (OSError, LookupError, TypeError, ValueError, AttributeError, BadZipFile) as error:
        raise InputError(
            f"not a saved model ({type(error).__name__}: {error})",
            Where(str(path)),
            f"one of {', '.join((*KINDS, *COMPOSED))}",
            "train it again; a model folder is model.json and the .txt and .npz files beside it",
        ) from error


def _as_written(folder: Path, body: dict[str, Any]) -> None:
    """Refuse a folder of which a file is missing, cut or changed, before anything is made of it."""
    body = dict(body)
    said = {MODEL: body.pop("digest", "none"), **body.get("files", {})}
    for name, digest in said.items():
        file = folder / name
        if name == MODEL:
            found = digest_of(body)
        else:
            found = digest_of_file(file) if file.is_file() else "no file"
        if found != digest:
            raise InputError(
                f"digest {found}: not as it was saved",
                Where(str(file)),
                f"digest {digest}",
                "copy the whole folder again, or train the model again with this version",
            )


def digest_of(body: dict[str, Any]) -> str:
    """Return the digest of what ``model.json`` says, however it is laid out."""
    plain = json.loads(json.dumps(body))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


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
