"""A decision log with everything a reader may stumble over."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from giftlive.logs.decisions import EXACT, MONTE_CARLO, DecisionLog, world_decision_id
from giftlive.logs.decisions.record import COLUMNS, PER_CANDIDATE
from giftlive.rng import stream
from giftlive.types import Floats

DRAWS = 1_000
WIDTH = 6
_START = 1_750_000_000_000
_ABSENT: dict[str, Any] = {"conditional_propensity": np.nan, "marginal_propensity": np.nan}

Row = dict[str, Any]


def make_decisions(seed: int, decisions: int = 300) -> DecisionLog:
    """Draw a valid log of a world and a service: padding, slates, estimates, open rewards.

    Of ten decisions about one has no candidate, one declines, two are slates of up to three
    places, one has Monte-Carlo propensities, the others are single exact choices; a fifth of the
    rewards has not matured. Choices are drawn from the propensities.

    Examples
    --------
    >>> log = make_decisions(1)
    >>> bool(log.shown.all()), log.width
    (False, 6)
    """
    draw = stream(seed, "conformance decisions")
    rows = [row for k in range(decisions) for row in _decision(draw, k)]
    return DecisionLog(**{name: _column(name, rows) for name in COLUMNS})


def _column(name: str, rows: list[Row]) -> Any:
    entries = [row[name] for row in rows]
    if name in PER_CANDIDATE:
        pad = PER_CANDIDATE[name]
        kind = np.int64 if pad == -1 else np.float64
        table = np.full((len(rows), WIDTH), pad, dtype=kind)
        for i, entry in enumerate(entries):
            table[i, : len(entry)] = entry
        return table
    text = isinstance(entries[0], str) or entries[0] is None
    return np.array(entries, dtype=object) if text else np.array(entries)


def _decision(draw: np.random.Generator, k: int) -> list[Row]:
    """Return the rows of decision ``k``: one, or one for each place of a slate."""
    kind = int(draw.integers(10))
    count = 0 if kind == 0 else int(draw.integers(1, WIDTH + 1))
    weight = draw.exponential(size=count) + 0.05
    base = _base(draw, k, count)
    if kind in (0, 1):
        nothing = {"propensities": np.zeros(count), "reward": 0.0 * base["reward"]}
        return [base | nothing | {"reason": "seat" if count else "no_candidate"}]
    if kind in (2, 3):
        return _slate(draw, base, weight, k)
    chances = weight / weight.sum()
    extra: Row = {}
    if kind == 4:
        counts = draw.multinomial(DRAWS, chances)
        chances = (counts + 1) / (DRAWS + count)
        extra = {"propensity_kind": MONTE_CARLO, "draws": DRAWS}
    column = int(draw.choice(count, p=weight / weight.sum()))
    return [base | extra | _chosen(base, chances, column, chances[column])]


def _base(draw: np.random.Generator, k: int, count: int) -> Row:
    """Return a row that shows nothing; even decisions are a world's, odd ones a service's."""
    user, world, matured = int(draw.integers(40)), k % 2 == 0, bool(draw.random() < 0.8)
    ts = _START + 700 * (k // 3)
    row: Row = dict.fromkeys(COLUMNS)
    name = world_decision_id(9, *(np.array([i]) for i in (user, k, 0)))[0]
    row |= {"decision_id": name if world else f"request-{k}", "user_id": user, "ts": ts}
    row |= {"seed": 9 if world else -1, "visit": k if world else -1, "slot": 0}
    row |= {"candidates": 500 + draw.permutation(WIDTH)[:count], "action": -1}
    row |= {"propensity": np.nan, "propensity_kind": EXACT, "draws": -1, "position": -1}
    row |= _ABSENT | {"values": draw.exponential(size=count), "prices": 0.1 * np.ones(count)}
    row |= {"policy": "softmax", "policy_version": "1", "matured": matured}
    row |= {"reward": np.nan, "reward_ts": ts + 9_000 if matured else -1}
    amount = float(draw.integers(1, 50)) if draw.random() < 0.3 else 0.0
    return row | ({"reward": amount} if matured else {})


def _chosen(base: Row, chances: Floats, column: int, propensity: float) -> Row:
    return {
        "propensities": chances,
        "action": base["candidates"][column],
        "propensity": propensity,
        "reason": "random",
    }


def _slate(draw: np.random.Generator, base: Row, weight: Floats, k: int) -> list[Row]:
    """Draw rooms one after another without replacement, in proportion to their weights."""
    places = min(3, len(weight))
    order: list[int] = []
    rows: list[Row] = []
    for place in range(places):
        chances = _next_place(weight, order)
        column = int(draw.choice(len(weight), p=chances))
        rows.append(
            base
            | _chosen(base, chances, column, 0.0)
            | {"decision_id": f"slate-{k}-{place}", "seed": -1, "visit": -1}
            | {"slate_id": f"slate-{k}", "position": place}
            | {"conditional_propensity": chances[column]}
            | {"marginal_propensity": _marginal(weight, place, column)}
        )
        order.append(column)
    whole = float(np.prod([row["conditional_propensity"] for row in rows]))
    return [row | {"propensity": whole} for row in rows]


def _next_place(weight: Floats, taken: list[int] | tuple[int, ...]) -> Floats:
    left = weight.copy()
    left[list(taken)] = 0.0
    chances: Floats = left / left.sum()
    return chances


def _marginal(weight: Floats, place: int, column: int) -> float:
    """Return the probability of ``column`` in ``place``, summed over everything before it."""
    others = [j for j in range(len(weight)) if j != column]
    total = 0.0
    for before in permutations(others, place):
        chance = 1.0
        for i, j in enumerate((*before, column)):
            chance *= float(_next_place(weight, before[:i])[j])
        total += chance
    return min(total, 1.0)
