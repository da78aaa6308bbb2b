"""When labels are settled, and gifts that are known at once."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.delay.histories import HOUR, HOUR_MS, history

from giftlive.errors import UsageError
from giftlive.models.delay.at_once import Atom, WithAtom
from giftlive.models.delay.chance import Logistic
from giftlive.models.delay.cox import Cox, FittedCox
from giftlive.models.delay.discrete_hazard import DiscreteHazard
from giftlive.models.delay.durations import Durations
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.importance import stream_span
from giftlive.models.delay.law import LawModel
from giftlive.models.delay.maturity import settled_after
from giftlive.models.delay.registry import TREATMENTS, treatment
from giftlive.models.delay.survival_chance import FittedSurvival, SurvivalChance
from giftlive.models.delay.treatments import FixedWindow, Naive
from giftlive.models.delay.weibull_aft import WeibullAft

CUT = 48 * HOUR_MS
X = np.linspace(-2.0, 2.0, 9)[:, None]


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_labels_are_settled_at_the_quantile_of_their_delay(share: float) -> None:
    """An exponential delay of mean 4 h, cut at 20 h: F(w) = share F(20 h)."""
    known = history(1, 60_000, hours=48.0).at(CUT)
    exact = -4 * HOUR * np.log1p(share * np.expm1(-5.0))
    assert settled_after(known, share) == pytest.approx(exact, rel=0.08)


def test_where_nothing_is_late_nothing_is_waited_for() -> None:
    known = history(2, 4_000, mean_delay=0.0).at(CUT)
    assert settled_after(known) == 0.0
    assert stream_span(known, None, 0.999) == pytest.approx(known.age.max())
    assert stream_span(known, None) == pytest.approx(known.age.max() - known.horizon)
    all_rows = FixedWindow(settled=0.999).fit(known).probability(X)
    assert np.array_equal(all_rows, Naive().fit(known).probability(X))
    assert not np.array_equal(all_rows, FixedWindow().fit(known).probability(X))


def test_a_log_that_cannot_say_waits_for_the_horizon() -> None:
    young = history(3, 2_000, hours=10.0).at(10 * HOUR_MS)
    assert settled_after(young) == young.horizon
    silent = FollowUp(
        young.X, young.age, np.zeros(len(young), dtype=bool), np.full(len(young), np.nan),
        young.left_after, np.zeros(len(young)), young.horizon,
    )  # fmt: skip
    assert settled_after(silent) == young.horizon
    with pytest.raises(UsageError, match="share"):
        settled_after(young, 0.0)


@pytest.mark.parametrize("name", sorted(set(TREATMENTS) - {"kaplan_meier"}))
def test_without_delay_every_treatment_is_naive_but_for_its_solver(name: str) -> None:
    """The line of the issue: the expected loss is that of naive; FNW weights its rows by 1 − p²."""
    known = history(4, 20_000, mean_delay=0.0).at(CUT)
    found, naive = (treatment(n).fit(known).probability(X) for n in (name, "naive"))
    close = {"fnw": 0.02, "delay_buckets": 0.02}.get(name, 2e-4)
    assert np.abs(found / naive - 1.0).max() < close


@pytest.mark.parametrize("law", [Cox(penalty=1.0), DiscreteHazard(), WeibullAft(1e-3, 1.0)])
def test_an_atom_and_a_law_share_the_gifts(law: LawModel) -> None:
    """A third at once, the others exponential: both parts are found, and join at S(0+) = 1 − π."""
    rng, n = np.random.default_rng(5), 20_000
    first = rng.random(n) < 1 / 3
    time = np.where(first, 0.0, np.minimum(rng.exponential(100.0, n), 200.0))
    event = first | (time < 200.0)
    fitted = WithAtom(law, Logistic()).fit(Durations(np.zeros((n, 1)), time, event))
    assert isinstance(fitted, Atom)
    at = np.array([0.0, 1e-3, 50.0, 150.0])
    exact = np.array([1.0, 2 / 3, 2 / 3 * np.exp(-0.5), 2 / 3 * np.exp(-1.5)])
    assert fitted.survival(np.zeros((1, 1)), at)[0] == pytest.approx(exact, abs=0.012)


def test_without_an_atom_the_law_is_the_law_alone() -> None:
    known = history(6, 4_000).at(CUT)
    one = SurvivalChance(Cox(penalty=1.0)).fit(known)
    other = SurvivalChance(Cox(penalty=1.0), at_once=None).fit(known)
    assert isinstance(one, FittedSurvival)
    assert isinstance(one.law.gift, FittedCox)
    assert np.array_equal(one.probability(X), other.probability(X))
