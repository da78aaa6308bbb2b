"""Progressive validation under a drift: who follows it, and who is late or too low."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from giftlive.evaluation.delay.gap import row_losses
from giftlive.evaluation.delay.planted import DAY, Plan, arrivals
from giftlive.models.delay.progressive import progressive_validation
from giftlive.models.delay.registry import treatment
from giftlive.models.delay.treatments import FixedWindow, Naive, Recent, Treatment

DAYS = 10.0
MODELS: dict[str, Treatment] = {
    "naive": Naive(),
    "recent naive": Recent(Naive(), 2 * DAY),
    "window": FixedWindow(),
    "recent window": Recent(FixedWindow(), 5 * DAY),
    "recent chapelle": Recent(treatment("delayed_feedback_weibull"), 2 * DAY),
}


@cache
def found(drift: float) -> dict[str, tuple[float, float]]:
    """Level and expected loss above that of the true chances, over two logs, by treatment."""
    level: dict[str, list[float]] = {name: [] for name in MODELS}
    excess: dict[str, list[float]] = {name: [] for name in MODELS}
    for seed in (1, 2):
        plan = Plan("slow", rows=24_000, users=2_400, days=DAYS, drift=drift, calendar=False)
        planted = arrivals(plan, seed)
        for name, model in MODELS.items():
            day = int(DAY * 1_000)
            scored = progressive_validation(model, planted.history, 6 * day, day, 14 * day)
            truth = planted.chance[scored.row]
            level[name].append(float(scored.p.mean() / truth.mean()))
            more = row_losses(truth, scored.p) - row_losses(truth, truth)
            excess[name].append(float(more.mean()))
    return {name: (float(np.mean(level[name])), float(np.mean(excess[name]))) for name in MODELS}


def test_under_a_drift_forgetting_needs_a_treatment_that_uses_open_rows() -> None:
    by = found(2.0)
    level, excess = ({name: pair[i] for name, pair in by.items()} for i in range(2))
    # Waiting is late: it has the level of three days ago, and of all days before without memory.
    assert level["window"] < level["recent window"] < level["recent chapelle"] < 1.0
    assert level["recent naive"] < level["recent chapelle"]
    best_other = min(value for name, value in excess.items() if name != "recent chapelle")
    assert excess["recent chapelle"] < 0.6 * best_other


def test_without_a_drift_forgetting_costs_little_and_only_naive_is_too_low() -> None:
    by = found(0.0)
    for name in ("window", "recent window", "recent chapelle"):
        assert by[name][0] == pytest.approx(1.0, abs=0.08)
    assert by["naive"][0] < 0.95
    assert by["recent naive"][0] < 0.8  # the younger its rows, the more gifts are still to come
