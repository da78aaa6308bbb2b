"""What a trial found of a feature, and the refusal that follows from a leak."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from giftlive.errors import LeakError

CANARY, PLANTED = "canary", "planted"


@dataclass(frozen=True)
class AuditFinding:
    """One feature in one trial.

    Attributes
    ----------
    feature : its name; of the trial "rows", a part of the days. kind : the trial. passed : None
    where there is not enough data for an answer, which is no pass. detail : one sentence.
    """

    feature: str
    kind: str
    passed: bool | None
    detail: str

    @property
    def result(self) -> str:
        """Return the answer in words."""
        return {True: "passed", False: "FAILED", None: "not enough data"}[self.passed]


def refuse_leaks(findings: Iterable[AuditFinding]) -> None:
    """Raise where a trial failed.

    Raises
    ------
    LeakError
        Naming the first feature that failed, how, and all others; or the canary, or the leak
        planted into the table, that was not caught, where no feature failed.
    """
    failed = [finding for finding in findings if finding.passed is False]
    if not failed:
        return
    first = failed[0]
    if first.kind == CANARY:
        raise LeakError(
            f"{first.feature} was not caught: {first.detail}",
            "leak audit",
            "every planted leak caught, or the audit proves nothing",
            "report this as a bug, with the seed",
        )
    if first.kind == PLANTED:
        raise LeakError(
            f"feature {first.feature} was planted and not caught: {first.detail}",
            "features",
            "features that depend on events with known_ts < ts only",
            "use logs of more rows to see it caught, or leave out tables.planted_leak",
        )
    names = ", ".join(dict.fromkeys(f.feature for f in failed if f.kind != CANARY))
    raise LeakError(
        f"feature {first.feature} fails the {first.kind} trial: {first.detail}",
        "features",
        "features that depend on events with known_ts < ts only",
        f"remove it or state when it is known; all that failed: {names}",
    )
