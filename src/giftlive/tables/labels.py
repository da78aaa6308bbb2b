"""Last-touch labels: each gift counts for at most one click, and no money is lost.

A gift belongs to the latest click of the same user and room at or before it (equal times: the
click with the largest row id), if the gift came within the attribution window. What matches no
click is counted by reason, never spread:

    Σ labels + no_click + click_only_after + out_of_window + before_decision = Σ gifts,

in counts and in amounts, exactly. ``before_decision`` is 0 unless the decision is taken some
seconds after the entry: what became known in between is no longer its outcome.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from giftlive.errors import ConservationError
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.options import TableOptions

COVERAGE_MINUTES = (0, 1, 5, 10, 15, 30, 60)
LEAST_COVERAGE = 0.95
ORPHANS = ("no_click", "click_only_after", "out_of_window", "before_decision")
"""Why a gift counts for no click."""

_TOUCH = """with entry as (
  select row_id, user_id, live_id, ts, known_ts from click c
  where exists (select 1 from gift g where g.user_id = c.user_id and g.live_id = c.live_id)
), stream as (
  select cast(null as bigint) as gift_id, user_id, live_id, ts, row_id as entry_id from entry
  union all
  select row_id, user_id, live_id, ts, cast(null as bigint) from gift
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
            when {early} then 'before_decision'
            else 'matched' end as outcome
from touched t
join gift g on g.row_id = t.gift_id
left join entry e on e.row_id = t.entry_id
left join member m on m.row_id = t.entry_id"""

_LABEL = """with credited as (
  select entry_id, cast(sum(amount) as bigint) as amount, count(*) as gifts,
         min(known_ts) as first_known_ts, max(known_ts) as last_known_ts
  from touch where outcome = 'matched' group by entry_id
)
select c.row_id, u.unit_id, u.decision_ts,
       c.user_id, c.live_id, c.streamer_id, c.ts, c.known_ts,
       coalesce(m.amount, 0) as label_amount, coalesce(m.gifts, 0) as label_count,
       greatest(c.known_ts, {window_end}, coalesce(m.last_known_ts, c.ts)) as label_known_ts,
       {window_end} as window_end_ts, m.first_known_ts as first_gift_known_ts
from click c
join member u on u.row_id = c.row_id
left join credited m on m.entry_id = c.row_id"""

_GIFT_LABEL = """select g.row_id, u.unit_id, u.decision_ts,
       g.user_id, g.live_id, g.streamer_id, g.ts, g.known_ts,
       g.amount as label_amount, cast(1 as bigint) as label_count, g.known_ts as label_known_ts,
       g.ts as window_end_ts, g.known_ts as first_gift_known_ts
from gift g
join member u on u.row_id = g.row_id"""


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
    no_click, click_only_after, out_of_window, before_decision : gifts that count for no click,
        by reason.
    anonymous : gifts whose giver is unknown; they are outside the balance.
    """

    window_ms: int | None
    gifts: Money
    labels: Money
    no_click: Money
    click_only_after: Money
    out_of_window: Money
    before_decision: Money
    anonymous: Money
    coverage: tuple[Coverage, ...]

    def require_conservation(self) -> None:
        """Raise unless labels and orphans add up to the gifts, in counts and in amounts.

        Raises
        ------
        ConservationError
            With both totals.
        """
        parts = (self.labels, *(getattr(self, reason) for reason in ORPHANS))
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

    @property
    def covered_share(self) -> float | None:
        """Return the share of the gift value that the window reaches; None without clicks."""
        if not self.coverage:
            return None
        reached = self.labels.amount + self.before_decision.amount
        return _share(reached, self.gifts.amount)

    @property
    def warning(self) -> str | None:
        """Return a sentence where the window reaches too little of the value, else None."""
        share = self.covered_share
        if share is None or share >= LEAST_COVERAGE:
            return None
        window = "viewing" if self.window_ms is None else f"window of {self.window_ms / 1000:g} s"
        return (
            f"the attribution {window} reaches {share:.1%} of the gift value, less than"
            f" {LEAST_COVERAGE:.0%}: labels miss the rest (set tables.attribution_window_ms)"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for ``attribution.json``."""
        return {**asdict(self), "covered_share": self.covered_share, "warning": self.warning}


def stage_labels(engine: Engine, unit: str, options: TableOptions) -> None:
    """Create ``label``, one row per click (per gift where the unit is the gift).

    Needs ``member`` of :func:`giftlive.tables.sessions.stage_sessions`.
    """
    if unit == "gift":
        engine.stage("label", _GIFT_LABEL)
        return
    window = options.attribution_window_ms
    late = "g.ts > e.known_ts" if window is None else f"g.ts - e.ts > {window}"
    early = "g.known_ts < m.decision_ts" if options.dwell_ms else "false"
    engine.stage("touch", _TOUCH.format(late=late, early=early))
    window_end = "c.known_ts" if window is None else f"c.ts + {window}"
    engine.stage("label", _LABEL.format(window_end=window_end))


def attribution(engine: Engine, unit: str, options: TableOptions) -> Attribution:
    """Return where every gift went, after :func:`stage_labels`; exact integers.

    Raises
    ------
    ConservationError
        Where the parts do not add up to the whole.
    """
    outcomes = _outcomes(engine) if unit != "gift" else {}
    labels = engine.rows("select sum(label_count), sum(label_amount) from label")[0]
    balance = Attribution(
        window_ms=None if unit == "gift" else options.attribution_window_ms,
        gifts=_money(engine, "gift"),
        labels=Money(*(int(value or 0) for value in labels)),
        **{reason: outcomes.get(reason, Money(0, 0)) for reason in ORPHANS},
        anonymous=_money(engine, "gift_anonymous"),
        coverage=() if unit == "gift" else _coverage(engine),
    )
    balance.require_conservation()
    return balance


def _money(engine: Engine, table: str) -> Money:
    count, amount = engine.rows(f"select count(*), sum(amount) from {table}")[0]
    return Money(int(count), int(amount or 0))


def _outcomes(engine: Engine) -> dict[str, Money]:
    rows = engine.rows("select outcome, count(*), sum(amount) from touch group by outcome")
    return {outcome: Money(int(n), int(amount)) for outcome, n, amount in rows}


def _coverage(engine: Engine) -> tuple[Coverage, ...]:
    within = ", ".join(
        f"count(*) filter (where lag_ms <= {minutes * 60_000}),"
        f" sum(amount) filter (where lag_ms <= {minutes * 60_000})"
        for minutes in COVERAGE_MINUTES
    )
    n, total, *cells = engine.rows(f"select count(*), sum(amount), {within} from touch")[0]
    return tuple(
        Coverage(minutes, _share(cells[2 * i], n), _share(cells[2 * i + 1], total))
        for i, minutes in enumerate(COVERAGE_MINUTES)
    )


def _share(part: int | None, whole: int | None) -> float | None:
    return int(part or 0) / int(whole) if whole else None
