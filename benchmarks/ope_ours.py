"""Our side of ``benchmarks.ope``: a process of its own, from files to intervals."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from giftlive import ope

BOTH_HAVE = (
    *(ope.IPS, ope.SNIPS, ope.clipped_ips(2.0), ope.sub_gaussian_ips(0.2)),
    *(ope.DM, ope.DR, ope.SNDR, ope.clipped_dr(2.0), ope.switch_dr(2.0)),
    *(ope.dros(10.0), ope.sub_gaussian_dr(0.2)),
)
THE_REST = (
    *(ope.REPLAY, ope.MIPS, ope.SNMIPS, ope.OFFCEM, ope.BIPW, ope.ASSISTED_SNIPS),
    *(ope.BALANCED_IPS, ope.BALANCED_DR, ope.weighted_ips(2), ope.log_sum_exp(0.01)),
)


def estimates(
    folder: Path, rows: int | None, replicates: int, rest: bool
) -> tuple[ope.Estimate, ...]:
    """Return the estimates of the first ``rows`` rows (None: all); ``rest``: of all we have."""
    names = ("reward", "propensity", "target", "action", "q", "user")
    log = [np.load(folder / f"{name}.npy", mmap_mode="r" if rows else None) for name in names]
    reward, propensity, target, action, q, user = (column[:rows] for column in log)
    extra: dict[str, Any] = {}
    if rest:
        extra = dict.fromkeys(("mean_propensity", "modelled_amount"), propensity)
        extra |= {name: np.ones(len(reward)) for name in ("marginal_weight", "balanced_weight")}
        extra["logger"] = np.arange(len(reward)) % 2
    return ope.estimate(
        reward,
        propensity,
        target,
        action,
        q_hat=q,
        cluster=user,
        estimators=BOTH_HAVE + (THE_REST if rest else ()),
        method="poisson_bootstrap",
        replicates=replicates,
        **extra,
    )


def main() -> None:
    """Print what was found and spent, as JSON."""
    folder, replicates, rest = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "all"
    estimates(folder, 1_000, 2, rest)  # compiling is not counted
    wall, processor = perf_counter(), process_time()
    found = estimates(folder, None, replicates, rest)
    spent = {"wall": perf_counter() - wall, "processor": process_time() - processor}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    values = {e.estimator: e.computed.value for e in found}
    print(json.dumps(spent | {"peak_gb": peak, "values": values}))


if __name__ == "__main__":
    main()
