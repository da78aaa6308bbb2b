"""The state as readers see it: plain data, made when it is asked for or once a tick."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from giftlive.service.state import State
from giftlive.types import UNLIMITED_SEATS

_POINTS = 4_096


def rooms_of(state: State) -> dict[str, Any]:
    """Return every live room with its load and price, by slot."""
    r, prices = state.rooms, state.pricer.per_second()
    found = []
    for slot in r.live().tolist():
        seats = int(r.seats[slot])
        limited = seats < UNLIMITED_SEATS
        found.append(
            {
                "live_id": int(r.live_id[slot]),
                "streamer_id": int(r.streamer_id[slot]) if r.streamer_id[slot] >= 0 else None,
                "start_ts": int(r.start_ts[slot]),
                "seats": seats if limited else None,
                "viewers": int(r.inside[slot]),
                "held": int(r.held[slot]),
                "load": float(r.inside[slot] / max(seats, 1)) if limited else None,
                "price_per_second": float(prices[slot]),
                "shown": int(r.shown[slot]),
                "entered": int(r.entered[slot]),
                "amount": int(r.earned[slot]),
            }
        )
    return {"as_of_ts": state.tick_ts, "rooms": found}


def prices_of(state: State) -> dict[str, Any]:
    """Return the price of a seat-second in every room that has one."""
    r, prices = state.rooms, state.pricer.per_second()
    return {
        "price_version": str(state.pricer.version),
        "ts": state.pricer.ts,
        "stale": state.pricer.stale,
        "unit_value_per_second": state.pricer.unit,
        "newcomer_bonus": state.pricer.bonus * state.pricer.value,
        "newcomer_floor": state.pricer.settings.newcomer_floor,
        "prices": [
            {"live_id": int(r.live_id[s]), "per_second": float(prices[s])}
            for s in r.live().tolist()
            if prices[s] > 0.0
        ],
    }


def policy_of(state: State) -> dict[str, Any]:
    """Return who decides, who watches, and how the guardrails stand."""
    s = state.switch
    shadow = None
    if s.shadow is not None:
        shadow = {"spec": s.shadow.spec, "name": s.shadow.name, "version": s.shadow.version}
    return {
        "policy": s.ruling.name,
        "policy_version": s.ruling.version,
        "spec": s.ruling.spec,
        "chosen": s.acting.spec,
        "safe_policy": state.settings.safe_policy,
        "shadow": shadow,
        "kill_switch": s.killed,
        "changed_ts": s.changed_ts,
        "because": s.because,
        "values_version": s.acting.values_version,
        "guardrails": guardrails_of(state),
        "trips": [asdict(trip) for trip in state.guardrails.trips],
    }


def guardrails_of(state: State) -> list[dict[str, Any]]:
    """Return every guardrail with the interval of the sample that speaks."""
    found = []
    for watch in state.guardrails.watches.values():
        i = watch.interval
        found.append(
            watch.settings.model_dump()
            | {
                "value": i.value if i else None,
                "low": i.low if i else None,
                "high": i.high if i else None,
                "n": i.n if i else 0,
                "breached": watch.breached,
                "since_ts": watch.samples[0].since_ts if watch.samples else None,
            }
        )
    return found


def summary_of(state: State) -> dict[str, Any]:
    """Return the totals."""
    t = state.totals
    return {
        "seq": state.seq,
        "ts": state.ts,
        "tick_seq": state.tick_seq,
        "tick_ts": state.tick_ts,
        "decisions": t.decisions,
        "final_decisions": int(t.shown),
        "clicks": int(t.clicked),
        "amount": int(t.earned),
        "watched_seconds": t.watched,
        "events": t.events,
        "duplicate_events": t.duplicates,
        "orphan_events": state.joiner.orphans,
        "open_decisions": len(state.joiner.open),
        "live_rooms": len(state.rooms.slot_of),
        "viewers": len(state.viewers),
        "users": len(state.vectors.users),
        "values": state.vectors.values.version if state.vectors.values else None,
    }


@dataclass
class History:
    """What a dashboard draws: a point per tick, the latest few thousand; not part of the state."""

    points: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_POINTS))

    def add(self, state: State) -> None:
        """Keep how things stand at this tick."""
        prices = state.pricer.per_second()[state.rooms.live()]
        point = summary_of(state) | {
            "policy_version": state.switch.ruling.version,
            "kill_switch": state.switch.killed,
            "mean_price": float(prices.mean()) if len(prices) else 0.0,
            "guardrails": {
                g["name"]: [g["value"], g["low"], g["high"]] for g in guardrails_of(state)
            },
        }
        self.points.append(point)

    def since(self, ts: int, most: int) -> list[dict[str, Any]]:
        """Return at most ``most`` points after ``ts``, evenly thinned."""
        found = [point for point in self.points if point["tick_ts"] > ts]
        step = max(-(-len(found) // most), 1)
        return found[::-1][::step][::-1]
