"""Each scenario check fails in a world that breaks just this promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest

from giftlive import world as shipped
from giftlive.testing import SCENARIO_CHECKS, check_scenario
from giftlive.testing import scenarios as promise
from giftlive.types import Decisions, Feedback, Ints, Observation
from giftlive.world import Outcome, World, load_scenario

SCARCE = load_scenario("scarce", "tiny", {"calendar.history_days": "1"})
V1 = load_scenario("v1", "tiny")

Spoil = Callable[[Outcome], Outcome]


@dataclass(frozen=True)
class SpoiledArena:
    """An arena whose account of the evening is spoiled."""

    inner: Any
    spoil: Spoil

    @property
    def seats(self) -> Ints:
        return self.inner.seats

    def reset(self) -> Observation | None:
        return self.inner.reset()

    def step(self, decisions: Decisions) -> tuple[Feedback, Observation | None]:
        return self.inner.step(decisions)

    def outcome(self) -> Outcome:
        return self.spoil(self.inner.outcome())


def spoiled(spoil: Spoil) -> Callable[[World, int], SpoiledArena]:
    return lambda world, seed: SpoiledArena(shipped.make_arena(world, seed), spoil)


def moody(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``make`` with a seed that depends on how often it was called."""
    calls = count(10)
    return lambda world, seed: make(world, next(calls))


def overstay(outcome: Outcome) -> Outcome:
    return replace(outcome, watch_ms=4 * outcome.watch_ms)


def steal(outcome: Outcome) -> Outcome:
    return replace(outcome, amount=-outcome.amount)


def lose(outcome: Outcome) -> Outcome:
    return replace(outcome, streamer_income=0.9 * outcome.streamer_income)


def tip_at_the_door(outcome: Outcome) -> Outcome:
    return replace(outcome, expected_amount=outcome.expected_amount + 1.0)


def dearer(world: World, user: Ints, room: Ints, ts: Ints) -> Any:
    return 1.2 * shipped.true_value(world, user, room, ts)


def longer(world: World, user: Ints, room: Ints, ts: Ints) -> Any:
    return 1.05 * shipped.true_seat_seconds(world, user, room, ts)


Planted = tuple[promise.ScenarioCheck, str, Any, str]

PLANTED: tuple[Planted, ...] = (
    (
        promise.equal_seeds_build_equal_worlds,
        "build_world",
        moody(shipped.build_world),
        "two different worlds",
    ),
    (
        promise.equal_seeds_build_equal_worlds,
        "build_world",
        lambda scenario, seed: shipped.build_world(scenario, 1),
        "another seed built the same",
    ),
    (
        promise.equal_seeds_bring_equal_arrivals,
        "potential_arrivals",
        moody(shipped.potential_arrivals),
        "different arrivals",
    ),
    (
        promise.identical_policies_tie,
        "make_arena",
        moody(shipped.make_arena),
        "did not tie in another arena",
    ),
    (promise.seats_are_never_exceeded, "make_arena", spoiled(overstay), "viewers at once"),
    (promise.money_is_never_negative, "make_arena", spoiled(steal), "an amount is negative"),
    (promise.money_is_never_negative, "make_arena", spoiled(lose), "streamers earned"),
    (promise.money_is_never_negative, "make_arena", spoiled(tip_at_the_door), "a refusal"),
    (promise.true_values_are_the_mean_of_responses, "true_value", dearer, "from true_value"),
    (
        promise.true_seat_seconds_are_the_mean_stay,
        "true_seat_seconds",
        longer,
        "from true_seat_seconds",
    ),
)


@pytest.mark.parametrize(("check", "name", "broken", "says"), PLANTED)
def test_a_broken_world_is_caught(
    check: promise.ScenarioCheck,
    name: str,
    broken: Any,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(SCARCE)
    monkeypatch.setattr(promise, name, broken)
    with pytest.raises(AssertionError, match=says):
        check(SCARCE)


def test_rounds_are_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promise, "make_arena", moody(shipped.make_arena))
    with pytest.raises(AssertionError, match="different arrivals"):
        promise.equal_seeds_bring_equal_arrivals(V1)
    monkeypatch.setattr(promise, "true_value", dearer)
    with pytest.raises(AssertionError, match="from true_value"):
        promise.true_values_are_the_mean_of_responses(V1)
    with pytest.raises(AssertionError, match="different arrivals"):
        check_scenario(V1)


def test_an_evening_without_visitors_is_no_evening() -> None:
    empty = load_scenario("scarce", "tiny", {"visits.per_day": "1e-9", "seats.mode": '"none"'})
    with pytest.raises(AssertionError, match="nobody comes"):
        promise.equal_seeds_bring_equal_arrivals(empty)


def test_every_scenario_check_has_a_world_that_breaks_it() -> None:
    assert {check for check, *_ in PLANTED} == set(SCENARIO_CHECKS)
