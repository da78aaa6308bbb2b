"""Features that know the future on purpose, so that the audit has something to find.

Each is SQL over columns of the probe, state columns and whole tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from giftlive.errors import UsageError

# the subqueries rename their key: a bare name then means the column of the row
_EVERY_EVENT = " + ".join(
    f"coalesce((select count(*) from (select streamer_id as whose from {view}) e"
    " where e.whose = streamer_id), 0)"
    for view in ("click", "gift", "gift_anonymous")
)
_LATER = " + ".join(
    f"coalesce((select cast(sum(e.x) as bigint) from (select user_id as whose, {x} as x"
    f" from {view}) e where e.whose = user_id), 0) - {known}"
    for view, x, known in (
        ("click", "watch_ms", "user_watch_ms"),
        ("gift", "amount", "user_gift_sum"),
    )
)
_EARLY = (
    "day < (select min(t.d) + 0.7 * (max(t.d) - min(t.d) + 1)"
    " from (select day as d from local_time) t)"
)


@dataclass(frozen=True)
class Foresight:
    """An expression that no sweep in time order can compute.

    Attributes
    ----------
    reads : columns of the probe and state columns. text : SQL over them and over whole tables.
    definition : one sentence.
    """

    reads: tuple[str, ...]
    text: str
    definition: str

    def sql(self) -> str:
        """Return the SQL."""
        return self.text

    def of(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Refuse: what is not known yet is in no state column.

        Raises
        ------
        UsageError
            Always.
        """
        raise UsageError(
            f"{self.definition!r} of arrays", "planted leak", "SQL over the whole tables"
        )


FORESIGHT: dict[str, Foresight] = {
    "label": Foresight(("label_amount",), "label_amount", "the label itself"),
    "future_noise": Foresight(
        ("user_id", "user_watch_ms", "user_gift_sum"),
        f"(({_LATER}) * 7919) % 1009",
        "a pseudo-random number made of what the user does at and after the row",
    ),
    "whole_period": Foresight(
        ("streamer_id",),
        _EVERY_EVENT,
        "entries and gifts of the streamer over all days",
    ),
    "train_only": Foresight(
        ("day", "user_gift_sum", "label_amount"),
        f"user_gift_sum + case when {_EARLY} then label_amount else 0 end",
        "the user's amount so far, on the first seven tenths of the days with the row's own label",
    ),
}
"""Ways to leak, by name."""
