from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ope.test_ope_catalogue import full_log, rows_of

from giftlive.errors import InputError, NotEnoughDataError
from giftlive.ope import diagnose
from giftlive.ope.diagnostics import diagnostics_of
from giftlive.ope.log import Interactions
from giftlive.ope.weight_sums import WeightSums, weight_sums
from giftlive.stats.exceedances import fit_exceedances
from giftlive.stats.heavy_tails import hill


def merged(log: Interactions, parts: list[np.ndarray]) -> WeightSums:
    return reduce(WeightSums.merge, [weight_sums(rows_of(log, p)) for p in parts if len(p)])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 80), max_size=4))
def test_chunks_give_the_diagnostics_of_the_whole_bit_for_bit(seed: int, cuts: list[int]) -> None:
    log = full_log(seed)
    parts = np.split(np.random.default_rng(seed).permutation(len(log)), sorted(cuts))
    assert diagnostics_of(merged(log, parts)) == diagnose(log)


def test_the_tail_of_many_weights_is_that_of_all_of_them() -> None:
    n = 20_000
    propensity = np.random.default_rng(1).random(n) ** 0.5 * 0.5
    log = Interactions(
        user=np.arange(n),
        action=np.zeros(n, dtype=np.int64),
        propensity=propensity,
        reward=np.ones(n),
        target=np.full((n, 2), 0.5),
    )
    found = diagnostics_of(merged(log, np.array_split(np.arange(n), 7)))
    assert found.pareto_k == fit_exceedances(log.weight).shape
    assert found.weight_tail.value == hill(log.weight).value
    assert found.max_weight == log.weight.max()
    assert len(weight_sums(log).largest) == 4_097


def test_support_is_seen_only_where_every_chunk_shows_it() -> None:
    log = full_log(2)
    seen = weight_sums(log)
    blind = weight_sums(Interactions(log.user, log.action, log.propensity, log.reward, log.target))
    assert diagnostics_of(seen).unsupported_share == 0.0
    assert diagnostics_of(seen.merge(blind)).unsupported_share is None


def test_weights_of_two_kinds_do_not_merge_and_nothing_has_no_diagnostics() -> None:
    log = full_log(3)
    with pytest.raises(InputError, match="two kinds"):
        weight_sums(log).merge(weight_sums(log, mean_one=False))
    with pytest.raises(NotEnoughDataError):
        diagnostics_of(weight_sums(rows_of(log, np.arange(0))))
