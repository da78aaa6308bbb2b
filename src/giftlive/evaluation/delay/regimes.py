"""The logs of the study of delay: twins that may hide it, then planted laws that are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

from giftlive.clock import MS_PER_SECOND
from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.behavioural.worlds import Reading
from giftlive.evaluation.delay.comparison import ORACLE, VANILLA, compare
from giftlive.evaluation.delay.identifiability import read_twin
from giftlive.evaluation.delay.measure import Questions, measured
from giftlive.evaluation.delay.planted import DAY, Plan, arrivals
from giftlive.evaluation.delay.planted_viewings import ViewingPlan, viewings
from giftlive.evaluation.delay.recorded import LATE, LATE_ALONE, recorded_log
from giftlive.models.delay.registry import treatment
from giftlive.types import Progress, silent
from giftlive.world import Scenario

NONE, FAST, SLOW, AMOUNT = "none", "fast", "slow", "amount"
PLAIN, DRIFT, VIEWINGS = "slow, no calendar feature", "slow, drift", "viewings"
HALF_LATE = "half late"
"""No Weibull law: beside the gate, so that the form that is assumed is also seen to fail."""
WORLD, WORLD_MORE = "world, slow arrivals", "world, slow arrivals, more gifts"
MORE_GIFTS = {"gift.base": "-4.0"}
"""About four times as many gifts: what is measured is then the delay and not their rarity."""

WORLDS: Mapping[str, Mapping[str, str]] = {
    WORLD: LATE_ALONE,
    WORLD_MORE: {**LATE_ALONE, **MORE_GIFTS},
}
"""Regime -> overrides of the preset: logs that a world recorded with late records."""

DELAYED = (SLOW, AMOUNT, PLAIN, HALF_LATE)
"""Regimes with a gap worth the name; the others ask only for harm."""

LAWS_OF_TIME = ("discrete_hazard", "cox", "weibull_aft")
CHAPELLE = ("delayed_feedback", "delayed_feedback_weibull")
IN_VIEWINGS = (*LAWS_OF_TIME, *CHAPELLE)
"""Treatments that need no row older than the horizon: none is, forty minutes after the start."""

PROGRESSIVE = (VANILLA, "fixed_window")
"""Validated progressively beside the recommended treatment."""

MEMORY = 2.0 * DAY
DRIFT_SIZE, DRIFT_DAYS = 2.0, 10.0
"""Log-odds by which giving grows over how many days; what forgets keeps the last two of them."""

CUT_DAYS = 5.0
CUT_MINUTES = 40.0


@dataclass(frozen=True)
class Design:
    """Which logs, and what is asked of them.

    Attributes
    ----------
    twins : scenario by recorder. late : scenario by regime of ``WORLDS``. seeds : one twin of each
        and one log of each regime per seed.
    names : treatments. recommended : the one that is judged. rows, users : of a planted log.
    """

    twins: Mapping[str, Scenario]
    seeds: tuple[int, ...]
    names: tuple[str, ...]
    recommended: str
    rows: int = 30_000
    users: int = 3_000
    memory_limit: str = "2GB"
    late: Mapping[str, Scenario] = field(default_factory=dict)

    @property
    def laws(self) -> dict[str, Plan]:
        """Return the planted log of every regime."""
        base = Plan(rows=self.rows, users=self.users)
        return {
            NONE: replace(base, law="none"),
            FAST: replace(base, law="fast"),
            SLOW: base,
            AMOUNT: replace(base, law="amount"),
            PLAIN: replace(base, calendar=False),
            HALF_LATE: replace(base, law="half_late"),
            DRIFT: replace(base, calendar=False, drift=DRIFT_SIZE, days=DRIFT_DAYS),
        }

    def questions(self, regime: str, seed: int) -> Questions:
        """Return what is asked of a log: windows where labels are slow, progress under a drift."""
        ask = Questions(round(CUT_DAYS * DAY * MS_PER_SECOND), self.names, seed=seed)
        if regime == DRIFT:
            return replace(
                ask,
                names=(),
                windows=(),
                step_ms=round(DAY * MS_PER_SECOND),
                progressive=(*PROGRESSIVE, self.recommended),
                recent=(VANILLA, self.recommended),
                memory=MEMORY,
            )
        return replace(ask, exchange=True) if regime == SLOW else replace(ask, windows=())


def read_delays(design: Design, progress: Progress = silent) -> tuple[Reading, ...]:
    """Return every number of every log; a table is named "regime: table"."""
    found: list[Reading] = []
    for done, seed in enumerate(design.seeds, start=1):
        for recorder, scenario in design.twins.items():
            twin = read_twin(scenario, seed, recorder, design.memory_limit)
            found += [Reading(seed, number) for number in twin]
        for regime, plan in design.laws.items():
            numbers = measured(arrivals(plan, seed), design.questions(regime, seed))
            found += [Reading(seed, _under(regime, number)) for number in numbers]
        for regime, scenario in design.late.items():
            late = recorded_log(scenario, seed, _row_of(regime), design.memory_limit)
            ask = Questions(late.cut_ms, design.names, windows=(), seed=seed)
            found += [Reading(seed, number) for number in late.numbers]
            numbers = measured(late.planted, ask)
            found += [Reading(seed, _under(regime, number)) for number in numbers]
        found += [Reading(seed, number) for number in _viewings(design, seed)]
        progress(done, len(design.seeds))
    return tuple(found)


def fit_seconds(design: Design) -> dict[str, float]:
    """Return what one fit of every treatment costs on the first slow log."""
    planted = arrivals(design.laws[SLOW], design.seeds[0])
    known = planted.history.at(round(CUT_DAYS * DAY * MS_PER_SECOND))
    found = {}
    for name in (VANILLA, *design.names):
        begun = perf_counter()
        treatment(name).fit(known)
        found[name] = perf_counter() - begun
    return found


def _row_of(regime: str) -> str:
    """Return the row of a late log among the twins: the preset's own law has the recorder's."""
    return LATE if regime == WORLD else f"{LATE}, more gifts"


def _under(regime: str, number: Number) -> Number:
    return replace(number, table=f"{regime}: {number.table}")


def _viewings(design: Design, seed: int) -> Iterator[Number]:
    """Yield the scores of treatments on viewings that a shared intent ends."""
    planted = viewings(ViewingPlan(rows=design.rows, users=design.users), seed)
    chosen = {name: treatment(name) for name in design.names if name in IN_VIEWINGS}
    cut = round(CUT_MINUTES * 60.0 * MS_PER_SECOND)
    one = compare(planted.history, cut, chosen, truth=planted.chance)
    for name in (VANILLA, *chosen, ORACLE):
        yield Number(f"{VIEWINGS}: treatments", name, "log-loss", one.loss(name))
        yield Number(f"{VIEWINGS}: treatments", name, "calibration error", one.error(name))
        yield Number(
            f"{VIEWINGS}: treatments", name, "level", float(one.p[name].mean() / one.y.mean())
        )
