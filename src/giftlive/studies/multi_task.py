"""1.3 · Do clicks and watch time, which are many, teach a network about gifts, which are few?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation import checks
from giftlive.evaluation.dense import (
    MULTI,
    SINGLE,
    Budget,
    Shown,
    compared,
    load_exposures,
    same_twice,
)
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.leaderboard import TestSet
from giftlive.evaluation.leaderboard.scores import interval
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.metrics import influence
from giftlive.models.neural.extra import require_torch
from giftlive.stats.intervals import Interval
from giftlive.studies.context import Context, say
from giftlive.studies.multi_task_tables import SHOWN, Dense, dense_of, figures, listed, tables
from giftlive.tables.splits import rolling_origins
from giftlive.types import Ints, Message

_REFERENCES = ("pair_gift_sum", "streamer_gift_sum")


@dataclass(frozen=True)
class MultiTaskStudy:
    """One network with dense tasks against the same network with gifts alone, over exposures.

    Needs the extra ``neural``. Intervals are over users of the run's own logs and hold for the
    networks that were trained: another seed of the weights is another network.
    """

    name: str = "multi_task"
    id: str = "1.3"
    needs: tuple[str, ...] = ("click", "negative", "gift")
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Tune both arms on equal budgets, score the test days once, judge Gate-1 (c)."""
        require_torch()
        dense = measured(context)
        context.keep("predictions", _rows(dense))
        rule = load_rules()["multi_task"]
        made, named = _checks(dense, rule), listed(dense)
        gate = judge(rule, named, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.multi_task.question", {}),
            seed=context.config.seed,
            config=context.config.multi_task.model_dump(),
            inputs=context.inputs(),
            code_version=context.code_version,
            checks=made,
            estimates=named,
            gates=(gate,),
            tables=tables(dense),
            figures=figures(dense),
            text=_text(dense, named, gate),
        )


def measured(context: Context) -> Dense:
    """Return what the arms predict for the test exposures of the run's logs.

    Raises
    ------
    NotEnoughDataError
        The first origin's training or validation days hold too few gifts to learn or choose by.
    """
    config = context.config
    asked = config.multi_task
    data = load_exposures(
        context.store, context.tables, asked.exposures, config.seed, config.memory_limit
    )
    folds = rolling_origins(data.day, config.tables.folds)
    budget = Budget(asked.learning_rates, asked.dropouts, asked.epochs, config.seed)
    first = np.flatnonzero(
        (data.day >= folds[0].validation[0]) & (data.day < folds[0].validation[1])
    )
    if not (data.y[first] > 0.0).any():
        raise NotEnoughDataError(
            f"no gift among {len(first):,} exposures",
            "the first origin's validation days",
            "some gifts to choose by",
            "use longer logs, or a larger --set demo.scale",
        )
    tie = same_twice(data, folds[0], budget)
    found = compared(data, folds, budget, context.progress)
    return dense_of(data, found, _moved(data, first), tie, config.seed)


def _moved(data: Shown, first: Ints) -> Interval:
    """Estimate PR-AUC of the pair's past spend minus that of the streamer's past income."""
    test = TestSet(first, data.y[first], data.user[first], np.zeros(len(first), dtype=np.int64))
    one, other = (influence.pr_auc(test.y > 0, data.column(name)[first]) for name in _REFERENCES)
    return interval(test, "difference", one - other)


def _rows(dense: Dense) -> dict[str, Any]:
    found = dense.found
    return {
        "y": dense.shown.y,
        "user": dense.shown.user,
        "fold": dense.shown.fold,
        "clicked": dense.clicked,
        **{f"shown {arm}": chance for arm, chance in found.shown.items()},
        **{f"entered {arm}": chance for arm, chance in found.entered.items()},
    }


def _checks(dense: Dense, rule: Rule) -> tuple[Check, ...]:
    return (
        checks.a_a([dense.tie], "a network trained twice on one seed"),
        checks.movable(
            dense.moved,
            "PR-AUC of past spend of the pair against past income, first validation days",
            **rule.asked("movable"),
        ),
        checks.power(dense.users(SHOWN), "users", **rule.asked("power")),
    )


def _text(dense: Dense, named: tuple[Estimate, ...], gate: Gate) -> dict[str, tuple[Message, ...]]:
    name, value = "multi_task", {e.name: e.value or 0.0 for e in named}
    found = dense.found
    params: dict[str, Any] = {
        "multi": value[f"pr_auc_{MULTI}"],
        "single": value[f"pr_auc_{SINGLE}"],
        "gain": value["pr_auc_gain"],
        "inside": value["pr_auc_gain_inside"],
        "gifts": float(found.positives[-1]),
        "tries": float(len(found.trials) // 2),
        "entered": float(dense.clicked.mean()),
        "verdict": gate.verdict,
    }
    exposures = f"{len(dense.shown.y):,}, {int((dense.shown.y > 0).sum()):,} with a gift"
    return {
        "finding": say(name, "finding", **params),
        "headline": say(name, "headline", estimate=f"pr_auc_{MULTI}", label=MULTI),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.exposures", value=exposures),
        "outputs": say(name, "outputs", value=", ".join(found.shown)),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "selection", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "users", "negatives"),
        "scope": say(name, "scope", **params),
        "limits": say(name, "limits", "seed", "selection", "budget"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.model", where="models.neural.multi_task:MultiTask"),
            *say(name, "modules.losses", where="models.neural.losses:summed"),
            *say(name, "modules.arms", where="evaluation.dense.arms:compared"),
        ),
    }
