"""The truth about one evening: every decision, what came of it, and what it was worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.types import Bools, Floats, Ints
from giftlive.world.state import CLICKED, NOTHING, REFUSED, Log


@dataclass(frozen=True)
class Outcome:
    """Arrays per decision [n] in the order taken, and sums per dense streamer [S].

    Attributes
    ----------
    expected_amount : exact E[amount | shown and admitted, state at that time]; 0 when refused.
    propensity : with which the choice was made, as the policy stated it.
    watch_ms, amount : of admitted viewings; 0 otherwise.
    streamer_exposure : times shown. seat_ms_used : watched until the day's close.
    seat_ms_offered : seats x open time; 0 where seats are not limited.
    """

    ts: Ints
    user: Ints
    visit: Ints
    slot: Ints
    room: Ints
    streamer: Ints
    shown: Bools
    admitted: Bools
    refused: Bools
    clicked: Bools
    watch_ms: Ints
    amount: Floats
    expected_amount: Floats
    propensity: Floats
    streamer_exposure: Ints
    streamer_income: Floats
    streamer_expected_income: Floats
    seat_ms_used: int
    seat_ms_offered: int

    @property
    def decisions(self) -> int:
        """Number of decisions taken."""
        return len(self.ts)

    @property
    def revenue(self) -> float:
        """Sum of the realised amounts."""
        return float(self.amount.sum())

    @property
    def expected_revenue(self) -> float:
        """Sum of the expected amounts: the same mean as ``revenue``, far less variance."""
        return float(self.expected_amount.sum())


def outcome_of(log: Log, room_streamer: Ints, streamers: int, offered: int, end: int) -> Outcome:
    """Return the outcome of a log of decisions."""
    shown = log.status != NOTHING
    refused = log.status == REFUSED
    streamer = np.where(shown, room_streamer[log.room], -1)
    seen = streamer[shown]
    return Outcome(
        ts=log.ts,
        user=log.user,
        visit=log.visit,
        slot=log.slot,
        room=log.room,
        streamer=streamer,
        shown=shown,
        admitted=shown & ~refused,
        refused=refused,
        clicked=log.status == CLICKED,
        watch_ms=log.watch_ms,
        amount=log.amount,
        expected_amount=log.expected,
        propensity=log.propensity,
        streamer_exposure=np.bincount(seen, minlength=streamers),
        streamer_income=_summed(seen, log.amount[shown], streamers),
        streamer_expected_income=_summed(seen, log.expected[shown], streamers),
        seat_ms_used=int(np.clip(log.watch_ms, 0, np.maximum(end - log.ts, 0)).sum()),
        seat_ms_offered=offered,
    )


def _summed(streamer: Ints, amount: Floats, streamers: int) -> Floats:
    return np.bincount(streamer, amount, minlength=streamers).astype(np.float64)
