"""Preset v1 against an independent loop over contacts that draws its own world and luck."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

import numpy as np
import pytest

from giftlive.types import Decisions, Floats, Observation
from giftlive.world import build_world, load_scenario, make_arena, play_oracle_greedy

USERS, STREAMERS, ROUNDS, PER_ROUND, REPLICATES = 2_000, 100, 10, 200, 32
SIZES = {"rounds.rounds": str(ROUNDS)}


def gini(income: Floats) -> float:
    x = np.sort(income)
    rank = 1 + np.arange(len(x))
    return float(2 * (rank * x).sum() / (len(x) * x.sum()) - (len(x) + 1) / len(x))


def summary(amount: Floats, income: Floats) -> dict[str, float]:
    given = np.log(amount[amount > 0])
    quantiles = {f"log amount q{q}": float(np.quantile(given, q)) for q in (0.1, 0.5, 0.9, 0.99)}
    return {"gift rate": len(given) / len(amount), "gini": gini(income)} | quantiles


def unit(rng: np.random.Generator, centres: Floats, count: int) -> Floats:
    rows = rng.standard_normal((count, 16)) + centres[rng.integers(len(centres), size=count)]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def loop(seed: int, greedy: bool, gamma: float = 0.05) -> dict[str, float]:
    """The roadmap's simulator, as one would write it: contact after contact."""
    rng = np.random.default_rng([seed, 77])
    tail = 100.0 * rng.uniform(size=USERS) ** (-1 / 1.5)
    wealth = np.where(rng.uniform(size=USERS) < 0.05, tail, np.exp(rng.normal(3, 1, USERS)))
    log_wealth = np.log1p(wealth)
    big = wealth >= np.quantile(wealth, 0.99)
    fame = rng.exponential(1 / 1.4, STREAMERS)  # log of a Pareto
    engagement = (fame - fame.mean()) / fame.std()
    centres = rng.standard_normal((24, 16))
    p, q = unit(rng, centres, USERS), unit(rng, centres, STREAMERS)
    amounts, income = [], np.zeros(STREAMERS)
    for _ in range(ROUNDS):
        donors = np.zeros(STREAMERS)
        for u in rng.choice(USERS, PER_ROUND, replace=False):
            match = q @ p[u]
            chance = 1 / (1 + np.exp(5 - 0.5 * log_wealth[u] - match - 0.3 * engagement))
            mu = 2.0 + 0.8 * log_wealth[u] + 0.5 * match
            s = int(np.argmax(chance * np.exp(mu + 0.125))) if greedy else rng.integers(STREAMERS)
            amount = 0.0
            if rng.uniform() < chance[s]:
                amount = np.exp(rng.normal(mu[s], 0.5)) / (1 + gamma * donors[s])
            donors[s] += big[u]
            amounts.append(amount)
            income[s] += amount
    return summary(np.array(amounts), income)


def world(seed: int, greedy: bool) -> dict[str, float]:
    built = build_world(load_scenario("v1", "small", SIZES), seed)
    if greedy:
        out = play_oracle_greedy(built, seed)
        return summary(out.amount, out.streamer_income)
    arena, rng = make_arena(built, seed), np.random.default_rng(seed)
    seen: Observation | None = arena.reset()
    while seen is not None:
        n, m = seen.rooms.shape
        choice = np.asarray(rng.integers(m, size=n), dtype=np.int64)
        _, seen = arena.step(Decisions(choice, np.full((n, m), 1 / m)))
    return summary(arena.outcome().amount, arena.outcome().streamer_income)


def distances(
    one: Callable[[int], dict[str, float]], other: Callable[[int], dict[str, float]]
) -> dict[str, float]:
    """Return differences of means over replicates, in standard errors of the difference."""
    left, right = ([run(seed) for seed in range(REPLICATES)] for run in (one, other))
    out = {}
    for name in left[0]:
        x, y = (np.array([r[name] for r in rows]) for rows in (left, right))
        error = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / REPLICATES)
        out[name] = (fmean(x) - fmean(y)) / error
    return out


@pytest.mark.slow
@pytest.mark.parametrize("greedy", [True, False])
def test_v1_reproduces_the_distributions_of_the_loop(greedy: bool) -> None:
    """Six statistics, 32 worlds each: |difference| < 3.5 s.e. (p < 0.6 % for all six together)."""
    found = distances(lambda s: world(s, greedy), lambda s: loop(s, greedy))
    assert max(abs(d) for d in found.values()) < 3.5, found


@pytest.mark.slow
def test_the_comparison_sees_another_law() -> None:
    """Greedy fills rooms: without the externality of big donors amounts are larger."""
    found = distances(lambda s: world(s, True), lambda s: loop(s, True, gamma=2.0))
    assert max(abs(d) for d in found.values()) > 4, found
