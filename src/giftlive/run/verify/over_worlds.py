"""Numbers over worlds again, from the kept readings: one value per world and cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from giftlive.run.verify.recomputed import Recomputed, mean, ratio_basis
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats


def values_of(kept: Kept) -> dict[str, Floats]:
    """Return the values over seeds by key, none where a seed has no such number."""
    columns = kept.columns("readings")
    keys = [
        " / ".join(words)
        for words in zip(columns["table"], columns["row"], columns["column"], strict=True)
    ]
    rows: dict[str, list[int]] = {}
    for i, key in enumerate(keys):
        rows.setdefault(key, []).append(i)
    known, value = columns["known"].astype(bool), columns["value"].astype(np.float64)
    return {key: value[at] if known[at].all() else value[:0] for key, at in rows.items()}


def level(x: Floats) -> Recomputed:
    """Return the mean over worlds."""
    return mean(x) if len(x) else Recomputed(None)


def change(one: Floats, other: Floats) -> Recomputed:
    """Return the mean difference of two columns, paired by world."""
    if not len(one) or not len(other):
        return Recomputed(None)
    return replace(mean(one - other), scale=float(np.abs(one).mean()))


def ratio_of_sums(num: Floats, den: Floats) -> Recomputed:
    """Return Σ num / Σ den over all worlds, whatever the sign of one world's terms."""
    if not len(num) or not len(den):
        return Recomputed(None)
    return Recomputed(float(num.sum() / den.sum()), ratio_basis(num, den), len(den), 1.0)


def ties(values: Mapping[str, Floats], prefix: str = "a_a / ") -> bool:
    """Return whether nothing of two identical things differed, on any world."""
    found = np.concatenate([x for key, x in values.items() if key.startswith(prefix)])
    return bool(len(found)) and not found.any()
