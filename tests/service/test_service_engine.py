"""The state is a function of the log: replayed, repeated, restarted, it is the same to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import EXPLORING, T0

from giftlive.errors import IntegrityError
from giftlive.service.applying import apply
from giftlive.service.deciding import Circumstances, Request, propose, request_of
from giftlive.service.engine import Origin, first_state, open_engine
from giftlive.service.local import LocalService
from giftlive.service.record import DECISION
from giftlive.service.scoring import Values
from giftlive.service.settings import DecisiveSettings
from giftlive.service.store import Store

ORIGIN = Origin(EXPLORING, planted.values())


def _played(store: Store, calls: int = 250, origin: Origin = ORIGIN) -> LocalService:
    service = LocalService.open(store, origin, T0)
    service.hear(planted.rooms(8, seats=4), T0)
    for call, what, ts in planted.day(3, calls):
        if call == "decide":
            service.decide(what, ts)
        else:
            service.hear(what, ts)
    return service


@pytest.mark.parametrize("values", [planted.values(), None])
def test_replaying_the_log_rebuilds_the_state(memory: Store, values: Values | None) -> None:
    origin = Origin(EXPLORING, values)
    live = _played(memory, origin=origin)
    again = open_engine(memory, origin, T0)
    assert live.state.ticks > 30
    assert live.state.totals.earned > 0
    assert again.state.digest() == live.state.digest()


def test_both_databases_keep_the_log_to_the_bit(store: Store) -> None:
    live = _played(store, 60)
    assert open_engine(store, ORIGIN, T0).state.digest() == live.state.digest()


def test_the_digest_sees_every_part_of_the_state(memory: Store) -> None:
    service = _played(memory, 60)
    state, before = service.state, service.state.digest()
    assert state.closed
    state.closed[1] = 1
    assert state.digest() != before
    del state.closed[1]
    for array in (state.rooms.inside, state.pricer.log_price, state.vectors.room):
        array.flat[0] += 1
        assert state.digest() != before
        array.flat[0] -= 1
    state.event_ids["new"] = None
    assert state.digest() != before
    del state.event_ids["new"]
    next(iter(state.joiner.open.values())).amount += 1
    assert state.digest() != before


def test_two_services_told_the_same_answer_the_same() -> None:
    answers = []
    for _ in range(2):
        service = _played(MemoryStore(), 80)
        answers.append([service.decide(Request(f"x{k}", k), T0 + 10**6) for k in range(5)])
    assert answers[0] == answers[1]


def test_a_decision_does_not_change_the_state_and_is_repeatable(memory: Store) -> None:
    state = _played(memory, 60).state
    before = state.digest()
    request, how = Request("new", 3, None, 2), Circumstances(state.ts)
    one, two = propose(state, request, how), propose(state, request, how)
    assert state.digest() == before
    assert one.meta == two.meta
    assert all(one.arrays[n].tobytes() == two.arrays[n].tobytes() for n in one.arrays)
    other = propose(state, Request("other", 3, None, 2), how)
    assert other.meta["decision_id"] != one.meta["decision_id"]


def test_a_repeated_request_gets_the_logged_answer(memory: Store) -> None:
    service = _played(memory, 40)
    first = service.decide(Request("again", 1), T0 + 10**6)
    seq = service.state.seq
    assert service.decide(Request("again", 1), T0 + 10**7) == first
    assert service.state.seq == seq


def test_what_was_decided_follows_from_the_state_it_names(memory: Store) -> None:
    """Every decision of the log is taken again on a replayed state, bit for bit."""
    _played(memory, 120)
    engine = open_engine(memory, ORIGIN, T0)
    state = first_state(memory)
    checked = 0
    for logged in memory.read(1, 10**6):
        record = logged.record
        if record.kind == DECISION:
            assert record.meta["state_seq"] == state.seq
            how = Circumstances(record.meta["ts"], record.meta["mode"])
            again = propose(state, request_of(record), how)
            assert again.meta == record.meta
            assert again.arrays.keys() == record.arrays.keys()
            for name, array in again.arrays.items():
                assert array.tobytes() == record.arrays[name].tobytes()
            checked += 1
        apply(state, logged)
    assert checked == 120
    assert state.digest() == engine.state.digest()


def test_a_gap_in_the_log_is_refused(memory: Store) -> None:
    service = _played(memory, 5)
    last = memory.get(service.state.seq)
    assert last is not None
    with pytest.raises(IntegrityError, match="after"):
        service.engine.apply(last)


def test_propensities_are_those_of_the_draws(memory: Store) -> None:
    """1,000 requests on one state: rooms are drawn as often as their propensities say."""
    service = LocalService.open(memory, ORIGIN, T0)
    service.hear(planted.rooms(4), T0)
    service.tick(T0 + 5)
    counts, chances = np.zeros(4), np.zeros(4)
    for k in range(1_000):
        record = propose(service.state, Request(f"q{k}", 5), Circumstances(T0 + 6))
        counts[record.arrays["columns"][0]] += 1
        chances = record.arrays["propensities"]
    assert chances.sum() == pytest.approx(1.0)
    assert np.abs(counts / 1_000 - chances).max() < 4 * np.sqrt(0.25 / 1_000)
    assert (chances >= 0.05 - 1e-12).all()


def test_hidden_seats_are_never_given_away(memory: Store) -> None:
    """One seat, held by the first decision: the second user is shown another room."""
    service = LocalService.open(memory, Origin(DecisiveSettings(policy=_CAP)), T0)
    service.hear(planted.rooms(2, seats=1), T0)
    shown = [
        service.decide(Request(f"s{k}", k, (100, 101)), T0 + 10 + k)["ranking"] for k in range(3)
    ]
    assert [r[0]["live_id"] for r in shown[:2]] == [100, 101]
    assert shown[2] == []


def test_a_room_on_its_way_to_the_log_counts_as_taken(memory: Store) -> None:
    """One seat, two decisions in one group: the second sees the first one's room in flight."""
    service = LocalService.open(memory, Origin(DecisiveSettings(policy=_CAP)), T0)
    service.hear(planted.rooms(2, seats=1), T0)
    engine = service.engine
    shown, last = [], {}
    for k in range(3):
        record = engine.propose(Request(f"f{k}", k, (100, 101)), T0 + 10, "popularity")
        engine.sent(record)
        shown.append(record.arrays["candidates"][record.arrays["columns"]].tolist())
        last = record.meta
    assert shown == [[100], [101], []]
    assert last["in_flight"] == [(0, 1), (1, 1)]
    for room in ([100], [101]):
        again = engine.propose(Request("x", 9, tuple(room)), T0 + 10, "popularity")
        assert not len(again.arrays["columns"])
    engine.sent(engine.propose(Request("f0", 0, (100,)), T0 + 10, "popularity"), -1)
    assert engine.in_flight == {0: 1, 1: 1}  # nothing was shown, nothing is given back


_CAP = {"name": "greedy_with_cap"}


def test_unknown_users_and_rooms_get_the_prior(memory: Store) -> None:
    service = _played(memory, 60)
    answer = service.decide(Request("u", 10**15, (10**14, 10**14 + 1)), T0 + 10**6)
    values = [room["value"] for room in answer["ranking"]]
    assert len(values) == 1
    assert values[0] > 0.0
    record = memory.find("d:u")
    assert record is not None
    assert len(set(record.record.arrays["values"].tolist())) == 1


def test_no_candidate_is_an_answer(memory: Store) -> None:
    service = LocalService.open(memory, ORIGIN, T0)
    answer = service.decide(Request("u", 1, ()), T0)
    assert (answer["ranking"], answer["reason"]) == ([], "no_candidate")
    again = open_engine(memory, ORIGIN, T0)
    assert again.state.digest() == service.state.digest()
