"""The network where the truth is planted: what sharing a representation gives, and what not."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.models.neural.planted import SMALL, Shown, exposures, fit, model, needs_torch, selected

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.metrics import influence
from giftlive.models.folder import load, save
from giftlive.models.neural.fitted import FittedMultiTask
from giftlive.models.neural.multi_task import MultiTask
from giftlive.rng import stream
from giftlive.testing import check_value_model

pytestmark = needs_torch


def _pr_auc(data: Shown, fitted: FittedMultiTask) -> float:
    return influence.pr_auc(data.y > 0, fitted.predict_proba(data.X)).value


@pytest.fixture(scope="module")
def shown() -> tuple[Shown, Shown]:
    """Return exposures to train on, with few gifts, and many more to judge by."""
    drawn = exposures(50_000, 2, shared=True)
    return drawn.rows(slice(0, 20_000)), drawn.rows(slice(20_000, None))


@pytest.fixture(scope="module")
def both(shown: tuple[Shown, Shown]) -> FittedMultiTask:
    return fit(shown[0])


@pytest.fixture(scope="module")
def single(shown: tuple[Shown, Shown]) -> FittedMultiTask:
    return fit(shown[0], ("gift",))


def test_where_gifts_follow_the_taste_of_clicks_both_learn_more_than_gifts_alone(
    shown: tuple[Shown, Shown], both: FittedMultiTask, single: FittedMultiTask
) -> None:
    train, fresh = shown
    assert (train.y > 0).sum() < 450
    shared, alone = _pr_auc(fresh, both), _pr_auc(fresh, single)
    assert shared > 1.15 * alone
    assert alone > 2.0 * (fresh.y > 0).mean()  # the control has learnt, too


def test_where_clicks_know_nothing_of_gifts_they_do_not_help() -> None:
    """Among entered rows, where the click itself says nothing more, there is nothing to gain."""
    drawn = exposures(30_000, 2, shared=False, rate=-3.5)
    train, fresh = drawn.rows(slice(0, 12_000)), drawn.rows(slice(12_000, None))
    entered, inside = train.rows(train.clicked), fresh.rows(fresh.clicked)
    shared, alone = fit(train), fit(entered, ("gift",))
    found = [
        influence.pr_auc(inside.y > 0, fitted.heads(inside.X).gift).value
        for fitted in (shared, alone)
    ]
    assert found[1] > 1.5 * (inside.y > 0).mean()  # there was something to learn
    assert found[0] < 1.1 * found[1]


def test_over_exposures_the_product_is_right_where_clicked_rows_alone_mislead() -> None:
    drawn = selected(60_000, 2)
    train, fresh = drawn.rows(slice(0, 30_000)), drawn.rows(slice(30_000, None))
    entire, entered = fit(train), fit(train.rows(train.clicked), ("gift",))
    truth = fresh.click * fresh.gift
    product, naive = entire.predict_proba(fresh.X), entered.predict_proba(fresh.X)
    rarely = fresh.click < np.quantile(fresh.click, 0.5)
    for rows in (np.ones(len(fresh), dtype=np.bool_), rarely, ~rarely):
        assert product[rows].mean() == pytest.approx(truth[rows].mean(), rel=0.25)
    assert naive.mean() > 4.0 * truth.mean()
    assert np.corrcoef(naive, truth)[0, 1] < 0.3 < np.corrcoef(product, truth)[0, 1]


def test_the_gift_head_times_the_click_head_is_the_chance(both: FittedMultiTask) -> None:
    X = exposures(100, 9, shared=True).X
    heads = both.heads(X)
    assert np.array_equal(both.predict_proba(X), heads.click * heads.gift)
    assert heads.watch_seconds is not None
    assert (heads.watch_seconds >= 0.0).all()
    assert (heads.gift > both.predict_proba(X)).all()


def test_levels_of_money_and_of_watch_are_those_of_the_rows(
    shown: tuple[Shown, Shown], both: FittedMultiTask
) -> None:
    train, fresh = shown
    assert both.predict(train.X).sum() == pytest.approx(train.y.sum(), rel=1e-9)
    watch = both.heads(fresh.X).watch_seconds
    assert watch is not None
    seen = fresh.clicked
    assert watch[seen].mean() == pytest.approx(fresh.watch_seconds[seen].mean(), rel=0.1)
    assert both.predict_proba(fresh.X).mean() == pytest.approx((fresh.y > 0).mean(), rel=0.3)


def test_an_id_nobody_has_seen_is_what_is_usual(
    shown: tuple[Shown, Shown], both: FittedMultiTask
) -> None:
    fresh = shown[1]
    new = fresh.X.copy()
    new[:, 1:3] = 10_000_000.0
    unknown = new.copy()
    unknown[:, 1:3] = -1.0
    chance, click = both.predict_proba(new), both.heads(new).click
    assert np.isfinite(both.predict(new)).all()
    assert np.array_equal(chance, both.predict_proba(unknown))
    assert click.mean() == pytest.approx(fresh.clicked.mean(), abs=0.1)
    assert click.std() < 0.5 * both.heads(fresh.X).click.std()
    assert 0.3 < chance.mean() / (fresh.y > 0).mean() < 2.0


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_network() -> None:
    train = exposures(3_000, 3, shared=True, rate=-3.0)
    one, two = (fit(train, epochs=2) for _ in range(2))
    assert one.state() == two.state()
    assert np.array_equal(one.predict(train.X), two.predict(train.X))
    other = MultiTask(sizes=SMALL, schedule=model(epochs=2).schedule, seed=1).fit(
        train.X, train.y, train.user, names=train.names, clicked=train.clicked
    )
    assert not np.array_equal(one.predict(train.X), other.predict(train.X))


def test_training_leaves_torch_as_it_was() -> None:
    import torch

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    state = torch.get_rng_state()
    fit(exposures(2_000, 3, shared=True, rate=-2.0), epochs=1)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    assert torch.equal(torch.get_rng_state(), state)


def test_a_saved_network_predicts_the_same_bits_without_torch(
    shown: tuple[Shown, Shown],
    both: FittedMultiTask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X = shown[1].X[:500]
    save(both, tmp_path)
    written = (tmp_path / "arrays.npz").read_bytes()
    save(both, tmp_path)
    assert (tmp_path / "arrays.npz").read_bytes() == written
    monkeypatch.setitem(sys.modules, "torch", None)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.predict(X), both.predict(X))
    assert np.array_equal(loaded.predict_proba(X), both.predict_proba(X))
    assert loaded.card() == both.card()
    assert loaded.state() == both.state()


def test_a_damaged_array_file_is_refused(both: FittedMultiTask, tmp_path: Path) -> None:
    save(both, tmp_path)
    (tmp_path / "arrays.npz").write_bytes(b"PK and nothing else")
    with pytest.raises(InputError, match=r"arrays.npz: .*not as it was saved"):
        load(tmp_path)


def test_the_epoch_of_the_lowest_gift_loss_is_restored(shown: tuple[Shown, Shown]) -> None:
    """Trained up to the best epoch and no further, the network is the one that was kept."""
    train = shown[0].rows(slice(0, 6_000))
    validation = np.arange(len(train)) >= 4_000

    def run(patience: int, epochs: int) -> FittedMultiTask:
        settings = model(("gift",), epochs)
        schedule = replace(settings.schedule, patience=patience, learning_rate=2e-2)
        return replace(settings, schedule=schedule).fit(
            train.X, train.y, train.user, names=train.names, validation=validation
        )

    kept = run(3, 8)
    fitted = kept.card()["fitted"]
    losses = fitted["validation_loss"]
    assert fitted["best_epoch"] == 1 + int(np.argmin(losses))
    assert fitted["best_epoch"] < fitted["epochs"]
    rows = train.rows(validation)
    p = kept.predict_proba(rows.X)
    loss = -np.where(rows.y > 0, np.log(p), np.log1p(-p)).mean()
    gifts = (train.y[~validation] > 0).sum()
    rate = (gifts + 0.5) / (4_000 + 1.0)
    constant = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    assert loss / constant == pytest.approx(min(losses), rel=1e-4)


def test_validation_rows_train_nothing(shown: tuple[Shown, Shown]) -> None:
    """Their labels may be anything: with too few gifts to choose by, the network is the same."""
    train = shown[0].rows(slice(0, 4_000))
    held = np.arange(len(train)) % 2 == 0
    quiet = np.where(held, 0.0, train.y)

    def parameters(clicked: Any) -> Any:
        settings = MultiTask(
            ("click", "gift"), sizes=SMALL, schedule=model(epochs=1).schedule, minimum_positives=5
        )
        fitted = settings.fit(
            train.X, quiet, train.user, names=train.names, clicked=clicked, validation=held
        )
        return fitted.state().arrays

    other = np.where(held, ~train.clicked, train.clicked)
    assert parameters(train.clicked) == parameters(other)


def test_progress_only_grows_and_ends_at_the_whole() -> None:
    heard: list[tuple[int, int]] = []
    train = exposures(3_000, 3, shared=True, rate=-2.0)
    model(epochs=2).fit(
        train.X,
        train.y,
        train.user,
        names=train.names,
        progress=lambda done, total: heard.append((done, total)),
    )
    shares = [done / total for done, total in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) >= 3


def test_features_are_read_from_a_memory_map(tmp_path: Path) -> None:
    train = exposures(3_000, 3, shared=True, rate=-2.0)
    np.save(tmp_path / "X.npy", train.X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    settings = model(epochs=1)
    one = settings.fit(train.X, train.y, train.user, names=train.names)
    two = settings.fit(mapped, train.y, train.user, names=train.names)
    assert one.state() == two.state()


def test_the_unit_of_money_only_scales_the_prediction() -> None:
    train = exposures(4_000, 3, shared=True, rate=-2.0)
    one, two = (
        model(epochs=1).fit(train.X, factor * train.y, train.user, names=train.names)
        for factor in (1.0, 1000.0)
    )
    assert two.predict(train.X) == pytest.approx(1000.0 * one.predict(train.X), rel=1e-9)


def test_it_keeps_the_promises_of_every_value_model() -> None:
    check_value_model(lambda: model(epochs=1))


def test_unusable_arguments_are_refused() -> None:
    train = exposures(2_000, 3, shared=True, rate=-2.0)
    settings = model(epochs=1)
    with pytest.raises(UsageError, match="columns"):
        settings.fit(train.X[:, 1:], train.y, train.user, names=train.names)
    with pytest.raises(NotEnoughDataError, match="trivial ranker"):
        settings.fit(train.X, 0.0 * train.y, train.user, names=train.names)
    with pytest.raises(UsageError, match="validation"):
        settings.fit(
            train.X, train.y, names=train.names, validation=np.ones(len(train), dtype=np.bool_)
        )
    with pytest.raises(UsageError, match="tasks"):
        MultiTask(tasks=("likes",))


def test_rows_that_all_hold_a_gift_have_a_chance_near_one() -> None:
    g = stream(0, "gifts")
    X, y = g.normal(size=(400, 2)), np.ceil(np.exp(g.normal(3.0, 1.0, 400)))
    fitted = model(epochs=2).fit(X, y, names=("a", "b"))
    assert fitted.predict_proba(X).min() > 0.95
    assert fitted.predict(X).sum() == pytest.approx(y.sum(), rel=1e-9)
