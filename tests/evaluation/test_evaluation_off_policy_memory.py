"""Logs larger than what may be held: the peak follows the batch and the users, not the rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.logs.decisions.arrow import as_table
from giftlive.testing import make_decisions

_JUDGE = """
import json, resource, sys
from pathlib import Path
from giftlive.evaluation.decision_logs import open_logs
from giftlive.evaluation.off_policy_log import LogEvaluator
from giftlive.evaluation.target_policies import named_target
from giftlive.ope import IPS, SNIPS

logs = open_logs([Path(sys.argv[1])])
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = LogEvaluator(named_target("uniform", {}, logs), (IPS, SNIPS)).evaluate(logs)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([found.decisions, start, peak, found.estimates[1].computed.value]))
"""

GROUPS = 40
"""Row groups of the smaller log, of 12,000 decisions each."""


def written(path: Path, groups: int) -> int:
    """Write a log of row groups that repeat one stretch under other ids; return its bytes."""
    log = make_decisions(1, 16_384 + 4_000)
    rows = np.flatnonzero((log.position == -1) & log.matured & log.shown)[:12_000]
    table = as_table(log.rows(rows))
    number = table.schema.get_field_index("decision_id")
    with pq.ParquetWriter(path, table.schema, compression="none") as file:
        for k in range(groups):
            ids = pa.array([f"{k}-{i}" for i in range(table.num_rows)])
            part = table.set_column(number, table.schema.field(number), ids)
            for name in ("ts", "reward_ts"):
                at = table.schema.get_field_index(name)
                later = pa.array(np.asarray(table.column(name)) + k * 10**10)
                part = part.set_column(at, table.schema.field(at), later)
            file.write_table(part)
    return path.stat().st_size


def judged(path: Path) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", _JUDGE, str(path)], capture_output=True, text=True, check=True
    )
    found: list[float] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_four_times_the_log_takes_no_more_memory(tmp_path: Path) -> None:
    small, large = tmp_path / "small.parquet", tmp_path / "large.parquet"
    size = written(small, GROUPS), written(large, 4 * GROUPS)
    first, second = judged(small), judged(large)
    assert second[0] == 4 * first[0]
    assert second[3] == pytest.approx(first[3], rel=1e-12)  # the same stretch, again and again
    grown = (second[2] - first[2]) * 1024
    assert grown < 0.25 * (size[1] - size[0])
