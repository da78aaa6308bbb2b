"""Leaks that must be caught: planted into the rebuilt rows, never into the table.

A canary is a planted leak of :mod:`giftlive.tables.features.planted` computed twice, from the
logs as they are and from another future. It sings in a row if it moves. To know whether it could
have, the logs are also cut off at the cut: rows whose canary needs what is missing then were told
their future. Fewer than ``LEAST_TOLD`` of them are not enough data; and where there are enough
and none sings, the audit cannot be trusted with any feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from giftlive.tables.audit.compare import Compared, joined
from giftlive.tables.audit.finding import CANARY, AuditFinding
from giftlive.tables.features.declare import PLANTED_LEAK, Feature

LEAST_TOLD = 2

CANARIES: tuple[Feature, ...] = tuple(
    replace(leak, name=f"canary_{kind}") for kind, leak in PLANTED_LEAK.items()
)


def canary_findings(
    trials: Sequence[Compared], ended: Callable[[], Sequence[Compared]]
) -> Iterator[AuditFinding]:
    """Yield one finding per canary.

    Parameters
    ----------
    trials : logs as they are against another future, of every cut. ended : makes the same
        against logs that end at the cut; called where a canary was not caught.
    """
    for canary in CANARIES:
        caught = joined(trials, canary.name)
        if caught.moved.any():
            yield AuditFinding(canary.name, CANARY, True, f"caught: {caught.spelled()}")
            continue
        told = int(joined(ended(), canary.name).moved.sum())
        why = f"{len(caught.moved)} rows tried, {told} were told their future"
        if told < LEAST_TOLD:
            yield AuditFinding(canary.name, CANARY, None, f"not enough data: {why}")
        else:
            yield AuditFinding(canary.name, CANARY, False, f"{why}, none of them moved")
