"""A decision: a pure function of the state, the request and the time it is given."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from giftlive.rng import stream
from giftlive.service.record import DECISION, Record
from giftlive.service.ruling import Ruling
from giftlive.service.scoring import popularity_values
from giftlive.service.slating import Slate, fill
from giftlive.service.state import State
from giftlive.types import UNLIMITED_SEATS, DecisionBatch, Decisions, Floats, Ints, Observation

SCORER, MODEL, POPULARITY = "scorer", "model", "popularity"
"""What valued the candidates."""
_USER_BITS = 37


@dataclass(frozen=True)
class Request:
    """Who asks for how many rooms out of which.

    Attributes
    ----------
    candidates : room ids, distinct; None: the live rooms that the service knows.
    """

    request_id: str
    user_id: int
    candidates: tuple[int, ...] | None = None
    n: int = 1

    @property
    def digest(self) -> str:
        """Sixteen digits of what was asked: a repeated id must ask the same."""
        named = self.candidates is not None
        asked = repr((self.user_id, self.n, named)).encode() + self.lives.tobytes()
        return hashlib.blake2b(asked, digest_size=8).hexdigest()

    @cached_property
    def lives(self) -> Ints:
        """[m] the candidates as an array, empty where none are named."""
        return np.array(self.candidates or (), dtype=np.int64)

    @property
    def key(self) -> str:
        """What a repetition is known by."""
        return f"d:{self.request_id}"


def request_of(record: Record) -> Request:
    """Return the request that a decision answers."""
    meta, arrays = record.meta, record.arrays
    named = tuple(arrays.get("named", arrays["candidates"]).tolist()) if meta["named"] else None
    return Request(meta["request_id"], meta["user_id"], named, meta["n"])


@dataclass(frozen=True)
class Circumstances:
    """What a decision depends on beside state and request, and is logged with it.

    Attributes
    ----------
    ts : ms UTC. mode : what values the candidates. in_flight : slots shown by decisions that are
        not yet in the state, with how often. clock_ts : what the clock said, where it is behind
        ``ts``, the time of the log; -1: it is not.
    """

    ts: int
    mode: str = SCORER
    in_flight: Mapping[int, int] = field(default_factory=dict)
    clock_ts: int = -1


@dataclass(frozen=True)
class Offer:
    """The candidates of a request, valued.

    Attributes
    ----------
    lives, slots : [m] ids and places. batch : what a policy sees. closed : [c] rooms that were
        named and are left out, because they are closed.
    """

    lives: Ints
    slots: Ints
    batch: DecisionBatch
    closed: Ints

    @property
    def seats_left(self) -> Ints:
        """[m] free seats."""
        return self.batch.observation.seats_left[0]


def propose(state: State, request: Request, how: Circumstances) -> Record:
    """Decide, and return the record that makes it true once it is in the log.

    The state is not changed. Equal arguments give equal records, bit for bit: the random numbers
    belong to the request, under the log's seed.
    """
    offer = _offer(state, request, how)
    ruling = state.switch.ruling
    decisions, slate = _rule(state, ruling, request, offer)
    charges = np.zeros(len(offer.lives)) if decisions.charges is None else decisions.charges[0]
    meta = _meta(state, ruling, request, how, slate)
    if 0 <= how.clock_ts < how.ts:
        meta["clock_ts"] = how.clock_ts
    meta["reason"] = _reason(decisions, offer, charges)
    arrays: dict[str, Any] = {
        "candidates": offer.lives,
        "values": offer.batch.values[0],
        "seconds": offer.batch.seat_seconds[0],
        "propensities": decisions.propensities[0],
        "columns": slate.columns,
        "conditional": slate.conditional,
        "marginal": slate.marginal,
    }
    if len(offer.closed):
        arrays |= {"named": request.lives, "closed": offer.closed}
    if charges.any():
        arrays["prices"] = charges
    if (offer.seats_left < UNLIMITED_SEATS >> 1).any():
        arrays["seats_left"] = offer.seats_left
    if state.switch.shadow is not None:
        meta["shadow"] = _shadowed(state, state.switch.shadow, request, offer, slate)
    return Record(DECISION, how.ts, meta, arrays, request.key)


def _offer(state: State, request: Request, how: Circumstances) -> Offer:
    """Return the candidates with places, values, seconds and seats."""
    rooms, closed = state.rooms, _closed(state, request)
    if request.candidates is None:
        slots = _retrieved(state)
        lives = rooms.live_id[slots]
    else:
        lives = request.lives
        if len(closed):
            lives = lives[~np.isin(lives, closed)]
        known = map(rooms.slot_of.get, lives.tolist(), repeat(-1))
        slots = np.fromiter(known, dtype=np.int64, count=len(lives))
        unknown = np.flatnonzero(slots < 0)
        slots[unknown] = rooms.size + unknown
    left = rooms.seats_left(slots)
    for slot, count in how.in_flight.items():
        left[slots == slot] -= count
    seen = Observation(
        ts=np.array([how.ts]),
        user=np.array([user_key(request.user_id)]),
        visit=np.zeros(1, dtype=np.int64),
        slot=np.zeros(1, dtype=np.int64),
        rooms=slots[None, :],
        streamers=slots[None, :],
        seats_left=left[None, :],
    )
    values = _values(state, request.user_id, slots, lives, how.mode)
    batch = DecisionBatch(seen, values[None, :], state.seat_seconds(slots)[None])
    return Offer(lives, slots, batch, closed)


def _closed(state: State, request: Request) -> Ints:
    """Return [c] the candidates that were announced as closed, in the order of the request."""
    if not state.closed or request.candidates is None:
        return np.zeros(0, dtype=np.int64)
    found = [live for live in request.candidates if live in state.closed]
    return np.array(found, dtype=np.int64)


def _retrieved(state: State) -> Ints:
    """Return the slots of the live rooms, the most appealing to anybody where there are many."""
    live, most = state.rooms.live(), state.settings.rooms.retrieved
    if len(live) <= most:
        return live
    if state.vectors.values is None:
        appeal = state.rooms.recent[live]
    else:
        appeal = state.vectors.room[live, 1]
    return np.sort(live[np.argsort(-appeal, kind="stable")[:most]])


def _values(state: State, user_id: int, slots: Ints, lives: Ints, mode: str) -> Floats:
    """Return [m] values of the candidates; those of the full model for the best few."""
    known = state.vectors.values
    if known is None or mode == POPULARITY or not len(slots):
        return popularity_values(state.totals.mean_amount, state.rooms.recent, slots)
    streamers = state.rooms.streamer_id[slots]
    values = state.vectors.scores(user_id, slots, streamers)
    if mode != MODEL or known.model is None or not state.settings.rerank:
        return values
    best = np.argsort(-values, kind="stable")[: state.settings.rerank]
    X = state.vectors.features(user_id, streamers[best], lives[best], known.names)
    values[best] = known.model.predict(X) * _enter(X, known.names)
    return values


def _enter(X: Floats, names: tuple[str, ...]) -> Floats:
    """Return [m] the chance of entering if shown: rates of user and streamer over their mean."""
    rates = [X[:, names.index(f"{who}_enter_rate")] for who in ("user", "streamer")]
    mean = max(float(np.mean(rates[0])), 1e-6)
    return np.clip(rates[0] * rates[1] / mean, 0.0, 1.0)


def _rule(state: State, ruling: Ruling, request: Request, offer: Offer) -> tuple[Decisions, Slate]:
    batch, m = offer.batch, len(offer.lives)
    if m == 0:
        nothing = Decisions(np.array([-1]), np.zeros((1, 0)))
        return nothing, fill(-1, np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool), 1)
    rng = stream(state.settings.seed, "decision", request.request_id, request.user_id)
    decisions = ruling.decide(batch, rng)
    charges = 0.0 if decisions.charges is None else decisions.charges[0]
    may = offer.seats_left > 0
    scores = batch.values[0] - charges
    first = int(decisions.choice[0])
    return decisions, fill(first, decisions.propensities[0], scores, may, request.n)


def _meta(
    state: State, ruling: Ruling, request: Request, how: Circumstances, slate: Slate
) -> dict[str, Any]:
    return {
        "request_id": request.request_id,
        "user_id": request.user_id,
        "n": request.n,
        "named": request.candidates is not None,
        "asked": request.digest,
        "ts": how.ts,
        "decision_id": decision_id(state.settings.seed, how.ts, request),
        "state_seq": state.seq,
        "as_of": state.tick_ts,
        "price_version": str(state.pricer.version),
        "policy": ruling.name,
        "policy_version": ruling.version,
        "mode": _mode(state, how.mode),
        "in_flight": sorted(how.in_flight.items()),
        "killed": state.switch.killed,
        "shown": len(slate.columns),
    }


def _mode(state: State, mode: str) -> str:
    known = state.vectors.values
    if known is None:
        return POPULARITY
    return SCORER if mode == MODEL and (known.model is None or not state.settings.rerank) else mode


def _reason(decisions: Decisions, offer: Offer, charges: Floats) -> str:
    """Return the code of docs/decision-log.md that says why."""
    if not len(offer.lives):
        return "no_candidate"
    if decisions.reason is not None and decisions.reason[0]:
        return str(decisions.reason[0])
    if (decisions.propensities[0] > 0.0).sum() > 1:
        return "random"
    best = int(np.argmax(offer.batch.values[0]))
    chosen = int(decisions.choice[0])
    if chosen == best:
        return "greedy"
    if offer.seats_left[best] <= 0:
        return "seat"
    return "price" if charges.any() else "greedy"


def _shadowed(
    state: State, shadow: Ruling, request: Request, offer: Offer, slate: Slate
) -> dict[str, Any]:
    """Return what the shadow would have shown, and its propensity for what was shown."""
    would, _ = _rule(state, shadow, request, offer)
    choice = int(would.choice[0])
    acted = int(slate.columns[0]) if len(slate.columns) else -1
    return {
        "policy": shadow.name,
        "policy_version": shadow.version,
        "action": int(offer.lives[choice]) if choice >= 0 else -1,
        "propensity": float(would.propensities[0, acted]) if acted >= 0 else 0.0,
    }


def user_key(user_id: int) -> int:
    """Return a number below 2^37 for a user: policies pack it beside a room's."""
    if user_id < 1 << _USER_BITS:
        return user_id
    digest = hashlib.blake2b(user_id.to_bytes(8, "little"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> (64 - _USER_BITS)


def decision_id(seed: int, ts: int, request: Request) -> str:
    """Return a UUID of version 7: its first 48 bits are the time, the others are the request's.

    Examples
    --------
    >>> decision_id(0, 1_746_374_400_000, Request("a", 1))[:15]
    '01969c06-9800-7'
    """
    told = repr((seed, request.request_id, request.user_id)).encode()
    tail = int.from_bytes(hashlib.blake2b(told, digest_size=10).digest(), "big")
    rand_a, rand_b = tail >> 68, tail & ((1 << 62) - 1)
    number = (ts & ((1 << 48) - 1)) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
