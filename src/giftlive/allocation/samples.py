"""Parts and unions of batches: the sample of users that prices are solved on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from giftlive.allocation.batch import Batch
from giftlive.errors import InputError
from giftlive.types import Ints


def top_edges(batch: Batch, most: int) -> Batch:
    """Return the batch with the ``most`` most valuable candidates of every user."""
    if batch.rooms.shape[1] <= most:
        return batch
    rank = np.where(batch.rooms >= 0, batch.values, -1.0)
    keep = np.argpartition(-rank, most - 1, axis=1)[:, :most]
    affinity = batch.affinity
    return replace(
        batch,
        values=np.take_along_axis(batch.values, keep, axis=1),
        rooms=np.take_along_axis(batch.rooms, keep, axis=1),
        affinity=None if affinity is None else np.take_along_axis(affinity, keep, axis=1),
    )


def rows(batch: Batch, of: slice | Ints) -> Batch:
    """Return the batch with some of its users and all of its limits."""
    return replace(
        batch,
        values=batch.values[of],
        rooms=batch.rooms[of],
        per_user=None if batch.per_user is None else batch.per_user[of],
        affinity=None if batch.affinity is None else batch.affinity[of],
        whale=None if batch.whale is None else batch.whale[of],
    )


def pooled(batches: Sequence[Batch]) -> Batch:
    """Return the users of several batches under the limits of the last.

    Raises
    ------
    InputError
        When they differ in width or in what their users carry.
    """

    def together(name: str) -> Any:
        parts = [getattr(batch, name) for batch in batches]
        missing = [part is None for part in parts]
        widths = {part.shape[1:] for part in parts if part is not None}
        if any(missing) != all(missing) or len(widths) > 1:
            raise InputError("batches differ", f"Batch.{name}", "the same arrays in every batch")
        return None if missing[0] else np.concatenate(parts)

    names = ("values", "rooms", "per_user", "affinity", "whale")
    return replace(batches[-1], **{name: together(name) for name in names})
