"""The state of a sweep: it begins a local day, is saved where all before it is told, and loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from giftlive.errors import UsageError
from giftlive.tables.features.array_folder import read_arrays, write_arrays
from giftlive.tables.features.ledger import Book, Ledger, Tally
from giftlive.tables.features.prior import Moments, prior_of
from giftlive.tables.features.records import (
    KINDS,
    SUCCESSES,
    SUCCESSES_SQUARED,
    TRIALS,
    TRIALS_SQUARED,
    VALUE,
)
from giftlive.tables.features.state import ACTORS
from giftlive.types import Floats, Ints

VERSION = 1
"""Of the saved form; another one is refused."""


@dataclass
class SweepState:
    """What is known before ``until_ts`` about every key, and what the current day began with.

    Attributes
    ----------
    tally : the running state.
    until_ts : events known before it have been told, and no others (while ``settled``).
    day_start_ts : the local day that "today" means, -1 before the first.
    daily : state columns that are one number for all probes of the day.
    epoch : how many local days have begun. told : [7] events told, in the order of KINDS, where
        negatives take the place of probes.
    settled : False in the middle of a day, when only a part of its events has been told.
    """

    tally: Tally = field(default_factory=Tally)
    until_ts: int = 0
    epoch: int = 0
    day_start_ts: int = -1
    daily: dict[str, float] = field(default_factory=dict)
    told: Ints = field(default_factory=lambda: np.zeros(len(KINDS), dtype=np.int64))
    settled: bool = True

    def begin_day(self, day_start_ts: int) -> None:
        """Roll over to the local day that starts at ``day_start_ts``; all before it is told.

        From here on "today" is empty, and priors and efficiencies are what they are now.
        """
        if day_start_ts == self.day_start_ts:
            return
        self.day_start_ts = day_start_ts
        self.epoch += 1
        self.daily = _priors(self.tally)
        self.tally.efficiency = _efficiency(self.tally.streamer)

    def save(self, folder: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Write arrays (``.npy``) and ``state.json`` with their digests; nothing half-written.

        Parameters
        ----------
        extra : plain values to keep beside the state.

        Raises
        ------
        UsageError
            In the middle of a day.
        """
        if not self.settled:
            raise UsageError(
                "only a part of the day has been told",
                "SweepState.save",
                "a day boundary",
                "save when a batch says closes_ts",
            )
        plain = {
            "until_ts": self.until_ts,
            "epoch": self.epoch,
            "day_start_ts": self.day_start_ts,
            "daily": self.daily,
            "told": self.told.tolist(),
            "extra": dict(extra or {}),
        }
        write_arrays(folder, VERSION, _arrays(self.tally), plain)

    def digest(self, extra: bytes = b"") -> bytes:
        """Return 16 bytes that are equal for equal states and equal ``extra``."""
        for actor in ACTORS:
            getattr(self.tally, actor).shown_rows()  # places that a question would have made
        self.tally.heat_rows()
        plain = self.until_ts, self.epoch, self.day_start_ts, self.daily, self.told.tolist()
        sums = hashlib.blake2b(repr(plain).encode() + extra, digest_size=16)
        for name, array in _arrays(self.tally).items():
            sums.update(name.encode() + array.tobytes())
        return sums.digest()

    @staticmethod
    def load(folder: Path) -> SweepState:
        """Return the state that :meth:`save` wrote.

        Raises
        ------
        InputError
            A file is missing, of another version, or not as it was written.
        """
        return SweepState.load_with_extra(folder)[0]

    @staticmethod
    def load_with_extra(folder: Path) -> tuple[SweepState, dict[str, Any]]:
        """Return the state and the plain values kept beside it; raises as :meth:`load`."""
        arrays, plain = read_arrays(folder, VERSION)
        told = np.array(plain["told"], dtype=np.int64)
        when = plain["until_ts"], plain["epoch"], plain["day_start_ts"]
        return SweepState(_tally_of(arrays), *when, plain["daily"], told), plain["extra"]


def _priors(tally: Tally) -> dict[str, float]:
    daily = {}
    for actor in ACTORS:
        m = [int(x) for x in getattr(tally, actor).moments]
        prior = prior_of(
            Moments(m[TRIALS], m[SUCCESSES], m[TRIALS_SQUARED], m[SUCCESSES_SQUARED], m[VALUE])
        )
        daily[f"{actor}_prior_gift_rate"] = prior.rate
        daily[f"{actor}_prior_gift_value"] = prior.value
        daily[f"{actor}_strength"] = prior.strength
    for actor, ledger in (("user", tally.user), ("streamer", tally.streamer)):
        entered = ledger.book.taken()["click_count"]
        shown = entered + ledger.shown_rows()["negative_count"][: len(entered)]
        prior = prior_of(
            Moments(
                *(int(shown.sum()), int(entered.sum())),
                *(int((shown * shown).sum()), int((entered * entered).sum())),
            )
        )
        daily[f"{actor}_prior_enter_rate"] = prior.rate
        daily[f"{actor}_enter_strength"] = prior.strength
    return daily


def _efficiency(streamer: Ledger) -> Floats:
    """Return each streamer's share of watched streamers with less amount per time watched."""
    rows = streamer.book.taken()
    watch, amount = rows["watch_ms"], streamer.gifts["gift_sum"][rows["gifts"]]
    watched, paid = watch > 0, amount > 0
    share = np.where(watched, 0.0, -1.0)
    some = watched & paid
    efficiency = amount[some].astype(np.float64) / watch[some]
    n = int(watched.sum())
    below = n - len(efficiency) + np.searchsorted(np.sort(efficiency), efficiency)
    share[some] = below / n if n else 0.0
    return share


def _arrays(tally: Tally) -> dict[str, NDArray[Any]]:
    """Return what a tally is made of; slots are not kept, they follow from the rows."""
    arrays: dict[str, NDArray[Any]] = {}
    for actor in ACTORS:
        ledger: Ledger = getattr(tally, actor)
        rows = ledger.book.taken()
        arrays[f"{actor}_rows"] = rows
        arrays[f"{actor}_gifts"] = ledger.gifts[: ledger.gift_size[0]]
        arrays[f"{actor}_shown"] = ledger.shown[: len(rows)]
        arrays[f"{actor}_moments"] = ledger.moments
    arrays["room_rows"], arrays["taste_rows"] = tally.room.taken(), tally.taste.taken()
    arrays["heat"] = tally.heat[: tally.streamer.book.size[0]]
    arrays["efficiency"], arrays["recent"] = tally.efficiency, tally.recent()
    arrays["clock"] = tally.clock
    return arrays


def _tally_of(arrays: Mapping[str, NDArray[Any]]) -> Tally:
    ledgers = []
    for actor in ACTORS:
        rows, gifts, shown, moments = (
            arrays[f"{actor}_{part}"] for part in ("rows", "gifts", "shown", "moments")
        )
        size = np.array([len(gifts)], dtype=np.int64)
        ledgers.append(Ledger(Book.of(rows), gifts, size, shown, moments))
    pair, user, streamer = ledgers
    room, taste = Book.of(arrays["room_rows"]), Book.of(arrays["taste_rows"])
    tally = Tally(pair, user, streamer, room, taste, arrays["heat"], clock=arrays["clock"])
    tally.efficiency = arrays["efficiency"]
    tally.hold(arrays["recent"], len(arrays["recent"]))
    return tally
