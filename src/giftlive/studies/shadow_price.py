"""5.2 · What do dual prices earn where seats are scarce, against greedy and against the bound?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive import metrics
from giftlive.evaluation import checks
from giftlive.evaluation.contest import AGAIN, LINEUP, Contest, run_contest
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Estimate, Figure, Gate, Series, StudyResult, Table
from giftlive.evaluation.rules import Rule
from giftlive.stats.intervals import Interval, student_t
from giftlive.stats.print_rule import printed
from giftlive.studies.context import EVENING_RATIO, EVENINGS, Context, Kind, estimate, say
from giftlive.types import Message

NAMES = tuple(name for name, _, _ in LINEUP)


@dataclass(frozen=True)
class ShadowPrice:
    """Dual prices against greedy on estimated values, beside the certificate D."""

    name: str = "shadow_price"
    id: str = "5.2"
    needs: tuple[str, ...] = ("click", "negative")
    uses_evening: bool = True

    def run(self, context: Context) -> StudyResult:
        """Play the line-up on paired evenings; check that seats bind before reading it."""
        config, evening = context.config, context.tonight()
        contest = run_contest(
            evening, config.arena.seeds, config.seed, config.jobs, context.progress
        )
        context.keep("evenings", _rows(contest))
        context.keep("incomes", _incomes(contest))
        rule = load_rules()["shadow_price"]
        made = _checks(contest, rule)
        estimates = _estimates(contest, evening)
        gate = judge(rule, estimates, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.shadow_price.question", {}),
            seed=config.seed,
            config=config.arena.model_dump(),
            inputs=context.inputs() | {"world": evening.describe()},
            code_version=context.code_version,
            checks=made,
            estimates=estimates,
            gates=(gate,),
            tables=(_allocation_table(contest, evening), _scorer_table(evening)),
            figures=(_share_figure(contest), _fairness_figure(contest, evening)),
            text=_text(contest, evening, gate),
        )


def _rows(contest: Contest) -> dict[str, list[Any]]:
    """Return one row per evening and policy: what every number of this study is made of."""
    rows = [(night, r) for night in contest.nights for r in night.rollouts.values()]
    whole = ("policy", "decisions", "declined", "displaced", "refused")
    money = ("expected_revenue", "revenue", "seat_share")
    found: dict[str, list[Any]] = {"seed": [night.seed for night, _ in rows]}
    found |= {name: [getattr(r, name) for _, r in rows] for name in (*whole, *money)}
    of_night = ("bound", "overflow_share", "price_share")
    return found | {name: [getattr(night, name) for night, _ in rows] for name in of_night}


def _incomes(contest: Contest) -> dict[str, Any]:
    """Return one row per evening, policy and streamer: what the Gini is made of."""
    rollouts = [(night.seed, r) for night in contest.nights for r in night.rollouts.values()]
    size = [len(r.income) for _, r in rollouts]
    return {
        "seed": np.repeat([seed for seed, _ in rollouts], size),
        "policy": np.repeat([r.policy for _, r in rollouts], size),
        "income": np.concatenate([r.income for _, r in rollouts]),
    }


def _ratio(contest: Contest, policy: str, top: str) -> float:
    nights = [n.rollouts[policy] for n in contest.nights]
    return sum(getattr(r, top) for r in nights) / max(1, sum(r.decisions for r in nights))


def _mean(contest: Contest, quantity: str) -> float:
    return float(np.mean([getattr(night, quantity) for night in contest.nights]))


def _checks(contest: Contest, rule: Rule) -> tuple[Check, ...]:
    replayed = [night.tie for night in contest.nights if night.tie is not None]
    return (
        checks.binding(
            _ratio(contest, "dual_price", "displaced"),
            _mean(contest, "price_share"),
            "dual_price",
            **rule.asked("binding"),
        ),
        checks.movable(
            contest.relative_gain("greedy_with_cap", "uniform"),
            "greedy_with_cap against uniform, relative expected revenue",
            **rule.asked("movable"),
        ),
        checks.a_a(replayed, f"evenings on which {AGAIN} was played twice"),
        checks.power(len(contest.nights), "evenings", **rule.asked("power")),
    )


def _estimates(contest: Contest, evening: Evening) -> tuple[Estimate, ...]:
    population = f"evenings of the {evening.preset} world, {evening.label}"
    bound = "certificate D on true values"

    def number(name: str, interval: Interval, unit: str, denominator: str) -> Estimate:
        return estimate(
            name,
            interval,
            _kind(interval),
            unit=unit,
            denominator=denominator,
            population=population,
        )

    gains = [
        number(
            f"dual_price_minus_{other}",
            contest.relative_gain("dual_price", other),
            "relative change",
            other,
        )
        for other in ("greedy", "greedy_with_cap")
    ]
    shares = [
        number(f"{name}_share_of_bound", contest.share_of_bound(name), "share", bound)
        for name in NAMES
        if name != "dual_price"
    ]
    return (
        number("dual_price_share_of_bound", contest.share_of_bound("dual_price"), "share", bound),
        *gains,
        number("overflow_share", _night_mean(contest, "overflow_share"), "share", "greedy load"),
        number("price_share", _night_mean(contest, "price_share"), "share", "value placed"),
        number("bound", _night_mean(contest, "bound"), evening.unit, "evening"),
        *shares,
    )


def _kind(interval: Interval) -> Kind:
    """Return what an interval over evenings is of: a ratio of sums, or a mean."""
    return EVENING_RATIO if interval.method == "ratio_delta" else EVENINGS


def _night_mean(contest: Contest, quantity: str) -> Interval:
    return student_t(
        np.array([getattr(night, quantity) for night in contest.nights]), n_unit="evenings"
    )


def _allocation_table(contest: Contest, evening: Evening) -> Table:
    rows = [_policy_row(contest, name, evening.unit) for name in NAMES]
    bound = estimate(
        "bound",
        _night_mean(contest, "bound"),
        EVENINGS,
        unit="",
        denominator=f"{evening.unit} per evening",
        population="evenings",
    )
    overflow, price = _mean(contest, "overflow_share"), _mean(contest, "price_share")
    last = ("certificate D", bound, "100 %", "", "", "", "", "", "")
    note = f"overflow_share {overflow:.1%}, price_share {price:.1%}"
    return Table(
        name="allocation",
        columns=(
            "policy",
            "expected revenue",
            "share of D",
            "gain over greedy",
            "gain over greedy_with_cap",
            "refused",
            "shown nothing",
            "displaced",
            "Gini of expected income",
        ),
        units=(
            "",
            f"{evening.unit} per evening",
            "95 % interval",
            "paired",
            "paired",
            "share of decisions",
            "share of decisions",
            "share of decisions",
            "over live streamers",
        ),
        rows=(*rows, last),
        caption=Message("study.shadow_price.table.allocation", {"note": note}),
    )


def _policy_row(contest: Contest, name: str, unit: str) -> tuple[Any, ...]:
    def cell(what: str, interval: Interval, of: str, denominator: str) -> Estimate:
        return estimate(
            what,
            interval,
            _kind(interval),
            unit=of,
            denominator=denominator,
            population=name,
        )

    bound = contest.share_of_bound(name)
    return (
        name,
        cell("revenue", contest.mean(name, "expected_revenue"), "", f"{unit} per evening"),
        cell("share", bound, "share", "D"),
        cell("gain", contest.relative_gain(name, "greedy"), "relative change", "greedy"),
        cell("gain", contest.relative_gain(name, "greedy_with_cap"), "relative change", "capped"),
        percent(_ratio(contest, name, "refused")),
        percent(_ratio(contest, name, "declined")),
        percent(_ratio(contest, name, "displaced")),
        cell("gini", _gini(contest, name), "ratio", "1"),
    )


def percent(share: float) -> str:
    """Return a share as a table cell."""
    return f"{share:.1%}"


def _gini(contest: Contest, name: str) -> Interval:
    values = [metrics.gini(night.rollouts[name].income) for night in contest.nights]
    return student_t(np.array(values), n_unit="evenings")


def _scorer_table(evening: Evening) -> Table:
    loss = evening.loss
    rows = tuple((name, round(value, 4)) for name, value in sorted(loss.items()))
    return Table(
        name="distillation",
        columns=("what the Scorer keeps of the full model", "value"),
        units=("", ""),
        rows=rows,
        caption=Message("study.shadow_price.table.distillation", {}),
    )


def _drawn(interval: Interval) -> Interval:
    """Return ``interval`` as it may be printed."""
    kind = _kind(interval)
    return printed(interval, kind.statistic, kind.tail, kind.rows_per_cluster)


def _share_figure(contest: Contest) -> Figure:
    intervals = [_drawn(contest.share_of_bound(name)) for name in NAMES]
    drawn = all(i.low is not None for i in intervals)
    best = contest.share_of_bound("dual_price")
    perfect = contest.share_of_bound("oracle_greedy_with_cap")
    return Figure(
        name="share_of_bound",
        title=f"Prices on estimates reach {best.value or 0:.1%} of the bound,"
        f" capped greedy on true values {perfect.value or 0:.1%}",
        subtitle=f"expected revenue / certificate D; {len(contest.nights)} paired evenings",
        x_label="policy (oracle: sees true values)",
        y_label="expected revenue as a share of the certificate D",
        series=(
            Series(
                name="share of D",
                x=NAMES,
                y=tuple(i.value or 0.0 for i in intervals),
                style="dots",
                low=tuple(i.low or 0.0 for i in intervals) if drawn else None,
                high=tuple(i.high or 0.0 for i in intervals) if drawn else None,
                n=tuple(i.n for i in intervals),
            ),
            Series(name="bound", x=NAMES, y=tuple(1.0 for _ in NAMES), style="reference"),
        ),
        shows=Message("study.shadow_price.figure.share.shows", {}),
        follows=Message("study.shadow_price.figure.share.follows", {}),
        x_scale="category",
        horizontal=True,
    )


def _fairness_figure(contest: Contest, evening: Evening) -> Figure:
    series = []
    for name in NAMES:
        revenue, spread = _drawn(contest.mean(name, "expected_revenue")), _gini(contest, name)
        drawn = revenue.low is not None and revenue.high is not None
        series.append(
            Series(
                name=name,
                x=(spread.value or 0.0,),
                y=(revenue.value or 0.0,),
                style="dots",
                low=(revenue.low or 0.0,) if drawn else None,
                high=(revenue.high or 0.0,) if drawn else None,
                n=(revenue.n,),
            )
        )
    flat = min(NAMES, key=lambda name: _gini(contest, name).value or 1.0)
    return Figure(
        name="fairness",
        title=f"Expected income is spread most evenly under {flat}",
        subtitle=f"{len(contest.nights)} paired evenings; Gini over all live streamers",
        x_label="Gini of expected streamer income",
        y_label=f"expected revenue ({evening.unit} per evening)",
        series=tuple(series),
        shows=Message("study.shadow_price.figure.fairness.shows", {}),
        follows=Message("study.shadow_price.figure.fairness.follows", {}),
    )


def _text(contest: Contest, evening: Evening, gate: Gate) -> dict[str, tuple[Message, ...]]:
    name = "shadow_price"
    gain = contest.relative_gain("dual_price", "greedy")
    capped = contest.relative_gain("dual_price", "greedy_with_cap")
    oracle = contest.share_of_bound("oracle_dual_price")
    params = {
        "share": contest.share_of_bound("dual_price").value,
        "oracle": oracle.value,
        "optimism": _mean(contest, "optimism"),
        "oracle_greedy": contest.share_of_bound("oracle_greedy_with_cap").value,
        "gain": gain.value,
        "low": gain.low,
        "high": gain.high,
        "capped": capped.value,
        "capped_low": capped.low,
        "capped_high": capped.high,
        "overflow": _mean(contest, "overflow_share"),
        "price": _mean(contest, "price_share"),
        "evenings": len(contest.nights),
        "preset": evening.preset,
        "gap": _mean(contest, "gap"),
        "r2": evening.loss.get("r2_log", 0.0),
        "verdict": gate.verdict,
    }
    scorer = f"log R² of the Scorer {params['r2']:.3f}"
    return {
        "finding": say(name, "finding", **params),
        "headline": (
            *say(name, "headline.gain", estimate="dual_price_minus_greedy"),
            *say(name, "headline.share", estimate="dual_price_share_of_bound"),
        ),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": (
            *say(name, "inputs.values", model=evening.card.get("name", ""), value=scorer),
            *say(name, "inputs.seats", value=f"{int(evening.seats_tonight):,} seats"),
        ),
        "outputs": say(name, "outputs", value="one room per decision, and its price"),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5", "6"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design"),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "diagnostics", "design", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "bound", "prices"),
        "scope": say(name, "scope", **params),
        "limits": say(name, "limits", "world", "seats", "values"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.certificate", where="allocation.certificate:certificate"),
            *say(name, "modules.policy", where="policies.dual_price:DualPrice"),
            *say(name, "modules.contest", where="evaluation.contest:run_contest"),
        ),
    }
