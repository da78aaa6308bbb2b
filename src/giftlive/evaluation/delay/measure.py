"""Every number of one log of late labels: what a study of delay prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from giftlive.errors import NotEnoughDataError
from giftlive.evaluation.behavioural.measure import Number
from giftlive.evaluation.behavioural.worlds import Reading
from giftlive.evaluation.delay.comparison import ORACLE, VANILLA, Comparison, compare
from giftlive.evaluation.delay.gap import calibration_error, row_losses
from giftlive.evaluation.delay.planted import (
    DAY,
    Plan,
    Planted,
    arrivals,
    exchanged_delays,
    permuted_labels,
)
from giftlive.models.delay.durations import gifts
from giftlive.models.delay.fit_check import WARN_FROM, arrival_misfit
from giftlive.models.delay.kaplan_meier import KaplanMeier
from giftlive.models.delay.progressive import Scored, progressive_validation
from giftlive.models.delay.registry import treatment
from giftlive.models.delay.treatments import FixedWindow, Naive, Recent, Treatment
from giftlive.types import Floats, Progress, silent

HOUR = 3_600.0
FORMS = ("delayed_feedback", "delayed_feedback_weibull")
"""Treatments that assume a form of the delay, which may be held against the curve."""


@dataclass(frozen=True)
class Questions:
    """What is asked of a log.

    Attributes
    ----------
    cut_ms : when all treatments are fitted. names : treatments. windows : of the fixed window, in
        seconds. times : of the maturity curve, in seconds. bands : edges of ages, in seconds.
    step_ms : of progressive validation, which begins after one horizon; 0: none. progressive :
        treatments that are validated progressively, a fit at every step. recent : those of them
        that are also validated with a ``memory`` of so many seconds. exchange : whether treatments
        also learn from exchanged delays. seed : of the controls.
    """

    cut_ms: int
    names: tuple[str, ...]
    windows: tuple[float, ...] = (HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY)
    times: tuple[float, ...] = (60.0, HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY)
    bands: tuple[float, ...] = (0.0, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 4 * DAY)
    step_ms: int = 0
    progressive: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    memory: float = 2 * DAY
    exchange: bool = False
    seed: int = 0

    def validated(self) -> dict[str, Treatment]:
        """Return by name what is validated progressively."""
        plain = {name: treatment(name) for name in self.progressive}
        return plain | {recent(n): Recent(treatment(n), self.memory) for n in self.recent}


def recent(name: str) -> str:
    """Return the name of a treatment that forgets old rows.

    Examples
    --------
    >>> recent("naive")
    'recent naive'
    """
    return f"recent {name}"


def measured(planted: Planted, ask: Questions) -> tuple[Number, ...]:
    """Return every number of one log, judged by the true chances."""
    chosen = {name: treatment(name) for name in ask.names if name != VANILLA}
    one = compare(planted.history, ask.cut_ms, chosen, truth=planted.chance)
    windows = compare(
        planted.history,
        ask.cut_ms,
        {hours(w): FixedWindow(w) for w in ask.windows}
        | {f"{hours(w)}, first": FixedWindow(w, back_fill=False) for w in ask.windows},
        truth=planted.chance,
    )
    return (
        *_scores("treatments", one, (VANILLA, *chosen, ORACLE)),
        *_controls(planted, ask, chosen),
        *_scores("windows", windows, tuple(windows.p)),
        *_ages(one, ask.bands),
        *_maturity(planted, ask),
        *_fit(planted, ask, chosen),
        *_progressive(planted, ask),
        Number("a_a", VANILLA, "differs", _differs(planted, ask.cut_ms)),
    )


def read_logs(
    plan: Plan, seeds: Sequence[int], ask: Questions, progress: Progress = silent
) -> tuple[Reading, ...]:
    """Return every number of one planted log per seed."""
    found: list[Reading] = []
    for done, seed in enumerate(seeds, start=1):
        found += [Reading(seed, number) for number in measured(arrivals(plan, seed), ask)]
        progress(done, len(seeds))
    return tuple(found)


def hours(seconds: float) -> str:
    """Return seconds in words.

    Examples
    --------
    >>> hours(60.0), hours(21_600.0), hours(172_800.0)
    ('60 s', '6 h', '48 h')
    """
    return f"{seconds:g} s" if seconds < HOUR else f"{seconds / HOUR:g} h"


def _scores(table: str, one: Comparison, names: Sequence[str]) -> Iterator[Number]:
    for name in names:
        yield Number(table, name, "log-loss", one.loss(name))
        yield Number(table, name, "calibration error", one.error(name))
        yield Number(table, name, "level", float(one.p[name].mean() / one.y.mean()))
        yield Number(table, name, "tilt", one.tilt(name, DAY).value)


def _controls(
    planted: Planted, ask: Questions, chosen: Mapping[str, Treatment]
) -> Iterator[Number]:
    """Yield the scores of treatments that learnt from logs that say less, on the true labels."""
    logs = {"control": permuted_labels}
    if ask.exchange:
        logs["exchanged"] = exchanged_delays
    for table, control in logs.items():
        shown = control(planted.history, ask.seed)
        one = compare(planted.history, ask.cut_ms, chosen, truth=planted.chance, learnt_from=shown)
        yield from _scores(table, one, tuple(chosen))


def _fit(planted: Planted, ask: Questions, chosen: Mapping[str, Treatment]) -> Iterator[Number]:
    """Yield how far every law of arrivals is from the curve without a form, at the cut."""
    known = planted.history.at(ask.cut_ms)
    for name, one in chosen.items():
        if name not in FORMS:
            continue
        misfit = arrival_misfit(one.fit(known), known)
        warned = None if misfit is None else float(misfit > WARN_FROM)
        yield Number("fit", name, "misfit", misfit)
        yield Number("fit", name, "warned", warned)


def _ages(one: Comparison, bands: tuple[float, ...]) -> Iterator[Number]:
    """Yield the bias of every band of ages as a share of its rate."""
    for name in one.old_p:
        for band in one.by_age(name, bands):
            row = f"{hours(band.youngest)} to {hours(band.oldest)}"
            share = (band.bias.value or 0.0) / band.rate if band.rate > 0.0 else None
            yield Number("age", row, name, share)


def _maturity(planted: Planted, ask: Questions) -> Iterator[Number]:
    """Yield the share of labels that are there after t seconds: estimated, and of the whole log."""
    known, history = planted.history.at(ask.cut_ms), planted.history
    delay = history.delay[history.label]
    try:
        estimated: Floats | None = (
            KaplanMeier().fit(gifts(known)).maturity(list(ask.times), history.horizon)
        )
    except NotEnoughDataError:  # a log shorter than the horizon has no such curve
        estimated = None
    for i, t in enumerate(ask.times):
        share = None if estimated is None else float(estimated[i])
        yield Number("maturity", hours(t), "estimated", share)
        yield Number("maturity", hours(t), "true", float((delay <= t).mean()))
        among = known.delay[known.seen]
        yield Number("maturity", hours(t), "of the gifts seen", float((among <= t).mean()))


def _progressive(planted: Planted, ask: Questions) -> Iterator[Number]:
    history = planted.history
    if not ask.step_ms:
        return
    first = int(history.ts.min() + history.horizon * 1_000)
    end = int(history.ts.max() + history.horizon * 1_000) + 1
    for name, chosen in ask.validated().items():
        scored = progressive_validation(chosen, history, first, ask.step_ms, end)
        for column, value in _progress(scored, planted.chance).items():
            yield Number("progressive", name, column, value)


def _progress(scored: Scored, chance: Floats) -> Mapping[str, float]:
    truth = chance[scored.row]
    return {
        "log-loss": float(row_losses(truth, scored.p).mean()),
        "calibration error": calibration_error(truth, scored.p),
        "level": float(scored.p.mean() / truth.mean()),
        "rows": float(len(scored.row)),
    }


def _differs(planted: Planted, cut_ms: int) -> float:
    known, X = planted.history.at(cut_ms), planted.history.X
    one, other = (Naive().fit(known).probability(X) for _ in range(2))
    return float(not np.array_equal(one, other))
