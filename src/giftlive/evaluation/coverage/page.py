"""The coverage table as a page of the documentation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby

from giftlive.evaluation.coverage.lab import BLOCK
from giftlive.stats.coverage_table import GUARANTEED, CoverageRow
from giftlive.stats.print_rule import Need, need_of

_HEAD = """# Coverage of the intervals

Made by `make coverage` (`giftlive coverage --out docs`); nothing on this page is typed by hand.

How often does a nominal 95 % interval hold the truth? Users are drawn with replacement from a
finite population whose statistics are known exactly; the interval is made by the code that the
reports use; the share of samples whose interval holds the truth is counted over {replications}
samples a cell (its own 95 % interval is ±{margin:.1f} points at a coverage of 95 %). Every {block}
samples get a population of their own, drawn from the same law: at such tails the largest giver
makes every population another one. The law of gifts follows published aggregates of
gifts: 1.5 % of rows carry one, median 2, largest 56,246, 1 % of the givers hold most of the money.

- **tail**: `gift` = the amounts of those who gave, in three weeks, so that every user counted is a
  giver, and `gift_kind` = whether such a gift is at most 5; in the other tails users count whether
  they gave or not: `count` = a gift or none; `capped` = amount up to 298, the 95th percentile of
  gifts; `full` = the whole amount. `light` = sums over an evening, `common` = a share of 5 %,
  `pareto` = an exact power law of index 1.2.
- **rows**: mean rows of a user. **users**: independent units in a sample.
- **bold**: inside 93–97 % ({guaranteed}: at least 93 %). A sample without an interval is a miss.
- **needs**: the print rule's formula, max((CV / 0.25)², k · skew²), with the largest CV and
  skewness that the statistic's influence values had in any of the populations; k is 25, but 5 for
  `skew_t` and 0 for `woodruff`, `order_statistics`, `betting` and `empirical_bernstein`, which add
  up no amounts or need no normal limit. Money never below 5,000 users; no width rule for
  differences.
- **printed from**: the rule's answer: the formula, and a measured size from which on every row
  is bold, at least two of them. Where the formula exceeds the largest measured size, that size was
  not measured itself. "–": not printed at any size. Between two numbers of rows a user the larger
  answer counts.

`off_policy_near`, `_middle`, `_far` are SNIPS of a target at a distance: importance weights of a
log-normal law with a CV of 0.53, 1.31 and 2.91 per decision, independent of the reward.

`betting` is read after every row: its figure is the share of samples in which the sequence never
lost the truth.
"""


def page(rows: Iterable[CoverageRow]) -> str:
    """Return the page in Markdown: one table per statistic, one line per method, tail, rows."""
    ordered = sorted(rows, key=lambda r: r.key)
    most = max(r.replications for r in ordered)
    margin = 196.0 * math.sqrt(0.95 * 0.05 / most)
    head = _HEAD.format(
        replications=f"{most:,}",
        margin=margin,
        block=BLOCK,
        guaranteed=", ".join(sorted(GUARANTEED)),
    )
    parts = [head]
    for statistic, group in groupby(ordered, key=lambda r: r.statistic):
        parts.append(_section(statistic, tuple(group)))
    return "\n".join(parts)


def _section(statistic: str, rows: tuple[CoverageRow, ...]) -> str:
    sizes = sorted({r.clusters for r in rows})
    head = ["method", "tail", "rows", *(f"{size:,}" for size in sizes), "needs", "printed from"]
    lines = [f"## {statistic}", "", _line(head), _line(["---"] * 3 + ["--:"] * (len(head) - 3))]
    for key, group in groupby(rows, key=lambda r: (r.method, r.tail, r.rows_per_cluster)):
        found = {r.clusters: r for r in group}
        needed = need_of(tuple(found.values()))
        shares = [_share(found[size]) if size in found else "" for size in sizes]
        lines.append(_line([*map(str, key), *shares, f"{needed.formula:,}", _printed(needed)]))
    return "\n".join([*lines, ""])


def _share(row: CoverageRow) -> str:
    text = f"{100 * row.covered / row.replications:.1f}"
    return f"**{text}**" if row.holds else text


def _printed(needed: Need) -> str:
    return f"{needed.clusters:,}" if needed.shown else "–"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
