"""Logs of slates on disk: products place by place, one slate at a time, never a room twice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose

from giftlive.errors import ConfigError, InputError, MissingCapabilityError, NotEnoughDataError
from giftlive.evaluation import slate_marginals
from giftlive.evaluation.decision_logs import DecisionLogs, open_logs
from giftlive.evaluation.off_policy_log import Reward
from giftlive.evaluation.slate_log import SlateEvaluator, slates_of
from giftlive.evaluation.target_file import opened_target
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


def test_a_marginal_sums_over_all_orders_above(logs: DecisionLogs) -> None:
    """Every order of three rooms that softmax could show, one by one."""
    rows = log()
    start = int(np.flatnonzero((rows.position[:-2] == 0) & (rows.position[2:] == 2))[0])
    slate = rows.rows(slice(start, start + 3))
    target = named_target("softmax", {"temperature": "0.7", "scale": "5"}, logs)
    by_hand = np.zeros(3)
    for order in permutations(slate.candidates[0][slate.available[0]].tolist(), 3):
        shown = replace(slate, action=np.array(order))
        chance = there(slates_of(shown, target, 0, slate.reward).slate_target)[0]
        by_hand += chance * (np.array(order) == slate.action)
    found = there(slates_of(slate, target, 0, slate.reward, items=True).item_target)
    assert_allclose(found, by_hand, rtol=1e-9)
    assert np.all(found < 1.0)


def test_rooms_that_are_all_alike_have_the_same_chance_in_every_place(logs: DecisionLogs) -> None:
    target = named_target("uniform", {}, logs)
    found = slates_of(log(), target, 0, log().reward, items=True)
    shown = np.flatnonzero(log().shown)
    assert_allclose(there(found.item_target)[shown], 1.0 / log().available[shown].sum(axis=1))
    in_slate = known(log().slate_id)
    ours = there(found.item_logging)
    assert np.array_equal(ours[in_slate], log().marginal_propensity[in_slate])
    alone = ~in_slate & log().shown
    assert np.array_equal(ours[alone], log().propensity[alone])


def test_iips_is_judged_by_the_weights_of_items(logs: DecisionLogs) -> None:
    target = named_target("uniform", {}, logs)
    names = ("sips", "iips", "sniips")
    found = SlateEvaluator(target, names, Reward("amount")).evaluate(logs)
    arrays = slates_of(log(), target, 0, log().reward, items=True)
    weight, slates = arrays.weight("item"), int((arrays.position == 0).sum())
    whole, plain, normalised = (e.computed.value for e in found.estimates)
    assert plain == pytest.approx(float(weight @ arrays.reward) / slates, rel=1e-12)
    places = [arrays.position == k for k in range(3)]
    per_place = sum(float(weight[k] @ arrays.reward[k]) / weight[k].sum() for k in places)
    assert normalised == pytest.approx(per_place, rel=1e-12)
    assert plain != pytest.approx(whole, rel=1e-3)
    assert found.diagnostics.max_weight == pytest.approx(arrays.weight("slate").max())
    rare = replace(log(), marginal_propensity=np.where(log().position == 2, 1e-9, 0.5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(logs.files[0]), "batches", lambda _: [rare])
        refused = SlateEvaluator(target, names, Reward("amount")).evaluate(logs)
    before, after = ([e.verdict.status for e in f.estimates] for f in (found, refused))
    assert before[0] == after[0]
    assert (before[1:], after[1:]) == (["ok"] * 2, ["undefined"] * 2)


def test_a_target_that_leaves_too_much_to_chance_has_no_marginal(
    logs: DecisionLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slate_marginals, "MAX_ASKINGS", 4)
    greedy = SlateEvaluator(named_target("greedy", {}, logs), ("iips",))
    with pytest.raises(MissingCapabilityError, match=r"more than 4 orders .* take rips"):
        greedy.evaluate(logs)


def test_a_file_brings_its_marginals(logs: DecisionLogs, tmp_path: Path) -> None:
    rows = log()
    table = as_table(rows).select(["decision_id", "candidates"])
    lists = table["candidates"].to_pylist()
    flat = pa.array([[1.0 / max(len(c), 1)] * len(c) for c in lists])
    bare, whole = tmp_path / "bare.parquet", tmp_path / "whole.parquet"
    pq.write_table(table.append_column("probabilities", flat), bare)
    both = table.append_column("probabilities", flat).append_column("marginals", flat)
    pq.write_table(both, whole)
    with opened_target(whole, logs) as target:
        found = slates_of(rows, target, 0, rows.reward, items=True)
    shown = rows.shown
    assert_allclose(there(found.item_target)[shown], 1.0 / rows.available[shown].sum(axis=1))
    with (
        opened_target(bare, logs) as target,
        pytest.raises(MissingCapabilityError, match="column marginals"),
    ):
        SlateEvaluator(target, ("iips",)).evaluate(logs)
    wrong = pa.array([[1.5] * len(c) for c in lists])
    pq.write_table(both.set_column(3, "marginals", wrong), whole)
    with (
        opened_target(whole, logs) as target,
        pytest.raises(InputError, match=r"decision .* to 1.5; expected probabilities"),
    ):
        SlateEvaluator(target, ("iips",)).evaluate(logs)


def test_what_cannot_be_judged_is_named(logs: DecisionLogs, tmp_path: Path) -> None:
    target = named_target("uniform", {}, logs)
    with pytest.raises(ConfigError, match="did you mean 'sips'"):
        SlateEvaluator(target, ("ips",))
    made = make_decisions(1, 600)
    pq.write_table(as_table(made), tmp_path / "decision.parquet")
    with pytest.raises(NotEnoughDataError, match="a reward that is not final"):
        SlateEvaluator(target).evaluate(open_logs([tmp_path]))
