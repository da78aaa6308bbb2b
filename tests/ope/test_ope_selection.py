from __future__ import annotations

import numpy as np
import pytest

from giftlive import ope
from giftlive.errors import InputError, NotEnoughDataError
from giftlive.ope.selection import select, slope

CLIPS = (ope.clipped_ips(1.0), ope.clipped_ips(3.0), ope.clipped_ips(1e9))


def heavy_log(seed: int, n: int, effect: float) -> ope.Interactions:
    """Draw a log whose rare action has weight 50; its reward exceeds the other's by ``effect``."""
    rng = np.random.default_rng(seed)
    action = (rng.random(n) < 0.01).astype(np.int64)
    return ope.Interactions(
        user=np.arange(n),
        action=action,
        propensity=np.where(action == 1, 0.01, 0.99),
        reward=1.0 + effect * action + rng.normal(0.0, 0.1, n),
        target=np.full((n, 2), 0.5),
    )


def chosen(log: ope.Interactions) -> str:
    panel = ope.Panel(CLIPS)
    return select(CLIPS, panel.update(panel.init(), log)).estimator.name


def test_slope_walks_until_bias_shows() -> None:
    halves = np.array([1.0, 0.5, 0.25, 0.1])
    assert slope(np.array([3.0, 3.0, 3.0, 3.0]), halves) == 3
    assert slope(np.array([3.0, 3.0, 9.0, 3.0]), halves) == 1
    assert slope(np.array([3.0, 9.0, 3.0, 3.0]), halves) == 0
    assert slope(np.array([3.0]), halves[:1]) == 0


def test_the_order_of_the_candidates_does_not_matter() -> None:
    values, halves = np.array([3.0, 2.0, 0.5, 0.4]), np.array([1.0, 0.5, 0.25, 0.1])
    best = slope(values, halves)
    order = np.array([2, 0, 3, 1])
    assert order[slope(values[order], halves[order])] == best


def test_agreement_is_allowed_up_to_the_constant() -> None:
    edge = 0.5 + (np.sqrt(6.0) - 1.0) * 1.0
    for gap, expected in ((edge - 1e-9, 1), (edge + 1e-9, 0)):
        assert slope(np.array([0.0, gap]), np.array([1.0, 0.5])) == expected


def test_little_data_clips_and_much_data_does_not() -> None:
    """At few decisions the variance of a weight of 50 costs more than the bias; later not."""
    assert chosen(heavy_log(1, 300, 0.0)) != "clipped_ips(1e+09)"
    assert chosen(heavy_log(1, 100_000, 5.0)) == "clipped_ips(1e+09)"


def test_the_choice_errs_less_than_the_worst_candidate() -> None:
    """Over 200 logs: no worse than 1.6 times the best fixed clip, far better than the worst."""
    truth, errors = 1.0 + 0.5 * 2.0, []
    for seed in range(200):
        log = heavy_log(seed, 2_000, 2.0)
        panel = ope.Panel(CLIPS)
        state = panel.update(panel.init(), log)
        fixed = [i.value for i in panel.intervals(state)]
        errors.append([v - truth for v in (select(CLIPS, state).interval.value, *fixed) if v])
    rmse = np.sqrt(np.mean(np.square(errors), axis=0))
    assert rmse[0] < 1.6 * rmse[1:].min()
    assert rmse[0] < 0.5 * rmse[1:].max()


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError):
        slope(np.array([]), np.array([]))
    with pytest.raises(InputError):
        slope(np.array([1.0]), np.array([np.nan]))
    panel = ope.Panel(CLIPS)
    with pytest.raises(NotEnoughDataError):
        select(CLIPS, panel.init())
    log = heavy_log(2, 100, 0.0)
    with pytest.raises(InputError, match="delta"):
        select(CLIPS, panel.update(panel.init(), log), delta=0.5)
