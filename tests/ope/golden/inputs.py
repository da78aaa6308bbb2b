"""The inputs of the golden estimates, made from stated seeds, for both environments.

NumPy alone, and of it only uniform doubles and arithmetic, which are the same in every version:
the script that asks Open Bandit Pipeline and the tests that ask us read the same arrays.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, Any]

CAMPAIGNS = ("all", "men", "women")
PLACES, SLATE_ITEMS = 3, 5

CLIPS = [1.0, 2.0, 5.0, 20.0, 100.0]
SHRINKS = [1.0, 10.0, 100.0, 10_000.0]
SWITCHES = [0.5, 1.0, 2.0, 5.0, 50.0]
MIXES = [0.0, 0.05, 0.2, 0.6]


def uniform(seed: int, *shape: int) -> Any:
    """Return uniform doubles in [0, 1)."""
    return np.random.Generator(np.random.PCG64(seed)).random(shape)


def policy(seed: int, n: int, m: int, power: int) -> Any:
    """Return probabilities [n, m], the more uneven the higher ``power``."""
    raw = uniform(seed, n, m) ** power + 0.01
    return raw / raw.sum(axis=1, keepdims=True)


def draw(probabilities: Any, seed: int) -> Any:
    """Return one column per row, drawn with the row's probabilities."""
    below = probabilities.cumsum(axis=1) <= uniform(seed, len(probabilities), 1)
    return below.sum(axis=1).clip(0, probabilities.shape[1] - 1)


def at(table: Any, action: Any) -> Any:
    """Return the entry of every row's action."""
    return table[np.arange(len(table)), action]


def bandit(n: int = 3_000, m: int = 7) -> Arrays:
    """Return a log with gift-like rewards, a target, a certain target and a wrong model."""
    logging = policy(1, n, m, 2)
    action = draw(logging, 2)
    given = uniform(3, n) < 0.1 + 0.1 * action
    return {
        "action": action,
        "reward": given * np.floor(1.0 / (uniform(4, n) + 0.02)),
        "logging": logging,
        "propensity": at(logging, action),
        "target": policy(5, n, m, 4),
        "certain": np.eye(m)[draw(policy(6, n, m, 1), 7)],
        "q": 4.0 * uniform(8, n, m),
        "balanced": 3.0 * uniform(9, n) ** 2,
    }


def loggers(n: int = 3_000, m: int = 7) -> Arrays:
    """Return a log made by two logging policies, 0 in the first third of the rows."""
    log = bandit(n, m)
    policies = np.stack([log["logging"], policy(11, n, m, 1)])
    logger = (np.arange(n) >= n // 3).astype(np.int64)
    action = draw(policies[logger, np.arange(n)], 12)
    by_logger = np.stack([at(p, action) for p in policies], axis=1)
    return {
        **log,
        "action": action,
        "logger": logger,
        "by_logger": by_logger,
        "propensity": by_logger[np.arange(n), logger],
        "mean_propensity": by_logger @ (np.bincount(logger) / n),
    }


def embeddings(n: int = 3_000, m: int = 7) -> Arrays:
    """Return a log whose actions have two random embedding dimensions, of 3 and 4 categories."""
    log = bandit(n, m)
    chances = [policy(20 + d, m, size, 2) for d, size in enumerate((3, 4))]
    seen = [draw(table[log["action"]], 30 + d) for d, table in enumerate(chances)]
    return {**log, "chances": chances, "embedding": np.stack(seen, axis=1)}


def slates(n: int = 800) -> Arrays:
    """Return slates of three places, items drawn independently at each, one row per place."""
    shape = (n, PLACES, SLATE_ITEMS)
    logging = policy(40, n * PLACES, SLATE_ITEMS, 1)
    target = policy(41, n * PLACES, SLATE_ITEMS, 3)
    action = draw(logging, 42)
    item = {"logging": at(logging, action), "target": at(target, action)}
    prefix = {k: v.reshape(n, PLACES).cumprod(axis=1) for k, v in item.items()}
    q = 3.0 * uniform(43, *shape).reshape(-1, SLATE_ITEMS)
    return {
        "slate": np.repeat(np.arange(n), PLACES),
        "position": np.tile(np.arange(PLACES), n),
        "action": action,
        "reward": np.floor(uniform(44, n * PLACES) * 4.0) * (uniform(45, n * PLACES) < 0.4),
        "target": target,
        "q": q,
        **{f"item_{k}": v for k, v in item.items()},
        **{f"prefix_{k}": v.ravel() for k, v in prefix.items()},
        **{f"slate_{k}": np.repeat(v[:, -1], PLACES) for k, v in prefix.items()},
    }


def open_bandit(folder: Path, behaviour: str, campaign: str) -> Arrays:
    """Return a log of the Open Bandit data, read without any library but csv."""
    path = folder / behaviour / campaign / f"{campaign}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            (int(r["item_id"]), int(r["position"]), float(r["click"]), float(r["propensity_score"]))
            for r in csv.DictReader(file)
        ]
    action, position, reward, propensity = (np.array(column) for column in zip(*rows, strict=True))
    return {
        "action": action,
        "position": position - 1,
        "reward": reward,
        "propensity": propensity,
        "q": 0.01 * uniform(50, int(action.max()) + 1, PLACES),
    }
