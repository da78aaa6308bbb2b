"""Supply efficiency and overload risk: by hand, against simulated queues, at the limits."""

import numpy as np
import pytest

from giftlive.errors import InputError
from giftlive.models.supply import overload_risk, supply_efficiency
from giftlive.rng import stream


def test_efficiency_is_the_shrunk_rate_and_its_rank() -> None:
    rate, rank = supply_efficiency(np.array([10.0, 0.0, 0.0]), np.array([100.0, 0.0, 0.0]), 100.0)
    assert rate.tolist() == pytest.approx([0.1, 0.1, 0.1])
    assert rank.tolist() == [0.5, 0.5, 0.5]
    rate, rank = supply_efficiency(np.array([0.0, 30.0]), np.array([100.0, 200.0]), 100.0)
    assert rate.tolist() == pytest.approx([10.0 / 200.0, 40.0 / 300.0])
    assert rank.tolist() == [0.25, 0.75]


def test_one_lucky_minute_does_not_lead() -> None:
    """Of 2,000 rooms with one true rate each, the shrunk rate finds the better tenth."""
    g = stream(3, "rooms")
    true = g.gamma(2.0, 0.01, 2_000)
    watched = g.exponential(200.0, 2_000)
    amount = g.poisson(true * watched).astype(np.float64)
    shrunk, _ = supply_efficiency(amount, watched, 100.0)
    raw = amount / watched
    best = [true[np.argsort(-x)[:200]].mean() for x in (shrunk, raw)]
    assert best[0] > 1.02 * best[1]


def test_nobody_watched_anything() -> None:
    rate, rank = supply_efficiency(np.zeros(2), np.zeros(2))
    assert rate.tolist() == [0.0, 0.0]
    assert rank.tolist() == [0.5, 0.5]
    assert overload_risk(np.zeros(2), 60.0, np.ones(2), np.ones(2)).tolist() == [0.0, 0.0]


def test_the_risk_is_the_share_of_crowded_moments() -> None:
    """Rates from a gamma law, a window of arrivals each, then one moment of the queue."""
    g = stream(4, "queues")
    rooms, window, stay, seats = 200_000, 600.0, 120.0, 6.0
    mean_per_window = 20.0
    prior = 0.25  # a gamma law of shape 5 and mean 20: worth a quarter of a window
    rate = g.gamma(prior * mean_per_window, 1.0 / (prior * window), rooms)
    seen = g.poisson(rate * window).astype(np.float64)
    crowded = g.poisson(rate * stay) > seats
    risk = overload_risk(seen, window, np.full(rooms, stay), np.full(rooms, seats), prior)
    assert crowded.mean() == pytest.approx(risk.mean(), abs=0.003)
    for rows in np.array_split(np.argsort(risk, kind="stable"), 5):
        assert crowded[rows].mean() == pytest.approx(risk[rows].mean(), abs=0.007)


def test_limits_of_the_risk() -> None:
    stay = np.array([60.0])
    grows = [
        float(overload_risk(np.array([a]), 600.0, stay, np.array([5.0]))[0]) for a in (10.0, 50.0)
    ]
    assert grows[0] < grows[1]
    assert overload_risk(np.array([500.0]), 600.0, stay, np.array([0.0]))[0] == pytest.approx(1.0)
    assert overload_risk(np.array([50.0]), 600.0, np.zeros(1), np.ones(1))[0] == 0.0


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_numbers_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="seats"):
        overload_risk(np.ones(1), 60.0, np.ones(1), np.array([bad]))
    with pytest.raises(InputError, match="amount"):
        supply_efficiency(np.array([bad]), np.ones(1))
