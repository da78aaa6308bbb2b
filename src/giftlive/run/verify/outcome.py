"""What a verification found: counts per subject, and every difference with both numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """Something printed that was not found again.

    Attributes
    ----------
    name : of the estimate, figure or gate. printed, recomputed : both numbers, or words.
    where : file and place that a reader can open.
    """

    subject: str
    name: str
    printed: str
    recomputed: str
    where: str

    def __str__(self) -> str:
        return f"{self.name} is {self.printed}, computed again {self.recomputed}"


@dataclass(frozen=True)
class Tally:
    """What became of one subject: a study, the figures, the gates, the folder or its files.

    Attributes
    ----------
    claims : how many numbers were printed. agreed : how many were found again.
    largest : largest relative difference among those compared exactly.
    differences : those that disagree. unverified : name -> why it could not be computed again.
    excused : name -> why nobody can compute it again from this folder; listed, no failure.
    """

    subject: str
    claims: int
    agreed: int
    largest: float
    differences: tuple[Difference, ...] = ()
    unverified: tuple[tuple[str, str], ...] = ()
    excused: tuple[tuple[str, str], ...] = ()

    @property
    def sound(self) -> bool:
        """Return whether everything was found again, or is excused."""
        return not self.differences and not self.unverified


@dataclass(frozen=True)
class Verification:
    """The whole finding on a run folder."""

    tallies: tuple[Tally, ...]

    @property
    def sound(self) -> bool:
        """Return whether every printed number was found again, or is excused."""
        return all(tally.sound for tally in self.tallies)

    @property
    def first(self) -> Difference | None:
        """Return what is wrong with the first subject that has a difference or an open number."""
        for tally in self.tallies:
            if tally.differences:
                return tally.differences[0]
            if tally.unverified:
                name, why = tally.unverified[0]
                return Difference(tally.subject, name, "printed", f"not possible: {why}", why)
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return plain containers for ``--json``."""
        return {"sound": self.sound, "subjects": [asdict(tally) for tally in self.tallies]}
