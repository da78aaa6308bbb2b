"""Several decision logs read as one: of several evenings or of several logging policies.

Every row keeps the propensity of the policy that logged it, so estimates that weigh each row by
its own logger hold for the mixture. Users are the same across files: sums are clustered by
``user_id`` whatever file a row came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from giftlive.errors import InputError, UsageError
from giftlive.logs.decisions import DecisionFile, open_decisions
from giftlive.logs.store import connection, literal_path

PATTERN = "decision*.parquet"
"""Names of the logs in a folder, read in the order of their names."""


@dataclass(frozen=True)
class DecisionLogs:
    """Logs that are judged together.

    Attributes
    ----------
    files : at least one, each of one logging policy.
    """

    files: tuple[DecisionFile, ...]

    @property
    def rows(self) -> int:
        """Number of decisions in all files."""
        return sum(file.rows for file in self.files)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Return how many rows stand before each file."""
        return (0, *accumulate(file.rows for file in self.files[:-1]))

    @cached_property
    def has_slates(self) -> bool:
        """Whether any decision is a slate."""
        return any(file.has_slates for file in self.files)

    @cached_property
    def loggers(self) -> tuple[str, ...]:
        """Return the distinct logging policies, name and version, as they first occur."""
        return tuple(dict.fromkeys(f.logging for f in self.files if f.logging))

    def logger(self, file: int) -> int:
        """Return the number of the logging policy of a file."""
        return self.loggers.index(self.files[file].logging)

    @property
    def name(self) -> str:
        """Return the logging policies as printed."""
        return "; ".join(self.loggers)


def together(log: DecisionFile | DecisionLogs) -> DecisionLogs:
    """Return one file, or several, as several."""
    return log if isinstance(log, DecisionLogs) else DecisionLogs((log,))


def open_logs(paths: Sequence[Path]) -> DecisionLogs:
    """Open decision logs: files, and folders whose ``decision*.parquet`` are read.

    Raises
    ------
    UsageError
        A path is neither a file nor a folder with logs, or the same file is given twice.
    InputError
        A decision of one policy stands in two of the files, or a file is not valid.
    """
    found = [file for path in paths for file in _files(path)]
    twice = [p for k, p in enumerate(found) if p.resolve() in {q.resolve() for q in found[:k]}]
    if twice:
        raise UsageError("the same file twice", str(twice[0]), "every log once")
    logs = DecisionLogs(tuple(open_decisions(path) for path in found))
    if len(found) > 1:
        _require_distinct(logs)
    return logs


def _files(path: Path) -> list[Path]:
    found = sorted(path.glob(PATTERN)) if path.is_dir() else [path] if path.is_file() else []
    if not found:
        raise UsageError(
            "no decision log", str(path), f"a folder with {PATTERN}, or a Parquet file",
            "docs/decision-log.md says what to log; `giftlive world decisions` writes one to try",
        )  # fmt: skip
    return found


def _require_distinct(logs: DecisionLogs) -> None:
    """Refuse a decision of one policy that two files hold: it would count twice."""
    parts = " union all ".join(
        f"select decision_id, policy, policy_version, {k} as file"
        f" from read_parquet({literal_path(file.path.absolute())})"
        for k, file in enumerate(logs.files)
    )
    with closing(connection()) as con:
        twice = con.execute(
            f"select decision_id, min(file), max(file), policy from ({parts})"
            " group by decision_id, policy, policy_version having min(file) < max(file)"
            " order by 2, 1 limit 1"
        ).fetchone()
    if twice:
        name, first, other, policy = twice
        raise InputError(
            f"decision {name} of {policy} in two files",
            f"{logs.files[first].path} and {logs.files[other].path}",
            "every decision once",
            "the logs overlap: keep one of the two",
        )
