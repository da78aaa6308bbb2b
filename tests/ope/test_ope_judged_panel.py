"""Judged estimates chunk by chunk are those of ``estimate``, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ope.test_ope_catalogue import full_log, rows_of

from giftlive.ope import (
    DM,
    DR,
    IPS,
    MIPS,
    REPLAY,
    SNIPS,
    Interactions,
    Printing,
    diagnose,
    estimate,
)
from giftlive.ope.estimation import Estimate
from giftlive.ope.judged_panel import JudgedPanel

ALL = (IPS, SNIPS, DR, DM, MIPS, REPLAY)


def whole(log: Interactions, printing: Printing | None = None) -> tuple[Estimate, ...]:
    return estimate(
        log.reward, log.propensity, log.target, log.action, log.q, log.user, ALL,
        propensities=log.propensities, marginal_weight=log.marginal_weight, printing=printing,
    )  # fmt: skip


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 80), max_size=4))
def test_chunks_and_merges_give_the_estimates_of_the_whole(seed: int, cuts: list[int]) -> None:
    log, panel = full_log(seed), JudgedPanel(ALL)
    parts = np.split(np.random.default_rng(seed).permutation(len(log)), sorted(cuts))
    states = [panel.update(panel.init(), rows_of(log, rows)) for rows in parts if len(rows)]
    state = panel.init()
    for other in reversed(states):
        state = panel.merge(other, state)
    assert repr(panel.estimates(state)) == repr(whole(log))
    assert repr(panel.diagnostics(state)) == repr(diagnose(log))
    assert (state.rows, state.users) == (len(log), len(np.unique(log.user)))


def test_the_print_rule_is_asked() -> None:
    log, panel = full_log(1), JudgedPanel(ALL)
    state = panel.update(panel.init(), log)
    rule = Printing(cv=90.0, skew=90.0)
    found = panel.estimates(state, printing=rule)
    assert repr(found) == repr(whole(log, rule))
    assert all(e.interval.low is None for e in found)


def test_nothing_seen_has_no_estimate() -> None:
    panel = JudgedPanel(ALL)
    found = panel.estimates(panel.init())
    assert {e.interval.status for e in found} == {"not_enough_data"}
