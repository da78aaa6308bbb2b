"""The conversion pool of study 6.2: what acts on who watches much and pays little?

From the rounds of another day, under the policy in use: *pool users* came at least as often as the
median and paid less than the median; *pool streamers* were shown at least as often as the median
and earned less per viewing; *head streamers* are the tenth that earned most (where seats bind,
all rooms are shown equally often). Each action touches the decisions of pool users alone:

nudge
    the gift of the room shown anyway is likelier: its logit rises by ``nudge``, an assumption,
    because no log here says what a nudge does.
routing
    pool streamers with a free seat come first.
head stock
    head streamers are closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from giftlive import metrics
from giftlive.evaluation.behavioural import Number
from giftlive.evaluation.rollouts.cells import Cell
from giftlive.evaluation.rollouts.contestants import Contestant, played
from giftlive.evaluation.rollouts.market import Market
from giftlive.evaluation.rollouts.value_errors import ErrorLaw
from giftlive.policies.base import Policy
from giftlive.policies.registry import make_policy
from giftlive.policies.signals import ByPair
from giftlive.types import Bools, Floats
from giftlive.world.outcome import Outcome

POOL = "pool"
ACTIONS = ("none", "nudge", "routing", "head stock")
_ANOTHER_DAY = 1_000_003
_HEAD = 0.1


@dataclass(frozen=True)
class Pool:
    """Who is in the pool: users [U], streamers [S], and the head of the streamers [S]."""

    users: Bools
    streamers: Bools
    head: Bools


def pool_numbers(
    cell: Cell, law: ErrorLaw, nudge: float, market: Market | None = None
) -> Iterator[Number]:
    """Return what every action earns per decision, how often it acts, and where income goes.

    Parameters
    ----------
    cell : of rounds with hard seats and no externality, so that expected amounts are values.
    nudge : >= 0, on the logit of a gift. market : of the cell, where it is known already.
    """
    market = market or Market.of(cell, law)
    pool = pool_of(market)
    willing = Market.of(_nudged(cell, market, nudge), law).true
    control = played(market, Contestant("none", "none"), make_policy("greedy_with_cap")).outcome
    yield from _numbers("none", control, control.expected_amount, pool)
    for name in ACTIONS[1:]:
        o, earned = control, control.expected_amount
        if name == "nudge":
            acted = o.shown & pool.users[o.user]
            earned = np.where(acted, willing[o.user, o.streamer.clip(0)], earned)
        else:
            o = played(market, Contestant(name, name), policy_of(name, pool)).outcome
            earned = o.expected_amount
        yield from _numbers(name, o, earned, pool)


def pool_of(market: Market) -> Pool:
    """Return the pool as the platform's own log of another day shows it."""
    before = replace(market, seed=market.seed + _ANOTHER_DAY)
    o = played(before, Contestant("log", "log"), make_policy("greedy_with_cap")).outcome
    users, streamers = market.true.shape
    shown = o.shown
    visits = np.bincount(o.user, minlength=users)
    paid = np.bincount(o.user, o.amount, users)
    reach = np.bincount(o.streamer[shown], minlength=streamers)
    earned = np.bincount(o.streamer[shown], o.amount[shown], streamers)
    income = earned / np.maximum(reach, 1)
    came = visits > 0
    often = came & (visits >= np.median(visits[came]))
    poor = paid <= np.median(paid[came])
    wide = (reach > 0) & (reach >= np.median(reach))
    head = np.zeros(streamers, dtype=np.bool_)
    head[np.argsort(-earned, kind="stable")[: max(1, round(_HEAD * streamers))]] = True
    return Pool(often & poor, wide & (income < np.median(income[reach > 0])), head)


def policy_of(action: str, pool: Pool) -> Policy[object]:
    """Return capped greedy with the action on pool users."""
    capped = make_policy("greedy_with_cap")
    if action == "routing":
        first = np.where(np.outer(pool.users, pool.streamers), 1e9, 0.0)
        return make_policy("greedy_with_rules", newcomer_bonus=1.0, newcomers=ByPair(first))
    still_open = np.where(np.outer(pool.users, pool.head), 0.0, 1.0)
    return make_policy("eligibility", policy=capped, eligible=ByPair(still_open))


def _nudged(cell: Cell, market: Market, nudge: float) -> Cell:
    """Return the cell of the same world in which everybody's gifts are likelier."""
    base = market.world.scenario.gift.base + nudge
    changed = dict(cell.overrides) | {"gift.base": f"{base!r}"}
    return replace(cell, overrides=tuple(sorted(changed.items())))


def _numbers(name: str, o: Outcome, earned: Floats, pool: Pool) -> Iterator[Number]:
    acted = 0.0 if name == "none" else float(pool.users[o.user].mean())
    streamers = len(pool.streamers)
    income = np.bincount(o.streamer[o.shown], earned[o.shown], streamers)
    yield Number(POOL, name, "expected", float(earned.mean()))
    yield Number(POOL, name, "acts", acted)
    yield Number(
        POOL, name, "to pool streamers", float(income[pool.streamers].sum() / income.sum())
    )
    yield Number(POOL, name, "income Gini", float(metrics.gini(income)))
