"""Logs of slates on disk: products place by place, one slate at a time, never a room twice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose

from giftlive.errors import ConfigError, NotEnoughDataError
from giftlive.evaluation.decision_logs import DecisionLogs, open_logs
from giftlive.evaluation.off_policy_log import Reward
from giftlive.evaluation.slate_log import SlateEvaluator, slates_of
from giftlive.evaluation.target_policies import named_target
from giftlive.logs.decisions import DecisionLog
from giftlive.logs.decisions.arrow import as_table
from giftlive.logs.decisions.record import known
from giftlive.testing import make_decisions
from giftlive.types import Floats


@cache
def log() -> DecisionLog:
    """Return slates and single choices, matured, whole."""
    made = make_decisions(1, 2_400)
    waiting = set(made.slate_id[~made.matured & known(made.slate_id)])
    kept = np.array([s not in waiting if s is not None else True for s in made.slate_id])
    return made.rows(kept & (made.matured | known(made.slate_id)))


def there(column: Floats | None) -> Floats:
    assert column is not None
    return column


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> DecisionLogs:
    path = tmp_path_factory.mktemp("slates") / "decision.parquet"
    pq.write_table(as_table(log()), path, row_group_size=300)
    return open_logs([path])


def test_the_log_judged_by_uniform_has_the_products_by_hand(logs: DecisionLogs) -> None:
    found = slates_of(log(), named_target("uniform", {}, logs), 0, log().reward)
    target, logging = there(found.prefix_target), there(found.prefix_logging)
    rows = np.flatnonzero(log().position >= 0)
    assert len(rows) > 100
    many = log().available.sum(axis=1)
    for row in rows[:60]:
        place = int(log().position[row])
        theirs = 1.0
        for back in range(place, -1, -1):
            theirs /= many[row - back] - (place - back)  # without the rooms above
        assert target[row] == pytest.approx(theirs, rel=1e-12)
        ours = np.prod(log().conditional_propensity[row - place : row + 1])
        assert logging[row] == pytest.approx(ours, rel=1e-12)
    assert_allclose(there(found.slate_logging)[rows], log().propensity[rows], rtol=1e-9)


def test_the_probabilities_of_all_slates_sum_to_one(logs: DecisionLogs) -> None:
    """Every ordered pair of rooms that softmax could show at two places."""
    rows = log()
    start = int(np.flatnonzero((rows.position[:-1] == 0) & (rows.position[1:] == 1))[0])
    pair = rows.rows(slice(start, start + 2))
    target = named_target("softmax", {"temperature": "0.7", "scale": "5"}, logs)
    rooms = pair.candidates[0][pair.available[0]]
    assert np.array_equal(rooms, pair.candidates[1][pair.available[1]])
    total = 0.0
    for one, other in permutations(rooms.tolist(), 2):
        shown = replace(pair, action=np.array([one, other]))
        total += there(slates_of(shown, target, 0, pair.reward).prefix_target)[1]
    assert total == pytest.approx(1.0, rel=1e-9)


def test_slates_are_judged_from_disk_as_from_arrays(logs: DecisionLogs) -> None:
    target = named_target("uniform", {}, logs)
    names = ("sips", "rips", "snsips", "snrips")
    found = SlateEvaluator(target, names, Reward("amount")).evaluate(logs)
    arrays = slates_of(log(), target, 0, log().reward)
    first = arrays.position == 0
    assert found.decisions == int(first.sum())
    assert found.users == len(np.unique(log().user_id))
    weight = arrays.weight("slate")
    by_hand = float(weight @ arrays.reward) / first.sum()
    values = {e.estimator: e.computed.value for e in found.estimates}
    assert values["sips"] == pytest.approx(by_hand, rel=1e-12)
    prefix = arrays.weight("prefix")
    assert values["rips"] == pytest.approx(float(prefix @ arrays.reward) / first.sum(), rel=1e-12)
    assert found.diagnostics.n == found.decisions
    assert found.diagnostics.max_weight == pytest.approx(weight.max())


def test_what_cannot_be_judged_is_named(logs: DecisionLogs, tmp_path: Path) -> None:
    target = named_target("uniform", {}, logs)
    with pytest.raises(ConfigError, match="did you mean 'sips'"):
        SlateEvaluator(target, ("ips",))
    made = make_decisions(1, 600)
    pq.write_table(as_table(made), tmp_path / "decision.parquet")
    with pytest.raises(NotEnoughDataError, match="a reward that is not final"):
        SlateEvaluator(target).evaluate(open_logs([tmp_path]))
