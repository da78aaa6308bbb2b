"""What a study is given, and the contract it fulfils."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from giftlive.config import RunConfig
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.leaderboard import Truth, truth_of
from giftlive.evaluation.results import Estimate, StudyResult
from giftlive.logs.store import Store
from giftlive.stats.intervals import Interval
from giftlive.stats.print_rule import printed
from giftlive.tables.matrix import Matrix
from giftlive.types import Message, Progress, silent
from giftlive.world import World


class Keep(Protocol):
    """Keeps the rows behind a study's numbers in the run folder."""

    def __call__(self, name: str, columns: Mapping[str, Any], /) -> None:
        """Keep equal-length ``columns`` under ``name``."""


def forget(name: str, columns: Mapping[str, Any], /) -> None:
    """Keep nothing."""


class Spent(Protocol):
    """Told what a named piece of the study cost; clock times go to the manifest alone."""

    def __call__(self, name: str, cost: Mapping[str, float], /) -> None:
        """Hear the ``cost`` of ``name``."""


def uncounted(name: str, cost: Mapping[str, float], /) -> None:
    """Be the listener that counts nothing."""


class Describe(Protocol):
    """Keeps the card of a named model in the run folder."""

    def __call__(self, name: str, card: Mapping[str, Any], /) -> None:
        """Keep the ``card`` of ``name``."""


def undescribed(name: str, card: Mapping[str, Any], /) -> None:
    """Keep no card."""


@dataclass(frozen=True)
class Context:
    """Everything a study may use; it opens no other file.

    Attributes
    ----------
    store, tables : the source's store and the folder of tables built from it.
    evening : the evening on which policies are compared; None when no study asked for it.
    twin : whether the source is the world of ``config.fidelity`` on the run's own seed.
    code_version : goes into the result so that equal results mean equal code.
    progress, keep, spent, describe : told how far the study is; keeps the rows behind its numbers;
    told what its pieces cost; keeps the cards of its models.
    made_by : builds the world that wrote the source; None where nobody knows the truth.
    cells : folder of finished cells of rollouts, which outlives a killed run; None: none is kept.
    """

    config: RunConfig
    store: Store
    tables: Path
    code_version: str
    evening: Evening | None = None
    twin: bool = False
    progress: Progress = silent
    keep: Keep = forget
    spent: Spent = uncounted
    describe: Describe = undescribed
    made_by: Callable[[], World] | None = None
    cells: Path | None = None

    def inputs(self) -> dict[str, Any]:
        """Return the data fingerprint that every result carries."""
        source = self.store.source
        return {"fingerprint": source.fingerprint, "kind": source.kind, "label": source.label}

    def truth(self, matrix: Matrix) -> Truth | None:
        """Return the expected amounts of the rows, where a built-in world wrote the logs."""
        return truth_of(self.made_by(), self.store, matrix) if self.made_by else None

    def tonight(self) -> Evening:
        """Return the evening, which the pipeline prepares for every study that needs it."""
        assert self.evening is not None, "the study did not declare that it needs the evening"
        return self.evening


class Study(Protocol):
    """One question; a frozen object without state of its own."""

    @property
    def name(self) -> str:
        """Name of its module and of its results file."""

    @property
    def id(self) -> str:
        """Number in the question tree."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Tables the source must have."""

    @property
    def uses_evening(self) -> bool:
        """Whether the arena must be prepared."""

    def run(self, context: Context) -> StudyResult:
        """Answer the question."""


def skipped(study: Study, context: Context, missing: tuple[str, ...]) -> StudyResult:
    """Return the result of a study that the source cannot support, with the reason."""
    params = {"missing": ", ".join(missing), "kind": context.store.source.kind}
    return StudyResult(
        study=study.name,
        id=study.id,
        question=Message(f"study.{study.name}.question", {}),
        seed=context.config.seed,
        config={},
        inputs=context.inputs(),
        code_version=context.code_version,
        skipped=Message("study.skipped.missing_tables", params),
    )


@dataclass(frozen=True)
class Kind:
    """What the coverage table must say about an interval before it is printed.

    Attributes
    ----------
    statistic, tail : as in the table. rows_per_cluster : mean rows of an independent unit.
    """

    statistic: str
    tail: str
    rows_per_cluster: float = 1.0


EVENINGS = Kind("mean", "light")
"""The mean over evenings of a sum over many decisions."""
EVENING_RATIO = Kind("ratio", "light")
"""A ratio of two such sums."""
SHARE_OF_LOGS = Kind("proportion", "common")
"""A share between 5 and 95 % of independent replications."""


def estimate(
    name: str, interval: Interval, kind: Kind, *, unit: str, denominator: str, population: str
) -> Estimate:
    """Return ``interval`` as a printed number with what it is a number of.

    The print rule decides whether its bounds are printed.

    Raises
    ------
    IntegrityError
        The coverage table has no row for this interval of this statistic.
    """
    shown = printed(interval, kind.statistic, kind.tail, kind.rows_per_cluster)
    return Estimate(
        name=name,
        value=shown.value,
        low=shown.low,
        high=shown.high,
        method=shown.method,
        n=shown.n,
        n_unit=shown.n_unit,
        unit=unit,
        denominator=denominator,
        population=population,
        status=shown.status,
        reason=shown.reason,
    )


def say(study: str, role: str, *names: str, **params: Any) -> tuple[Message, ...]:
    """Return the messages ``study.<study>.<role>[.<name>]`` with the same parameters.

    Examples
    --------
    >>> [m.key for m in say("baseline", "limits", "one", "two")]
    ['study.baseline.limits.one', 'study.baseline.limits.two']
    """
    keys = [f"study.{study}.{role}.{name}" for name in names] or [f"study.{study}.{role}"]
    return tuple(Message(key, params) for key in keys)


def worlds_of(seeds: int, scale: float) -> Message:
    """Return how many worlds a study made and how large they are, as an input's value.

    Parameters
    ----------
    scale : users of a world over the published number of users.
    """
    return Message("study.worlds.size", {"seeds": seeds, "scale": scale})
