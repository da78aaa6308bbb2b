"""Tables of study 1.2: what a log can show, and what treatments of late labels win back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from giftlive.evaluation.delay import ORACLE, RECORDERS, VANILLA
from giftlive.evaluation.delay.identifiability import AS_RECORDED, STAMPS_OFF
from giftlive.evaluation.delay.measure import Questions, hours, recent
from giftlive.evaluation.delay.recorded import LATE
from giftlive.evaluation.delay.regimes import (
    AMOUNT,
    DELAYED,
    DRIFT,
    FAST,
    HALF_LATE,
    IN_VIEWINGS,
    NONE,
    PLAIN,
    PROGRESSIVE,
    SLOW,
    VIEWINGS,
    WORLD_MORE,
    WORLDS,
)
from giftlive.evaluation.results import Estimate, Table
from giftlive.studies.over_worlds import OverWorlds
from giftlive.types import Floats, Message

KEY = "study.delay"
LOSS, ERROR = "log-loss", "calibration error"
REGIMES = (NONE, FAST, SLOW, AMOUNT, PLAIN, HALF_LATE)
FITTED = (SLOW, AMOUNT, PLAIN, HALF_LATE, *WORLDS)
MATURITY = ("estimated", "true", "of the gifts seen")
_ASK = Questions(0, ())
TIMES = tuple(hours(t) for t in _ASK.times)
WINDOWS = tuple(hours(w) for w in _ASK.windows)
BANDS = tuple(
    f"{hours(young)} to {hours(old)}"
    for young, old in zip(_ASK.bands[:-1], _ASK.bands[1:], strict=True)
)
CLOSED = "share of the gap"
OF_TWINS = {
    "gifts at a click": "share of the gifts",
    "identifiable": "share of the twins",
    "estimated median": "s",
    "true median": "s",
}
"""Units of what is read from twins."""


@dataclass(frozen=True)
class DelayNumbers(OverWorlds):
    """Every number over planted logs and twins.

    Attributes
    ----------
    names : the treatments. recommended : the one that is judged. rows : of a planted log.
    """

    names: tuple[str, ...]
    recommended: str
    rows: int

    @property
    def shown(self) -> tuple[str, ...]:
        """Return whose bias is shown by age: doing nothing, the judged one, and the oracle."""
        return (VANILLA, self.recommended, ORACLE)

    @property
    def in_viewings(self) -> tuple[str, ...]:
        """Return the treatments that were asked about viewings."""
        return tuple(name for name in self.names if name in IN_VIEWINGS)

    @property
    def ranked(self) -> list[str]:
        """Return the treatments, the one that closes most of the slow gap first."""
        return sorted(self.names, key=lambda name: -(closed(self, SLOW, name).value or 0.0))

    def of(self, regime: str, who: str, what: str, table: str = "treatments") -> Floats | None:
        """Return [seeds] a number of a treatment on the logs of a regime."""
        return self.column(f"{regime}: {table}", who, what)


def closed(
    found: DelayNumbers, regime: str, name: str, table: str = "treatments", label: str = ""
) -> Estimate:
    """Return Σ (naive − treatment) / Σ (naive − oracle) of log-loss over logs."""
    base, best = (found.of(regime, who, LOSS) for who in (VANILLA, ORACLE))
    own = found.of(regime, name, LOSS, table)
    label = label or f"{name}_closes_{regime}"
    if own is None or base is None or best is None:
        return found.ratio(label, None, None, CLOSED)
    return found.ratio(label, base - own, base - best, CLOSED)


def errors(found: DelayNumbers, regime: str, name: str) -> Estimate:
    """Return Σ calibration error of a treatment / Σ of naive over logs."""
    own, base = (found.of(regime, who, ERROR) for who in (name, VANILLA))
    return found.ratio(f"{name}_error_{regime}", own, base, "share of naive's")


def harm(found: DelayNumbers, regime: str, name: str) -> Estimate:
    """Return log-loss of a treatment minus that of naive, paired by log."""
    own, base = (found.of(regime, who, LOSS) for who in (name, VANILLA))
    return found.change(f"{name}_harm_{regime}", own, base, "nats")


def tilted(found: DelayNumbers, name: str) -> Estimate:
    """Return the bias of rows younger than a day minus that of older ones, over the rate."""
    return found.mean(f"{name}_tilt", found.of(SLOW, name, "tilt"), "ratio")


def twin(found: DelayNumbers, recorder: str, what: str) -> Estimate:
    """Return a number of the twins, over seeds."""
    rows = replace(found, population="gift rows of calibrated twins")
    return rows.mean(f"{recorder}_{what}", found.column("twin", recorder, what), OF_TWINS[what])


def median_ratio(found: DelayNumbers, recorder: str) -> Estimate:
    """Return Σ estimated median / Σ true median over twins."""
    rows = replace(found, population="gift rows of calibrated twins")
    one, true = (found.column("twin", recorder, f"{w} median") for w in ("estimated", "true"))
    return rows.ratio(f"{recorder}_medians", one, true, "ratio")


def tables(found: DelayNumbers) -> tuple[Table, ...]:
    """Return the tables in the order of the page; those without rows are left out."""
    made = (
        _identifiable(found),
        _regimes(found),
        _treatments(found),
        _fits(found),
        _control(found),
        _windows(found),
        _maturity(found),
        _ages(found),
        _progressive(found),
        _viewings(found),
        _worlds(found),
    )
    return tuple(table for table in made if table.rows)


def _table(
    found: DelayNumbers,
    name: str,
    columns: tuple[str, ...],
    units: tuple[str, ...],
    rows: list[tuple[object, ...]],
) -> Table:
    params = {"seeds": len(found.seeds), "rows": found.rows, "recommended": found.recommended}
    return Table(name, columns, units, tuple(rows), Message(f"{KEY}.table.{name}", params))


def _identifiable(found: DelayNumbers) -> Table:
    return _table(
        found,
        "identifiable",
        ("recorder", *OF_TWINS, "estimated / true"),
        ("", *OF_TWINS.values(), "ratio"),
        [
            (r, *(twin(found, r, what) for what in OF_TWINS), median_ratio(found, r))
            for r in (*RECORDERS, LATE)
        ],
    )


def _regimes(found: DelayNumbers) -> Table:
    """Return what late labels cost, and what the judged treatment makes of it, by law."""
    who = found.recommended
    rows: list[tuple[object, ...]] = []
    for regime in (*REGIMES, *WORLDS):
        late = regime in DELAYED or regime in WORLDS
        rows.append(
            (
                regime,
                _cost(found, regime),
                harm(found, regime, who),
                closed(found, regime, who) if late else "no gap to close",
                errors(found, regime, who) if late else "no gap to close",
            )
        )
    return _table(
        found,
        "regimes",
        ("delay", "naive - oracle", f"{who} - naive", "gap closed", "error / naive's"),
        ("", "nats", "nats", CLOSED, "calibration error"),
        rows,
    )


def _cost(found: DelayNumbers, regime: str) -> Estimate:
    one, best = (found.of(regime, who, LOSS) for who in (VANILLA, ORACLE))
    return found.change(f"cost_{regime}", one, best, "nats")


def _treatments(found: DelayNumbers) -> Table:
    rows: list[tuple[object, ...]] = [
        (
            name,
            *(closed(found, regime, name) for regime in DELAYED),
            errors(found, SLOW, name),
            tilted(found, name),
            harm(found, NONE, name),
            harm(found, FAST, name),
        )
        for name in found.ranked
    ]
    return _table(
        found,
        "treatments",
        (
            "treatment",
            *(f"closed, {regime}" for regime in DELAYED),
            "error / naive's",
            "tilt",
            "harm, none",
            "harm, fast",
        ),
        ("", *(CLOSED for _ in DELAYED), "slow", "slow, share of the rate", "nats", "nats"),
        rows,
    )


def _control(found: DelayNumbers) -> Table:
    return _table(
        found,
        "control",
        ("treatment", "closed from permuted labels", "closed from exchanged delays"),
        ("", CLOSED, CLOSED),
        [
            (name, closed(found, SLOW, name, "control"), closed(found, SLOW, name, "exchanged"))
            for name in found.ranked
        ],
    )


def fit(found: DelayNumbers, regime: str, what: str) -> Estimate:
    """Return how far the judged law of arrivals is from the curve, or how often that warns."""
    unit = "share of the gifts" if what == "misfit" else "share of the logs"
    who = found.recommended
    return found.mean(f"{regime}_{what}", found.of(regime, who, what, "fit"), unit)


def _fits(found: DelayNumbers) -> Table:
    """Return whether the judged treatment's form fits; without a form there is no such table."""
    asked = [r for r in FITTED if found.of(r, found.recommended, "misfit", "fit") is not None]
    return _table(
        found,
        "fit",
        ("delay", "misfit", "warned"),
        ("", "share of the gifts", "share of the logs"),
        [(r, *(fit(found, r, what) for what in ("misfit", "warned"))) for r in asked],
    )


def _windows(found: DelayNumbers) -> Table:
    return _table(
        found,
        "windows",
        ("window", "with back-fill", "first labels kept"),
        ("", CLOSED, CLOSED),
        [
            (w, closed(found, SLOW, w, "windows"), closed(found, SLOW, f"{w}, first", "windows"))
            for w in WINDOWS
        ],
    )


def mature(found: DelayNumbers, time: str, which: str) -> Estimate:
    """Return the share of labels that are there after a time."""
    return found.mean(f"{which}_{time}", found.of(SLOW, time, which, "maturity"), "share")


def _maturity(found: DelayNumbers) -> Table:
    return _table(
        found,
        "maturity",
        ("time since the exposure", *MATURITY),
        ("", *("share of the labels" for _ in MATURITY)),
        [(t, *(mature(found, t, which) for which in MATURITY)) for t in TIMES],
    )


def bias(found: DelayNumbers, band: str, who: str) -> Estimate:
    """Return the bias of rows of an age, as a share of their rate."""
    return found.mean(f"{who}_{band}", found.of(SLOW, band, who, "age"), "ratio")


def _ages(found: DelayNumbers) -> Table:
    return _table(
        found,
        "ages",
        ("age at the cut", *found.shown),
        ("", *("bias / rate" for _ in found.shown)),
        [(band, *(bias(found, band, who) for who in found.shown)) for band in BANDS],
    )


def gained(found: DelayNumbers, name: str) -> Estimate:
    """Return log-loss of naive minus that of a treatment, questions in order of time."""
    one, base = (found.of(DRIFT, who, LOSS, "progressive") for who in (name, VANILLA))
    return found.change(f"{name}_progressive", base, one, "nats")


def _progressive(found: DelayNumbers) -> Table:
    plain = (*PROGRESSIVE, found.recommended)
    names = (*plain, *(recent(name) for name in (VANILLA, found.recommended)))
    rows: list[tuple[object, ...]] = [
        (
            name,
            *(
                found.mean(f"{name}_{what}", found.of(DRIFT, name, what, "progressive"), unit)
                for what, unit in ((LOSS, "nats"), (ERROR, "share"), ("level", "ratio"))
            ),
            "the reference" if name == VANILLA else gained(found, name),
        )
        for name in dict.fromkeys(names)
    ]
    return _table(
        found,
        "progressive",
        ("treatment", LOSS, ERROR, "level", "gain over naive"),
        ("", "nats", "share", "Σ pred / Σ true", "nats"),
        rows,
    )


def _viewings(found: DelayNumbers) -> Table:
    return _table(
        found,
        "viewings",
        ("treatment", "gap closed", "error / naive's", "level"),
        ("", CLOSED, "calibration error", "mean pred / mean true"),
        [
            (
                name,
                closed(found, VIEWINGS, name),
                errors(found, VIEWINGS, name),
                found.mean(f"{name}_level", found.of(VIEWINGS, name, "level"), "ratio"),
            )
            for name in found.in_viewings
        ],
    )


def of_worlds(found: DelayNumbers) -> DelayNumbers:
    """Return the numbers as those of logs that worlds recorded."""
    return replace(found, population="clicks after the cut that worlds recorded with late records")


def _worlds(all_found: DelayNumbers) -> Table:
    """Return what treatments win back on the worlds' own logs; the oracle shows what none can."""
    found = of_worlds(all_found)
    rows: list[tuple[object, ...]] = [
        (name, *(one for w in WORLDS for one in (closed(found, w, name), errors(found, w, name))))
        for name in found.ranked
    ]
    best = (one for w in WORLDS for one in (1.0, errors(found, w, ORACLE)))
    return _table(
        found,
        "worlds",
        ("treatment", *(f"{what}, {w}" for w in WORLDS for what in ("closed", "error / naive's"))),
        ("", *(unit for _ in WORLDS for unit in (CLOSED, "calibration error"))),
        [*rows, (ORACLE, *best)],
    )


def listed(found: DelayNumbers) -> tuple[Estimate, ...]:
    """Return the estimates that the gate and the page name."""
    who = found.recommended
    named = {
        "gap_closed": closed(found, SLOW, who),
        "error_ratio": errors(found, SLOW, who),
        "harm_without_delay": harm(found, NONE, who),
        "harm_with_fast_delay": harm(found, FAST, who),
        "cost_of_delay": _cost(found, SLOW),
        "closed_from_permuted_labels": closed(found, SLOW, who, "control"),
        "closed_from_exchanged_delays": closed(found, SLOW, who, "exchanged"),
        "half_late_gap_closed": closed(found, HALF_LATE, who),
        "misfit_slow": fit(found, SLOW, "misfit"),
        "misfit_half_late": fit(found, HALF_LATE, "misfit"),
        "half_late_warned": fit(found, HALF_LATE, "warned"),
        "tilt_recommended": tilted(found, who),
        "tilt_naive": tilted(found, VANILLA),
        "progressive_gain": gained(found, who),
        "recent_gain": gained(found, recent(who)),
        "world_gap_closed": closed(of_worlds(found), WORLD_MORE, who),
        "world_error_ratio": errors(of_worlds(found), WORLD_MORE, who),
        "identifiable_with_late_records": twin(found, LATE, "identifiable"),
        "gifts_at_a_click": twin(found, AS_RECORDED, "gifts at a click"),
        "identifiable_as_recorded": twin(found, AS_RECORDED, "identifiable"),
        "identifiable_with_own_times": twin(found, STAMPS_OFF, "identifiable"),
        "median_estimated_over_true": median_ratio(found, STAMPS_OFF),
    }
    return tuple(replace(e, name=name) for name, e in named.items())
