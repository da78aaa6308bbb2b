"""What one unit of an amount is, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator

from giftlive.facts.audit.inspection import Inspection
from giftlive.facts.finding import Counted, Finding, measured, not_applicable

CURRENCIES = "gift_original"
"""The view that keeps the currency of a gift, where a reader has one."""
_HAS_CURRENCIES = f"""
SELECT count(*) FROM duckdb_columns()
WHERE table_name = '{CURRENCIES}' AND column_name = 'currency'
"""
_BY_CURRENCY = f"""
SELECT currency, count(*) FROM {CURRENCIES} GROUP BY currency ORDER BY count(*) DESC, currency
"""


def currency_mix(inspection: Inspection) -> Iterator[Finding]:
    """Find amounts that were given in several currencies."""
    evidence = inspection.evidence
    known = evidence.row(_HAS_CURRENCIES)[0] > 0
    rows = evidence.con.execute(_BY_CURRENCY).fetchall() if known else []
    if not rows:
        yield not_applicable("currency_mix", (CURRENCIES,))
        return
    n, most = sum(count for _, count in rows), rows[0][1]
    names = tuple(f"{currency} {count:,}" for currency, count in rows[:5])
    counted = Counted(n - most, n, "gift")
    yield measured("currency_mix", len(rows) > 1, counted, examples=names, currencies=len(rows))


def anonymous_gifts(inspection: Inspection) -> Iterator[Finding]:
    """Count gifts without a known user."""
    unnamed, named = inspection.evidence.row(
        "SELECT (SELECT count(*) FROM gift_anonymous), (SELECT count(*) FROM gift)"
    )
    told = "found" if unnamed else "clean"
    counted = Counted(unnamed, unnamed + named, "gift_named_or_not")
    yield measured("anonymous_gifts", False, counted, told=told)
