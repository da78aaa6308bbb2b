from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.ope_ours import BOTH_HAVE, THE_REST, estimates

from benchmarks import ope as benchmark


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("log")
    benchmark.write_log(made, rows=2_000, candidates=5)
    benchmark.write_users(made, rows=2_000, users=300)
    return made


def test_the_log_is_drawn_from_its_propensities(folder: Path) -> None:
    propensity, action = (np.load(folder / f"{name}.npy") for name in ("propensity", "action"))
    assert np.bincount(action, minlength=5).min() > 300
    assert (1.0 / propensity).mean() == pytest.approx(5.0, rel=0.1)  # E[1 / p(a)] = candidates
    assert 290 <= len(np.unique(np.load(folder / "user.npy"))) <= 300


@pytest.mark.parametrize("rest", [False, True])
def test_every_estimator_has_an_interval(folder: Path, rest: bool) -> None:
    found = estimates(folder, None, 40, rest)
    assert len(found) == len(BOTH_HAVE) + (len(THE_REST) if rest else 0)
    for one in found:
        if one.estimator != "replay":  # no target of this log is certain of an action
            assert one.computed.low is not None
            assert one.computed.method.endswith("poisson_bootstrap(40)")


def test_other_estimates_are_noticed() -> None:
    ours = {"ips": 0.25, "dr": 0.5}
    assert benchmark.disagreement(ours, ours) == ""
    assert "dr" in benchmark.disagreement(ours, {"ips": 0.25, "dr": 0.5 + 1e-8})
    assert "ips" in benchmark.disagreement(ours, {"ips": float("nan")})
