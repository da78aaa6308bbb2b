"""Study 0.2 again, from the pooled test rows with every model's predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import stats

from giftlive.errors import InputError
from giftlive.run.verify import ranking
from giftlive.run.verify.calibration import debiased_error
from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Curve, Drawn
from giftlive.run.verify.recomputed import Clustered, Recomputed, mean, of_rows
from giftlive.run.verify.rows import Kept
from giftlive.types import Bools, Floats, Ints

LISTED = ("revenue_capture_1pct", "pr_auc", "ece", "calibration_ratio")
"""Metrics that the list of estimates gives of the two models that are compared."""
TRIVIAL = ("user_past_spend", "user_mean_gift", "pair_past_spend", "streamer_past_income")
_SECOND = ("ridge",)
"""The reference beside the best trivial ranker."""
FRACTIONS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.10)
EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_HEAD = {
    **{f"capture@{k} %": f"revenue_capture_{k}pct" for k in (1, 5, 10)},
    **{f"overlap@{k} %": f"topk_overlap_{k}pct" for k in (1, 5, 10)},
    "Spearman": "spearman",
    "NDCG@100": "ndcg_100",
    "norm. Gini": "normalised_gini",
}
_LEVELS = {
    "PR-AUC": "pr_auc",
    "log-loss": "log_loss",
    "ECE": "ece",
    "MAE(log)": "mae_log",
    "RMSE(log)": "rmse_log",
    "Σ pred / Σ actual": "calibration_ratio",
    "top 1 % pred / actual": "calibration_top_1pct",
    "worst decile": "worst_decile",
}
_COMPARED = {
    **{f"capture@{k} %": f"revenue_capture_{k}pct" for k in (1, 10)},
    "Spearman": "spearman",
    "norm. Gini": "normalised_gini",
    "PR-AUC": "pr_auc",
    "log-loss": "log_loss",
}


@dataclass(frozen=True)
class Model:
    """One model on the pooled test rows: y, user [n]; predicted amount and chance [n]."""

    y: Floats
    user: Ints
    amount: Floats
    chance: Floats

    @cached_property
    def numbers(self) -> dict[str, Recomputed]:
        """Every metric of the leaderboard, computed again."""
        hit, p = (self.y > 0).astype(np.float64), np.clip(self.chance, 0.0, 1.0)
        found = {
            "revenue_capture_1pct": self.border(ranking.capture(self.y, self.amount, 0.01)),
            "revenue_capture_10pct": self.border(ranking.capture(self.y, self.amount, 0.10)),
            "spearman": self._of(
                ranking.rank_correlation(self.y, self.amount),
                lambda: float(stats.spearmanr(self.y, self.amount).statistic),
            ),
            "ndcg_100": self._of(ranking.discounted_gain(self.y, self.amount, 100), self.ndcg),
            "normalised_gini": self._of(ranking.concentration_found(self.y, self.amount)),
            "calibration_ratio": self._calibration(),
            "revenue_capture_5pct": self.border(ranking.capture(self.y, self.amount, 0.05)),
            **self._bare(),
        }
        if not hit.all():
            found["log_loss"] = self._of(_mean_loss(hit, p))
            found["pr_auc"] = self._of(
                ranking.average_precision(hit, self.chance), self._average_precision
            )
            found["ece"] = debiased_error(hit, p, self.user)
        return found

    def border(self, metric: ranking.Metric) -> Recomputed:
        """Return a metric that depends on which rows lie beyond a border between ranks."""
        basis = of_rows(metric, self.user, border=True)
        return Recomputed(metric(np.ones(len(self.y))), basis, basis.size)

    def _of(self, metric: ranking.Metric, value: Callable[[], float] | None = None) -> Recomputed:
        basis = of_rows(metric, self.user)
        found = value() if value else metric(np.ones(len(self.y)))
        return Recomputed(found if np.isfinite(found) else None, basis, basis.size)

    def _bare(self) -> dict[str, Recomputed]:
        """Return the metrics that are printed without an interval."""
        from sklearn.metrics import mean_absolute_error, root_mean_squared_error

        logs = np.log1p(self.y), np.log1p(np.maximum(self.amount, 0.0))
        top = [ranking.capture(x, self.amount, 0.01) for x in (self.amount, self.y)]
        one = np.ones(len(self.y))
        held = [at(one) * math.fsum(x) for at, x in zip(top, (self.amount, self.y), strict=True)]
        ratios = np.array(_ratios(self.y, self.amount)[1])
        worst = float(ratios[np.argmax(np.abs(np.log(ratios)))]) if len(ratios) else None
        found = {
            "mae_log": float(mean_absolute_error(*logs)),
            "rmse_log": float(root_mean_squared_error(*logs)),
            "calibration_top_1pct": held[0] / held[1] if held[1] > 0 else None,
            **{
                f"topk_overlap_{k}pct": ranking.overlap(self.y, self.amount, k / 100)
                for k in (1, 5, 10)
            },
        }
        bare = {name: Recomputed(value) for name, value in found.items()}
        # a difference of running sums: it is exact relative to the largest of them
        return bare | {"worst_decile": Recomputed(worst, scale=max(1.0, *ratios, 1.0))}

    def within(self, rows: Bools) -> Model:
        """Return the model on some of its rows."""
        return Model(self.y[rows], self.user[rows], self.amount[rows], self.chance[rows])

    def ndcg(self) -> float:
        """Return the discounted gain of the first hundred places, from scikit-learn."""
        from sklearn.metrics import ndcg_score

        return float(ndcg_score(self.y[None, :], self.amount[None, :], k=100))

    def _average_precision(self) -> float:
        from sklearn.metrics import average_precision_score

        return float(average_precision_score(self.y > 0, self.chance))

    def _calibration(self) -> Recomputed:
        """Return Σ predicted / Σ actual: its interval, too, is that of an influence statistic."""
        basis = of_rows(lambda w: float(np.sum(w * self.amount) / np.sum(w * self.y)), self.user)
        value = math.fsum(self.amount) / math.fsum(self.y)
        return Recomputed(value, basis, basis.size)

    def minus(self, other: Model, name: str) -> Recomputed:
        """Return the paired difference of a metric between two models."""
        one, two = self.numbers[name], other.numbers[name]
        if one.value is None or two.value is None:
            return Recomputed(None)
        assert isinstance(one.basis, Clustered)
        assert isinstance(two.basis, Clustered)
        a, b, value = one.basis.at, two.basis.at, one.value - two.value
        basis = replace(one.basis, at=lambda w: a(w) - b(w))
        return replace(one, value=value, basis=basis, scale=max(abs(one.value), abs(two.value)))


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    models = _models(kept)
    chosen, trivial = (models[name] for name in _chosen(_ranked(result, models)))
    name = "revenue_capture_1pct"
    found = {f"{name}_gain": chosen.minus(trivial, name)}
    for label, model in (("model", chosen), ("trivial", trivial)):
        numbers = model.numbers
        found |= {f"{metric}_{label}": numbers[metric] for metric in LISTED if metric in numbers}
    for who, model in models.items():
        found |= {
            f"{table} / {who} / {column}": model.numbers[metric]
            for table, columns in (("leaderboard", _HEAD), ("levels", _LEVELS))
            for column, metric in columns.items()
            if metric in model.numbers
        }
    best, rival = _chosen(_ranked(result, models))
    names = list(dict.fromkeys([best, rival, *_SECOND]))
    return (
        found
        | _differences(models, [rival, *_SECOND])
        | _slices(kept, models, names)
        | _against_truth(kept, models)
        | _by_event(kept, result, models)
    )


def _by_event(kept: Kept, result: Result, models: Mapping[str, Model]) -> dict[str, Recomputed]:
    """Return the mean difference of capture over events, where every fold is one."""
    if not all(str(fold["name"]).startswith("event-") for fold in result["config"]["folds"]):
        return {}
    fold = kept.columns("predictions")["fold"]
    captured = {
        who: np.array(
            [
                ranking.capture(part.y, part.amount, 0.01)(np.ones(len(part.y)))
                for part in (model.within(fold == k) for k in np.unique(fold))
            ]
        )
        for who, model in models.items()
    }
    return {
        f"events / {who} / {other} / capture@1 %": replace(
            mean(captured[who] - captured[other]), scale=float(captured[who].mean())
        )
        for other in (*TRIVIAL, *_SECOND)
        if other in models
        for who in models
        if who not in (*TRIVIAL, other)
    }


def _differences(models: Mapping[str, Model], references: list[str]) -> dict[str, Recomputed]:
    """Return every model minus the best trivial ranker and minus ridge, paired by row."""
    return {
        f"differences / {who} / {other} / {column}": model.minus(models[other], metric)
        for other in references
        if other in models
        for who, model in models.items()
        if who != other
        for column, metric in _COMPARED.items()
        if metric in model.numbers
    }


def _slices(kept: Kept, models: Mapping[str, Model], names: list[str]) -> dict[str, Recomputed]:
    """Return the capture within every slice of the rows that holds an amount."""
    found = {}
    rows = kept.columns("predictions")
    for column in (c for c in rows if c.startswith("in ")):
        inside = rows[column].astype(np.bool_)
        for name in (n for n in names if n in models):
            part = models[name].within(inside)
            if part.y.sum() > 0:
                key = f"slices / {column.removeprefix('in ')} / {name} / capture@1 %"
                found[key] = part.border(ranking.capture(part.y, part.amount, 0.01))
    return found


def _against_truth(kept: Kept, models: Mapping[str, Model]) -> dict[str, Recomputed]:
    """Return how each model orders expected amounts, where the run kept them."""
    rows = kept.columns("predictions")
    if "expected_amount" not in rows:
        return {}
    value = rows["expected_amount"].astype(np.float64)
    found: dict[str, Recomputed] = {}
    one = np.ones(len(value))
    best = ranking.capture(value, value, 0.01)(one)
    for who, model in models.items():
        reached = ranking.capture(value, model.amount, 0.01)(one)
        expected = Model(value, model.user, model.amount, model.chance)
        numbers = {
            "capture of expected revenue@1 %": reached,
            "share of the latent ceiling": reached / best,
            "norm. Gini": ranking.concentration_found(value, model.amount)(one),
            "Spearman": float(stats.spearmanr(value, model.amount).statistic),
            "NDCG@100": expected.ndcg(),
            "Σ pred / Σ expected": math.fsum(model.amount) / math.fsum(value),
        }
        found |= {f"truth / {who} / {name}": Recomputed(x) for name, x in numbers.items()}
    return found


def _mean_loss(hit: Floats, p: Floats) -> ranking.Metric:
    """Return the mean of -log(probability of what happened), as in scikit-learn's log_loss."""
    q = np.clip(p, 1e-15, 1.0 - 1e-15)
    loss = -(hit * np.log(q) + (1.0 - hit) * np.log1p(-q))
    return lambda w: float(np.average(loss, weights=w))


def _ranked(result: Result, models: Mapping[str, Model]) -> list[str]:
    """Return the models in the order of the leaderboard.

    It is ordered by the score on validation days, whose rows are not kept.
    """
    tables = (table for table in result["tables"] if table["name"] == "leaderboard")
    return [row[0] for table in tables for row in table["rows"] if row[0] in models]


def _chosen(ranked: list[str]) -> tuple[str, str]:
    """Return the best learned and the best trivial model: first of their kind in the table."""
    learned = [name for name in ranked if name not in TRIVIAL]
    trivial = [name for name in ranked if name in TRIVIAL]
    if not learned or not trivial:
        raise InputError(
            "the leaderboard names no learned or no trivial model", "results/baseline.json, tables",
            "one row per model",
        )  # fmt: skip
    return learned[0], trivial[0]


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    models = _models(kept)
    order = _ranked(result, models)[::-1]
    chosen = _chosen(order[::-1])
    y = next(iter(models.values())).y
    percent = [100 * f for f in FRACTIONS]
    found = {
        ("leaderboard", "capture at 1 %"): Drawn(
            order, estimates=[f"leaderboard / {name} / capture@1 %" for name in order]
        ),
        ("capture_curve", "realised amounts (unreachable)"): Drawn(percent, _curve(y, y)),
        ("deciles", "even"): Drawn([1.0, 10.0], Curve.of([1.0, 1.0])),
    }
    for name in chosen:
        found["capture_curve", name] = Drawn(percent, _curve(y, models[name].amount))
    for name in (chosen[0], "boosted_log1p"):
        if name in models:
            found["deciles", name] = _deciles(y, models[name].amount)
    return found


def _curve(y: Floats, score: Floats) -> Curve:
    one = np.ones(len(y))
    return Curve.of([ranking.capture(y, score, f)(one) for f in FRACTIONS])


def _deciles(y: Floats, predicted: Floats) -> Drawn:
    """Return predicted / actual in ten bins of equal mass as it is drawn."""
    x, ratios, size = _ratios(y, predicted)
    return Drawn(x, Curve.of(ratios, size))


def _ratios(y: Floats, predicted: Floats) -> tuple[list[float], list[float], float]:
    """Return the deciles in which something was given, predicted / actual there, and the scale."""
    blocks = ranking.Blocks.of(-predicted)
    mass = blocks.sums(np.ones(len(y)))
    borders = np.arange(1, 10) * len(y) / 10
    sums = []
    for values in (predicted, y):
        whole = blocks.sums(values)
        ends = np.concatenate([[0.0], ranking.reached(borders, mass, whole), [whole.sum()]])
        sums.append(np.diff(ends))
    shown = (sums[0] > 0) & (sums[1] > 0)
    x = (np.flatnonzero(shown) + 1.0).tolist()
    return x, (sums[0][shown] / sums[1][shown]).tolist(), float(np.abs(sums[0]).max())


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that can be made again: none needs more than n and the rules."""
    return {}


def _models(kept: Kept) -> dict[str, Model]:
    rows = kept.columns("predictions")
    y, user = rows["amount"].astype(np.float64), rows["user_id"]
    names = [c.removesuffix("_probability") for c in rows if c.endswith("_probability")]
    return {
        name: Model(y, user, rows[f"{name}_amount"], rows[f"{name}_probability"]) for name in names
    }
