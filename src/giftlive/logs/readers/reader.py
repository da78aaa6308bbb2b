"""What every reader promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from giftlive.logs.inputs import Inputs
from giftlive.logs.intake import Intake, Stored
from giftlive.types import Progress


class Reader(Protocol):
    """Turns the files of one kind of source into stored tables."""

    @property
    def kind(self) -> str:
        """Name of the kind of source."""

    @property
    def tz(self) -> str:
        """IANA zone in which the source's days are taken."""

    @property
    def unit(self) -> str:
        """What one unit of ``amount`` is."""

    @property
    def needs(self) -> str:
        """One phrase: the files without which a folder is not of this kind."""

    def recognises(self, inputs: Inputs) -> bool:
        """Whether the files look like this kind, complete or not."""

    def files(self, inputs: Inputs) -> list[Path]:
        """Return the files that will be read.

        Raises
        ------
        InputError
            Naming a file that is missing.
        """

    def read(self, inputs: Inputs, intake: Intake, progress: Progress) -> Mapping[str, Stored]:
        """Store every table of the source."""
