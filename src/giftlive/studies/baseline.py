"""0.2 · How far do trivial rankers get, and does any model beat them on later days?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from giftlive.evaluation import checks
from giftlive.evaluation.folds import folds_of
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.leaderboard import with_last_amount
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.studies.baseline_cards import card_of, days_of
from giftlive.studies.baseline_figures import figures
from giftlive.studies.baseline_tables import tables
from giftlive.studies.board import Board, board_of
from giftlive.studies.context import Context, estimate, say
from giftlive.tables.matrix import Matrix, load_matrix
from giftlive.types import Bools, Floats, Ints, Message


@dataclass(frozen=True)
class Baseline:
    """Every model of the configuration and the trivial rankers on identical rolling folds."""

    name: str = "baseline"
    id: str = "0.2"
    needs: tuple[str, ...] = ("gift",)
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Fit on past days, choose on validation days, score once on test days."""
        matrix = load_matrix(context.tables)
        if matrix.unit == "gift":
            matrix = with_last_amount(matrix)
        folds = folds_of(context.store, matrix, context.config.tables.folds)
        board = board_of(context, matrix, folds)
        context.keep("predictions", _rows(board))
        for p in board.predictions:
            context.spent(p.name, asdict(p.cost))
            context.describe(p.name, card_of(board, p, matrix, folds, context.inputs()))
        rule = load_rules()["baseline"]
        made, chosen = _checks(board, rule), _estimates(board, matrix.unit)
        gate = judge(rule, chosen, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.baseline.question", {}),
            seed=context.config.seed,
            config=context.config.models.model_dump() | {"folds": [days_of(f) for f in folds]},
            inputs=context.inputs(),
            code_version=context.code_version,
            checks=made,
            estimates=chosen,
            gates=(gate,),
            tables=tables(board, matrix.unit, folds),
            figures=figures(board, matrix.unit),
            text=_text(board, matrix, gate, not context.store.source.series_of_events),
        )


def _rows(board: Board) -> dict[str, Floats | Ints | Bools]:
    """Return the pooled test rows with every model's predictions."""
    found: dict[str, Floats | Ints | Bools] = {
        "user_id": board.test.user,
        "fold": board.test.fold,
        "amount": board.test.y,
    }
    for p in board.predictions:
        found |= {f"{p.name}_amount": p.amount, f"{p.name}_probability": p.probability}
    found |= {f"in {name}": inside for name, inside in board.labels.items()}
    if board.truth is not None:
        found["expected_amount"] = board.truth.value
    return found


def _checks(board: Board, rule: Rule) -> tuple[Check, ...]:
    exact = board.tie.value == 0.0 and board.tie.width == 0.0
    return (
        checks.a_a([exact], "a model against itself"),
        checks.movable(
            board.moved,
            "best against worst ranker on the validation days, capture at 1 %",
            **rule.asked("movable"),
        ),
        checks.power(len(np.unique(board.test.user)), "users", **rule.asked("power")),
    )


def _estimates(board: Board, unit: str) -> tuple[Estimate, ...]:
    population = f"{unit}s of the pooled test days"
    best = next(s for s in board.scored if s.name == board.learned.name)
    base = next(s for s in board.scored if s.name == board.trivial.name)
    first = estimate(
        "revenue_capture_1pct_gain",
        board.gain,
        board.kind("capture_difference"),
        unit="share difference",
        denominator="total amount on the test days",
        population=population,
    )
    rest = [
        replace(board.metric(scored, name, unit), name=f"{name}_{label}")
        for label, scored in (("model", best), ("trivial", base))
        for name in ("revenue_capture_1pct", "pr_auc", "ece", "calibration_ratio")
        if name in scored.metrics
    ]
    return (first, *rest)


def _pipeline(unit: str, daily: bool) -> tuple[str, ...]:
    """Return the steps as they were for sessions or gifts, on days or on whole events."""
    if unit == "gift":
        return ("gift", "2", "3" if daily else "events", "4", "5")
    return ("1", "2", "3", "4", "5")


def _text(board: Board, matrix: Matrix, gate: Gate, daily: bool) -> dict[str, tuple[Message, ...]]:
    name = "baseline"
    params = board.gain_params | {"verdict": gate.verdict, "unit": matrix.unit}
    rows = {"value": f"{len(matrix.y):,} {matrix.unit}s"}
    columns = {"value": ", ".join(matrix.names[:6]) + f" … ({len(matrix.names)} in all)"}
    return {
        "finding": say(name, "finding", **params),
        "headline": say(
            name, "headline", estimate="revenue_capture_1pct_model", label=board.learned.name
        ),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell", "alone" if matrix.unit == "gift" else "shown"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.rows", **rows) + say(name, "inputs.features", **columns),
        "outputs": say(name, "outputs", value=board.learned.name),
        "pipeline": say(name, "pipeline", *_pipeline(matrix.unit, daily)),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", "days" if daily else "events"),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "diagnostics", "design"),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "stationary", "clusters"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "coverage", "tuning"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.fit", where="evaluation.leaderboard:predict_all"),
            *say(name, "modules.score", where="evaluation.leaderboard:score"),
            *say(name, "modules.model", where="models.hurdle:Hurdle"),
        ),
    }
