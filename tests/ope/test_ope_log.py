from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from giftlive.errors import InputError, MissingCapabilityError
from giftlive.ope import Interactions


def log(**changes: Any) -> Interactions:
    columns: dict[str, Any] = {
        "user": np.array([1, 1, 2]),
        "action": np.array([0, 1, 0]),
        "propensity": np.array([0.5, 0.25, 1.0]),
        "reward": np.array([1.0, 0.0, 3.0]),
        "target": np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]]),
    }
    return Interactions(**(columns | changes))


def test_weights_are_target_over_logging() -> None:
    assert log().weight.tolist() == [1.0, 4.0, 1.0]
    assert log().unsupported is None
    assert len(log()) == 3


@pytest.mark.parametrize("propensity", [None, np.array([0.5, np.nan, np.nan])])
def test_missing_propensities_say_what_to_log(propensity: Any) -> None:
    with pytest.raises(MissingCapabilityError, match="log `propensity`") as error:
        log(propensity=propensity)
    assert "all candidates" in error.value.hint
    if propensity is not None:
        assert "2 of 3" in error.value.what
        assert "row 1" in str(error.value)


@pytest.mark.parametrize("value", [0.0, -0.1, 1.0001, np.inf])
def test_propensities_out_of_range_name_the_row(value: float) -> None:
    with pytest.raises(InputError, match="row 2, column propensity"):
        log(propensity=np.array([0.5, 0.5, value]))


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("action", np.array([0, 2, 0]), "row 1, column action: 2"),
        ("action", np.array([0, 1, -1]), "row 2, column action: -1"),
        ("reward", np.array([0.0, np.nan, 0.0]), "row 1, column reward: nan"),
        ("target", np.array([[0.5, 0.4], [0.0, 1.0], [1.0, 0.0]]), "row 0, column target: 0.9"),
        ("target", np.array([[0.5, 0.5], [0.0, 1.0], [1.5, -0.5]]), "row 2, column target"),
        ("q", np.array([[1.0, 1.0], [np.nan, 1.0], [1.0, 1.0]]), "row 1, column q: nan"),
        ("q", np.ones((3, 3)), r"column q: shape \(3, 3\)"),
        ("reward", np.ones(2), r"column reward: shape \(2,\)"),
        ("user", np.array([1.0, 1.5, 2.0]), "column user: float64"),
        ("action", np.array([0.0, 1.0, 0.0]), "column action: float64"),
    ],
)
def test_wrong_columns_are_named(column: str, value: Any, named: str) -> None:
    with pytest.raises(InputError, match=named):
        log(**{column: value})
