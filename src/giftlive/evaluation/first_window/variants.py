"""One model on the same rows and folds, with one group of features more or less each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from giftlive import metrics
from giftlive.evaluation.behavioural.measure import Number, finite
from giftlive.evaluation.first_window.groups import CLOCK, OUTSIDE, columns_of, varying
from giftlive.evaluation.leaderboard.predictions import within
from giftlive.models.registry import make
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold
from giftlive.types import Floats, Ints

PR_AUC, CAPTURE, LOG_LOSS = "PR-AUC", "capture@1 %", "log-loss"
METRICS = (PR_AUC, CAPTURE, LOG_LOSS)
FULL, CLOCK_ONLY = "full", "clock only"


def plus(group: str) -> str:
    """Return the name of the variant that knows the clock and ``group``."""
    return f"clock + {group}"


def rest(group: str) -> str:
    """Return the name of the variant that knows everything but ``group``.

    Snapshot and noise are not in the full model: what is left without them is all of it.
    """
    return FULL if group in OUTSIDE else f"without {group}"


def whole(group: str) -> str:
    """Return the name of the variant that knows everything and ``group``."""
    return f"full + {group}" if group in OUTSIDE else FULL


def variants_of(matrix: Matrix) -> dict[str, Ints]:
    """Return the columns of every variant: of each group what varies, at least on one row."""
    kept = {g: varying(matrix, c) for g, c in columns_of(matrix.names).items()}
    kept = {g: c for g, c in kept.items() if len(c)}
    inside = [g for g in kept if g not in OUTSIDE]

    def joined(groups: Sequence[str]) -> Ints:
        return np.sort(np.concatenate([kept[g] for g in groups]))

    found = {FULL: joined(inside), CLOCK_ONLY: kept[CLOCK]}
    for group in kept:
        if group != CLOCK:
            found[plus(group)] = joined([CLOCK, group])
        if group in OUTSIDE:
            found[whole(group)] = joined([*inside, group])
        else:
            found[rest(group)] = joined([g for g in inside if g != group])
    return found


def measured(
    matrix: Matrix, folds: Sequence[Fold], model: str, rows: Ints | None = None
) -> Iterator[Number]:
    """Yield the metrics of every variant on the pooled test days, and what is asked beforehand.

    Parameters
    ----------
    matrix : groups by the names of its columns, noise among them. model : in the registry.
    rows : that are used, for training and test; None: all.
    """
    used = matrix if rows is None else taken(matrix, rows)
    for group, columns in columns_of(used.names).items():
        yield Number("group", group, "columns", float(len(columns)))
        yield Number("group", group, "varying", float(len(varying(used, columns))))
    variants = variants_of(used)
    for name, columns in variants.items():
        y, amount, chance = predicted(used, folds, model, columns)
        yield from scored("variant", name, y, amount, chance)
    yield Number("a_a", FULL, "differs", float(_differs(used, folds[:1], model, variants[FULL])))
    yield from moved(used, folds[0])


def taken(matrix: Matrix, rows: Ints) -> Matrix:
    """Return the ``rows`` of ``matrix``."""
    return Matrix(
        X=matrix.X[rows],
        y=matrix.y[rows],
        count=matrix.count[rows],
        user=matrix.user[rows],
        streamer=matrix.streamer[rows],
        live=matrix.live[rows],
        ts=matrix.ts[rows],
        day=matrix.day[rows],
        names=matrix.names,
        unit=matrix.unit,
    )


def predicted(
    matrix: Matrix, folds: Sequence[Fold], model: str, columns: Ints
) -> tuple[Floats, Floats, Floats]:
    """Return outcome, expected amount and chance of the pooled test rows."""
    names = tuple(matrix.names[j] for j in columns)
    X = np.ascontiguousarray(matrix.X[:, columns])
    parts: list[tuple[Floats, Floats, Floats]] = []
    for fold in folds:
        train, test = (np.flatnonzero(within(matrix.day, s)) for s in (fold.train, fold.test))
        fitted = make(model).fit(X[train], matrix.y[train], matrix.user[train], names=names)
        parts.append((matrix.y[test], fitted.predict(X[test]), fitted.predict_proba(X[test])))
    y, amount, chance = (np.concatenate(part) for part in zip(*parts, strict=True))
    return y, amount, chance


def scored(table: str, row: str, y: Floats, amount: Floats, chance: Floats) -> Iterator[Number]:
    """Yield every metric of one set of predictions; None where it is not defined."""
    found: Mapping[str, float] = {
        PR_AUC: metrics.pr_auc(y, np.clip(chance, 0.0, 1.0)),
        CAPTURE: metrics.revenue_capture(y, np.maximum(amount, 0.0), 0.01),
        LOG_LOSS: metrics.log_loss(y, np.clip(chance, 0.0, 1.0)),
    }
    for name, value in found.items():
        yield Number(table, row, name, finite(value))


def moved(matrix: Matrix, first: Fold) -> Iterator[Number]:
    """Yield PR-AUC of two past sums on the first validation days: what ``movable`` asks."""
    rows = np.flatnonzero(within(matrix.day, first.validation))
    for name in ("pair_gift_sum", "streamer_gift_sum"):
        known = name in matrix.names
        value = metrics.pr_auc(matrix.y[rows], matrix.column(name)[rows]) if known else None
        yield Number("movable", name, PR_AUC, finite(value))


def _differs(matrix: Matrix, folds: Sequence[Fold], model: str, columns: Ints) -> bool:
    """Return whether the model, fitted twice, predicts anything otherwise."""
    one, again = (predicted(matrix, folds, model, columns) for _ in range(2))
    return not all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
