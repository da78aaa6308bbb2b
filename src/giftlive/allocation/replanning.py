"""Serving a day's users one by one: greedily, or by prices solved again as the day goes on.

The rule for every user is to take the rooms with the largest reduced value above 0,

    p_s v_us - λ_s + μ_s a_us - (κ_s + π_s v_us) 1{u whale} - Σ_{G containing s} ν_G,

among those whose limits still allow it: capacity, caps of whales and of groups are checked at
admission, so nothing can be exceeded. Minima act through μ alone. Prices come from users of earlier
days and of today so far, who stand for those to come, and from what is left of every limit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from giftlive import rng
from giftlive.allocation.admission import Day, OpenDay, serve
from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_descent import BatchDescent
from giftlive.allocation.batch_dual import BatchPrices, edge_arrays, signed_limits
from giftlive.allocation.batch_kernels import FLOOR, SEAT, WHALE, WHALE_VALUE
from giftlive.allocation.samples import pooled, rows, top_edges
from giftlive.errors import InputError
from giftlive.types import Floats


def greedy_day(today: Batch) -> Day:
    """Serve users in order, each with the rooms of largest marginal value that have a seat.

    The marginal value is g(V + v) - g(V) at the room's value so far; b_u and capacity are obeyed,
    other limits are not known to this rule.
    """
    counter = OpenDay.of(today)
    values, rooms, _, takes, _ = edge_arrays(today)
    for i in range(len(today)):
        listed = np.flatnonzero(rooms[i] >= 0)
        s = rooms[i, listed]
        now, then = counter.money[s], counter.money[s] + values[i, listed]
        scale = np.broadcast_to(today.returns.scale, (today.room_count,))[s]
        local = replace(today.returns, scale=scale)
        gain = local.value(then) - local.value(now)
        gain[counter.use[SEAT, s] + 1.0 > today.capacity[s]] = 0.0
        best = np.argsort(-gain, kind="stable")[: takes[i]]
        chosen = listed[best[gain[best] > 0.0]]
        counter.use[SEAT, rooms[i, chosen]] += 1.0
        counter.money[rooms[i, chosen]] += values[i, chosen]
        counter.shown[i, chosen] = True
    return counter.close(today)


def replanned_day(
    today: Batch,
    history: Batch,
    *,
    replans: int = 50,
    passes: int = 5,
    first_passes: int = 50,
    edges: int = 30,
    seed: int = 0,
) -> Day:
    """Serve users in order by prices that are solved ``replans`` times, evenly over the day.

    Parameters
    ----------
    today : its users in order of arrival. Prices use a row only after it was served; the number
        of users is taken as known.
    history : users of earlier days with the same rooms.
    replans : solves per day; the first uses ``history`` alone. 1: yesterday's prices, unchanged.
    passes, first_passes : over the sample, of the later solves and of the first. More passes of
        the later ones fit the sample, not the day.
    edges : candidates per sampled user, the most valuable ones. seed : of the shuffles.
    """
    if history.room_count != today.room_count:
        raise InputError(f"{history.room_count} rooms", "history", f"{today.room_count}, as today")
    if not len(history) or not 1 <= replans <= max(1, len(today)):
        raise InputError(f"{replans} replans of {len(history)} users", "replans", "at least 1 each")
    counter, prices = OpenDay.of(today), None
    past, seen = top_edges(history, edges), top_edges(today, edges)
    starts = np.linspace(0, len(today), replans + 1).astype(np.int64)
    for k in range(replans):
        sample = pooled([past, rows(seen, slice(0, starts[k]))]) if k else past
        rest, weight = remaining(today, sample, counter, len(today) - int(starts[k]))
        descent = BatchDescent(
            rest, rng.stream(seed, "replan", k), prices or BatchPrices.zero(rest), keep_fluid=False
        )
        for _ in range(passes if k else first_passes):
            descent.advance()
        prices = descent.mean
        in_force = replace(
            prices, worth=prices.worth * weight, whale_value=prices.whale_value * weight
        )
        serve(today, counter, in_force, int(starts[k]), int(starts[k + 1]))
    return counter.close(today)


def remaining(today: Batch, sample: Batch, counter: OpenDay, ahead: int) -> tuple[Batch, Floats]:
    """Return the sample under what is left of today, and the weight g'(V so far) of its values.

    Limits are scaled up from the ``ahead`` users to come to the size of the sample.
    """
    share = ahead / len(sample)
    limits, group_limits = signed_limits(today)
    used = counter.use.copy()
    used[FLOOR] *= -1.0
    left = limits - used
    weight, returns = today.returns.after(counter.money, share)
    groups_left = None
    if today.groups is not None:
        groups_left = (group_limits - today.groups @ counter.use[SEAT]) / share
    rest = replace(
        sample,
        values=sample.values * np.where(sample.rooms >= 0, weight[sample.rooms], 0.0),
        capacity=left[SEAT] / share,
        minimum=None if today.minimum is None else np.maximum(-left[FLOOR], 0.0) / share,
        whale_cap=None if today.whale_cap is None else left[WHALE] / share,
        whale_value_cap=(
            None if today.whale_value_cap is None else weight * left[WHALE_VALUE] / share
        ),
        groups=today.groups,
        group_cap=groups_left,
        returns=returns,
    )
    return rest, weight
