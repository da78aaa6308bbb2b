"""Last-touch labels: each gift counts for at most one click, and no money is lost.

A gift belongs to the latest click of the same user and room at or before it (equal times: the
click with the largest row id), if the gift came within the attribution window. What matches no
click is counted by reason, never spread:

    Σ labels + no_click + click_only_after + out_of_window = Σ gifts,

in counts and in amounts, exactly.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from giftlive.errors import ConservationError
from giftlive.tables.options import TableOptions

COVERAGE_MINUTES = (0, 1, 5, 10, 15, 30, 60)

_TOUCH = """create or replace table touch as
with entry as (
  select row_id, user_id, live_id, ts, known_ts from click c
  where exists (select 1 from gift g where g.user_id = c.user_id and g.live_id = c.live_id)
), stream as (
  select cast(null as bigint) as gift_id, user_id, live_id, ts, row_id as entry_id from entry
  union all
  select row_id, user_id, live_id, ts, null from gift
), touched as (
  -- row ids follow time, so the largest id so far is the last touch
  select gift_id,
         max(entry_id) over (partition by user_id, live_id order by ts
                             range between unbounded preceding and current row) as entry_id,
         max(entry_id) over (partition by user_id, live_id) as any_entry_id
  from stream
)
select g.row_id as gift_id, g.amount, g.known_ts, t.entry_id, g.ts - e.ts as lag_ms,
       case when t.any_entry_id is null then 'no_click'
            when t.entry_id is null then 'click_only_after'
            when {late} then 'out_of_window'
            else 'matched' end as outcome
from touched t
join gift g on g.row_id = t.gift_id
left join entry e on e.row_id = t.entry_id"""

_LABEL = """create or replace table label as
select c.row_id, c.user_id, c.live_id, c.streamer_id, c.ts, c.known_ts,
       coalesce(m.amount, 0) as label_amount, coalesce(m.gifts, 0) as label_count,
       greatest(c.known_ts, {window_end}, coalesce(m.known_ts, c.ts)) as label_known_ts
from click c
left join (
  select entry_id, cast(sum(amount) as bigint) as amount, count(*) as gifts,
         max(known_ts) as known_ts
  from touch where outcome = 'matched' group by entry_id
) m on m.entry_id = c.row_id"""

_GIFT_LABEL = """create or replace table label as
select row_id, user_id, live_id, streamer_id, ts, known_ts,
       amount as label_amount, cast(1 as bigint) as label_count, known_ts as label_known_ts
from gift"""


@dataclass(frozen=True)
class Money:
    """A number of gifts and what they are worth, in the source's unit."""

    count: int
    amount: int


@dataclass(frozen=True)
class Coverage:
    """Share of all gifts at most ``minutes`` after their last touch; None without any gift."""

    minutes: int
    count_share: float | None
    amount_share: float | None


@dataclass(frozen=True)
class Attribution:
    """Where every gift went.

    Attributes
    ----------
    window_ms : attribution window; None = until the viewing ended.
    gifts : all gifts of known users. labels : what the clicks were credited with.
    no_click, click_only_after, out_of_window : gifts that count for no click, by reason.
    anonymous : gifts whose giver is unknown; they are outside the balance.
    """

    window_ms: int | None
    gifts: Money
    labels: Money
    no_click: Money
    click_only_after: Money
    out_of_window: Money
    anonymous: Money
    coverage: tuple[Coverage, ...]

    def require_conservation(self) -> None:
        """Raise unless labels and orphans add up to the gifts, in counts and in amounts.

        Raises
        ------
        ConservationError
            With both totals.
        """
        parts = (self.labels, self.no_click, self.click_only_after, self.out_of_window)
        for name in ("count", "amount"):
            found = sum(getattr(part, name) for part in parts)
            expected = getattr(self.gifts, name)
            if found != expected:
                raise ConservationError(
                    f"labels and orphan gifts sum to {name} {found}",
                    "attribution",
                    f"the {expected} of the gift table",
                    "ingest the logs again; a gift row was counted twice or lost",
                )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for ``attribution.json``."""
        return asdict(self)


def stage_labels(con: Any, unit: str, options: TableOptions) -> None:
    """Create ``label``, one row per click (per gift where the unit is the gift)."""
    if unit == "gift":
        con.execute(_GIFT_LABEL)
        return
    window = options.attribution_window_ms
    late = "g.ts > e.known_ts" if window is None else f"g.ts - e.ts > {window}"
    con.execute(_TOUCH.format(late=late))
    con.execute(_LABEL.format(window_end="c.ts" if window is None else f"c.ts + {window}"))


def attribution(con: Any, unit: str, options: TableOptions) -> Attribution:
    """Return where every gift went, after :func:`stage_labels`; exact integers.

    Raises
    ------
    ConservationError
        Where the parts do not add up to the whole.
    """
    outcomes = _outcomes(con) if unit != "gift" else {}
    labels = con.execute("select sum(label_count), sum(label_amount) from label").fetchone()
    balance = Attribution(
        window_ms=None if unit == "gift" else options.attribution_window_ms,
        gifts=_money(con, "gift"),
        labels=Money(*(int(value or 0) for value in labels)),
        no_click=outcomes.get("no_click", Money(0, 0)),
        click_only_after=outcomes.get("click_only_after", Money(0, 0)),
        out_of_window=outcomes.get("out_of_window", Money(0, 0)),
        anonymous=_money(con, "gift_anonymous"),
        coverage=() if unit == "gift" else _coverage(con),
    )
    balance.require_conservation()
    return balance


def _money(con: Any, table: str) -> Money:
    count, amount = con.execute(f"select count(*), sum(amount) from {table}").fetchone()
    return Money(int(count), int(amount or 0))


def _outcomes(con: Any) -> dict[str, Money]:
    rows = con.execute("select outcome, count(*), sum(amount) from touch group by outcome")
    return {outcome: Money(int(n), int(amount)) for outcome, n, amount in rows.fetchall()}


def _coverage(con: Any) -> tuple[Coverage, ...]:
    within = ", ".join(
        f"count(*) filter (where lag_ms <= {minutes * 60_000}),"
        f" sum(amount) filter (where lag_ms <= {minutes * 60_000})"
        for minutes in COVERAGE_MINUTES
    )
    n, total, *cells = con.execute(f"select count(*), sum(amount), {within} from touch").fetchone()
    return tuple(
        Coverage(minutes, _share(cells[2 * i], n), _share(cells[2 * i + 1], total))
        for i, minutes in enumerate(COVERAGE_MINUTES)
    )


def _share(part: int | None, whole: int | None) -> float | None:
    return int(part or 0) / int(whole) if whole else None
