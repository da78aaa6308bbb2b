"""What puts a value on a candidate: the Scorer of a fitted run, and the full model behind it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.errors import InputError, Where
from giftlive.models.base import FittedModel, State
from giftlive.models.folder import load
from giftlive.models.scorer import Scorer
from giftlive.tables.features.declare import FEATURES, Feature
from giftlive.types import Floats, Ints

_PREFIXES = {"user": "user_", "room": "streamer_", "context": "pair_"}


@dataclass(frozen=True)
class Values:
    """A Scorer and the features that it reads on each side.

    Attributes
    ----------
    user, room, pair : declared features, in the order of the scorer's columns. version : digest.
    model : the full model, None where only the Scorer is known. names : [p] of its columns.
    """

    scorer: Scorer
    user: tuple[Feature, ...]
    room: tuple[Feature, ...]
    pair: tuple[Feature, ...]
    version: str
    model: FittedModel | None = None
    names: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the Scorer and its columns as JSON, exactly: what the log keeps."""
        state = self.scorer.state()
        sides = {"user": self.user, "room": self.room, "pair": self.pair}
        names = {side: [f.name for f in features] for side, features in sides.items()}
        return {"scorer": state.numbers, "columns": names, "version": self.version}

    @staticmethod
    def of_plain(plain: dict[str, Any]) -> Values:
        """Return what :meth:`plain` wrote, without the full model."""
        scorer = Scorer.from_state(State("scorer", plain["scorer"]))
        columns = plain["columns"]
        user, room, pair = (_declared(columns[side]) for side in ("user", "room", "pair"))
        return Values(scorer, user, room, pair, plain["version"])


def read_values(run: Path, *, full: bool = False) -> Values:
    """Return the values of a run folder's evening (``models/scorer`` and ``models/value``).

    Parameters
    ----------
    full : whether the full model is wanted as well.

    Raises
    ------
    InputError
        The folder holds no Scorer, or one whose columns no service can know.
    """
    folder = run / "models"
    if not run.is_dir():
        raise InputError("no such folder", Where(str(run)), "a folder that `giftlive run` wrote")
    if not (folder / "scorer").is_dir():
        hint = "`giftlive run --source LOGS --out RUN` writes one"
        raise InputError("not a run folder: it has no models/scorer", Where(str(run)), hint=hint)
    card = folder / "value" / "card.json"
    scorer: Scorer = load(folder / "scorer")
    try:
        names = tuple(json.loads(card.read_text(encoding="utf-8"))["features"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError("no card of the value model", Where(str(card)), "a run folder") from error
    sides = {
        side: tuple(n for n in names if n.startswith(prefix)) for side, prefix in _PREFIXES.items()
    }
    for side, found in sides.items():
        width = len(getattr(scorer, side).centre)
        if width != len(found):
            raise InputError(
                f"{width} columns of the {side}, the model has {len(found)}",
                Where(str(folder)),
                "a Scorer made by `giftlive run`",
            )
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    model = load(folder / "value") if full else None
    user, room, pair = map(_declared, sides.values())
    return Values(scorer, user, room, pair, digest.hexdigest(), model, names)


def _declared(names: Any) -> tuple[Feature, ...]:
    known = {feature.name: feature for feature in FEATURES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"no service knows {', '.join(unknown)}", "the Scorer's columns", "declared features"
        )
    return tuple(known[name] for name in names)


def popularity_values(mean_amount: float, recent: Floats, slots: Ints) -> Floats:
    """Return [m] values in proportion to entries of late, on average ``mean_amount``.

    What is left without a value model: users are all alike, and the crowd is right.

    Parameters
    ----------
    recent : [S] fading entries of each room. slots : [m] of the candidates.

    Examples
    --------
    >>> popularity_values(2.0, np.array([3.0, 1.0]), np.array([0, 1])).tolist()
    [2.6666666666666665, 1.3333333333333333]
    """
    if not len(slots):
        return np.zeros(0)
    weight = 1.0 + recent[slots]
    return np.asarray(mean_amount * weight / max(float(weight.mean()), 1e-12))
