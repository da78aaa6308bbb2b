"""The grid of study 3.1: sizes of the log by shares of random traffic."""

from __future__ import annotations

from typing import Any

import numpy as np

from giftlive.config_studies import OffPolicyConfig
from giftlive.evaluation.bandit import Trial, run_trials
from giftlive.evaluation.bandit_order import apart, hardest, pairs_of
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.results import Table
from giftlive.evaluation.screening import bandit_contexts, rewards_of
from giftlive.types import Message

ESTIMATORS = ("snips", "dr")


def grid_table(evening: Evening, config: OffPolicyConfig, seed: int) -> Table:
    """Return one row per random share, size of the log, reward and estimator.

    Numbers are shares of ``config.grid_replications`` logs, without intervals: they show where
    to look, the gate decides at one cell on ten times as many.
    """
    rewards = rewards_of(evening)
    rows: list[tuple[Any, ...]] = []
    for bucket in config.grid_buckets:
        contexts, draw = bandit_contexts(evening, rewards, bucket)
        for decisions in config.grid_decisions:
            logs = config.grid_replications
            trials = run_trials(contexts, draw, rewards, logs, decisions, seed)
            rows += [
                (bucket, decisions, reward.name, e, *_cell(trials, e, reward.name))
                for reward in rewards
                for e in ESTIMATORS
            ]
    return Table(
        name="grid",
        columns=("random share", "decisions", "reward", "estimator", "coverage of greedy",
                 "least coverage", "rel. RMSE of greedy", "order", "hardest pair", "may speak"),
        units=("of the traffic", "of a log", "", "", "share of logs", "share of logs", "",
               "share of pairs and logs", "share of logs", "share of pairs and logs"),
        rows=tuple(rows),
        caption=Message("study.off_policy.table.grid", {"logs": config.grid_replications}),
    )  # fmt: skip


def _cell(trials: tuple[Trial, ...], estimator: str, reward: str) -> tuple[float | None, ...]:
    mine = [t for t in trials if (t.estimator, t.reward) == (estimator, reward)]
    greedy = next(t for t in mine if t.target == "greedy")
    far = apart(pairs_of(trials, estimator, reward))
    worst = hardest(far)
    return (
        greedy.coverage.value,
        min(t.coverage.value or 0.0 for t in mine),
        round(greedy.relative_rmse, 3),
        round(float(np.mean([pair.right.mean() for pair in far])), 3) if far else None,
        None if worst is None else round(float(worst.right.mean()), 3),
        round(float(np.mean([pair.answered.mean() for pair in far])), 3) if far else None,
    )
