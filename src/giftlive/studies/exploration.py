"""0.1 · What do the logs say, and what can they not say?"""

from __future__ import annotations

from dataclasses import dataclass

from giftlive.evaluation.results import Estimate, StudyResult, Table
from giftlive.facts import Fact, FactBook, compute_facts
from giftlive.studies.context import Context, say
from giftlive.studies.fact_figures import fact_figures
from giftlive.studies.fact_rows import fact_rows
from giftlive.types import Message

KEY_FACTS = frozenset(
    {
        "amount_p50",
        "amount_p90",
        "amount_p99",
        "amount_mean",
        "amount_share_eq_1",
        "price_atom_top5_share",
        "amount_tail_index",
        "amount_tail_shape_gpd",
        "user_total_tail_index",
        "user_gini",
        "user_top1_share",
        "user_gini_all",
        "streamer_gini",
        "streamer_gini_all",
        "streamer_top1_share",
        "click_share_of_exposures",
        "gift_rows_per_click",
        "gift_sessions_per_session",
        "gifting_user_share",
        "watch_p50_s",
        "watch_mean_s",
        "gift_rate_pair_with_history",
        "gift_rate_pair_without_history",
        "revenue_share_never_gifted_pairs",
        "gifting_pairs_repeat_share",
        "user_quadrant_high_watch_low_pay",
        "user_quadrant_high_watch_low_pay_if_independent",
        "streamer_quadrant_high_watch_low_income",
        "streamer_quadrant_high_watch_low_income_if_independent",
        "gift_count_loyalty_mean",
        "gift_count_loyalty_mean_if_by_popularity",
        "amount_spearman_previous_next",
        "anonymous_gift_share",
        "retention_d1",
        "retention_d7",
        "outage_days",
        "gifts_with_click_timestamp",
        "gift_delay_p50_s",
    }
)
"""Facts printed in the page's table; all of them are in the full numbers and in the JSON."""

HEADLINES = ("user_top1_share", "user_gini", "amount_p50")


@dataclass(frozen=True)
class Exploration:
    """Every fact with its denominator and interval, and the audit of the data's health."""

    name: str = "exploration"
    id: str = "0.1"
    needs: tuple[str, ...] = ("gift",)
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Measure every fact; a fact the source cannot support says which table is missing."""
        book = compute_facts(context.store, context.progress)
        for name, columns in fact_rows(context.store):
            context.keep(name, columns)
        estimates = tuple(_estimate(fact) for fact in book.facts)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.exploration.question", {}),
            seed=context.config.seed,
            config={},
            inputs=context.inputs(),
            code_version=context.code_version,
            estimates=estimates,
            tables=(_fact_table(estimates, book), _health_table(book)),
            figures=fact_figures(book, context.store.source.unit),
            text=_text(book, estimates, context),
        )


def _estimate(fact: Fact) -> Estimate:
    return Estimate(
        name=fact.name,
        value=fact.value,
        low=fact.low,
        high=fact.high,
        method=fact.method,
        n=fact.n,
        n_unit=fact.n_unit,
        unit=fact.unit,
        denominator=fact.denominator,
        population=_population(fact),
        status=fact.status,
        reason=fact.reason,
    )


def _population(fact: Fact) -> str:
    """Return whose the number is, with what must not be concluded from it."""
    return f"{fact.population} ({fact.warning})" if fact.warning else fact.population


def _fact_table(estimates: tuple[Estimate, ...], book: FactBook) -> Table:
    pairs = zip(estimates, book.facts, strict=True)
    return Table(
        name="facts",
        columns=("fact", "value", "what is divided by what", "population", "n"),
        units=("", "95 % interval where one may be printed", "", "", ""),
        rows=tuple(
            (f.name, e, f"{f.numerator} / {f.denominator}", _population(f), f"{f.n:,} {f.n_unit}")
            for e, f in pairs
            if f.name in KEY_FACTS and e.status == "ok"
        ),
        caption=Message("study.exploration.table.facts", {"n": len(book.facts)}),
    )


def _health_table(book: FactBook) -> Table:
    """Return every finding, defects first; there is no score beside the list."""
    worst = sorted(book.findings, key=lambda finding: finding.severity != "defect")
    return Table(
        name="health",
        columns=("finding", "severity", "evidence", "what was found", "consequence"),
        units=("", "", "numerator of denominator", "", ""),
        rows=tuple((f.name, f.severity, f.evidence, f.detail, f.consequence) for f in worst),
        caption=Message("study.exploration.table.health", {}),
    )


def _text(
    book: FactBook, estimates: tuple[Estimate, ...], context: Context
) -> dict[str, tuple[Message, ...]]:
    name, source = "exploration", context.store.source
    by_name = {e.name: e for e in estimates}
    params = {
        "top1": by_name["user_top1_share"].value,
        "gini": by_name["user_gini"].value,
        "p50": by_name["amount_p50"].value,
        "largest": by_name["amount_max"].value,
        "gifts": source.rows.get("gift", 0),
        "unit": source.unit,
        "defects": len(book.defects),
        "delay": "identifiable" if book.delay.identifiable else "not identifiable",
    }
    events = sum(source.rows.get(t, 0) for t in ("click", "negative", "gift", "comment", "like"))
    cannot = [Message("study.exploration.cannot_tell.delay", {"share": book.delay.coincident})] * (
        book.delay.identifiable is False
    ) + [
        Message("study.exploration.cannot_tell.missing", {"table": table})
        for table in ("click", "negative")
        if table not in source.capabilities
    ]
    return {
        "finding": say(name, "finding", **params),
        "headline": tuple(
            Message(f"study.exploration.headline.{n}", {"estimate": n})
            for n in HEADLINES
            if by_name[n].value is not None
        ),
        "consensus": say(name, "consensus", **params),
        "cannot_tell": (*cannot, *say(name, "cannot_tell.propensities")),
        "mechanism": say(name, "mechanism"),
        "inputs": (
            *say(name, "inputs.events", value=f"{events:,} events"),
            *say(name, "inputs.unit", value=source.unit),
            *say(name, "inputs.zone", value=source.tz),
        ),
        "outputs": say(name, "outputs", value=f"{len(book.facts)} facts"),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "design": say(name, "design"),
        "decision": say(name, "decision", **params),
        "insight": _insight(book),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions.users"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", *_limits(book)),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.facts", where="facts.book:compute_facts"),
            *say(name, "modules.audit", where="facts.audit:audit"),
            *say(name, "modules.figures", where="studies.fact_figures.catalogue:fact_figures"),
        ),
    }


def _insight(book: FactBook) -> tuple[Message, ...]:
    """Return what the references beside the facts say, as far as the source has both."""
    pairs = {
        "quadrant": ("user_quadrant_high_watch_low_pay", "independent", "if_independent"),
        "loyalty": ("gift_count_loyalty_mean", "chance", "if_by_popularity"),
    }
    found = list(say("exploration", "insight.people"))
    for name, (fact, word, ending) in pairs.items():
        observed = book.fact(fact).value
        if observed is not None:
            reference = book.fact(f"{fact}_{ending}").value
            found += say(
                "exploration", f"insight.{name}", **{"observed": observed, word: reference}
            )
    return tuple(found)


def _limits(book: FactBook) -> tuple[str, ...]:
    selected = bool(book.fact("gifting_user_share").warning)
    clicks = book.fact("gift_rows_per_click").value is not None
    return (
        *(("selection",) if selected and clicks else ()),
        *(("history",) if clicks else ()),
        "tails",
        "money",
        "recorder",
    )
