"""Judge another policy from a decision log: python examples/ope_on_a_log.py

The log is made here: rooms are drawn by a softmax of their values, gifts follow the true chance,
and every propensity is kept. Then three estimators say what greedy would have earned, which for
once is known. Your own log needs the same arrays, or the file of docs/decision-log.md and
`giftlive ope`.
"""

from __future__ import annotations

import numpy as np

from giftlive import ope

USERS, DECISIONS, ROOMS = 2_000, 20_000, 5


def main() -> dict[str, tuple[float | None, float | None, float | None]]:
    """Return truth, and value and bounds of each estimator, in gifts per decision."""
    rng = np.random.default_rng(3)
    user = rng.integers(0, USERS, DECISIONS)
    chance = rng.beta(1.0, 30.0, (DECISIONS, ROOMS))  # true P(gift | shown)
    value = chance * rng.lognormal(0.0, 0.5, chance.shape)  # what the platform believes
    logging = np.exp(value / value.std())
    logging /= logging.sum(axis=1, keepdims=True)
    action = (logging.cumsum(axis=1) > rng.random((DECISIONS, 1))).argmax(axis=1)
    rows = np.arange(DECISIONS)
    reward = (rng.random(DECISIONS) < chance[rows, action]).astype(float)
    target = np.eye(ROOMS)[value.argmax(axis=1)]  # greedy
    found = ope.estimate(
        *(reward, logging[rows, action], target, action),
        q_hat=value,
        cluster=user,
        estimators=(ope.IPS, ope.SNIPS, ope.DR),
        method="skew_t",
        printing=ope.Printing(tail="count"),
    )
    said = {}
    for e in found:
        said[e.estimator] = (e.interval.value, e.interval.low, e.interval.high)
        print(e.estimator, *said[e.estimator], e.interval.reason or "")
    truth = float((target * chance).sum(axis=1).mean())
    print(f"truth  {truth:.4f}")
    return said | {"truth": (truth, truth, truth)}


if __name__ == "__main__":
    main()
