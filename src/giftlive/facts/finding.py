"""A finding of the data audit: one measured property of the logs that a reader must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from giftlive.types import Message

Severity = Literal["info", "defect"]
Status = Literal["measured", "not applicable", "not detectable"]
NOTHING_FOLLOWS = Message("audit.nothing_follows", {})


@dataclass(frozen=True)
class Counted:
    """The evidence: how many of how many; ``of`` is the key of what is counted (``audit.of``)."""

    numerator: int
    denominator: int
    of: str

    @property
    def share(self) -> float:
        """Return numerator / denominator; 0 where there is nothing to count."""
        return self.numerator / self.denominator if self.denominator else 0.0

    @property
    def message(self) -> Message:
        """Return the evidence as a sentence by key."""
        of = Message(f"audit.of.{self.of}", {})
        return Message(
            "audit.evidence",
            {"numerator": self.numerator, "denominator": self.denominator, "of": of},
        )


@dataclass(frozen=True)
class Finding:
    """One property of the logs.

    Attributes
    ----------
    name : the detector's, with a dot and the table, reason or column where there are several.
    severity : ``defect`` where a quantity computed from the rows it touches would be wrong.
    value : what was measured, ``None`` where nothing could be. detail : one sentence.
    consequence : what must not be computed, or what the pipeline does about it.
    counted : the evidence; ``None`` where nothing was counted. examples : days, ids or columns.
    status : ``not applicable`` where a table is missing, which ``detail`` names;
        ``not detectable`` where no log of this kind could show it, for the reason in ``detail``.
    """

    name: str
    severity: Severity
    value: float | None
    detail: Message
    consequence: Message = NOTHING_FOLLOWS
    counted: Counted | None = None
    examples: tuple[str, ...] = ()
    status: Status = "measured"

    @property
    def detector(self) -> str:
        """Return the name of the detector.

        Examples
        --------
        >>> Finding("duplicates.gift", "info", 0.0, Message("x", {})).detector
        'duplicates'
        """
        return self.name.partition(".")[0]

    @property
    def evidence(self) -> Message:
        """Return numerator and denominator as a sentence by key, or that there is none."""
        return self.counted.message if self.counted else Message("audit.no_evidence", {})


def measured(
    name: str,
    defect: bool,
    counted: Counted,
    *,
    value: float | None = None,
    told: str = "",
    examples: tuple[str, ...] = (),
    **params: Any,
) -> Finding:
    """Return a finding whose sentences are looked up by the detector's name.

    Parameters
    ----------
    defect : whether what was counted makes numbers wrong. value : the share counted unless given.
    told : which sentence (``audit.<detector>.<told>``); ``found`` for a defect and ``clean``
        otherwise unless given.
    examples : shown in the sentence as ``{examples}``. params : further holes of the sentence.
    """
    detector = name.partition(".")[0]
    told = told or ("found" if defect else "clean")
    holes = {
        "n": counted.numerator,
        "d": counted.denominator,
        "share": counted.share,
        "examples": ", ".join(examples),
        "what": name.partition(".")[2],
        **params,
    }
    follows = (
        NOTHING_FOLLOWS if told == "clean" else Message(f"audit.{detector}.consequence", holes)
    )
    return Finding(
        name,
        "defect" if defect else "info",
        counted.share if value is None else value,
        Message(f"audit.{detector}.{told}", holes),
        follows,
        counted,
        examples,
    )


def not_applicable(name: str, missing: tuple[str, ...]) -> Finding:
    """Return the finding of a detector whose tables this source lacks."""
    message = Message("audit.not_applicable", {"tables": ", ".join(missing)})
    return Finding(name, "info", None, message, status="not applicable")


def not_detectable(name: str) -> Finding:
    """Return the finding of what no rows of this kind can show; the reason is ``.undetectable``."""
    reason = Message(f"audit.{name}.undetectable", {})
    return Finding(name, "info", None, reason, status="not detectable")
