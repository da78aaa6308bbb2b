"""A target policy judged from decision logs on disk, in bounded memory, by several workers.

A worker, of joblib or of Spark, reads consecutive row groups of a log and returns its exact sums
per user; these merge in the order of the log. So memory holds one stretch of the log per worker
and the users' sums, and neither the cut nor the number of workers changes a bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np

from giftlive.errors import GiftLiveError, InputError, NotEnoughDataError, UsageError
from giftlive.evaluation.decision_logs import DecisionLogs, together
from giftlive.evaluation.interactions import interactions
from giftlive.evaluation.logging_policies import LoggingPolicies
from giftlive.evaluation.partitions import in_order
from giftlive.evaluation.target_policies import TargetPolicy
from giftlive.logs.decisions import DecisionFile, DecisionLog
from giftlive.logs.decisions.parquet import BATCH_ROWS
from giftlive.ope import AuditFinding, Diagnostics, Estimate, Estimator, Interactions, Printing
from giftlive.ope.audit_sums import AuditSums, audit_sums, no_audit
from giftlive.ope.estimation import Method
from giftlive.ope.judged_panel import JudgedPanel, JudgedState
from giftlive.ope.modelled_tail import ModelledTail, TailSums, modelled_tail, no_tail, tail_sums
from giftlive.types import Floats, Progress

RewardName = Literal["count", "amount", "capped"]
_TAILS = {"count": "count", "amount": "full", "capped": "capped"}
_TASK_ROWS = 65_536


@dataclass(frozen=True)
class Reward:
    """What a decision is said to have earned.

    Attributes
    ----------
    name : count, whether anything was given; amount, its value; capped, the value up to ``cap``.
    cap : > 0, in the unit of the log, fixed beforehand; for capped only.
    """

    name: RewardName = "count"
    cap: float | None = None

    def __post_init__(self) -> None:
        if self.name not in _TAILS:
            raise UsageError(f"{self.name!r}", "--reward", f"one of {', '.join(_TAILS)}")
        if (self.name == "capped") != (self.cap is not None):
            found = "no cap" if self.cap is None else f"a cap of {self.cap:g}"
            raise UsageError(
                f"{found} for reward {self.name}", "--cap", "a cap with capped, and with it alone",
                "fix it from history, for instance the 95th percentile of last month's gifts",
            )  # fmt: skip
        if self.cap is not None and not 0.0 < self.cap < np.inf:
            raise UsageError(f"{self.cap:g}", "--cap", "a finite amount above 0")

    @property
    def printing(self) -> Printing:
        """Return the print rule for a reward with this tail."""
        return Printing(tail=_TAILS[self.name])

    @property
    def limit(self) -> float:
        """Return the amount above which nothing counts, infinite without a cap."""
        return np.inf if self.cap is None else self.cap

    def of(self, amount: Floats) -> Floats:
        """Return [n] the reward of amounts [n]."""
        if self.name == "count":
            return (amount > 0.0).astype(np.float64)
        return amount if self.cap is None else np.minimum(amount, self.cap)


@dataclass(frozen=True)
class LogEvaluation:
    """What decision logs say about a target policy.

    Attributes
    ----------
    logging : name and version of the policies that wrote them. target : name of the other one.
    reward : the unit of the estimates is this per decision. decisions, users : behind them.
    estimates : in the order asked for. diagnostics : of the importance weights.
    audit : of the log's propensities. largest_weights : the largest importance weights, ascending.
    tail : of a capped reward, what the cap leaves out.
    """

    logging: str
    target: str
    reward: Reward
    decisions: int
    users: int
    estimates: tuple[Estimate, ...]
    diagnostics: Diagnostics
    audit: tuple[AuditFinding, ...]
    largest_weights: Floats = field(repr=False, compare=False)
    tail: ModelledTail | None = None


@dataclass(frozen=True)
class LogEvaluator:
    """How a log is to be read and judged.

    Attributes
    ----------
    target : the policy to judge. estimators : of one log. reward : what is estimated.
    method : of the intervals. jobs : worker processes. batch_rows : rows in memory at a time.
    master : of a Spark cluster that works in their stead; it must see the files by their paths.
    task_rows : rows after which a task hands over its sums; rounded up to row groups.
    loggers : the logging policies, able to speak about each other's rows, for balanced estimators.
    """

    target: TargetPolicy
    estimators: tuple[Estimator, ...]
    reward: Reward = Reward()
    method: Method = "ratio_delta"
    jobs: int = 1
    batch_rows: int = BATCH_ROWS
    task_rows: int = _TASK_ROWS
    master: str | None = None
    loggers: LoggingPolicies | None = None

    def evaluate(
        self, log: DecisionFile | DecisionLogs, listener: Progress | None = None
    ) -> LogEvaluation:
        """Judge the target from a log, or from several together.

        Parameters
        ----------
        listener : told (rows done, all rows) as tasks end.

        Raises
        ------
        NotEnoughDataError
            The log is empty, or a reward has not matured.
        InputError
            The log holds slates, or a value is not valid; the first one is named.
        """
        logs = together(log)
        if not logs.rows:
            where = str(logs.files[0].path)
            raise NotEnoughDataError("no decisions", where, "at least one decision")
        for file in logs.files:
            _require_single(file)
        panel = JudgedPanel(self.estimators)
        state, audit, tail = self._read(logs, panel, listener)
        return LogEvaluation(
            logging=logs.name,
            target=self.target.name,
            reward=self.reward,
            decisions=state.rows,
            users=state.users,
            estimates=panel.estimates(state, self.method, printing=self.reward.printing),
            diagnostics=panel.diagnostics(state),
            audit=(panel.diagnostics(state).mean_test, *audit.findings()),
            largest_weights=state.weights[0].largest,
            tail=None if self.reward.cap is None else modelled_tail(tail),
        )

    def _read(
        self, logs: DecisionLogs, panel: JudgedPanel, listener: Progress | None
    ) -> tuple[JudgedState, AuditSums, TailSums]:
        tasks = [
            _Task(logs, k, groups)
            for k, file in enumerate(logs.files)
            for groups in task_groups(file.group_rows, self.task_rows)
        ]
        for file in logs.files:
            file.width  # noqa: B018 - looked up once, here, and taken along by the workers
        state, audit, done = panel.init(), no_audit(), 0
        tail = no_tail(self.reward.limit)
        with in_order(partial(_part, self), tasks, self.jobs, self.master) as found:
            for task, part in zip(tasks, found, strict=True):
                if isinstance(part, GiftLiveError):  # the first in the log, whoever failed first
                    raise part
                state, audit = panel.merge(state, part.state), audit.merge(part.audit)
                tail = tail.merge(part.tail)
                done += task.rows
                if listener is not None:
                    listener(done, logs.rows)
        return state, audit, tail


@dataclass(frozen=True)
class _Task:
    """Consecutive row groups of one of the logs."""

    logs: DecisionLogs
    number: int
    groups: range

    @property
    def file(self) -> DecisionFile:
        return self.logs.files[self.number]

    @property
    def first(self) -> int:
        """Return the row of the file at which the task begins."""
        return sum(self.file.group_rows[: self.groups.start])

    @property
    def rows(self) -> int:
        return sum(self.file.group_rows[k] for k in self.groups)


def task_groups(group_rows: Sequence[int], task_rows: int) -> tuple[range, ...]:
    """Cut row groups into consecutive ranges of at least ``task_rows`` rows (the last: the rest).

    Examples
    --------
    >>> task_groups((10, 10, 10), 15)
    (range(0, 2), range(2, 3))
    """
    found, start, held = [], 0, 0
    for k, rows in enumerate(group_rows):
        held += rows
        if held >= task_rows:
            found.append(range(start, k + 1))
            start, held = k + 1, 0
    if start < len(group_rows):
        found.append(range(start, len(group_rows)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Part:
    state: JudgedState
    audit: AuditSums
    tail: TailSums


def _part(how: LogEvaluator, task: _Task) -> _Part | GiftLiveError:
    """Return the sums of some row groups, or what is wrong with them."""
    panel = JudgedPanel(how.estimators)
    state, audit, first = panel.init(), no_audit(), task.first
    tail = no_tail(how.reward.limit)
    try:
        for log in task.file.batches(how.batch_rows, task.groups):
            chunk = _chunk(how, log, first, task)
            state = panel.update(state, chunk)
            audit = audit.merge(audit_sums(chunk))
            tail = tail.merge(tail_sums(chunk.weight, log.reward, how.reward.limit))
            first += len(log)
    except GiftLiveError as error:
        return error
    return _Part(state, audit, tail)


def _chunk(how: LogEvaluator, log: DecisionLog, first: int, task: _Task) -> Interactions:
    """Return a stretch of a log with the reward asked for; logged values serve as ``q``."""
    require_matured(log, first, str(task.file.path))
    earned = replace(log, reward=how.reward.of(log.reward))
    q = log.values if how.reward.name == "amount" else None
    start, own = task.logs.offsets[task.number] + first, task.logs.logger(task.number)
    chunk = interactions(earned, how.target.probabilities(log, start), q)
    chunk = replace(chunk, logger=np.full(len(log), own))
    if how.loggers is None:
        return chunk
    mixed = how.loggers.mean_propensity(log, start, own, str(task.file.path))
    return replace(chunk, mean_propensity=mixed)


def require_matured(log: DecisionLog, first: int, path: str) -> None:
    """Refuse rewards that may still grow, naming the row of the file."""
    waiting = np.flatnonzero(~log.matured)
    if len(waiting):
        raise NotEnoughDataError(
            "a reward that is not final",
            f"{path}, row {first + waiting[0]}, column matured",
            "matured rewards",
            f"evaluate the decisions before ts {log.ts[waiting[0]]}, or wait; leaving out single"
            " rows would prefer short viewings",
        )


def _require_single(file: DecisionFile) -> None:
    if file.has_slates:
        raise InputError(
            "slates", f"{file.path}, column slate_id", "single choices",
            "slates need estimators of their own, which weigh whole slates or places:"
            " giftlive.ope.estimate_slates",
        )  # fmt: skip
