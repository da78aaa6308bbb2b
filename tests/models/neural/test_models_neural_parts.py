"""The pieces of the network, each against a formula or a limit of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from tests.models.neural.planted import SMALL, needs_torch

from giftlive.errors import InputError, UsageError
from giftlive.models.neural import extra
from giftlive.models.neural.batches import batch_size, pools
from giftlive.models.neural.columns import Block, IdTable, Inputs, scaling
from giftlive.models.neural.losses import Labels, Rates, relative, summed
from giftlive.models.neural.network import TASKS, Arrays, forward, initial
from giftlive.models.neural.outcomes import LogScale, outcomes
from giftlive.models.neural.training import trained_tasks
from giftlive.models.registry import make
from giftlive.rng import stream


def test_importing_and_configuring_the_model_does_not_import_torch() -> None:
    code = (
        "import sys; from giftlive.models.registry import NEURAL; NEURAL['multi_task']();"
        " sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_extra_one_paragraph_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extra, "installed", lambda: False)
    with pytest.raises(UsageError, match=r"PyTorch is not installed.*Hint: pip install") as raised:
        make("multi_task")
    assert "\n" not in str(raised.value)


def test_an_id_is_a_row_of_its_own_or_the_unknown() -> None:
    column = np.array([5.0, 5.0, 9.0, 9.0, 2.0, -1.0, np.nan])
    table = IdTable.of(column, least_rows=2)
    assert table.ids.tolist() == [5, 9]
    assert table.rows(column).tolist() == [1, 1, 2, 2, 0, 0, 0]
    assert IdTable.of(np.array([-1.0]), 1).rows(np.array([3.0, np.nan])).tolist() == [0, 0]


def test_scaling_standardises_known_values_and_marks_the_unknown() -> None:
    g = stream(0, "scaling")
    count = np.floor(np.exp(g.normal(3.0, 1.0, 5_000)))
    gappy = np.where(g.random(5_000) < 0.3, np.nan, g.normal(7.0, 2.0, 5_000))
    X = np.column_stack([count, gappy, np.full(5_000, 4.0)])
    scale = scaling(X, np.arange(3))
    assert scale.long[0]
    assert scale.gappy.tolist() == [False, True, False]
    columns = scale.columns(X)
    assert columns.shape == (5_000, 4)
    assert columns[:, 0].mean() == pytest.approx(0.0, abs=1e-9)
    assert columns[:, 0].std() == pytest.approx(1.0, rel=1e-6)
    assert (columns[:, 2] == 0.0).all()
    assert np.array_equal(columns[:, 3] == 1.0, np.isnan(gappy))
    assert (columns[np.isnan(gappy), 1] == 0.0).all()


def test_what_never_varied_in_training_is_nothing_later() -> None:
    """A constant feature and one that was never known have columns of 0, whatever comes."""
    X = np.column_stack([np.arange(9.0), np.full(9, 7.0), np.full(9, np.nan)])
    scale = scaling(X, np.arange(3))
    later = X.copy()
    later[:, 1], later[:, 2] = 1e6, 3.0
    assert np.array_equal(scale.columns(later), scale.columns(X))
    assert scale.columns(X)[:, 0].std() > 0.5
    assert (scale.columns(X)[:, 1:] == 0.0).all()


def test_towers_take_their_own_features_whatever_the_order() -> None:
    names = ("room_age", "user_sum", "pair_x", "streamer_id", "user_id")
    X = stream(1, "inputs").random((50, 5))
    X[:, 3:] = np.floor(10 * X[:, 3:])
    inputs = Inputs.of(X, names, least_rows=1)
    assert {tower: s.at.tolist() for tower, s in inputs.scalings.items()} == {
        "user": [1],
        "room": [0],
        "rest": [2],
    }
    order = [4, 2, 0, 1, 3]
    other = Inputs.of(X[:, order], [names[j] for j in order], least_rows=1)
    one, two = inputs.block(X), other.block(X[:, order])
    for tower in ("user", "room", "rest"):
        assert np.array_equal(one.numbers[tower], two.numbers[tower])
    assert np.array_equal(one.ids["user"], two.ids["user"])


def test_pools_hold_every_row_once() -> None:
    rows = np.flatnonzero(np.arange(200_000) % 3 > 0)
    found = list(pools(rows, 4096, stream(0, "pools")))
    assert np.array_equal(np.sort(np.concatenate(found)), rows)
    assert max(len(pool) for pool in found) <= 65_536
    assert batch_size(2_500_000) == 4096


def test_the_mean_of_a_log_scale_is_that_of_a_log_normal() -> None:
    x = np.exp(stream(0, "amounts").normal(2.0, 1.0, 400_000))
    scale = LogScale.of(x)
    assert scale.mean(np.zeros(1), 1.0)[0] == pytest.approx(x.mean(), rel=0.01)
    assert scale.mean(np.array([1e6]), 0.0)[0] == pytest.approx(x.max())
    assert LogScale.of(np.array([3.0, 3.0])).mean(np.zeros(1), 0.0)[0] == pytest.approx(3.0)


def test_outcomes_refuse_what_cannot_have_happened() -> None:
    y = np.array([0.0, 5.0])
    with pytest.raises(InputError, match="1 gifts in rooms not entered"):
        outcomes(y, np.array([True, False]), None)
    with pytest.raises(InputError, match="negative watch"):
        outcomes(y, None, np.array([-1.0, 1.0]))
    with pytest.raises(UsageError, match="shapes"):
        outcomes(y, np.array([True]), None)


def test_a_task_without_labels_is_not_trained() -> None:
    y = np.array([0.0, 5.0, 0.0])
    assert trained_tasks(TASKS, outcomes(y, None, None)) == ("gift", "amount")
    clicked, seconds = np.array([True, True, False]), np.array([3.0, np.nan, np.nan])
    assert trained_tasks(TASKS, outcomes(y, clicked, seconds)) == TASKS
    assert trained_tasks(("gift",), outcomes(y, clicked, seconds)) == ("gift",)


def _block(n: int) -> tuple[Inputs, Block]:
    g = stream(2, "block")
    names = ("user_id", "streamer_id", "user_a", "room_b", "pair_c")
    X = np.column_stack([g.integers(0, 9, (n, 2)), g.normal(size=(n, 3))]).astype(np.float64)
    inputs = Inputs.of(X, names, 1)
    return inputs, inputs.block(X)


@needs_torch
def test_numpy_and_torch_read_the_same_formula() -> None:
    torch: Any = extra.require_torch()
    inputs, block = _block(40)
    p = initial(inputs, TASKS, SMALL, seed=3)
    p |= {f"{t}.2.W": stream(4, t).normal(size=p[f"{t}.2.W"].shape) for t in TASKS}
    arrays = Arrays(
        lambda parts: torch.cat(list(parts), dim=1),
        lambda table, rows: torch.nn.functional.embedding(rows, table),
    )
    as_torch = Block(
        {k: torch.from_numpy(v) for k, v in block.numbers.items()},
        {k: torch.from_numpy(v) for k, v in block.ids.items()},
    )
    one = forward(p, block, TASKS)
    two = forward({k: torch.from_numpy(v) for k, v in p.items()}, as_torch, TASKS, arrays)
    for task in TASKS:
        assert two[task].numpy() == pytest.approx(one[task], rel=1e-10)


def test_a_network_with_other_heads_starts_from_the_same_trunk() -> None:
    inputs, _ = _block(40)
    every, one = (initial(inputs, tasks, SMALL, seed=0) for tasks in (TASKS, ("gift",)))
    assert set(one) < set(every)
    assert all(np.array_equal(one[name], every[name]) for name in one)


@needs_torch
def test_losses_are_those_of_scipy() -> None:
    from scipy import stats

    torch: Any = extra.require_torch()
    g = stream(5, "losses")
    n = 200
    clicked = g.random(n) < 0.5
    seconds = np.where(clicked, g.exponential(30.0, n), np.nan)
    y = np.where(clicked & (g.random(n) < 0.3), np.ceil(np.exp(g.normal(2.0, 1.0, n))), 0.0)
    happened = outcomes(y, clicked, seconds)
    raw = {task: g.normal(size=(n, 2 if task == "amount" else 1)) for task in TASKS}
    raw["amount"] = np.clip(raw["amount"], -2.0, 0.7)
    output = {task: torch.from_numpy(value) for task, value in raw.items()}
    sums = summed(torch, output, Labels.of(torch, happened, np.arange(n)), TASKS)
    c, v = (1.0 / (1.0 + np.exp(-raw[task][:, 0])) for task in ("click", "gift"))
    gifted = y > 0
    expected = {
        "click": -np.sum(stats.bernoulli.logpmf(clicked, c)),
        "gift": -np.sum(stats.bernoulli.logpmf(gifted, c * v)),
        "watch": ((happened.watch - raw["watch"][:, 0])[clicked] ** 2).sum(),
        "amount": -(
            stats.norm.logpdf(happened.amount, raw["amount"][:, 0], np.exp(raw["amount"][:, 1]))
            + 0.5 * np.log(2.0 * np.pi)
        )[gifted].sum(),
    }
    assert {task: float(x) for task, x in sums.items()} == pytest.approx(expected, rel=1e-4)


def test_a_constant_has_a_relative_loss_of_one() -> None:
    y = np.concatenate([np.full(500, 9.0), np.zeros(9_500)])
    clicked = np.arange(10_000) < 4_000
    rates = Rates.of(outcomes(y, clicked, None), np.ones(10_000, dtype=np.bool_))
    p, c = rates.gift, rates.click
    sums = {
        "gift": -(500.0 * np.log(p) + 9_500.0 * np.log1p(-p)),
        "click": -(4_000.0 * np.log(c) + 6_000.0 * np.log1p(-c)),
    }
    assert relative(sums, 10_000, rates) == pytest.approx({"gift": 1.0, "click": 1.0}, rel=0.01)
    assert rates.start("gift", esmm=True) > rates.start("gift", esmm=False)
