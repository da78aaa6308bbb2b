"""Study 1.2 again, from the readings of every log: gaps, errors, harms and biases over logs."""

from __future__ import annotations

from collections.abc import Mapping

from scipy import stats

from giftlive.run.verify.claims import Result
from giftlive.run.verify.figures import Drawn
from giftlive.run.verify.over_worlds import change, level, ratio_of_sums, ties, values_of
from giftlive.run.verify.recomputed import Recomputed
from giftlive.run.verify.rows import Kept
from giftlive.types import Floats

EXCUSED: dict[str, str] = {}
UNDRAWN: dict[str, str] = {}
_LATE = ("slow", "amount", "slow, no calendar feature", "half late")
_REGIMES = ("none", "fast", *_LATE)
_WORLDS = ("world, slow arrivals", "world, slow arrivals, more gifts")
_RECORDERS = ("as recorded", "entry times off", "late records")
_TWIN = ("gifts at a click", "identifiable", "estimated median", "true median")
_MATURITY = ("estimated", "true", "of the gifts seen")
_TIMES = ("60 s", "1 h", "6 h", "12 h", "24 h", "48 h", "72 h")
_WINDOWS = ("1 h", "6 h", "12 h", "24 h", "48 h", "72 h")
_BANDS = (
    *("0 s to 6 h", "6 h to 12 h", "12 h to 24 h"),
    *("24 h to 48 h", "48 h to 72 h", "72 h to 96 h"),
)
_IN_VIEWINGS = (
    *("discrete_hazard", "cox", "weibull_aft"),
    *("delayed_feedback", "delayed_feedback_weibull"),
)
_LOSS, _ERROR = "log-loss", "calibration error"
_Values = Mapping[str, Floats]


def recompute(kept: Kept, result: Result) -> dict[str, Recomputed]:
    """Return every number that the study must print, by its key."""
    values, config = values_of(kept), result["config"]
    names, who = [str(n) for n in config["names"]], str(config["recommended"])
    found = _twins(values) | _regimes(values, who) | _treatments(values, names)
    for window in _WINDOWS:
        for column, row in (("with back-fill", window), ("first labels kept", f"{window}, first")):
            found[f"windows / {window} / {column}"] = _closed(values, "slow", row, "windows")
    for time in _TIMES:
        for which in _MATURITY:
            key = f"maturity / {time} / {which}"
            found[key] = level(values[f"slow: {key}"])
    for band in _BANDS:
        for name in ("naive", who, "oracle"):
            found[f"ages / {band} / {name}"] = level(values[f"slow: age / {band} / {name}"])
    found |= _progressive(values, who) | _viewings(values, names) | _fits(values, who)
    return found | _named(values, found, who)


def _of(values: _Values, regime: str, who: str, what: str, table: str = "treatments") -> Floats:
    return values[f"{regime}: {table} / {who} / {what}"]


def _closed(values: _Values, regime: str, who: str, table: str = "treatments") -> Recomputed:
    base, best = (_of(values, regime, w, _LOSS) for w in ("naive", "oracle"))
    return ratio_of_sums(base - _of(values, regime, who, _LOSS, table), base - best)


def _errors(values: _Values, regime: str, who: str) -> Recomputed:
    return ratio_of_sums(*(_of(values, regime, w, _ERROR) for w in (who, "naive")))


def _more(values: _Values, regime: str, who: str, other: str) -> Recomputed:
    return change(*(_of(values, regime, w, _LOSS) for w in (who, other)))


def _twins(values: _Values) -> dict[str, Recomputed]:
    found = {}
    for recorder in _RECORDERS:
        for what in _TWIN:
            found[f"identifiable / {recorder} / {what}"] = level(
                values[f"twin / {recorder} / {what}"]
            )
        found[f"identifiable / {recorder} / estimated / true"] = ratio_of_sums(
            *(values[f"twin / {recorder} / {w} median"] for w in ("estimated", "true"))
        )
    return found


def _regimes(values: _Values, who: str) -> dict[str, Recomputed]:
    found = {}
    for regime in (*_REGIMES, *_WORLDS):
        found[f"regimes / {regime} / naive - oracle"] = _more(values, regime, "naive", "oracle")
        found[f"regimes / {regime} / {who} - naive"] = _more(values, regime, who, "naive")
    for regime in (*_LATE, *_WORLDS):
        found[f"regimes / {regime} / gap closed"] = _closed(values, regime, who)
        found[f"regimes / {regime} / error / naive's"] = _errors(values, regime, who)
    return found


def _treatments(values: _Values, names: list[str]) -> dict[str, Recomputed]:
    found = {}
    for world in _WORLDS:
        found[f"worlds / oracle / error / naive's, {world}"] = _errors(values, world, "oracle")
    for name in names:
        key = f"treatments / {name}"
        for regime in _LATE:
            found[f"{key} / closed, {regime}"] = _closed(values, regime, name)
        found[f"{key} / error / naive's"] = _errors(values, "slow", name)
        found[f"{key} / tilt"] = level(_of(values, "slow", name, "tilt"))
        for regime in ("none", "fast"):
            found[f"{key} / harm, {regime}"] = _more(values, regime, name, "naive")
        for world in _WORLDS:
            found[f"worlds / {name} / closed, {world}"] = _closed(values, world, name)
            found[f"worlds / {name} / error / naive's, {world}"] = _errors(values, world, name)
        for table, what in (("control", "permuted labels"), ("exchanged", "exchanged delays")):
            found[f"control / {name} / closed from {what}"] = _closed(values, "slow", name, table)
    return found


def _fits(values: _Values, who: str) -> dict[str, Recomputed]:
    """Return the misfit of the judged treatment where it assumes a form."""
    return {
        f"fit / {regime} / {what}": level(values[f"{regime}: fit / {who} / {what}"])
        for regime in (*_LATE, *_WORLDS)
        for what in ("misfit", "warned")
        if len(values.get(f"{regime}: fit / {who} / {what}", ()))
    }


def _progressive(values: _Values, who: str) -> dict[str, Recomputed]:
    found = {}
    recent = ("recent naive", f"recent {who}")
    for name in dict.fromkeys(("naive", "fixed_window", who, *recent)):
        for what in (_LOSS, _ERROR, "level"):
            found[f"progressive / {name} / {what}"] = level(
                _of(values, "slow, drift", name, what, "progressive")
            )
        if name != "naive":
            pair = (_of(values, "slow, drift", w, _LOSS, "progressive") for w in ("naive", name))
            found[f"progressive / {name} / gain over naive"] = change(*pair)
    return found


def _viewings(values: _Values, names: list[str]) -> dict[str, Recomputed]:
    found = {}
    for name in (n for n in names if n in _IN_VIEWINGS):
        key = f"viewings / {name}"
        found[f"{key} / gap closed"] = _closed(values, "viewings", name)
        found[f"{key} / error / naive's"] = _errors(values, "viewings", name)
        found[f"{key} / level"] = level(_of(values, "viewings", name, "level"))
    return found


def _named(values: _Values, found: dict[str, Recomputed], who: str) -> dict[str, Recomputed]:
    """Return the estimates that the gate and the page name."""
    stamped, own, late = (f"identifiable / {recorder}" for recorder in _RECORDERS)
    return {
        "gap_closed": found["regimes / slow / gap closed"],
        "error_ratio": found["regimes / slow / error / naive's"],
        "harm_without_delay": found[f"regimes / none / {who} - naive"],
        "harm_with_fast_delay": found[f"regimes / fast / {who} - naive"],
        "cost_of_delay": found["regimes / slow / naive - oracle"],
        "closed_from_permuted_labels": found[f"control / {who} / closed from permuted labels"],
        "closed_from_exchanged_delays": found[f"control / {who} / closed from exchanged delays"],
        "half_late_gap_closed": found["regimes / half late / gap closed"],
        "misfit_slow": found.get("fit / slow / misfit", Recomputed(None)),
        "misfit_half_late": found.get("fit / half late / misfit", Recomputed(None)),
        "half_late_warned": found.get("fit / half late / warned", Recomputed(None)),
        "tilt_recommended": found[f"treatments / {who} / tilt"],
        "tilt_naive": level(_of(values, "slow", "naive", "tilt")),
        "progressive_gain": found[f"progressive / {who} / gain over naive"],
        "recent_gain": found[f"progressive / recent {who} / gain over naive"],
        "world_gap_closed": found[f"regimes / {_WORLDS[1]} / gap closed"],
        "world_error_ratio": found[f"regimes / {_WORLDS[1]} / error / naive's"],
        "identifiable_with_late_records": found[f"{late} / identifiable"],
        "gifts_at_a_click": found[f"{stamped} / gifts at a click"],
        "identifiable_as_recorded": found[f"{stamped} / identifiable"],
        "identifiable_with_own_times": found[f"{own} / identifiable"],
        "median_estimated_over_true": found[f"{own} / estimated / true"],
    }


def draw(kept: Kept, result: Result) -> dict[tuple[str, str], Drawn]:
    """Return what every series must show."""
    values, config = values_of(kept), result["config"]
    names, who = [str(n) for n in config["names"]], str(config["recommended"])
    share = {name: _closed(values, "slow", name).value or 0.0 for name in names}
    names.sort(key=lambda n: -share[n])
    first = "closed, slow"
    found = {
        ("closed", "slow"): Drawn(names, estimates=[f"treatments / {n} / {first}" for n in names])
    }
    for name in ("naive", who, "oracle"):
        found["ages", name] = Drawn(_BANDS, estimates=[f"ages / {b} / {name}" for b in _BANDS])
    for which in _MATURITY:
        keys = [f"maturity / {time} / {which}" for time in _TIMES]
        found["maturity", which] = Drawn(_TIMES, estimates=keys)
    return found


def checks(kept: Kept, rule: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """Return the checks that the kept readings decide: fitting twice, and permuted labels."""
    values = values_of(kept)
    same = all(ties(values, f"{regime}: a_a / ") for regime in (*_REGIMES, *_WORLDS))
    naive, start, end = _of(values, "slow", "naive", _LOSS), "slow: control / ", f" / {_LOSS}"
    gains = [naive - x for key, x in values.items() if key.startswith(start) and key.endswith(end)]
    return {"a_a": same, "no_leak": bool(gains) and not any(map(_above_0, gains))}


def _above_0(x: Floats) -> bool:
    """Return whether the lower bound of a mean over logs lies above 0, or there is none."""
    if len(x) < 2:
        return True
    half = stats.t.isf(0.025, len(x) - 1) * x.std(ddof=1) / len(x) ** 0.5
    return bool(x.mean() - half > 0.0)
