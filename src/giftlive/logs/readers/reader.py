"""What every reader promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from giftlive.logs.inputs import Inputs
from giftlive.logs.intake import Intake, Stored
from giftlive.logs.source import REAL_LOGS
from giftlive.types import Progress


@dataclass(frozen=True)
class About:
    """What the rows of a source do not say themselves.

    Attributes
    ----------
    tz : IANA zone in which the source's days are taken. unit : what one unit of ``amount`` is.
    label : "real logs" or "calibrated world".
    """

    tz: str
    unit: str
    label: str = REAL_LOGS


class Reader(Protocol):
    """Turns the files of one kind of source into stored tables."""

    @property
    def kind(self) -> str:
        """Name of the kind of source."""

    @property
    def needs(self) -> str:
        """One phrase: the files without which a folder is not of this kind."""

    def recognises(self, inputs: Inputs) -> bool:
        """Whether the files look like this kind, complete or not."""

    def about(self, inputs: Inputs) -> About:
        """Return zone, unit and label of the source.

        Raises
        ------
        InputError
            Where a file that says so is missing or broken.
        """

    def files(self, inputs: Inputs) -> list[Path]:
        """Return the files that will be read.

        Raises
        ------
        InputError
            Naming a file that is missing.
        """

    def read(self, inputs: Inputs, intake: Intake, progress: Progress) -> Mapping[str, Stored]:
        """Store every table of the source."""
