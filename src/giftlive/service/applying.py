"""What a record does to the state: decisions, events, policy and values. Ticks: ``ticking``.

Records are applied in the order of the log, by every worker and by every replay alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from giftlive.clock import MS_PER_HOUR, MS_PER_SECOND
from giftlive.service import events
from giftlive.service.events import Event
from giftlive.service.joining import ENTERS, WAITING, Shown
from giftlive.service.record import DECISION, EVENTS, MODEL, POLICY, TICK, Logged
from giftlive.service.ruling import Ruling
from giftlive.service.scoring import Values
from giftlive.service.state import State
from giftlive.service.ticking import tick
from giftlive.service.vacating import close_room, release
from giftlive.types import UNLIMITED_SEATS

_REMEMBERED_LEAVES = 100_000
_REMEMBERED_CLOSES = 100_000
TOO_MANY_ROOMS, ROOM_CLOSED = "too_many_rooms", "room_closed"
"""Codes of announcements that are refused."""


@dataclass
class Heard:
    """What became of a batch of events.

    Attributes
    ----------
    accepted, joined : how many were new, and followed from a decision. duplicates : ids heard
        before. refused : event id to a code.
    """

    accepted: int = 0
    joined: int = 0
    duplicates: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def apply(state: State, logged: Logged) -> Any:
    """Let a record take effect; return what its writer wants to know."""
    record = logged.record
    state.seq, state.ts = logged.seq, record.ts
    if record.kind == DECISION:
        return _decision(state, logged)
    if record.kind == EVENTS:
        return _events(state, [Event(*row) for row in record.meta["events"]], record.ts)
    if record.kind == TICK:
        return tick(state, logged.seq, record.ts)
    if record.kind == POLICY:
        return _policy(state, logged)
    if record.kind == MODEL:
        plain = record.meta["values"]
        return _model(state, state.library.get(plain["version"]) or Values.of_plain(plain))
    return None


def _decision(state: State, logged: Logged) -> None:
    meta, arrays, ts = logged.record.meta, logged.record.arrays, logged.record.ts
    _remember(state.requests, meta["request_id"], logged.seq, state.settings.remembered_requests)
    _remember(state.decisions, meta["decision_id"], logged.seq, state.settings.remembered_requests)
    state.totals.decisions += 1
    state.pricer.decision_ts = ts
    user = meta["user_id"]
    state.vectors.asked[user] = None
    state.guardrails.seen(user, 0)
    for place, column in enumerate(arrays["columns"].tolist()):
        live = int(arrays["candidates"][column])
        slot = state.rooms.slot_of.get(live, -1)
        value = float(arrays["values"][column])
        state.totals.expected_value += value
        state.totals.expected_seconds += float(arrays["seconds"][column])
        row = f"{meta['decision_id']}/{place}" if meta["n"] > 1 else meta["decision_id"]
        clock_ts = meta.get("clock_ts", -1)
        shown = Shown(row, meta["decision_id"], user, live, slot, ts, value, clock_ts)
        for given_up in state.joiner.decided(shown):
            release(state, given_up)
        if slot >= 0:
            state.rooms.held[slot] += 1
            state.holds.append((ts + _ms(state.settings.join.hold_seconds), row))
        if place == 0:
            state.guardrails.decided(user, live)
            if slot >= 0:
                state.pricer.showed(state.rooms, slot)


def _events(state: State, batch: Sequence[Event], known_ts: int) -> Heard:
    heard = Heard()
    for event in batch:
        if event.event_id in state.event_ids:
            heard.duplicates += 1
            continue
        _remember(state.event_ids, event.event_id, None, state.settings.remembered_events)
        if event.type in (events.ROOM_OPEN, events.ROOM_CLOSE):
            code = _room(state, event, known_ts)
            if code:
                heard.refused[event.event_id] = code
                continue
        else:
            heard.joined += _viewer(state, event, known_ts)
        heard.accepted += 1
    state.totals.events += heard.accepted
    state.totals.duplicates += heard.duplicates
    if heard.accepted:
        state.pricer.event_ts = known_ts
    return heard


def _room(state: State, event: Event, known_ts: int) -> str:
    live = event.live_id
    if event.type == events.ROOM_CLOSE:
        close_room(state, live)
        at = max(event.ts, state.closed.get(live, event.ts))
        _remember(state.closed, live, at, _REMEMBERED_CLOSES)
        return ""
    if event.ts < state.closed.get(live, event.ts):
        return ROOM_CLOSED  # it was closed after this: an announcement that comes late
    if live not in state.rooms.slot_of and state.rooms.full:
        return TOO_MANY_ROOMS
    state.closed.pop(live, None)
    seats = event.x if event.x >= 0 else UNLIMITED_SEATS
    _opened(state, live, event.streamer_id, seats, known_ts)
    return ""


def _opened(state: State, live: int, streamer: int, seats: int, ts: int) -> None:
    known = live in state.rooms.slot_of
    slot = state.rooms.open(live, streamer, seats, ts)
    if not known:
        state.pricer.opened(slot, streamer)
    if not known or state.switch.acting.seats[slot] != seats:
        for ruling in state.switch.all:
            ruling.opened(slot, state.rooms.seats)


def _viewer(state: State, event: Event, known_ts: int) -> bool:
    """Hear of a viewer; return whether the event follows from a decision."""
    slot = state.rooms.slot_of.get(event.live_id, -1)
    if event.streamer_id < 0 and slot >= 0:
        event = event._replace(streamer_id=int(state.rooms.streamer_id[slot]))
    before = state.joiner.find(event)
    waited = before is not None and before.stage == WAITING
    found = state.joiner.happened(event, known_ts)
    if found is not None and waited and found.stage != WAITING:
        release(state, found)
    if event.type in ENTERS and slot >= 0:
        _enter_or_leave(state, event, slot)
    if event.type == events.EXIT:
        state.guardrails.exited(event.user_id, event.ts)
    if event.user_id >= 0:
        state.guardrails.seen(event.user_id, max(event.x, 0) if event.type == events.GIFT else 0)
    if slot >= 0:
        state.rooms.heard_ts[slot] = known_ts
    state.vectors.told.append(event)
    return found is not None


def _enter_or_leave(state: State, event: Event, slot: int) -> None:
    """Count who is inside; a leave that overtook its click keeps the click out."""
    pair, rooms = (event.user_id, event.live_id), state.rooms
    if event.type == events.LEAVE:
        if state.viewers.pop(pair, None) is not None:
            rooms.inside[slot] -= 1
        _remember(state.left, pair, event.ts, _REMEMBERED_LEAVES)
        return
    if event.type == events.CLICK:
        rooms.entered[slot] += 1
        rooms.recent[slot] += 1
        state.totals.clicked += 1
    if pair in state.viewers or event.ts <= state.left.get(pair, -1):
        return
    if rooms.inside[slot] >= rooms.seats[slot]:
        rooms.refused[slot] += 1
    rooms.inside[slot] += 1
    state.viewers[pair] = state.ts + int(state.settings.join.longest_hours * MS_PER_HOUR)


def _policy(state: State, logged: Logged) -> None:
    """Switch policies, all at once."""
    meta, switch = logged.record.meta, state.switch
    version = state.vectors.values.version if state.vectors.values else "popularity"
    if "policy" in meta:
        switch.acting = Ruling(meta["policy"], state.rooms.seats.copy(), version)
    if "shadow" in meta:
        spec = meta["shadow"]
        switch.shadow = Ruling(spec, state.rooms.seats.copy(), version) if spec else None
    if "kill_switch" in meta:
        switch.killed = meta["kill_switch"]
    if "policy" in meta or "kill_switch" in meta:
        state.guardrails.restart(logged.ts)
    _changed(state, logged, str(meta.get("because", "")))


def _changed(state: State, logged: Logged, because: str) -> None:
    switch = state.switch
    switch.changed_seq, switch.changed_ts, switch.because = logged.seq, logged.ts, because
    charges = state.charges()
    for ruling in switch.all:
        ruling.price(charges, logged.ts)


def _model(state: State, values: Values) -> None:
    """Take other values and compute every vector of it at once."""
    state.vectors.use(values)
    for ruling in state.switch.all:
        ruling.values_version = values.version
    if state.tick_ts >= 0:
        state.vectors.recompute(state.tick_ts, state.rooms)


def _remember(ids: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Keep the latest ``most`` keys."""
    ids.pop(key, None)
    ids[key] = value
    if len(ids) > most:
        del ids[next(iter(ids))]


def _ms(seconds: float) -> int:
    return int(seconds * MS_PER_SECOND)
