"""A feature that alone ranks gifts better than a feature can: a tripwire, whatever its source.

Two measures of one feature, larger first or smaller first, whichever is better:

- the ROC-AUC of rows with a gift against rows without;
- the amount in the top 1 % of rows, as a share of what the best order has there.

Both are means over rows with a gift, weighted by 1 or by the amount. A feature fails where a
mean surely exceeds its limit: m - 3 s > limit, with s clustered by user, and also chance would
not do: if each of n users were placed as well with probability ``limit``, limit^n < 0.001. n is
Kish's (Σ w)² / Σ w² over the users' weights. Fewer users cannot trip it: then the answer is that
there is not enough data.

The limits were stated after looking at honest features once: in the built-in worlds the best of
them has an AUC of 0.83 and 56 % of the best order, one user's. A feature above a limit is not
proven to leak; it has to be explained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.tables.audit.finding import AuditFinding
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features.declare import Feature
from giftlive.types import Floats, Ints

MAX_AUC = 0.9
MAX_SHARE = 0.9
TOP = 0.01
ERRORS = 3.0
CHANCE = 0.001
ROWS_RANKED = 20_000


@dataclass(frozen=True)
class Ranked:
    """Rows with and without a gift: all of them, or a sample of each with weights.

    Attributes
    ----------
    amount : [n] label, 0 without a gift. user : [n] ids. weight : [n] rows that each stands for.
    """

    amount: Floats
    user: Ints
    weight: Floats

    @property
    def gift(self) -> Ints:
        """Return the places of rows with a gift."""
        return np.flatnonzero(self.amount > 0)


@dataclass(frozen=True)
class Lift:
    """A mean over gift rows: what it is, what it surely exceeds, and what perfect rows would."""

    mean: float
    surely: float
    reach: float


def lift_findings(
    engine: DuckEngine, samples: str, features: tuple[Feature, ...]
) -> Iterator[AuditFinding]:
    """Yield one finding per feature of the table ``samples`` (SQL)."""
    columns, rows = _ranked(engine, samples, [feature.name for feature in features])
    for feature in features:
        yield finding_of(feature.name, np.asarray(columns[feature.name], dtype=np.float64), rows)


def finding_of(name: str, x: Floats, rows: Ranked) -> AuditFinding:
    """Return whether ``x`` [n] ranks gifts too well."""
    if len(rows.gift) in (0, len(x)) or np.ptp(x) == 0:
        ranked = "all alike" if len(x) and np.ptp(x) == 0 else "no two kinds of rows"
        return AuditFinding(name, "lift", True if ranked == "all alike" else None, ranked)
    auc = max((auc_of(sign * x, rows) for sign in (1, -1)), key=lambda lift: lift.mean)
    share = max((share_of(sign * x, rows) for sign in (1, -1)), key=lambda lift: lift.mean)
    able = auc.reach > MAX_AUC or share.reach > MAX_SHARE
    passed = not (auc.surely > MAX_AUC or share.surely > MAX_SHARE)
    detail = (
        f"AUC {auc.mean:.3f} (surely {auc.surely:.3f}, limit {MAX_AUC}), {share.mean:.0%} of the"
        f" best order's top 1 % (surely {share.surely:.0%}, limit {MAX_SHARE:.0%});"
        f" {len(rows.gift)} gift rows"
    )
    return AuditFinding(name, "lift", passed if able else None, detail)


def auc_of(x: Floats, rows: Ranked) -> Lift:
    """Return the ROC-AUC: how often a gift row stands above a row without, ties by half."""
    values, place = np.unique(x, return_inverse=True)
    without = np.where(rows.amount > 0, 0.0, rows.weight)
    mass = np.bincount(place, without, len(values))
    below = np.cumsum(mass) - mass / 2
    return _lift(below[place] / mass.sum(), rows.weight, rows, 1.0)


def share_of(x: Floats, rows: Ranked) -> Lift:
    """Return the amount in the top 1 % by ``x`` over that of the best order; ties share."""
    best = np.average(_in_top(rows.amount, rows), weights=rows.weight * rows.amount)
    return _lift(_in_top(x, rows), rows.weight * rows.amount, rows, float(best))


def _in_top(x: Floats, rows: Ranked) -> Floats:
    """Return the share of each row [n] that lies in the top 1 % of rows by ``x``."""
    values, place = np.unique(-x, return_inverse=True)
    mass = np.bincount(place, rows.weight, len(values))
    room = TOP * mass.sum() - (np.cumsum(mass) - mass)
    inside: Floats = np.clip(room / mass, 0.0, 1.0)
    return inside[place]


def _lift(value: Floats, weight: Floats, rows: Ranked, best: float) -> Lift:
    value, weight = value[rows.gift], weight[rows.gift]
    _, user = np.unique(rows.user[rows.gift], return_inverse=True)
    total = weight.sum()
    mean = float((weight * value).sum() / total)
    by_user = np.bincount(user, weight)
    error = np.sqrt(np.sum(np.bincount(user, weight * (value - mean)) ** 2)) / total
    users = total**2 / np.sum(by_user**2)
    reach = CHANCE ** (1.0 / users)
    return Lift(mean / best, min((mean - ERRORS * float(error)) / best, reach), reach)


def _ranked(engine: DuckEngine, samples: str, names: list[str]) -> tuple[dict[str, Any], Ranked]:
    """Return feature columns of at most ``ROWS_RANKED`` rows, half of them with a gift."""
    half = ROWS_RANKED // 2
    drawn = f"""select sample_id, count(*) over kind as rows, row_number() over (
      partition by label_amount > 0 order by sample_id % 2147483647 * 48271 % 2147483647, sample_id
    ) as draw from {samples} window kind as (partition by label_amount > 0)"""
    columns = engine.columns(
        f"select s.user_id, s.label_amount, d.rows, {', '.join(f's.{name}' for name in names)}"
        f" from {samples} s join ({drawn}) d on d.sample_id = s.sample_id"
        f" where d.draw <= {half} order by s.sample_id"
    )
    amount = np.asarray(columns["label_amount"], dtype=np.float64)
    rows = np.asarray(columns["rows"], dtype=np.float64)
    weight = np.maximum(1.0, rows / half)
    return columns, Ranked(amount, np.asarray(columns["user_id"], dtype=np.int64), weight)
