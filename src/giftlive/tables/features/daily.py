"""What stands still for a local day: priors, times shown, and the efficiency of a streamer.

All of it was known before the day began, and comes from one table per group: what each key did
on each day (``counted``). The squares of a prior grow by N² - (N - n)² on a day that brings n
more: sums of integers over keys and days, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from giftlive.tables.features.events import dated_sql, known_sql, of_sql, same_sql
from giftlive.tables.features.part import Part
from giftlive.tables.features.prior import MAX_STRENGTH, MIN_STRENGTH
from giftlive.tables.features.state import KEYS

_GIFT_PRIOR = frozenset(("prior_gift_rate", "prior_gift_value", "strength"))
_ENTER_PRIOR = frozenset(("prior_enter_rate", "enter_strength"))
_PRIORS = _GIFT_PRIOR | _ENTER_PRIOR
_COUNTS = {"entered_count": "entries", "negative_count": "negatives"}
_EFFICIENCY = "efficiency"
_OF_THE_KEY = frozenset((*_COUNTS, _EFFICIENCY))


def daily_parts(columns: Mapping[str, Set[str]], probe: str) -> tuple[Part, ...]:
    """Return the parts that bring these daily columns (by group, without prefix)."""
    if not columns:
        return ()
    asked = ("asked_day", f"select distinct day from {probe}")
    return Part((asked,), "", {}), *(_part(g, mine, probe) for g, mine in columns.items())


def _part(group: str, columns: Set[str], probe: str) -> Part:
    whose = (*KEYS[group], "day")
    stages = [(f"{group}_counted", _counted_sql(group, columns))]
    joins: list[tuple[str, tuple[str, ...]]] = []
    if columns & _PRIORS:
        stages.append((f"{group}_prior", prior_sql(_moments_sql(group, columns), columns)))
        joins.append((f"{group}_prior", ("day",)))
    if columns & _OF_THE_KEY:
        stages.append((f"{group}_before", _before_sql(group, columns, probe)))
        joins.append((f"{group}_before", whose))
    if _EFFICIENCY in columns:
        stages.append((f"{group}_ranked", _ranked_sql(group)))
        joins.append((f"{group}_ranked", whose))
    return Part(
        tuple(stages),
        "".join(f"\nleft join {t} on {same_sql(on, t, 'p')}" for t, on in joins),
        {f"{group}_{column}": _column_sql(group, column) for column in sorted(columns)},
        f"{group}_daily",
    )


def _column_sql(group: str, column: str) -> str:
    if column == _EFFICIENCY:
        least = f"case when {group}_before.watch_ms > 0 then cast(0 as double) else -1 end"
        return f"coalesce({group}_ranked.{_EFFICIENCY}, {least})"
    if column in _COUNTS:
        return f"coalesce({group}_before.{_COUNTS[column]}, 0)"
    return f"{group}_prior.{column}"


def measures_of(columns: Set[str]) -> tuple[str, ...]:
    """Return the measures of events that these daily columns are made of."""
    needed = {
        "entries": columns - {_EFFICIENCY, "negative_count"},
        "negatives": columns & {*_ENTER_PRIOR, "negative_count"},
        "gifts": columns & _GIFT_PRIOR,
        "amount": columns & {*_GIFT_PRIOR, _EFFICIENCY},
        "watch_ms": columns & {_EFFICIENCY},
    }
    return tuple(measure for measure, readers in needed.items() if readers)


def counts_of(columns: Set[str]) -> dict[str, str]:
    """Return the counts of a key whose squares the priors need, as SQL over measures."""
    counts = {"clicks": "entries"} if columns & _PRIORS else {}
    counts |= {"gifts": "gifts"} if columns & _GIFT_PRIOR else {}
    return counts | ({"shown": "entries + negatives"} if columns & _ENTER_PRIOR else {})


def prior_sql(moments: str, columns: Set[str]) -> str:
    """Return priors by day from moments: sums of counts, ``{count}_squared``, amount."""
    priors = {}
    if columns & _GIFT_PRIOR:
        priors["prior_gift_rate"] = _rate_sql("gifts", "clicks")
        priors["prior_gift_value"] = _rate_sql("amount", "clicks")
        priors["strength"] = _strength_sql("gifts", "clicks")
    if columns & _ENTER_PRIOR:
        priors["prior_enter_rate"] = _rate_sql("clicks", "shown")
        priors["enter_strength"] = _strength_sql("clicks", "shown")
    named = ", ".join(f"{sql} as {name}" for name, sql in priors.items())
    return f"select day, {named} from ({moments}) m"


def _rate_sql(top: str, bottom: str) -> str:
    return f"case when {bottom} > 0 then cast({top} as double) / {bottom} else 0 end"


def _strength_sql(g: str, n: str) -> str:
    """Return rate / spread within its limits, as ``prior_of`` does."""
    rate = f"cast({g} as double) / {n}"
    spread = f"cast({g}_squared - {g} as double) / {n}_squared - ({rate}) * ({rate})"
    lowest, highest = f"cast({MIN_STRENGTH} as double)", f"cast({MAX_STRENGTH} as double)"
    return (
        f"case when {n} = 0 or {g} = 0 then {lowest} when {spread} <= 0 then {highest}"
        f" else least(greatest(({rate}) / ({spread}), {lowest}), {highest}) end"
    )


def _counted_sql(group: str, columns: Set[str]) -> str:
    keys, measures = KEYS[group], measures_of(columns)
    sums = ", ".join(f"cast(sum(e.{m}) as bigint) as {m}" for m in measures)
    return f"""select {of_sql("e", keys)}, e.day, {sums}
from ({dated_sql(keys, measures)}) e
where {known_sql(keys, "e")} group by {of_sql("e", keys)}, e.day"""


def _moments_sql(group: str, columns: Set[str]) -> str:
    counts, amount = counts_of(columns), columns & _GIFT_PRIOR
    new = ", ".join(f"{sql} as {c}" for c, sql in counts.items()) + (", amount" if amount else "")
    grown = ", ".join(f"cast(sum({c}) over so_far as bigint) as {c}_so_far" for c in counts)
    names = [*counts, *(f"{c}_squared" for c in counts), *(["amount"] if amount else [])]
    gains = {c: c for c in names if not c.endswith("_squared")} | {
        f"{c}_squared": f"{c}_so_far * {c}_so_far - ({c}_so_far - {c}) * ({c}_so_far - {c})"
        for c in counts
    }
    daily = ", ".join(f"cast(sum({sql}) as bigint) as {c}" for c, sql in gains.items())
    totals = ", ".join(f"cast(coalesce(sum(m.{c}), 0) as bigint) as {c}" for c in names)
    keys = ", ".join(KEYS[group])
    return f"""select q.day, {totals}
from asked_day q left join (
  select day, {daily} from (
    select *, {grown} from (select {keys}, day, {new} from {group}_counted) c
    window so_far as (partition by {keys} order by day
                      rows between unbounded preceding and current row)
  ) g group by day
) m on m.day < q.day group by q.day"""


def _before_sql(group: str, columns: Set[str], probe: str) -> str:
    keys = KEYS[group]
    brought = [_COUNTS[c] for c in _COUNTS if c in columns]
    brought += ["watch_ms"] if _EFFICIENCY in columns else []
    sums = ", ".join(f"cast(sum(c.{m}) as bigint) as {m}" for m in brought)
    return f"""select {of_sql("q", keys)}, q.day, {sums}
from (select distinct {", ".join(keys)}, day from {probe}) q
join {group}_counted c on {same_sql(keys, "c", "q")} and c.day < q.day
group by {of_sql("q", keys)}, q.day"""


def _ranked_sql(group: str) -> str:
    """Return the share of lower amounts per time watched, of those with any amount.

    All others who were watched share the lowest ratio, 0, and need no row of their own: one row
    per day and earning key is all that is ranked.
    """
    (key,) = KEYS[group]
    counted = f"{group}_counted"
    earning = f"(select distinct {key} from {counted} where amount > 0)"
    return f"""with snapshot as (
  select {key}, day, sum(amount) over earlier as amount, sum(watch_ms) over earlier as watch_ms
  from (
    select {key}, day, sum(amount) as amount, sum(watch_ms) as watch_ms from (
      select c.{key}, c.day, c.amount, c.watch_ms from {counted} c join {earning} k
        on k.{key} = c.{key}
      union all select k.{key}, q.day, 0, 0 from asked_day q cross join {earning} k
    ) c group by {key}, day
  ) d
  window earlier as (partition by {key} order by day
                     rows between unbounded preceding and 1 preceding)
), ranked as (
  select s.{key}, s.day, count(*) over (partition by s.day) as earning,
         rank() over (partition by s.day
                      order by cast(s.amount as double) / cast(s.watch_ms as double)) as place
  from snapshot s join asked_day q on q.day = s.day
  where case when s.watch_ms > 0 then s.amount else 0 end > 0
), watched as (
  select q.day, count(*) as everyone
  from asked_day q join (
    select {key}, min(day) as first_day from {counted} where watch_ms > 0 group by {key}
  ) f on f.first_day < q.day group by q.day
)
select r.{key}, r.day,
       cast(w.everyone - r.earning + r.place - 1 as double) / w.everyone as {_EFFICIENCY}
from ranked r join watched w on w.day = r.day"""
