"""Every error GiftLive raises on purpose, and the exit code each one means.

::

    GiftLiveError
    ├── UsageError            exit 2   the command or its arguments cannot be obeyed
    │   ├── ConfigError       exit 2   a configuration key or value is not valid
    │   └── ConflictError     exit 2   two requests of one name differ (``giftlive.service.desk``)
    ├── InputError            exit 2   a file, a line or a column is not what it should be
    │   └── RejectLimitError  exit 2   too many rows had to be set aside
    ├── MissingCapabilityError exit 2  the source has no such table (no clicks, no propensities)
    ├── NotEnoughDataError    exit 3   the question cannot be answered with this much data
    ├── UnavailableError      exit 1   a database or server that is needed does not answer
    ├── ServiceError          exit 1   a service refused a call (``giftlive.client``)
    └── IntegrityError        exit 1   a promise of the product is broken
        ├── LeakError         exit 1   a feature knows the future
        ├── ConservationError exit 1   money appeared or vanished
        └── IdentityError     exit 1   two things that must be equal are not

A message is one paragraph: what was wrong, where, what was expected, then ``Hint: …``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Where:
    """A place a person can open: a file, and in it a 1-based line and a column name.

    Examples
    --------
    >>> str(Where("gift.csv", 7, "gift_price"))
    'gift.csv, line 7, column gift_price'
    """

    file: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        column = "" if self.column is None else f", column {self.column}"
        return f"{self.file}{line}{column}"


class GiftLiveError(Exception):
    """Base of the tree above; ``exit_code`` is what the command line returns.

    Parameters
    ----------
    what : what was wrong, with both numbers where there are two.
    where : the file, line and column, or a phrase naming the argument.
    expected : what would have been right.
    hint : what the reader can do next.

    Examples
    --------
    >>> print(InputError("negative amount -3", Where("gift.csv", 7), "an integer >= 0", "fix it"))
    gift.csv, line 7: negative amount -3; expected an integer >= 0. Hint: fix it
    """

    exit_code = 2

    def __init__(
        self, what: str, where: Where | str = "", expected: str = "", hint: str = ""
    ) -> None:
        self.what, self.where, self.expected, self.hint = what, where, expected, hint
        super().__init__(self._paragraph())

    def _paragraph(self) -> str:
        head = f"{self.where}: {self.what}" if str(self.where) else self.what
        expected = f"; expected {self.expected}" if self.expected else ""
        body = f"{head}{expected}"
        return f"{body}. Hint: {self.hint}" if self.hint else body

    def as_dict(self) -> dict[str, str]:
        """Return the parts for ``--json``."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": str(self.where),
            "expected": self.expected,
            "hint": self.hint,
        }


class UsageError(GiftLiveError):
    """The command or its arguments cannot be obeyed."""


class ConfigError(UsageError):
    """A configuration key or value is not valid."""


class InputError(GiftLiveError):
    """A file, a line or a column is not what it should be."""


class RejectLimitError(InputError):
    """More rows had to be set aside than the configuration allows."""


class MissingCapabilityError(GiftLiveError):
    """The source lacks a table that this step needs."""


class NotEnoughDataError(GiftLiveError):
    """The question cannot be answered with this much data."""

    exit_code = 3


class UnavailableError(GiftLiveError):
    """A database or server that is needed does not answer, or has no room; later it may."""

    exit_code = 1


class IntegrityError(GiftLiveError):
    """A promise of the product is broken."""

    exit_code = 1


class LeakError(IntegrityError):
    """A feature knows something that happened at or after the decision."""


class ConservationError(IntegrityError):
    """Money appeared or vanished between two tables."""


class IdentityError(IntegrityError):
    """Two results that must be identical are not."""


def missing_extra(error: ImportError, command: str, extra: str) -> UsageError:
    """Return what to say where ``command`` needs a package that only an extra brings."""
    return UsageError(
        f"{error.name} is not installed",
        command,
        f"the extra `{extra}`",
        install_hint(extra),
    )


def install_hint(extra: str) -> str:
    """Return what brings an extra here: a clone has its own script, a wheel is installed again.

    Examples
    --------
    >>> install_hint("spark")
    'run `scripts/setup spark`'
    """
    if (Path(__file__).parents[2] / "scripts" / "setup").is_file():
        return f"run `scripts/setup {extra}`"
    return f"pip install 'FILE[{extra}]', FILE being the wheel that this was installed from"
