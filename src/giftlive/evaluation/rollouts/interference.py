"""One seed of study 6.2: what three experiments say of a treatment whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Contestant, differs, played
from giftlive.evaluation.rollouts.conversion import pool_numbers
from giftlive.evaluation.rollouts.experiments import (
    Split,
    TwoArms,
    arm_means,
    arms_of,
    paired_halves,
)
from giftlive.evaluation.rollouts.market import Market
from giftlive.evaluation.rollouts.seats import SeatPrices, as_prices, seat_prices, seated
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.policies.base import Policy
from giftlive.policies.registry import make_policy
from giftlive.rng import stream

SPLITS: tuple[Split, ...] = ("user", "budget", "switchback")
ARMS = ("control", "treatment")


def interference_cell(cell: Cell) -> tuple[Number, ...]:
    """Return every number of one seed: true means, and the means of both arms of every split.

    Settings of the cell: ``errors``, ``sizes``, ``loads``, ``differentiation`` and ``nudge``. The
    conversion pool is asked about at the last load.
    """
    found: list[Number] = []
    law, steep = ErrorLaw(*cell.setting("errors")), cell.setting("differentiation")
    loads, truth = cell.setting("loads"), None  # a pair is worth the same at any load
    for load in loads[:-1]:
        market = Market.of(seated(cell, load, steep), law, truth)
        truth = market.truth
        found += _measured(market, table(load))
    last = seated(cell, loads[-1], steep)
    market = Market.of(last, law, truth)
    found += _measured(market, table(loads[-1]))
    found += pool_numbers(last, law, cell.setting("nudge"), market)
    return (*found, Number("a_a", "user", "differs", _tie(market)))


def table(load: float) -> str:
    """Return the name of the readings at a load."""
    return f"load {load:g}"


def treatments(prices: SeatPrices) -> tuple[Policy[Any], Policy[Any]]:
    """Return control, capped greedy, and treatment, prices of another day; both on estimates."""
    priced = make_policy("dual_price", prices=as_prices(prices.seat), learning_rate=0.0)
    return make_policy("greedy_with_cap"), priced


def _measured(market: Market, name: str) -> Iterator[Number]:
    prices = seat_prices(market, market.estimated)
    yield Number(name, "seats", "price share", prices.price_share)
    arms, truth = treatments(prices), []
    for which, policy in zip(ARMS, arms, strict=True):
        everybody = played(market, Contestant(which, which), policy)
        truth.append(float(everybody.outcome.expected_amount.mean()))
        yield Number(name, which, "displaced", everybody.displaced / market.rounds.size)
    yield from _arms(name, "truth", (truth[0], truth[1]))
    for split in SPLITS:
        once, exchanged = _both(market, split, arms)
        both = ((once[0] + exchanged[0]) / 2.0, (once[1] + exchanged[1]) / 2.0)
        yield from _arms(name, split, both)
        yield from _arms(name, f"{split}, once", once)


def _arms(name: str, design: str, means: tuple[float, float]) -> Iterator[Number]:
    for which, mean in zip(ARMS, means, strict=True):
        yield Number(name, design, which, mean)
    yield Number(name, f"{design} effect", "effect", means[1] - means[0])


def _both(
    market: Market, split: Split, arms: tuple[Policy[Any], Policy[Any]]
) -> list[tuple[float, float]]:
    """Return the arms' means of an experiment, and of the same with its arms exchanged.

    What is asked is the bias of a design. Over both every unit was once in each arm, so that luck
    in who is where falls out; a single experiment stands beside it.
    """
    worth = market.estimated.max(axis=1)
    units = worth[market.rounds].sum(axis=1) if split == "switchback" else worth
    half = paired_halves(stream(market.seed, f"arms of the {split} split"), units)
    means = []
    for treated in (half, ~half):
        experiment = TwoArms(arms, split, treated)
        o = played(market, Contestant(split, split), experiment).outcome
        means.append(arm_means(o, arms_of(experiment, o.user, o.visit), worth[o.user]))
    return means


def _tie(market: Market) -> float:
    """Return whether one policy in both arms of a user split differs from itself alone."""
    capped = make_policy("greedy_with_cap")
    half = paired_halves(stream(market.seed, "arms"), market.estimated.max(axis=1))
    one = played(market, Contestant("both", "both"), TwoArms((capped, capped), "user", half))
    return differs(one, played(market, Contestant("alone", "alone"), capped))
