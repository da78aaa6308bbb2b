"""The distilled scorer: exact where its form is right, honest about its loss where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.distillation import DistillationLoss, distil
from giftlive.models.folder import load, save
from giftlive.models.scorer import Scorer
from giftlive.rng import stream
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Pairs:
    """Users, rooms, their features, and n drawn pairs with a context."""

    users: Floats
    rooms: Floats
    user: Ints
    room: Ints
    context: Floats

    def values(self, scorer: Scorer) -> Floats:
        u = scorer.user_vectors(self.users)[self.user]
        r = scorer.room_vectors(self.rooms)[self.room]
        return scorer.score(u, r[:, None, :], scorer.context_terms(self.context)[:, None])[:, 0]

    def distil(
        self, teacher: Floats, weights: Floats | None = None, rank: int = 30
    ) -> tuple[Scorer, DistillationLoss]:
        features = (self.users[self.user], self.rooms[self.room], self.context)
        return distil(teacher, *features, weights, penalty=1e-6, rank=rank)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    g = stream(0, "pairs")
    users, rooms = np.exp(g.normal(size=(300, 4))), np.exp(g.normal(size=(80, 3)))
    user, room = g.integers(0, 300, 6000), g.integers(0, 80, 6000)
    return Pairs(users, rooms, user, room, g.random((6000, 2)) * 10.0)


def _bilinear(p: Pairs) -> Floats:
    u, r = np.log1p(p.users)[p.user], np.log1p(p.rooms)[p.room]
    mains = u[:, 0] - 0.5 * u[:, 1] + 0.8 * r[:, 0] + 0.2 * np.log1p(p.context[:, 0])
    return np.exp(mains + u[:, 2] * r[:, 1] - 0.6 * u[:, 3] * r[:, 2] - 3.0)


def test_a_teacher_of_the_scorers_form_is_learnt_exactly(pairs: Pairs) -> None:
    teacher = _bilinear(pairs)
    scorer, loss = pairs.distil(teacher)
    assert pairs.values(scorer) == pytest.approx(teacher, rel=1e-2)
    assert loss.r2_log > 0.9999
    assert loss.spearman > 0.9999
    assert loss.revenue_capture_gap == pytest.approx(0.0, abs=1e-3)
    assert loss.ratio == pytest.approx(1.0, abs=1e-2)
    assert 1100 < loss.rows < 1300


def test_a_bent_main_effect_is_followed_by_the_hinges(pairs: Pairs) -> None:
    teacher = np.exp(-np.abs(np.log1p(pairs.users[pairs.user, 0]) - 0.8))
    assert pairs.distil(teacher)[1].r2_log > 0.97


def test_noise_in_the_teacher_is_reported_as_loss(pairs: Pairs) -> None:
    noise = stream(1, "teacher").normal(size=6000)
    loss = pairs.distil(np.exp(noise))[1]
    assert loss.r2_log < 0.05
    assert abs(loss.spearman) < 0.1
    assert loss.revenue_capture_gap > 0.5


@pytest.mark.parametrize(("weighted", "rank"), [(False, 30), (True, 30), (True, 1)])
def test_the_sum_of_the_teacher_is_kept(pairs: Pairs, weighted: bool, rank: int) -> None:
    g = stream(2, "level")
    teacher = _bilinear(pairs) * np.exp(g.normal(size=6000))
    w = g.integers(0, 4, 6000).astype(np.float64) if weighted else np.ones(6000)
    values = pairs.values(pairs.distil(teacher, w if weighted else None, rank)[0])
    assert np.sum(w * values) == pytest.approx(np.sum(w * teacher), rel=1e-9)


def test_no_score_exceeds_the_teachers_largest_value(pairs: Pairs) -> None:
    teacher = np.minimum(_bilinear(pairs), 0.2)
    scorer, _ = pairs.distil(teacher)
    extreme = Pairs(pairs.users * 1e6, pairs.rooms * 1e6, pairs.user, pairs.room, pairs.context)
    for p in (pairs, extreme):
        values = p.values(scorer)
        assert np.isfinite(values).all()
        assert values.max() <= 0.2 * (1 + 1e-12)
    u, r = scorer.user_vectors(pairs.users), scorer.room_vectors(pairs.rooms)
    rooms, terms = pairs.room[:300, None], np.full((300, 1), 900.0)
    assert scorer.score_rooms(u, r, rooms, terms) == pytest.approx(np.full((300, 1), 0.2))


def test_features_beyond_the_range_seen_count_as_its_end(pairs: Pairs) -> None:
    scorer, _ = pairs.distil(_bilinear(pairs))
    largest = pairs.users.max(axis=0, keepdims=True)
    end = scorer.user_vectors(largest)
    assert scorer.user_vectors(largest * 100.0) == pytest.approx(end, rel=1e-12)


def test_the_loss_is_measured_on_rows_that_were_not_learnt(pairs: Pairs) -> None:
    rows = slice(0, 150)
    few = Pairs(pairs.users, pairs.rooms, pairs.user[rows], pairs.room[rows], pairs.context[rows])
    assert few.distil(np.exp(stream(5, "few").normal(size=150)))[1].r2_log < 0.2


def test_gathered_and_indexed_scores_agree_and_padding_is_worth_nothing(pairs: Pairs) -> None:
    scorer, _ = pairs.distil(_bilinear(pairs))
    rooms = stream(3, "candidates").integers(-1, 80, (300, 12))
    u, r = scorer.user_vectors(pairs.users), scorer.room_vectors(pairs.rooms)
    terms = scorer.context_terms(stream(3, "context").random((300, 12, 2)) * 10.0)
    assert u.shape == (300, scorer.width)
    assert r.shape == (80, scorer.width)
    indexed = scorer.score_rooms(u, r, rooms, terms)
    gathered = scorer.score(u, r[rooms], terms)
    assert indexed[rooms >= 0] == pytest.approx(gathered[rooms >= 0], rel=1e-12)
    assert (indexed[rooms < 0] == 0.0).all()


def test_fewer_factors_lose_more(pairs: Pairs) -> None:
    teacher = _bilinear(pairs)
    full, one = pairs.distil(teacher), pairs.distil(teacher, rank=1)
    assert one[0].width == 3
    assert one[1].r2_log < full[1].r2_log - 0.01


def test_unknown_features_are_the_mean_and_have_an_effect_of_their_own(pairs: Pairs) -> None:
    gone = stream(4, "gone").random(300) < 0.3
    users = pairs.users.copy()
    users[gone, 0] = -1.0
    p = Pairs(users, pairs.rooms, pairs.user, pairs.room, pairs.context)
    teacher = np.where(gone[p.user], 5.0, 1.0)
    scorer, loss = p.distil(teacher)
    assert loss.r2_log > 0.999
    nan_users = np.where(users == -1.0, np.nan, users)
    assert np.array_equal(scorer.user_vectors(nan_users), scorer.user_vectors(users))


def test_zero_weight_rows_do_not_matter(pairs: Pairs) -> None:
    teacher = _bilinear(pairs)
    w = np.ones(6000)
    w[:100] = 0.0
    spoiled = np.where(w > 0, teacher, teacher * 1e-3)
    one, other = pairs.distil(teacher, w)[0], pairs.distil(spoiled, w)[0]
    assert pairs.values(one) == pytest.approx(pairs.values(other), rel=1e-9)


def test_a_scorer_without_context_or_with_a_constant_teacher(pairs: Pairs) -> None:
    p = Pairs(pairs.users, pairs.rooms, pairs.user, pairs.room, np.zeros((6000, 0)))
    scorer, loss = p.distil(np.full(6000, 2.5))
    assert p.values(scorer) == pytest.approx(np.full(6000, 2.5))
    assert (loss.r2_log, loss.spearman) == (1.0, 1.0)
    assert (loss.revenue_capture_gap, loss.ratio) == pytest.approx((0.0, 1.0))


def test_distilling_is_deterministic_and_survives_the_disk(pairs: Pairs, tmp_path: Path) -> None:
    teacher = _bilinear(pairs)
    scorer, _ = pairs.distil(teacher)
    assert pairs.distil(teacher)[0].state() == scorer.state()
    save(scorer, tmp_path)
    assert np.array_equal(pairs.values(load(tmp_path)), pairs.values(scorer))


def test_unusable_teachers_are_refused(pairs: Pairs) -> None:
    with pytest.raises(NotEnoughDataError, match="positive"):
        pairs.distil(np.zeros(6000))
    with pytest.raises(InputError, match="negative"):
        pairs.distil(np.full(6000, -1.0))
    with pytest.raises(UsageError, match="shapes"):
        pairs.distil(np.ones(10))
    with pytest.raises(UsageError, match="weights"):
        pairs.distil(np.ones(6000), np.ones(5))
    few = np.ones((3, 1))
    with pytest.raises(NotEnoughDataError, match="3 rows"):
        distil(np.ones(3), few, few, few)
