"""Teach a :class:`Scorer` the values of a full model, and say what was lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, NotEnoughDataError, UsageError
from giftlive.models.basis import Basis
from giftlive.models.scorer import Scorer
from giftlive.rng import stream
from giftlive.types import Bools, Floats

TOP = 0.01
"""The share of rows in ``revenue_capture_gap``."""
SMALLEST = 1e-6
"""Teacher values below this share of their mean are raised to it before the logarithm."""
CHUNK = 16_384


@dataclass(frozen=True)
class DistillationLoss:
    """How far a scorer is from its teacher, on rows it did not learn from.

    Attributes
    ----------
    r2_log : 1 − Σ(log teacher − log scorer)² / Σ(log teacher − mean)².
    spearman : rank correlation of the two.
    revenue_capture_gap : 1 − Σ teacher over the scorer's top 1 % / Σ teacher over its own.
    ratio : Σ scorer / Σ teacher (1 by construction over all rows of ``distil``).
    rows : how many rows were judged.
    """

    r2_log: float
    spearman: float
    revenue_capture_gap: float
    ratio: float
    rows: int


def distil(
    teacher_predictions: Floats,
    user_features: Floats,
    room_features: Floats,
    context: Floats,
    weights: Floats | None = None,
    *,
    penalty: float = 1e-3,
    rank: int = 30,
    seed: int = 0,
) -> tuple[Scorer, DistillationLoss]:
    """Fit log v̂ = a + f(u) + g(r) + φ_uᵀ M φ_r + h(c) to log teacher values by weighted ridge.

    Four fifths of the rows fit the coefficients, the rest measures the loss; the level is then
    set on all rows so that Σ weight·scorer = Σ weight·teacher. Assumption: beyond the
    interaction M, user and room act on the log value additively; the loss says how true it is.

    Parameters
    ----------
    teacher_predictions : [n] E[amount] >= 0 of the full model.
    user_features, room_features, context : [n, du], [n, dr], [n, c] (c may be 0).
    weights : [n] >= 0; which rows matter (None: all alike).
    penalty : shrinks every column by about 1/(1 + penalty).
    rank : largest rank of M kept, so that vectors have at most rank + 2 entries.

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 rows, or no positive teacher value.
    """
    teacher = _checked(teacher_predictions, (user_features, room_features, context))
    w = np.ones(len(teacher)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != teacher.shape or (w < 0.0).any():
        raise UsageError(f"shape {w.shape}", "argument weights", f"{len(teacher)} numbers >= 0")
    if not (w * teacher).sum() > 0.0:
        raise NotEnoughDataError(
            "no teacher value with weight is positive", "argument teacher_predictions"
        )
    held_out = stream(seed, "distil").permutation(len(teacher)) % 5 == 0
    target = _logs(teacher, float(np.average(teacher, weights=w)))
    rows = _Rows(
        Basis.of(user_features),
        Basis.of(room_features),
        Basis.of(context),
        (user_features, room_features, context),
    )
    intercept, coefficients = _ridge(rows, target, np.where(held_out, 0.0, w), penalty)
    scorer, scores = _levelled(rows, intercept, coefficients, rank, teacher, w)
    judged = held_out & (w > 0.0)
    return scorer, _loss(teacher[judged], target[judged], scores[judged])


def _checked(teacher_predictions: Floats, features: tuple[Floats, ...]) -> Floats:
    teacher = np.asarray(teacher_predictions, dtype=np.float64)
    if teacher.ndim != 1 or any(x.ndim != 2 or len(x) != len(teacher) for x in features):
        shapes = ", ".join(str(x.shape) for x in (teacher, *features))
        raise UsageError(f"shapes {shapes}", "distil", "[n], [n, du], [n, dr], [n, c]")
    if len(teacher) < 20:
        raise NotEnoughDataError(
            f"{len(teacher)} rows", "distil", "at least 20", "distil on the training rows"
        )
    if not (np.isfinite(teacher) & (teacher >= 0.0)).all():
        raise InputError(
            "a value is negative or not a number", "argument teacher_predictions", "E[amount] >= 0"
        )
    return teacher


@dataclass(frozen=True)
class _Rows:
    """The design matrix of the distillation, made a chunk at a time to bound memory."""

    user: Basis
    room: Basis
    context: Basis
    features: tuple[Floats, Floats, Floats]

    def chunks(self) -> Iterator[tuple[slice, Floats]]:
        user, room, context = self.features
        for start in range(0, len(user), CHUNK):
            part = slice(start, start + CHUNK)
            pairs = np.einsum(
                "ni,nj->nij", self.user.linear(user[part]), self.room.linear(room[part])
            ).reshape(len(user[part]), -1)
            mains = (
                self.user.bent(user[part]),
                self.room.bent(room[part]),
                self.context.bent(context[part]),
            )
            yield part, np.hstack([*mains, pairs])

    def split(self, coefficients: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the coefficients of users, rooms, contexts, and M as [du, dr]."""
        per_feature = 2 + self.user.knots.shape[1]
        sizes = [per_feature * len(b.centre) for b in (self.user, self.room, self.context)]
        user, room, context, pairs = np.split(coefficients, np.cumsum(sizes))
        return user, room, context, pairs.reshape(len(self.user.centre), len(self.room.centre))


def _ridge(rows: _Rows, target: Floats, w: Floats, penalty: float) -> tuple[float, Floats]:
    """Solve the weighted ridge regression by its normal equations, summed over chunks."""
    gram: Floats = np.zeros((1, 1))
    moment: Floats = np.zeros(1)
    for part, design in rows.chunks():
        extended = np.column_stack([np.ones(len(design)), design])
        weighted = extended * w[part, None]
        gram, moment = gram + weighted.T @ extended, moment + weighted.T @ target[part]
    total = float(gram[0, 0])
    mean, mean_target = gram[0, 1:] / total, float(moment[0]) / total
    centred = gram[1:, 1:] - total * np.outer(mean, mean)
    cross = moment[1:] - total * mean * mean_target
    scale = np.diag(centred).copy()
    constant = scale <= 1e-9 * total
    shrunk = centred + np.diag(penalty * scale + np.where(constant, total, 0.0))
    coefficients = np.where(constant, 0.0, np.linalg.solve(shrunk, cross))
    return float(mean_target - mean @ coefficients), coefficients


def _levelled(
    rows: _Rows, intercept: float, coefficients: Floats, rank: int, teacher: Floats, w: Floats
) -> tuple[Scorer, Floats]:
    """Return the scorer at the teacher's level and its values on the rows."""
    user, room, context, pairs = rows.split(coefficients)
    left, sizes, right = np.linalg.svd(pairs, full_matrices=False)
    keep = min(rank, int(np.count_nonzero(sizes > 1e-12)))
    left, right = left[:, :keep] * sizes[:keep], right[:keep].T
    log_values = np.concatenate([design @ coefficients for _, design in rows.chunks()]) + intercept
    if keep < np.count_nonzero(sizes > 1e-12):
        cut = pairs - left @ right.T
        u, r = rows.user.linear(rows.features[0]), rows.room.linear(rows.features[1])
        log_values -= np.einsum("ni,ij,nj->n", u, cut, r)
    level = _level(log_values, teacher, w)
    top = float(teacher.max())
    cap = float(np.log(top) - np.log(level))
    bases = (rows.user, rows.room, rows.context)
    scorer = Scorer(*bases, user, room, context, left, right, intercept, level, cap)
    return scorer, level * np.exp(np.minimum(log_values, cap))


def _level(log_values: Floats, teacher: Floats, w: Floats) -> float:
    """Return c such that Σ w·min(c·e^z, max teacher) = Σ w·teacher (ratio smearing under a cap).

    The sum is concave and increasing in c, so iterating on the rows not yet capped rises to c.
    """
    top, total = float(teacher.max()), float(np.sum(w * teacher))
    values = np.exp(np.minimum(log_values, np.log(top) + 30.0))
    level, previous = total / float(np.sum(w * values)), 0.0
    while level > previous:
        capped: Bools = level * values >= top
        free = float(np.sum(w[~capped] * values[~capped]))
        if free <= 0.0:
            break
        previous, level = level, (total - top * float(w[capped].sum())) / free
    return max(level, previous)


def distillation_loss(teacher: Floats, scores: Floats) -> DistillationLoss:
    """Return how far scores [n] are from the teacher's values [n] >= 0 of the same rows."""
    return _loss(teacher, _logs(teacher, float(teacher.mean())), scores)


def _logs(teacher: Floats, mean: float) -> Floats:
    """Return log teacher, values raised to ``SMALLEST`` of their mean."""
    return np.asarray(np.log(np.maximum(teacher, SMALLEST * max(mean, np.finfo(float).tiny))))


def _loss(t: Floats, log_t: Floats, s: Floats) -> DistillationLoss:
    from scipy.stats import rankdata

    # Where all are equal, deviations from their mean are rounding.
    spread = float(np.sum((log_t - log_t.mean()) ** 2)) if np.ptp(log_t) > 0.0 else 0.0
    error = float(np.sum((log_t - np.log(s)) ** 2))
    k = max(1, round(TOP * len(t)))
    own, found = np.sort(t)[-k:].sum(), t[np.argsort(-s, kind="stable")[:k]].sum()
    ranks = rankdata(t), rankdata(s)
    varied = min(np.ptp(ranks[0]), np.ptp(ranks[1])) > 0.0
    return DistillationLoss(
        r2_log=1.0 - error / spread if spread > 0.0 else 1.0,
        spearman=float(np.corrcoef(*ranks)[0, 1]) if varied else 1.0,
        revenue_capture_gap=float(1.0 - found / own) if own > 0.0 else 0.0,
        ratio=float(s.sum() / t.sum()) if t.sum() > 0.0 else 1.0,
        rows=len(t),
    )
