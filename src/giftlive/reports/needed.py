"""What would decide an INCONCLUSIVE gate: how many more units, and by which of its numbers.

A rule holds when every one of its numbers lies in its region. So one number outside decides against
it, and the first interval to get there is enough; else all must get inside, the last one counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from giftlive.evaluation.results import Estimate, Gate, StudyResult
from giftlive.reports import numbers
from giftlive.reports.page import Speaker

_OPEN = re.compile(
    r"(?:(?P<name>\w+) INCONCLUSIVE: )?the interval \[[^]]*\] crosses the border of "
    r"\((?P<region>[^)]*)\); about (?:(?P<total>[\d,]+) \S.*?|no number of .+?) would decide"
)
_REGION = re.compile(r"(above|below|(?P<low>\S+) to) (?P<end>[^\s,]+)")


@dataclass(frozen=True)
class Undecided:
    """A number of a gate whose interval crosses a border.

    Attributes
    ----------
    region : where it must lie, as the reason says it. outside : whether the value lies elsewhere.
    total : units that would decide if the value stayed; infinite where it lies on the border.
    """

    estimate: Estimate
    region: str
    outside: bool
    total: float

    @property
    def growth(self) -> float:
        """Return the total over the units there are: comparable where the units differ."""
        return self.total / self.estimate.n


def undecided(gate: Gate, result: StudyResult) -> tuple[Undecided, ...]:
    """Return what keeps an INCONCLUSIVE gate open, in the order of its reason."""
    return tuple(_undecided(gate, result))


def _undecided(gate: Gate, result: StudyResult) -> Iterator[Undecided]:
    by_name = {e.name: e for e in result.estimates}
    for match in _OPEN.finditer(gate.reason):
        estimate = by_name.get(match["name"]) if match["name"] else gate.estimate
        if estimate is not None and estimate.value is not None and estimate.n > 0:
            total = float(match["total"].replace(",", "")) if match["total"] else math.inf
            outside = not _holds(match["region"], estimate.value)
            yield Undecided(estimate, match["region"], outside, total)


def _holds(region: str, value: float) -> bool:
    """Return whether a value lies in a region that is written in words.

    Examples
    --------
    >>> [_holds(r, 0.845) for r in ("above 0.9", "below 0.9", "0.8 to 0.9", "above 0.8, relative")]
    [False, True, True, True]
    """
    found = _REGION.match(region)
    assert found is not None, region
    end = float(found["end"])
    if found["low"]:
        return float(found["low"]) < value < end
    return value > end if region.startswith("above") else value < end


def decisive(found: tuple[Undecided, ...]) -> Undecided:
    """Return the number that decides the gate: the first to leave, else the last to get inside."""
    leaving = [one for one in found if one.outside and math.isfinite(one.total)]
    if leaving:
        return min(leaving, key=lambda one: one.growth)
    return max(found, key=lambda one: one.growth)


def more_of(gate: Gate, result: StudyResult, say: Speaker) -> str:
    """Return how many more units would decide, and why; "" where the reason names none."""
    found = undecided(gate, result)
    if not found:
        return ""
    one = decisive(found)
    e, region = one.estimate, say.word(one.region)
    where = {"name": e.name, "region": region}
    if math.isinf(one.total):
        return say.chrome("next.border", **where)
    return say.chrome(
        "next.more_out" if one.outside else "next.more_in",
        total=say.word(f"{numbers.fixed(one.total, 0)} {e.n_unit}"),
        more=numbers.fixed(one.total - e.n, 0),
        have=numbers.fixed(e.n, 0),
        value=f"{e.value:.4g}",
        **where,
    )
