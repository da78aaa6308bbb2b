"""Price atoms: the exact amounts that are given most often."""

from __future__ import annotations

import numpy as np

from giftlive.facts.estimates import by_user, ratio, stated, undefined
from giftlive.facts.evidence import Evidence
from giftlive.facts.fact import AMOUNT, Curve, Fact, Quantity, Section

ATOMS = 12
"""Amounts in the curve."""
FEW = 5
"""Amounts whose joint share is a fact."""
_GIFT = ("gift",)
_ROWS = "gift rows"
_WHO = "gifts of known users"
_COLUMNS = ("amount", "gifts", "share", "amount_share")
_FIRST = Quantity("price_atom_first", "most frequent amount", _ROWS, _WHO, AMOUNT, _GIFT, True)
_DISTINCT = Quantity(
    "price_atom_count", "distinct amounts", "none: a count", _WHO, "amounts", _GIFT
)
_BY_AMOUNT = """
SELECT amount, count(*) AS gifts, sum(amount)::BIGINT AS total
FROM gift GROUP BY amount ORDER BY gifts DESC, amount
"""


def atom_section(evidence: Evidence) -> Section:
    """Return the most frequent amounts with their shares of the gifts and of the money."""
    rows = evidence.columns(_BY_AMOUNT)
    amount, gifts, total = rows["amount"], rows["gifts"], rows["total"]
    n = int(gifts.sum())
    reason = evidence.lacks(_GIFT) or ("" if n else "there are no gift rows")
    if reason:
        shares = [_share(top) for top in (1, FEW)]
        facts = [undefined(evidence, quantity, reason) for quantity in (_FIRST, _DISTINCT, *shares)]
        return Section(tuple(facts), {"price_atoms": {name: [] for name in _COLUMNS}})
    why = "the most frequent of these logs, chosen by looking at them"
    counted = "a count of these logs, not an estimate"
    facts = [
        stated(evidence, _FIRST, float(amount[0]), why, n, _ROWS),
        stated(evidence, _DISTINCT, float(len(amount)), counted, n, _ROWS),
        *(_share_fact(evidence, top, amount[:top].tolist()) for top in (1, FEW)),
    ]
    curve: Curve = {
        "amount": amount[:ATOMS].tolist(),
        "gifts": gifts[:ATOMS].tolist(),
        "share": (gifts[:ATOMS] / n).tolist(),
        "amount_share": (total[:ATOMS] / max(float(np.sum(total)), 1.0)).tolist(),
    }
    return Section(tuple(facts), {"price_atoms": curve})


def _share(top: int) -> Quantity:
    what = "the most frequent amount" if top == 1 else f"the {top} most frequent amounts"
    return Quantity(f"price_atom_top{top}_share", f"gift rows of {what}", _ROWS, _WHO, needs=_GIFT)


def _share_fact(evidence: Evidence, top: int, amounts: list[int]) -> Fact:
    rows = evidence.columns(
        f"SELECT user_id, count(*) FILTER (list_contains({amounts}::BIGINT[], amount)) AS hits, "
        "count(*) AS n FROM gift GROUP BY user_id ORDER BY user_id"
    )
    sample = by_user(rows["user_id"], rows["hits"], rows["n"], n_unit=_ROWS)
    return ratio(evidence, _share(top), sample)
