"""Study 6.2: passes, fails and refuses by hand; the sign flips on a world, and A/A ties."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified
from tests.studies.cell_readings import context_of, gates, scattered, value

from giftlive.errors import InputError, UsageError
from giftlive.evaluation.results import StudyResult
from giftlive.evaluation.rollouts import Cell, Contestant, ErrorLaw, Market, played
from giftlive.evaluation.rollouts.conversion import ACTIONS, policy_of, pool_numbers, pool_of
from giftlive.evaluation.rollouts.experiments import TwoArms, arm_means, paired_halves
from giftlive.evaluation.rollouts.seats import (
    clearing_prices,
    optimum,
    seat_prices,
    seated,
)
from giftlive.policies.registry import make_policy
from giftlive.rng import stream
from giftlive.studies import interference
from giftlive.studies.registry import ON_REQUEST, find
from giftlive.types import Floats, Ints

GOOD: dict[str, float] = {
    "user": -0.15, "truth": 0.5, "budget": 0.48, "displaced": 0.4, "price": 0.2, "differs": 0.0
}  # fmt: skip
Answer = Callable[..., StudyResult]
SIZES = (300, 12, 4, 8)


def says(cell: Cell, good: dict[str, float]) -> dict[tuple[str, str, str], float | None]:
    found: dict[tuple[str, str, str], float | None] = {("a_a", "user", "differs"): good["differs"]}
    for load in cell.setting("loads"):
        table = f"load {load:g}"
        found[table, "treatment", "displaced"] = good["displaced"]
        found[table, "seats", "price share"] = good["price"]
        lifts = {d: good[d] for d in ("user", "budget", "truth")} | {"switchback": good["truth"]}
        once = {f"{d}, once": lift for d, lift in lifts.items() if d != "truth"}
        for design, lift in (lifts | once).items():
            found[table, design, "control"] = 20.0
            found[table, design, "treatment"] = 20.0 * (1.0 + lift)
            found[table, f"{design} effect", "effect"] = 20.0 * lift
    for action, earned in zip(ACTIONS, (20.0, 22.0, 18.0, 19.0), strict=True):
        found["pool", action, "expected"] = earned
        found["pool", action, "acts"] = 0.0 if action == "none" else 0.3
        found["pool", action, "to pool streamers"] = 0.1
        found["pool", action, "income Gini"] = 0.6
    return found


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, seeds: int = 50, **worse: float) -> StudyResult:
        measure = scattered(lambda cell: says(cell, GOOD | worse), 0.002)
        monkeypatch.setattr(interference, "interference_cell", measure)
        return find("interference").run(context_of(tmp_path, "interference", seeds=seeds))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("interference") in ON_REQUEST


def test_a_flipped_sign_and_an_honest_budget_split_pass(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    assert gates(result)["interference"].verdict == "PASS"
    assert value(result, "user_split_lift") == pytest.approx(-0.15, abs=0.005)
    assert value(result, "budget_of_truth") == pytest.approx(0.96, abs=0.01)


@pytest.mark.parametrize(
    ("worse", "part"),
    [
        ({"user": 0.1}, "user_split_lift"),
        ({"truth": -0.4, "budget": -0.4}, "true_lift"),
        ({"budget": 0.3}, "budget_of_truth"),
    ],
)
def test_each_part_alone_fails_it(answer: Answer, worse: dict[str, float], part: str) -> None:
    found = gates(answer(**worse))["interference"]
    assert found.verdict == "FAIL"
    assert found.estimate is not None
    assert found.estimate.name == part


def test_it_refuses_seats_that_do_not_bind_and_a_treatment_that_does_nothing(
    answer: Answer,
) -> None:
    for asked, check in (
        ({"price": 0.0}, "binding"),
        ({"truth": 0.001}, "movable"),
        ({"differs": 1.0}, "a_a"),
        ({"seeds": 6}, "power"),
    ):
        result = answer(**asked)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert gates(result)["interference"].verdict == "NOT ANSWERABLE"


def test_a_load_that_is_not_played_cannot_be_judged(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"interference.judged_load"):
        find("interference").run(context_of(tmp_path, "interference", judged_load=0.9))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "load_0.5", 1, 3, "load_0.5 / user / lift")


def test_on_a_world_the_user_split_flips_the_sign_and_the_switchback_does_not(
    tmp_path: Path,
) -> None:
    users, streamers, seats, rounds = SIZES
    asked: dict[str, Any] = {
        "seeds": 3, "users": users, "streamers": streamers, "seats": seats, "rounds": rounds,
        "loads": [1.25],
    }  # fmt: skip
    result = find("interference").run(context_of(tmp_path, "interference", **asked))
    assert value(result, "user_split_lift") < 0.0 < 0.2 < value(result, "true_lift")
    assert value(result, "switchback_of_truth") == pytest.approx(1.0, abs=0.1)
    assert 0.5 < value(result, "budget_of_truth") < 1.3


@pytest.fixture(scope="module")
def market() -> Market:
    cell = Cell("p", 3, "v1", None, (), (("sizes", SIZES),))
    return Market.of(seated(cell, 1.25, 0.6), ErrorLaw(0.4, 0.25, 0.5))


def test_a_nudge_acts_on_the_pool_alone_and_one_of_0_is_none() -> None:
    cell = seated(Cell("p", 3, "v1", None, (), (("sizes", SIZES),)), 1.25, 0.6)
    law = ErrorLaw(0.4, 0.25, 0.5)
    said = {
        nudge: {(n.row, n.column): n.value for n in pool_numbers(cell, law, nudge)}
        for nudge in (0.0, 0.5)
    }
    still, moved = said[0.0], said[0.5]
    assert still["nudge", "expected"] == pytest.approx(still["none", "expected"], rel=1e-12)
    assert all(moved[key] == value for key, value in still.items() if key[0] != "nudge")
    gain = (moved["nudge", "expected"] or 0.0) / (still["none", "expected"] or 1.0) - 1.0
    assert 0.0 < gain < np.exp(0.5) - 1.0  # a logit's rise multiplies a chance by at most e^0.5
    assert still["head stock", "acts"] == still["routing", "acts"] == still["nudge", "acts"]


def test_the_pool_watches_much_and_pays_little_and_only_it_is_acted_on(market: Market) -> None:
    pool = pool_of(market)
    assert 0 < pool.users.sum() < 0.6 * len(pool.users)
    assert 0 < pool.streamers.sum() <= 6
    assert pool.head.sum() == 1  # a tenth of twelve
    alone = played(market, Contestant("a", "a"), make_policy("greedy_with_cap")).outcome
    away = played(market, Contestant("b", "b"), policy_of("head stock", pool)).outcome
    of_pool = pool.users[away.user] & away.shown
    assert not pool.head[away.streamer[of_pool]].any()
    of_all = pool.users[alone.user] & alone.shown
    assert pool.head[alone.streamer[of_all]].any()
    routed = played(market, Contestant("c", "c"), policy_of("routing", pool)).outcome
    sent = pool.users[routed.user] & routed.shown
    before, after = (
        pool.streamers[o.streamer[r]].mean() for o, r in ((alone, of_all), (routed, sent))
    )
    assert after > before + 0.1


def test_budgets_are_kept_apart_and_shared_seats_are_not_overrun(market: Market) -> None:
    capped = make_policy("greedy_with_cap")
    half = paired_halves(stream(1, "half"), market.estimated.max(axis=1))
    for split, most in (("user", 4), ("budget", 2)):
        experiment = TwoArms((capped, capped), split, half)  # type: ignore[arg-type]
        o = played(market, Contestant("two", "two"), experiment).outcome
        assert not o.refused.any()
        for treated in (False, True):
            rows = (half[o.user] == treated) & o.shown
            room_of_round = o.visit[rows] * 12 + o.room[rows]
            assert np.bincount(room_of_round).max() == most if split == "budget" else True


def test_one_policy_in_both_arms_of_a_user_split_is_that_policy_to_the_bit(market: Market) -> None:
    capped = make_policy("greedy_with_cap")
    half = paired_halves(stream(2, "half"), market.estimated.max(axis=1))
    o = played(market, Contestant("two", "two"), TwoArms((capped, capped), "user", half)).outcome
    alone = played(market, Contestant("one", "one"), capped).outcome
    assert np.array_equal(o.room, alone.room)
    assert np.array_equal(o.expected_amount, alone.expected_amount)
    worth = np.ones(len(o.user))
    with pytest.raises(InputError, match="arm_means"):
        arm_means(o, np.zeros(len(o.user), dtype=np.int64), worth)


def test_clearing_prices_nearly_certify_the_optimum(market: Market) -> None:
    """Weak duality bounds the exact optimum from above; the auction's prices nearly reach it."""
    seats, bound, plain = market.seats, 0.0, 0.0
    for users in market.rounds:
        values = market.true[users]
        price = clearing_prices(values, seats)
        bound += float((values - price).max(axis=1).clip(0.0).sum() + price @ seats)
        plain += float(values.max(axis=1).sum())
        assert not clearing_prices(values, np.full(12, len(values))).any()  # nothing is scarce
    exact = optimum(market)
    assert exact <= bound <= 1.01 * exact
    assert plain > 1.1 * exact  # without prices the bound says nothing
    assert seat_prices(market, market.estimated).price_share > 0.05


def test_clearing_prices_are_those_of_the_plain_auction_to_the_bit() -> None:
    """Two best rooms per user are enough: the same sums as with every room looked at each time."""
    g = stream(3, "auction")
    for k in range(40):
        n, rooms = int(g.integers(1, 60)), int(g.integers(1, 12))
        values = np.exp(1.5 * g.normal(size=(n, rooms))) * (g.random((n, rooms)) < 0.9)
        values = np.round(values) if k % 2 else values  # with ties
        seats = g.integers(0, 8, rooms)
        for sweeps in (1, 3, 40):
            assert np.array_equal(
                clearing_prices(values, seats, sweeps), plain(values, seats, sweeps)
            )


def plain(values: Floats, seats: Ints, sweeps: int) -> Floats:
    """Return the prices of the auction as its docstring tells it."""
    price = np.zeros(values.shape[1])
    for _ in range(sweeps):
        for s in np.flatnonzero(seats < len(values)):
            net = values - price
            net[:, s] = 0.0
            bids = np.sort(values[:, s] - net.max(axis=1).clip(0.0))
            price[s] = max(price[s], bids[len(bids) - 1 - seats[s]])
    return price
