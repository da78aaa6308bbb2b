"""What makes a decision log valid, rule by rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from giftlive.errors import MissingCapabilityError
from giftlive.logs.decisions.record import EXACT, MONTE_CARLO, DecisionLog, Texts, known
from giftlive.logs.decisions.rule import ROUNDING, WHAT_TO_LOG, Rule, broken
from giftlive.logs.decisions.slates import SLATES
from giftlive.logs.schema import MAX_TS
from giftlive.types import Bools, Floats, Ints

SUM_TOLERANCE = 1e-6

Policy = tuple[str, str]
"""Name and version."""


def validate(
    log: DecisionLog,
    *,
    file: str = "",
    first_row: int = 0,
    after: int = 0,
    policy: Policy | None = None,
) -> None:
    """Return if every row is valid; raise at the first rule that is broken.

    Slates must be whole: all rows of one slate are in ``log``, next to each other.

    Parameters
    ----------
    file : named in messages. first_row : row of the file at which ``log`` starts, from 0.
    after : ms UTC of the row before ``log``. policy : that of the file; None: of the first row.

    Raises
    ------
    InputError
        A value is not what it should be; file, row, column, value, expectation and remedy are
        in the message.
    MissingCapabilityError
        A decision has no propensity.
    """
    order = Rule("ts", "decisions in order of time", _in_order(after), "sort the log by `ts`")
    for rule in (order, *RULES, *_one_policy(policy)):
        bad = np.flatnonzero(~rule.holds(log))
        if len(bad):
            raise broken(rule, log, bad, file, first_row)


def _in_order(after: int) -> Callable[[DecisionLog], Bools]:
    def holds(log: DecisionLog) -> Bools:
        return log.ts >= np.concatenate([[after], log.ts[:-1]])[: len(log)]

    return holds


def policy_of(log: DecisionLog) -> Policy | None:
    """Return the name and version of the policy that decided the first row; None without rows."""
    return (log.policy[0], log.policy_version[0]) if len(log) else None


def _one_policy(policy: Policy | None) -> tuple[Rule, ...]:
    def of_the_file(column: str, place: int) -> Callable[[DecisionLog], Bools]:
        def holds(log: DecisionLog) -> Bools:
            mine = policy_of(log) if policy is None else policy
            alike: Bools = np.equal(getattr(log, column), mine[place] if mine else "").astype(bool)
            return alike

        return holds

    hint = "write one file per policy and version"
    return tuple(
        Rule(column, f"one {column} per file", of_the_file(column, place), hint)
        for place, column in enumerate(("policy", "policy_version"))
    )


def _named(column: str) -> Callable[[DecisionLog], Bools]:
    def holds(log: DecisionLog) -> Bools:
        texts: Texts = getattr(log, column)
        return known(texts) & np.not_equal(texts, "").astype(bool)

    return holds


def _between(low: float, high: float, values: Floats | Ints) -> Bools:
    return (values >= low) & (values <= high)


def _unique(log: DecisionLog) -> Bools:
    first = np.ones(len(log), dtype=bool)
    if len(set(log.decision_id.tolist())) < len(log):
        _, index = np.unique(log.decision_id.astype(str), return_index=True)
        first[:] = False
        first[index] = True
    return first


def _packed(log: DecisionLog) -> Bools:
    there = log.available
    return np.all(log.candidates >= -1, axis=1) & np.all(there[:, 1:] <= there[:, :-1], axis=1)


def _distinct(log: DecisionLog) -> Bools:
    ordered = np.sort(log.candidates, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != -1)
    return ~twice.any(axis=1)


def _of_the_action(log: DecisionLog) -> Bools:
    stated = np.where(known(log.slate_id), log.conditional_propensity, log.propensity)
    return ~log.shown | (np.abs(stated - log.chance) <= ROUNDING)


def _probabilities(log: DecisionLog) -> Bools:
    inside = _between(0.0, 1.0, log.propensities) & (log.available | (log.propensities == 0.0))
    return np.all(inside, axis=1)


def _finite(column: str) -> Callable[[DecisionLog], Bools]:
    def holds(log: DecisionLog) -> Bools:
        table: Floats = getattr(log, column)
        return np.all(np.isfinite(table) & (log.available | (table == 0.0)), axis=1)

    return holds


def _estimated(log: DecisionLog) -> Bools:
    return np.equal(log.propensity_kind, MONTE_CARLO).astype(bool)


def _sums(log: DecisionLog) -> Floats:
    total: Floats = log.propensities.sum(axis=1)
    return total


ROWS: tuple[Rule, ...] = (
    Rule("decision_id", "an id", _named("decision_id")),
    Rule(
        "decision_id",
        "an id of its own for every row",
        _unique,
        "log every decision once, one policy per file",
    ),
    Rule("user_id", "0 or more", lambda log: log.user_id >= 0),
    Rule("ts", f"ms UTC, 0 to {MAX_TS}", lambda log: _between(0, MAX_TS, log.ts)),
    Rule("slot", "0 or more", lambda log: log.slot >= 0),
    Rule("seed", "0 or more, or nothing outside worlds", lambda log: log.seed >= -1),
    Rule(
        "visit",
        "0 or more where `seed` is given, else nothing",
        lambda log: np.where(log.seed >= 0, log.visit >= 0, log.visit == -1),
        "a world's decision is named by seed, user, visit and slot together",
    ),
    Rule("candidates", "room ids >= 0, the padding (-1) after them", _packed),
    Rule("candidates", "every room once", _distinct, "a room listed twice has no propensity"),
    Rule(
        "action",
        "one of the row's candidates, or -1 where nothing was shown",
        lambda log: (log.column >= 0) | ~log.shown,
        "log the candidates as the policy saw them, before anything is dropped",
    ),
    Rule("propensities", "probabilities in [0, 1], 0 at padding", _probabilities),
    Rule(
        "propensities",
        "a sum of 1 where a room was shown, of 0 where nothing was",
        lambda log: np.abs(_sums(log) - log.shown) <= SUM_TOLERANCE,
        "log the probability of every candidate, shown or not",
        _sums,
    ),
    Rule(
        "propensity",
        "the probability with which the logging policy chose the action",
        lambda log: ~(log.shown & np.isnan(log.propensity)),
        WHAT_TO_LOG,
        error=MissingCapabilityError,
    ),
    Rule(
        "propensity",
        "nothing where nothing was shown",
        lambda log: log.shown | np.isnan(log.propensity),
    ),
    Rule(
        "propensity",
        "a probability in (0, 1]",
        lambda log: ~log.shown | ((log.propensity > 0.0) & (log.propensity <= 1.0)),
        "what was shown cannot have had probability 0",
    ),
    Rule(
        "propensity_kind",
        f"{EXACT} or {MONTE_CARLO}",
        lambda log: _estimated(log) | np.equal(log.propensity_kind, EXACT).astype(bool),
    ),
    Rule(
        "draws",
        f"the number of draws behind a {MONTE_CARLO} propensity, nothing for an {EXACT} one",
        lambda log: np.where(_estimated(log), log.draws >= 1, log.draws == -1),
    ),
    Rule(
        "propensities",
        f"{MONTE_CARLO} estimates above 0 for every candidate",
        lambda log: (
            ~(_estimated(log) & log.shown)
            | np.all((log.propensities > 0.0) | ~log.available, axis=1)
        ),
        "not seen is not impossible: log (count + 1) / (draws + candidates), draw more often, or"
        " list only candidates that the policy can show",
    ),
    Rule(
        "propensity",
        "the entry of the action in `propensities` (a slate: its `conditional_propensity`)",
        _of_the_action,
        "log one number twice, or the list is of another decision",
    ),
    Rule("values", "a finite number for every candidate, 0 at padding", _finite("values")),
    Rule("prices", "a finite number for every candidate, 0 at padding", _finite("prices")),
    Rule("policy", "a name", _named("policy")),
    Rule("policy_version", "an id", _named("policy_version")),
    Rule(
        "reward",
        "a finite number where `matured`, else nothing",
        lambda log: np.where(log.matured, np.isfinite(log.reward), np.isnan(log.reward)),
        "a reward that may still change is not a reward: leave it out until it is final",
    ),
    Rule(
        "reward",
        "0 where nothing was shown",
        lambda log: log.shown | ~log.matured | (log.reward == 0.0),
    ),
    Rule(
        "reward_ts",
        "not before `ts` where `matured`, else nothing",
        lambda log: np.where(log.matured, log.reward_ts >= log.ts, log.reward_ts == -1),
    ),
)
"""What holds in every row by itself (ids: within the stretch)."""


RULES: tuple[Rule, ...] = (*ROWS, *SLATES)
"""What :func:`validate` requires, in this order, between the order of time and one policy."""
