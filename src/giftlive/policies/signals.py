"""What a policy may know of a candidate besides its value: arrays, looked up row by row.

Uncertainty, retention, being a newcomer, belonging to a category: each is a ``Signal``, called with
a batch and answering with one number per candidate, 0 at padding. Who has a model for it fills a
table; policies only look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from giftlive.errors import ConfigError, InputError
from giftlive.types import DecisionBatch, Floats, Ints


class Signal(Protocol):
    """One number for every candidate of a batch."""

    def __call__(self, batch: DecisionBatch, /) -> Floats:
        """Return [n, m], 0 at padding."""


@dataclass(frozen=True)
class ByPair:
    """A number of user and streamer.

    Attributes
    ----------
    table : [U, S] finite, by dense user and streamer.
    """

    table: Floats

    def __call__(self, batch: DecisionBatch, /) -> Floats:
        """Look up every pair."""
        seen = batch.observation
        there = seen.streamers >= 0
        streamers = _within(np.where(there, seen.streamers, 0), self.table.shape[1], "ByPair.table")
        users = _within(seen.user, self.table.shape[0], "ByPair.table")
        return np.where(there, self.table[users[:, None], streamers], 0.0)


@dataclass(frozen=True)
class ByUser:
    """A number of the user, the same for all of a row's candidates.

    Attributes
    ----------
    column : [U] finite, by dense user.
    """

    column: Floats

    def __call__(self, batch: DecisionBatch, /) -> Floats:
        """Look up every user."""
        users = _within(batch.observation.user, len(self.column), "ByUser.column")
        return np.where(batch.observation.streamers >= 0, self.column[users][:, None], 0.0)


@dataclass(frozen=True)
class ByStreamer:
    """A number of the streamer.

    Attributes
    ----------
    column : [S] finite, by dense streamer.
    """

    column: Floats

    def __call__(self, batch: DecisionBatch, /) -> Floats:
        """Look up every streamer."""
        there = batch.observation.streamers >= 0
        streamers = np.where(there, batch.observation.streamers, 0)
        return np.where(
            there, self.column[_within(streamers, len(self.column), "ByStreamer.column")], 0.0
        )


@dataclass(frozen=True)
class ShareOfValue:
    """A fixed share of the size of the value itself.

    As an uncertainty it says that all values are known equally well, relative to their size.

    Attributes
    ----------
    share : >= 0.
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.share < np.inf:
            raise ConfigError(f"{self.share}", "ShareOfValue.share", "a number >= 0")

    def __call__(self, batch: DecisionBatch, /) -> Floats:
        """Return the share of every value's size."""
        return np.where(batch.available, self.share * np.abs(batch.values), 0.0)


def numbers(signal: Signal, batch: DecisionBatch, what: str, least: float = -np.inf) -> Floats:
    """Return the signal of a batch, checked.

    Raises
    ------
    InputError
        A number is missing, not finite, or below ``least``.
    """
    found = signal(batch)
    if found.shape != batch.values.shape:
        raise InputError(f"shape {found.shape}", what, f"{batch.values.shape}, one per candidate")
    bad = ~(np.isfinite(found) & (found >= least))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            f"{found[row, column]}", f"{what}, row {row} of the batch", f"a number >= {least:g}"
        )
    return found


def _within(index: Ints, size: int, what: str) -> Ints:
    highest = int(index.max(initial=-1))
    if highest >= size:
        raise InputError(
            f"index {highest}, {size} entries", what, "an entry for every user and streamer seen"
        )
    return index
