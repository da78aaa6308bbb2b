"""The choices that decide which rooms are candidates and how many are written down."""

from __future__ import annotations

from dataclasses import dataclass

from giftlive.errors import UsageError

_QUOTAS = ("gifted", "entered", "popular", "category", "newcomers")
_SPANS = ("popular_ms", "refresh_ms", "newcomer_ms")


@dataclass(frozen=True)
class CandidateOptions:
    """Choices of :func:`candidates_at` and :func:`build_decisions`.

    Attributes
    ----------
    seed : of the uniform part and of the choice of decisions.
    gifted, entered, popular, category, newcomers : rooms by reason, at most; 0 switches it off.
    uniform : rooms drawn among the rest; None = every live room, so that nothing is estimated.
    remembered : streamers kept per user and kind of past, the latest first.
    popular_ms : how far back popularity looks. refresh_ms : popularity is that of the last whole
        multiple of this time. newcomer_ms : how long after the first room a streamer is new.
    negatives : skipped rooms joined to a decision, at most, the nearest first; 0 = none.
    negative_gap_ms : a skip further from every decision of its user belongs to none.
    share : each decision is kept with this probability, by a keyed draw.
    memory_limit, threads : of DuckDB; neither changes a result.
    """

    seed: int = 1
    gifted: int = 8
    entered: int = 8
    popular: int = 8
    category: int = 8
    newcomers: int = 4
    uniform: int | None = 24
    remembered: int = 32
    popular_ms: int = 3_600_000
    refresh_ms: int = 60_000
    newcomer_ms: int = 86_400_000
    negatives: int = 8
    negative_gap_ms: int = 600_000
    share: float = 1.0
    memory_limit: str = "2GB"
    threads: int = 2

    def __post_init__(self) -> None:
        """Refuse what no candidate set could be drawn from."""
        for name in (*_QUOTAS, "negatives", "negative_gap_ms"):
            self._require(name, 0)
        for name in (*_SPANS, "remembered"):
            self._require(name, 1)
        if not 0.0 < self.share <= 1.0:
            raise UsageError(f"share is {self.share}", "CandidateOptions", "0 < share <= 1")
        if self.uniform is not None and self.uniform <= self.negatives + 1:
            raise UsageError(
                f"{self.uniform} uniform rooms with {self.negatives} negatives",
                "CandidateOptions",
                "more uniform rooms than a decision can show (negatives + 1)",
                "raise uniform, lower negatives, or ask for every live room with uniform=None",
            )

    def _require(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if value < least:
            raise UsageError(f"{name} is {value}", "CandidateOptions", f"{least} or more")
