"""What happens as time passes: outcomes become final, features, prices and guardrails move."""

from __future__ import annotations

from typing import Any

import numpy as np

from giftlive.clock import MS_PER_HOUR
from giftlive.service.deciding import user_key
from giftlive.service.guardrails import Trip
from giftlive.service.joining import Outcome
from giftlive.service.ruling import Ruling
from giftlive.service.state import State
from giftlive.service.vacating import close_room, release
from giftlive.types import Feedback

RECENT_HALF_LIFE_HOURS = 1.0
"""In which an entry loses half its weight in a room's popularity."""


def tick(state: State, seq: int, ts: int) -> list[Trip]:
    """Move everything to ``ts``; return the guardrails newly breached."""
    _end_holds(state, ts)
    _mature(state, ts)
    _forget(state, ts)
    hours = (ts - state.tick_ts) / MS_PER_HOUR if state.tick_ts >= 0 else 0.0
    state.rooms.recent *= 0.5 ** (hours / RECENT_HALF_LIFE_HOURS)
    state.vectors.tick(ts, state.rooms)
    totals = state.totals
    state.pricer.tick(seq, ts, state.rooms, totals.second_value, totals.decision_value)
    prices = state.charges()
    feedback = _feedback(state, ts)
    for ruling in state.switch.all:
        ruling.hear(feedback)
        ruling.price(prices, ts)
    trips = state.guardrails.tick(ts, state.day_of(ts), state.rooms)
    state.rooms.refused[:] = 0
    state.tick_seq, state.tick_ts = seq, ts
    state.ticks += 1
    acted = [trip for trip in trips if trip.acted]
    if acted:
        _make_safe(state, seq, ts, acted)
    return trips


def _end_holds(state: State, ts: int) -> None:
    """Give back seats held for a click that did not come."""
    while state.holds and state.holds[0][0] <= ts:
        _, row = state.holds.popleft()
        found = state.joiner.open.get(row)
        if found is not None:
            release(state, found)


def _mature(state: State, ts: int) -> None:
    """Let outcomes that are final by now be counted."""
    rooms, totals = state.rooms, state.totals
    for found, outcome in state.joiner.matured(ts):
        release(state, found)
        state.guardrails.came(outcome)
        totals.shown += 1
        totals.earned += outcome.amount
        totals.watched += outcome.watch_ms / 1000.0
        shown = outcome.shown
        if shown.slot >= 0 and rooms.live_id[shown.slot] == shown.live_id:
            rooms.shown[shown.slot] += 1
            rooms.earned[shown.slot] += outcome.amount
            rooms.watched[shown.slot] += outcome.watch_ms / 1000.0
            state.learned.append(outcome)


def _forget(state: State, ts: int) -> None:
    """Let rooms that are silent be closed, and viewers gone who never said they left."""
    silent = ts - int(state.settings.rooms.silent_hours * MS_PER_HOUR)
    for live in state.rooms.silent_before(silent):
        close_room(state, live)
    while state.viewers:
        pair, due = next(iter(state.viewers.items()))
        if due > ts:
            return
        del state.viewers[pair]
        state.rooms.inside[state.rooms.slot_of[pair[1]]] -= 1


def _feedback(state: State, ts: int) -> Feedback:
    """Return what policies learn from: outcomes that became final since the last tick."""
    outcomes: list[Outcome] = state.learned

    def ints(of: Any) -> Any:
        return np.array([of(o) for o in outcomes], dtype=np.int64)

    found = Feedback(
        ts=ts,
        user=ints(lambda o: user_key(o.shown.user_id)),
        room=ints(lambda o: o.shown.slot),
        admitted=np.array([o.clicked for o in outcomes], dtype=np.bool_),
        clicked=np.array([o.clicked for o in outcomes], dtype=np.bool_),
        amount=np.array([o.amount for o in outcomes], dtype=np.float64),
        occupancy=state.rooms.inside.copy(),
        seats=state.rooms.seats.copy(),
        reward_ts=ints(lambda o: o.reward_ts),
        value=np.array([o.shown.value for o in outcomes], dtype=np.float64),
    )
    state.learned = []
    return found


def _make_safe(state: State, seq: int, ts: int, trips: list[Trip]) -> None:
    """Switch to the safe policy, unless it acts already."""
    safe, switch = state.settings.safe_policy, state.switch
    if switch.acting.spec == safe:
        return
    switch.acting = Ruling(dict(safe), state.rooms.seats.copy(), switch.acting.values_version)
    switch.acting.price(state.charges(), ts)
    switch.changed_seq, switch.changed_ts = seq, ts
    switch.because = f"guardrail {', '.join(trip.name for trip in trips)}"
