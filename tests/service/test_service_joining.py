"""Events joined to decisions: in any order of arrival, once, and not after the end."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0

from giftlive.service.deciding import Request
from giftlive.service.engine import Origin, open_engine
from giftlive.service.events import Event
from giftlive.service.joining import Joiner, Shown
from giftlive.service.local import LocalService
from giftlive.service.settings import DecisiveSettings, JoinSettings

JOIN = JoinSettings(click_seconds=100.0, settle_seconds=10.0, longest_hours=1.0, hold_seconds=5.0)


def _shown(row: str = "d", user: int = 1, live: int = 2, ts: int = 0) -> Shown:
    return Shown(row, row, user, live, 0, ts, 1.0)


def _event(kind: str, ts: int, x: int = -1, decision: str = "", name: str = "") -> Event:
    return Event(name or f"{kind}{ts}", kind, ts, 1, 2, -1, x, decision)


STORY = [_event("click", 10), _event("gift", 20, 5), _event("gift", 30, 7), _event("leave", 40, 30)]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    joiner = Joiner(JOIN)
    joiner.decided(_shown())
    for k in order:
        joiner.happened(STORY[k], known_ts=100)
    assert joiner.matured(100 + 9_999) == []
    ((_, outcome),) = joiner.matured(100 + 10_000)
    assert (outcome.clicked, outcome.amount, outcome.watch_ms) == (True, 12, 30)
    assert joiner.open == {}
    assert joiner.latest == {}
    assert joiner.rows == {}


def test_without_a_click_nothing_is_earned_after_a_while() -> None:
    joiner = Joiner(JOIN)
    joiner.decided(_shown())
    assert joiner.matured(99_999) == []
    ((_, outcome),) = joiner.matured(100_000)
    assert (outcome.clicked, outcome.amount) == (False, 0)
    assert joiner.happened(STORY[0], 100_001) is None
    assert joiner.orphans == 1


def test_a_viewing_that_nobody_ends_is_over_after_the_longest_time() -> None:
    joiner = Joiner(JOIN)
    joiner.decided(_shown())
    joiner.happened(STORY[0], 50)
    assert joiner.matured(3_600_000) == []
    assert len(joiner.matured(3_600_050)) == 1


def test_an_event_goes_to_the_decision_it_names_else_to_the_latest() -> None:
    joiner = Joiner(JOIN)
    joiner.decided(_shown("one"))
    joiner.decided(_shown("two", ts=5))
    joiner.happened(_event("gift", 10, 3), 10)
    joiner.happened(_event("gift", 11, 4, decision="one"), 11)
    assert joiner.open["two"].amount == 3
    assert joiner.open["one"].amount == 4


@pytest.mark.parametrize(
    "event",
    [
        _event("gift", 20, 3, decision="nobody"),
        Event("g", "gift", 20, 9, 2, -1, 3, "one"),  # of another user
        Event("g", "gift", 20, 1, 5, -1, 3, "one"),  # in another room
        _event("gift", 1_000, 3, decision="one"),  # before it was taken
        _event("gift", 1_000, 3),
    ],
)
def test_an_event_that_cannot_follow_from_a_decision_joins_none(event: Event) -> None:
    joiner = Joiner(JOIN)
    joiner.decided(_shown("one", ts=0 if event.ts < 1_000 else 7_000))
    assert joiner.happened(event, 8_000) is None
    assert joiner.open["one"].amount == 0
    assert joiner.orphans == 1


def test_clocks_may_differ_a_little() -> None:
    joiner = Joiner(JOIN)
    joiner.decided(_shown("one", ts=6_000))
    assert joiner.happened(_event("gift", 1_000, 3, decision="one"), 8_000) is not None


def test_too_many_open_decisions_are_given_up_oldest_first() -> None:
    joiner = Joiner(JOIN.model_copy(update={"remembered": 2}))
    given_up = [joiner.decided(_shown(str(k), live=k)) for k in range(4)]
    assert [[o.shown.row_id for o in found] for found in given_up] == [[], [], ["0"], ["1"]]
    assert list(joiner.open) == ["2", "3"]


def test_hasty_leavers_and_unfollowers_complained() -> None:
    for events, complained in (
        ([_event("click", 1), _event("leave", 2, 2_999)], True),
        ([_event("click", 1), _event("leave", 2, 3_000)], False),
        ([_event("click", 1), _event("unfollow", 2), _event("leave", 3, 9_000)], True),
        ([_event("skip", 1)], False),
    ):
        joiner = Joiner(JOIN)
        joiner.decided(_shown())
        for event in events:
            joiner.happened(event, 10)
        ((_, outcome),) = joiner.matured(10**9)
        assert outcome.complained == complained


def test_a_leave_that_overtook_its_click_keeps_it_out() -> None:
    service = LocalService.open(MemoryStore(), Origin(DecisiveSettings(join=JOIN)), T0)
    service.hear(planted.rooms(1), T0)
    inside = []
    for k, (kind, ts) in enumerate(
        (("leave", 20), ("click", 10), ("click", 30), ("click", 31), ("leave", 40))
    ):
        x = 5 if kind == "leave" else -1
        service.hear([Event(f"e{k}", kind, T0 + ts, 1, 100, -1, x)], T0 + 100 + k)
        inside.append(int(service.state.rooms.inside[0]))
    assert inside == [0, 0, 1, 1, 0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["click", "leave", "gift", "watch", "skip", "exit", "unfollow"]),
            st.integers(0, 3),
            st.integers(100, 102),
            st.integers(0, 9_000),
        ),
        max_size=40,
    )
)
def test_seats_come_out_even(story: list[tuple[str, int, int, int]]) -> None:
    """Whatever happens in whatever order: never fewer than nobody inside, and none at the end."""
    memory = MemoryStore()
    settings = DecisiveSettings(join=JOIN, policy={"name": "uniform"})
    service = LocalService.open(memory, Origin(settings), T0)
    service.hear(planted.rooms(3, seats=2), T0)
    rooms, now = service.state.rooms, T0
    for k, (kind, user, live, delay) in enumerate(story):
        now += 700
        service.decide(Request(f"r{k}", user, (100, 101, 102)), now)
        x = 9 if kind in ("gift", "leave", "watch") else -1
        service.hear([Event(f"e{k}", kind, now - delay, user, live, -1, x)], now)
        assert (rooms.inside >= 0).all()
        assert (rooms.held >= 0).all()
        assert rooms.inside.sum() == len(service.state.viewers)
    service.tick(now + 10_000_000)
    assert rooms.inside.sum() == rooms.held.sum() == len(service.state.joiner.open) == 0
    assert open_engine(memory, Origin(settings), T0).state.digest() == service.state.digest()
