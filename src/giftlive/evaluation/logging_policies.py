"""What every logging policy would have done in the decisions of the others.

Balanced estimators weigh a row by π / Σ_k (n_k / n) p_k, the mixture of the L policies that wrote
the logs. A log holds the probabilities of its own policy; those of the others are asked of policies
by name, or read from files like that of a target. What is said of a policy is held against its own
log, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from giftlive.errors import InputError, UsageError
from giftlive.evaluation.decision_logs import DecisionLogs
from giftlive.evaluation.target_file import opened_policy
from giftlive.evaluation.target_policies import TargetPolicy
from giftlive.logs.decisions import DecisionLog
from giftlive.logs.decisions.record import EXACT
from giftlive.types import Floats

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class LoggingPolicies:
    """The policies behind the logs, each able to speak about every row.

    Attributes
    ----------
    policies : in the order in which they first occur in the logs. shares : of the rows, sum 1.
    """

    policies: tuple[TargetPolicy, ...]
    shares: tuple[float, ...]

    def mean_propensity(self, log: DecisionLog, first: int, own: int, path: str) -> Floats:
        """Compute the mixture's probability [n] of every logged action.

        Parameters
        ----------
        log : a stretch of the logs from row ``first`` on, counted over all files.
        own : number of the policy that wrote it. path : its file, for messages.

        Raises
        ------
        InputError
            A policy contradicts the log that it wrote.
        """
        each = [_of_action(policy.probabilities(log, first), log) for policy in self.policies]
        logged = np.where(log.shown, log.propensity, 1.0)
        exact = np.equal(log.propensity_kind, EXACT).astype(bool)
        bad = np.flatnonzero(exact & (np.abs(each[own] - logged) > _TOLERANCE))
        if len(bad):
            row = bad[0]
            raise InputError(
                f"{self.policies[own].name} gives {each[own][row]:.6g} to what decision"
                f" {log.decision_id[row]} shows, its log {logged[row]:.6g}"
                f" ({len(bad):,} of {len(log):,} rows are like it)",
                f"logging policy {own + 1}, {path}",
                "the propensities that the policy logged",
                "give the options it ran with, or its probabilities as a file",
            )
        each[own] = logged
        mixed: Floats = np.einsum("k,kn->n", np.array(self.shares), np.array(each))
        return mixed


@contextmanager
def opened_loggers(
    given: Sequence[tuple[str, Mapping[str, str]]], logs: DecisionLogs
) -> Iterator[LoggingPolicies]:
    """Open the logging policies for as long as they are needed.

    Parameters
    ----------
    given : name and options of every policy of the logs, in their order; instead of a name a
        Parquet file (``target_file``) with every decision of every log.

    Raises
    ------
    UsageError
        Not one per logging policy of the logs.
    """
    if len(given) != len(logs.loggers):
        raise UsageError(
            f"{len(given)} policies for logs by {len(logs.loggers)}",
            "--logger",
            f"one each, in this order: {logs.name}",
        )
    rows = np.zeros(len(given))
    for number, file in enumerate(logs.files):
        rows[logs.logger(number)] += file.rows
    with ExitStack() as stack:
        policies = tuple(stack.enter_context(opened_policy(*one, logs)) for one in given)
        yield LoggingPolicies(policies, tuple((rows / max(logs.rows, 1)).tolist()))


def _of_action(table: Floats, log: DecisionLog) -> Floats:
    """Return [n] what a policy gives to what was shown; of nothing, whether it shows nothing."""
    nothing = (table.sum(axis=1) == 0.0).astype(np.float64)
    return np.where(log.shown, log.of_action(table), nothing)
