"""The behavioural comparison: labels by hand, captures by hand, and a world without a past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation.behavioural import Number, every_click, numbers_of
from giftlive.evaluation.behavioural.measure import FEATURES, thirds
from giftlive.evaluation.behavioural.rankers import LogisticRidge
from giftlive.tables.matrix import Matrix
from giftlive.types import Floats

USERS, DAYS, CLICKS = 60, 9, 12


@pytest.fixture(scope="module")
def spenders() -> Matrix:
    """Return clicks in which ten users give, each always the same, and nobody else does."""
    user, day, k = (axis.reshape(-1) for axis in np.indices((USERS, DAYS, CLICKS)).astype(np.int64))
    gives = (user < 10) & ((k + user) % 4 == 0)
    amount = np.where(gives, 10.0 * (1 + user), 0.0)
    X = np.zeros((len(user), len(FEATURES)))
    names = {name: j for j, name in enumerate(FEATURES)}
    per_day = np.array([amount[(user == u) & (day == 0)].sum() for u in range(USERS)])
    X[:, names["user_gift_sum"]] = per_day[user] * day
    X[:, names["user_gift_count"]] = np.where(user < 10, 3.0 * day, 0.0)
    X[:, names["pair_gift_count"]] = np.where(user < 5, 1.0 * day, 0.0)
    X[:, names["pair_gift_sum"]] = np.where(user < 5, per_day[user] * day, 0.0)
    X[:, names["hour"]] = k
    order = np.lexsort((k, user, day))
    rows = (amount, gives.astype(np.int64), user, user % 7, user % 7, day * 86_400_000 + k, day)
    y, count, who, streamer, live, ts, days = (column[order] for column in rows)
    return Matrix(X[order], y, count, who, streamer, live, ts, days, FEATURES, "click")


@pytest.fixture(scope="module")
def numbers(spenders: Matrix) -> dict[tuple[str, str, str], float | None]:
    return by_cell(numbers_of(spenders))


def by_cell(found: tuple[Number, ...]) -> dict[tuple[str, str, str], float | None]:
    return {(n.table, n.row, n.column): n.value for n in found}


def test_a_gift_counts_for_every_click_of_its_viewing() -> None:
    """Five clicks, two gifts: three clicks of one viewing, one of another user, one elsewhere."""
    user, live = np.array([1, 1, 1, 2, 1]), np.array([7, 7, 7, 7, 8])
    once = np.array([0.0, 5.0, 0.0, 0.0, 2.0])
    assert every_click(user, live, once).tolist() == [5.0, 5.0, 5.0, 0.0, 2.0]


def test_two_gifts_of_a_viewing_are_added_up() -> None:
    ones = np.ones(2, dtype=np.int64)
    assert every_click(ones, ones, np.array([3.0, 4.0])).tolist() == [7.0, 7.0]


def test_the_thirds_are_disjoint_and_train_on_earlier_days_alone() -> None:
    day = np.arange(100, 121)
    early, late = thirds(day).values()
    assert day[late.test].tolist() == list(range(114, 121))
    assert day[early.test].tolist() == list(range(107, 114))
    assert day[late.train].tolist() == list(range(101, 114))
    assert day[early.train].tolist() == list(range(101, 107))


def test_too_few_days_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="5 days"):
        thirds(np.arange(5))


def test_past_spend_captures_what_can_be_counted_by_hand(
    spenders: Matrix, numbers: dict[tuple[str, str, str], float | None]
) -> None:
    """Past spend puts the last day of user 9 first (300 a day), then that of user 8 (270 a day).

    1 % of the 2,160 clicks are 21.6: all 12 of the one with 300, and 9.6 of the 12 ties of the
    other with 270. In all 3 days of 30 · (1 + ... + 10) = 1,650 are given.
    """
    assert len(spenders) == USERS * DAYS * CLICKS
    found = numbers["order", "user_past_spend", "capture@1 %"]
    assert found == pytest.approx((300 + 9.6 / 12 * 270) / 4950)


def test_one_who_knows_the_amount_is_ahead_of_past_spend(spenders: Matrix) -> None:
    """With the amount itself among the features ridge must order by it."""
    cheat = spenders.X.copy()
    cheat[:, FEATURES.index("pair_watch_seconds")] = spenders.y
    found = by_cell(numbers_of(replace(spenders, X=cheat), ("user_past_spend", "ridge")))
    top = "capture@1 %"
    ridge, trivial = (found["order", n, top] for n in ("ridge", "user_past_spend"))
    assert ridge is not None
    assert trivial is not None
    assert ridge > 2 * trivial


def test_a_slice_without_a_difference_captures_its_share(
    numbers: dict[tuple[str, str, str], float | None],
) -> None:
    """Users 5 to 9 give to pairs that never gave; of users without a gift nothing comes."""
    share = numbers["rows", "pair without a gift", "share of the amount"]
    assert share == pytest.approx((6 + 7 + 8 + 9 + 10) / 55)
    assert numbers["rows", "user without a gift", "share of the amount"] == 0.0
    cold = numbers["slices", "user without a gift / user_past_spend", "capture@1 %"]
    assert cold is None
    tied = numbers["slices", "pair without a gift / pair_past_spend", "capture@10 %"]
    assert tied == pytest.approx(0.1)


def test_double_counting_is_measured(numbers: dict[tuple[str, str, str], float | None]) -> None:
    """Every user has one room: all clicks of ten users are positive when counted as published."""
    assert numbers["double", "clicks with a gift, last touch", "value"] == pytest.approx(1 / 24)
    assert numbers["double", "clicks with a gift, every click", "value"] == pytest.approx(1 / 6)
    assert numbers["double", "clicks with a gift / gifts, every click", "value"] == pytest.approx(4)


def test_log1p_without_retransformation_promises_too_little(
    numbers: dict[tuple[str, str, str], float | None],
) -> None:
    ridge, naive = (
        numbers["levels", name, "Σ predicted / Σ actual"] for name in ("ridge", "ridge_log1p")
    )
    assert ridge is not None
    assert naive is not None
    assert 0.5 < ridge < 2.0
    assert naive < 0.5 * ridge


def simulated(n: int = 4_000) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, 2))
    gift = rng.random(n) < 1 / (1 + np.exp(3 - 1.5 * X[:, 0]))
    return X, np.where(gift, np.maximum(20 + 5 * X[:, 1], 1.0), 0.0)


def test_the_product_takes_the_chance_from_one_and_the_amount_from_the_other() -> None:
    X, y = simulated()
    fitted = LogisticRidge.fitted(X, y, ("a", "b"))
    base, chance, amount = fitted.predict(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    assert chance / base == pytest.approx(np.exp(1.5) * (1 + np.exp(-3)) / (1 + np.exp(-1.5)), 0.2)
    assert amount / base == pytest.approx(25 / 20, rel=0.1)
