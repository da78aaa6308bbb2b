"""What may be given to a model: numbers of one kind; everything else is one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive.errors import InputError, UsageError
from giftlive.models.base import LARGEST, known, training
from giftlive.models.hurdle import Hurdle
from giftlive.models.registry import make
from giftlive.models.ridge import Ridge
from giftlive.models.ridge_log1p import RidgeLog1p
from giftlive.models.trees import TreeSettings
from giftlive.models.tweedie_glm import TweedieGlm
from giftlive.models.two_part import TwoPart
from giftlive.models.ziln import Ziln
from giftlive.testing import make_sample

ROWS = make_sample(60)


def _training(**changed: Any) -> Any:
    given: dict[str, Any] = {
        "X": ROWS.X,
        "y": ROWS.y,
        "groups": ROWS.user,
        "names": ROWS.names,
    } | changed
    return training(given["X"], given["y"], given["groups"], given["names"])


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("X", np.full(ROWS.X.shape, "a")),
        ("X", ROWS.X.astype(complex)),
        ("X", np.full(ROWS.X.shape, np.datetime64("2026-01-01"))),
        ("X", [[1.0], [2.0, 3.0]]),
        ("y", np.full(len(ROWS.y), "x")),
        ("y", [{}] * len(ROWS.y)),
        ("groups", np.full(len(ROWS.y), "u7")),
        ("groups", ROWS.user + 0.5),
        ("groups", np.where(ROWS.user == 1, np.nan, ROWS.user)),
        ("groups", ROWS.user * 1e300 + 1e300),
        ("groups", [None] * len(ROWS.y)),
    ],
)
def test_what_is_no_number_is_named(argument: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"argument {argument}: .*; expected .*Hint: "):
        _training(**{argument: value})


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ((*ROWS.names[:-1], ROWS.names[0]), "two columns are called user_gift_sum"),
        ("abcdefg", "names 'abcdefg'"),
        ((), r"names \(\)"),
    ],
)
def test_every_column_has_a_name_of_its_own(names: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        _training(names=names)


def test_users_are_told_apart_by_whole_numbers_however_they_are_written() -> None:
    for users in (ROWS.user.astype(np.float64), ROWS.user.astype(str), ROWS.user.astype(object)):
        assert np.array_equal(_training(groups=users).groups, ROWS.user)
    large = ROWS.user.astype(object) + 2**60 + 1
    assert np.array_equal(_training(groups=large).groups, ROWS.user + 2**60 + 1)


def test_sizes_whose_squares_are_no_doubles_are_refused() -> None:
    X = ROWS.X.copy()
    X[2, 1] = -10.0 * LARGEST
    for ask in (lambda: _training(X=X), lambda: known(X)):
        with pytest.raises(InputError, match=r"1 infinite features.*"):
            ask()
    assert known(np.full((1, 1), LARGEST))[0, 0] == LARGEST
    for factor in (1e200, 1e-200):
        with pytest.raises(InputError, match="another unit of money"):
            _training(y=ROWS.y * factor)


def test_a_model_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"no model 'riddge'; expected one of .*ridge.*multi_task"):
        make("riddge")


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (Ridge, {"penalty": -1.0}),
        (Ridge, {"penalty": np.nan}),
        (RidgeLog1p, {"penalty": -1.0}),
        (RidgeLog1p, {"bins": 0}),
        (TweedieGlm, {"penalty": np.inf}),
        (TweedieGlm, {"steps": 0}),
        (TwoPart, {"folds": 1}),
        (TwoPart, {"level_bins": 0}),
        (Hurdle, {"folds": 0}),
        (Hurdle, {"negatives_per_gift": np.nan}),
        (Hurdle, {"freedom": 0.0}),
        (Hurdle, {"power": 2.0}),
        (Ziln, {"folds": 1}),
        (Ziln, {"negatives_per_gift": -1.0}),
        (Ziln, {"variance": "nonsense"}),
        (TreeSettings, {"rounds": 0}),
        (TreeSettings, {"leaves": 1}),
        (TreeSettings, {"learning_rate": 0.0}),
        (TreeSettings, {"l2": -1.0}),
        (TreeSettings, {"rows_per_leaf": -1}),
    ],
)
def test_settings_that_nothing_can_be_fitted_with_are_named(settings: Any, wrong: Any) -> None:
    (name,) = wrong
    with pytest.raises(UsageError, match=rf"{settings.__name__}.{name}: {name} .*; expected "):
        settings(**wrong)
