"""Retrieval against a plain reading of its definition, and blind to the future."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from giftlive.errors import MissingCapabilityError, UsageError
from giftlive.tables.candidates import (
    REASONS,
    CandidateOptions,
    Candidates,
    candidates_at,
    retrieval_recall,
)

from .conftest import Log, Written

Write = Callable[[Log], Written]
Evening = Callable[..., Log]
Found = dict[int, set[str]]

MINUTE = 60_000
SMALL = CandidateOptions(
    gifted=2, entered=2, popular=3, category=2, newcomers=2, uniform=3, negatives=1, remembered=4,
    newcomer_ms=30 * MINUTE,
)  # fmt: skip


def reasons_of(found: Candidates, query: int) -> Found:
    rows = slice(found.first[query], found.first[query + 1])
    ids, why = found.live_id[rows].tolist(), found.why[rows].tolist()
    assert len(set(ids)) == len(ids)
    return {
        v: {name for bit, name in enumerate(REASONS) if w >> bit & 1}
        for v, w in zip(ids, why, strict=True)
    }


class Plain:
    """The definition, read aloud over the rows of a log."""

    def __init__(self, log: Log, options: CandidateOptions) -> None:
        self.log, self.options = log, options
        self.owner: dict[int, int] = {}
        self.category: dict[int, str | None] = {}
        self.first_start: dict[int, int] = {}
        for live, streamer, _, _, category in sorted(
            log.room, key=lambda r: (r[0], r[2], r[1], r[4] or "")
        ):
            self.owner.setdefault(live, streamer)
            self.category.setdefault(live, category)
        for live, _, start, end, _ in log.room:
            if self._end(end, start) > start:
                self.first_start[live] = min(start, self.first_start.get(live, start))

    def _end(self, end: int | None, start: int) -> int:
        return max(start, self.log.end() + 1) if end is None else end

    def live(self, t: int) -> set[int]:
        return {v for v, _, a, b, _ in self.log.room if a <= t < self._end(b, a)}

    def opened(self, live: int, t: int) -> int:
        """Return when the interval of a room that is live at t began."""
        begin, until = -1, -1
        rows = [(a, self._end(b, a)) for v, _, a, b, _ in self.log.room if v == live]
        for start, end in sorted(rows):
            if start < end and start <= t:
                begin = begin if start <= until else start
                until = max(until, end)
        return begin

    def homes(self, rows: list[tuple[int, int]], t: int, quota: int) -> list[int]:
        latest = list(dict.fromkeys(s for _, s in sorted(rows, key=lambda r: -r[0])))
        rooms = []
        for streamer in latest[: self.options.remembered]:
            mine = [v for v in self.live(t) if self.owner[v] == streamer]
            rooms += sorted(mine, key=lambda v: (-self.opened(v, t), -v))
        return rooms[:quota]

    def popular(self, t: int, category: str | None, quota: int) -> list[int]:
        minute = t - t % MINUTE
        size = max(self.options.popular, self.options.category)
        heat = Counter(v for _, v, _, ts in self.log.click if minute - 60 * MINUTE <= ts < minute)
        live = [v for v in heat if v in self.live(minute)]
        if category is not None:
            live = [v for v in live if self.category[v] == category]
        top = sorted(live, key=lambda v: (-heat[v], v))[:size][:quota]
        return [v for v in top if v in self.live(t)]

    def favourite(self, user: int, t: int) -> str | None:
        seen = Counter(
            self.category[v]
            for u, v, _, ts in self.log.click
            if u == user
            and ts < t
            and self.category.get(v) is not None
            and self.first_start.get(v, ts + 1) <= ts
        )
        return min(seen, key=lambda c: (-seen[c], c)) if seen else None

    def newcomers(self, t: int) -> list[int]:
        debut: dict[int, int] = {}
        for live, start in self.first_start.items():
            owner = self.owner[live]
            debut[owner] = min(start, debut.get(owner, start))
        span = self.options.newcomer_ms
        fresh = [
            (self.first_start[v], v)
            for v in self.live(t)
            if t - debut[self.owner[v]] < span and self.first_start[v] - debut[self.owner[v]] < span
        ]
        return [v for _, v in sorted(fresh)[::-1]][: self.options.newcomers]

    def reasons(self, user: int, t: int) -> Found:
        entered = [(ts, s) for u, _, s, ts in self.log.click if u == user and ts < t]
        gifted = [(ts, s) for u, _, s, ts, _ in self.log.gift if u == user and ts < t]
        favourite, o = self.favourite(user, t), self.options
        lists = {
            "gifted": self.homes(gifted, t, o.gifted),
            "entered": self.homes(entered, t, o.entered),
            "popular": self.popular(t, None, o.popular),
            "category": self.popular(t, favourite, o.category) if favourite else [],
            "newcomer": self.newcomers(t),
        }
        found: Found = {}
        for reason, rooms in lists.items():
            for room in rooms:
                found.setdefault(room, set()).add(reason)
        return found


def distinct_moments(log: Log) -> Log:
    """Give the actions of a user different times: the order of equal times is not the matter."""
    click = tuple((u, v, s, t + 7 * k) for k, (u, v, s, t) in enumerate(sorted(log.click)))
    gift = tuple((*g[:3], g[3] + 7 * k + 3, g[4]) for k, g in enumerate(sorted(log.gift)))
    return replace(log, click=click, gift=gift)


MORE = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12)]


@pytest.mark.parametrize("seed", [*range(4), *MORE])
def test_every_reason_is_its_definition(seed: int, write: Write, evening: Evening) -> None:
    log = distinct_moments(evening(seed))
    users = [*(r[1] for r in log.sample), 99]
    times = [*(r[4] for r in log.sample), 3_600_000]
    found, plain = candidates_at(write(log).store, users, times, SMALL), Plain(log, SMALL)
    drawn = 0
    for query, (user, t) in enumerate(zip(users, times, strict=True)):
        got, live = reasons_of(found, query), plain.live(t)
        certain = {v: why for v, why in got.items() if "uniform" not in why}
        assert certain == plain.reasons(user, t)
        sample = {v for v, why in got.items() if why == {"uniform"}}
        rest = live - certain.keys()
        assert sample <= rest
        assert len(sample) == min(3, len(rest)) == len(got) - len(certain)
        rows = slice(found.first[query], found.first[query + 1])
        chance = [1.0 if v in certain else len(sample) / len(rest) for v in got]
        assert found.inclusion[rows].tolist() == pytest.approx(chance)
        assert found.live_count[query] == len(live)
        drawn += len(sample)
    assert drawn > 50


def test_neither_order_nor_number_of_queries_matters(write: Write, evening: Evening) -> None:
    log = evening(3)
    store = write(log).store
    users, times = np.array([r[1] for r in log.sample]), np.array([r[4] for r in log.sample])
    whole = candidates_at(store, users, times, SMALL)
    some = np.random.default_rng(1).permutation(len(users))[:40]
    part = candidates_at(store, users[some], times[some], SMALL)
    for k, query in enumerate(some.tolist()):
        assert part.of(k).tolist() == whole.of(query).tolist()
    other = candidates_at(store, users, times, replace(SMALL, seed=2))
    assert other.live_id.tolist() != whole.live_id.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_the_future_changes_nothing(seed: int, write: Write, evening: Evening) -> None:
    log, t = evening(seed, rooms=60), 3_600_000
    later = evening(seed + 100, rooms=60)
    ended = tuple(
        (v, s, a, b if b is not None and b <= t else t + 1 + 977 * v, c)
        for v, s, a, b, c in log.room
        if a <= t
    )
    changed = Log(
        click=tuple(r for r in log.click if r[3] < t) + tuple(r for r in later.click if r[3] >= t),
        gift=tuple(r for r in log.gift if r[3] < t) + tuple(r for r in later.gift if r[3] >= t),
        negative=later.negative,
        room=ended + tuple(r for r in later.room if r[2] > t),
        last_ts=log.end() + 86_400_000,
    )
    users = np.array([r[1] for r in log.sample if r[4] <= t] + [1, 2, 3])
    times = np.array([r[4] for r in log.sample if r[4] <= t] + [t, t, t])
    before = candidates_at(write(log).store, users, times, SMALL)
    after = candidates_at(write(changed).store, users, times, SMALL)
    for name in ("first", "live_id", "streamer_id", "why", "inclusion", "live_count"):
        assert getattr(before, name).tolist() == getattr(after, name).tolist(), name


def test_an_event_of_the_same_millisecond_is_not_known(write: Write) -> None:
    log = Log(
        click=((1, 10, 5, 60_000),),
        gift=((1, 10, 5, 70_000, 3),),
        room=((10, 5, 0, None, "a"), (11, 6, 0, None, "a")),
        last_ts=200_000,
    )
    options = replace(SMALL, newcomers=0)
    found = candidates_at(
        write(log).store, [1] * 5, [60_000, 60_001, 70_000, 70_001, 120_000], options
    )
    reasons = [reasons_of(found, k)[10] for k in range(5)]
    assert reasons[:3] == [{"uniform"}, {"entered"}, {"entered"}]
    assert reasons[3] == {"entered", "gifted"}
    assert reasons[4] == {"entered", "gifted", "popular", "category"}


def test_a_streamer_is_remembered_whether_or_not_a_room_opens_later(write: Write) -> None:
    click = ((1, 10, 5, 100), (1, 70, 7, 200), (-1, 10, 5, 250))
    options = replace(SMALL, remembered=1, newcomers=0)
    for later in ((), ((70, 7, 400, None, None),)):
        log = Log(click=click, room=((10, 5, 0, None, None), *later), last_ts=500)
        found = candidates_at(write(log).store, [1, 1, -1], [150, 300, 300], options)
        reasons = [reasons_of(found, k)[10] for k in range(3)]
        assert reasons == [{"entered"}, {"uniform"}, {"uniform"}]


def test_inclusion_is_what_the_draw_does(write: Write) -> None:
    rooms = tuple((100 + k, k, 0, None, None) for k in range(60))
    log = Log(click=((1, 100, 0, 5),), room=rooms, last_ts=10_000)
    store, n = write(log).store, 3_000
    for uniform in (4, 20):  # drawn from the list, and from a pool
        options = CandidateOptions(
            gifted=0, entered=1, popular=0, category=0, newcomers=0, uniform=uniform, negatives=1
        )
        times = 6 + np.arange(n)
        found = candidates_at(store, np.ones(n), times, options)
        chance = uniform / 59
        often = np.bincount(found.live_id - 100, minlength=60)
        assert often[0] == n
        assert np.abs(often[1:] / n - chance).max() < 5 * np.sqrt(chance * (1 - chance) / n)
        assert found.inclusion[found.live_id != 100] == pytest.approx(chance)


def test_every_live_room_when_nothing_is_to_be_estimated(write: Write, evening: Evening) -> None:
    log = evening(5)
    options, plain = replace(SMALL, uniform=None), Plain(log, SMALL)
    times = [r[4] for r in log.sample]
    found = candidates_at(write(log).store, [r[1] for r in log.sample], times, options)
    assert all(set(found.of(k).tolist()) == plain.live(t) for k, t in enumerate(times))
    assert found.inclusion.tolist() == [1.0] * len(found.live_id)


def test_huge_ids_and_empty_queries(
    write: Write, evening: Evening, huge: Callable[[Log], Log]
) -> None:
    log = evening(2)
    users, times = np.array([r[1] for r in log.sample]), np.array([r[4] for r in log.sample])
    moved, up = write(huge(log)).store, 2**63 - 1 - 10_000
    options = replace(SMALL, uniform=None)  # draws are keyed by the id, and would differ
    plain = candidates_at(write(log).store, users, times, options)
    found = candidates_at(moved, users + up, times, options)
    assert (found.live_id - up).tolist() == plain.live_id.tolist()
    assert found.why.tolist() == plain.why.tolist()
    nothing = candidates_at(moved, [], [], SMALL)
    assert (nothing.first.tolist(), len(nothing.live_id)) == ([0], 0)


@pytest.mark.slow
def test_recall_counts_choices_and_money(write: Write) -> None:
    log = Log(
        click=((1, 10, 5, 100), (1, 10, 5, 200), (1, 77, 9, 300)),
        room=((10, 5, 0, None, None), (11, 6, 0, None, None)),
    )
    options = CandidateOptions(newcomers=0, uniform=2, negatives=0)
    found = candidates_at(write(log).store, [1, 1, 1], [100, 200, 300], options)
    recall = retrieval_recall(found, [10, 10, 77], [30, 50, 20])
    assert recall.click_share == pytest.approx(2 / 3)
    assert recall.amount_share == pytest.approx(0.8)
    assert recall.by_reason()["entered"] == pytest.approx((1 / 3, 0.5))
    assert recall.by_reason()["uniform"] == pytest.approx((1 / 3, 0.3))
    assert (recall + recall).amount_share == recall.amount_share
    with pytest.raises(UsageError, match="2 choices"):
        retrieval_recall(found, [10, 10], [0, 0])


def test_recall_without_a_choice_is_undefined(write: Write, evening: Evening) -> None:
    nothing = candidates_at(write(evening(1)).store, [], [], SMALL)
    recall = retrieval_recall(nothing, [], [])
    assert recall.click_share is None
    assert recall.amount_share is None


def test_what_is_missing_is_named(write: Write, evening: Evening) -> None:
    with pytest.raises(MissingCapabilityError, match="retrieving candidates needs room"):
        candidates_at(write(replace(evening(1), room=())).store, [1], [5])
    with pytest.raises(UsageError, match="shapes"):
        candidates_at(write(evening(1)).store, [1, 2], [5])
    with pytest.raises(UsageError, match="uniform"):
        CandidateOptions(uniform=3, negatives=8)
    for wrong in ({"gifted": -1}, {"share": 0.0}, {"remembered": 0}, {"refresh_ms": 0}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            CandidateOptions(**wrong)
