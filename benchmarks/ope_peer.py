"""The peer's side of ``benchmarks.ope``; runs where sb-obp 0.5.10 and NumPy < 2 are."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest.mock import MagicMock

import numpy as np

torch = MagicMock()  # asked for on import, used by none of the estimators
torch.utils.data.Dataset = torch.nn.Module = object
sys.modules.update(
    {"torch": torch, "torch.nn": torch.nn, "torch.optim": torch.optim}
    | {"torch.nn.functional": torch.nn.functional}
)

from obp import ope  # type: ignore[import-not-found]  # noqa: E402

ESTIMATORS = {
    "ips": ope.InverseProbabilityWeighting(),
    "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
    "clipped_ips(2)": ope.InverseProbabilityWeighting(lambda_=2.0),
    "sub_gaussian_ips(0.2)": ope.SubGaussianInverseProbabilityWeighting(lambda_=0.2),
    "dm": ope.DirectMethod(),
    "dr": ope.DoublyRobust(),
    "sndr": ope.SelfNormalizedDoublyRobust(),
    "clipped_dr(2)": ope.DoublyRobust(lambda_=2.0),
    "switch_dr(2)": ope.SwitchDoublyRobust(lambda_=2.0),
    "dros(10)": ope.DoublyRobustWithShrinkage(lambda_=10.0),
    "sub_gaussian_dr(0.2)": ope.SubGaussianDoublyRobust(lambda_=0.2),
}


def load(folder: Path) -> dict[str, Any]:
    """Return the log as the peer wants it."""
    names = ("reward", "propensity", "target", "action", "q")
    log = {name: np.load(folder / f"{name}.npy") for name in names}
    return {
        "reward": log["reward"],
        "action": log["action"],
        "pscore": log["propensity"],
        "action_dist": log["target"][:, :, None],
        "estimated_rewards_by_reg_model": log["q"][:, :, None],
    }


def main() -> None:
    """Print what was found and spent, as JSON; ``few`` resamples are timed, as if ``all``."""
    folder, few, replicates = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    started = perf_counter(), process_time()
    log = load(folder)
    values = {k: float(e.estimate_policy_value(**log)) for k, e in ESTIMATORS.items()}
    once = perf_counter(), process_time()
    for estimator in ESTIMATORS.values():  # each estimates again, and then resamples
        estimator.estimate_interval(**log, n_bootstrap_samples=few, random_state=1)
    ended = perf_counter(), process_time()
    spent = [
        (one - first) + max(last - one - (one - first), 0.0) * replicates / few
        for first, one, last in zip(started, once, ended, strict=True)
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    found = {"wall": spent[0], "processor": spent[1], "peak_gb": peak, "values": values}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
