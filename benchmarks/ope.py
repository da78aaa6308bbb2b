"""Off-policy estimates of a large log with bootstrap intervals, against Open Bandit Pipeline.

Both estimate the eleven estimators that both have on the same arrays, 1 million decisions of 50
candidates, each with an interval from 1,000 resamples; a last line is all 21 of ours. Ours
resamples users, theirs single rows; with as many users as rows both do the same work. Each runs
in a process of its own, theirs in an environment of its own (``--obp PYTHON``: it pins NumPy < 2;
``tests/ope/golden/make_obp_golden.py`` says how to make one). Their resamples are alike, so a
part of them is timed and multiplied.

Exit 1 unless the estimates agree to nine digits and ours keep within the memory limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from giftlive.rng import stream

LIMIT_GB = 4.0
GOAL = 10.0


def write_log(folder: Path, rows: int, candidates: int) -> None:
    """Write the arrays of a log with uneven policies and rare rewards."""
    draw = stream(1, "benchmark log")
    logging = draw.random((rows, candidates)) + 0.05
    logging /= logging.sum(axis=1, keepdims=True)
    edges = logging.cumsum(axis=1)
    action = (edges <= draw.random((rows, 1))).sum(axis=1).clip(0, candidates - 1)
    np.save(folder / "propensity.npy", logging[np.arange(rows), action])
    np.save(folder / "action.npy", action)
    del logging, edges
    target = draw.random((rows, candidates)) + 0.05
    np.save(folder / "target.npy", target / target.sum(axis=1, keepdims=True))
    np.save(folder / "q.npy", draw.random((rows, candidates)))
    np.save(folder / "reward.npy", (draw.random(rows) < 0.05) * np.ceil(1.0 / draw.random(rows)))


def write_users(folder: Path, rows: int, users: int) -> None:
    """Write the user of every row; each its own where there are as many as rows."""
    draw = stream(1, "benchmark users")
    user = np.arange(rows) if users == rows else draw.integers(0, users, rows)
    np.save(folder / "user.npy", user)


def run(python: str, script: str, *arguments: str) -> dict[str, Any]:
    """Return what one process found and spent."""
    path = Path(__file__).with_name(script)
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, str(path), *arguments],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-2_000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def disagreement(ours: dict[str, float], theirs: dict[str, float]) -> str:
    """Return in words which estimate differs, '' where none does."""
    for name, value in theirs.items():
        if not abs(ours[name] - value) <= 1e-9 * max(abs(value), 1e-3):
            return f"{name}: {ours[name]!r} here, {value!r} there"
    return ""


def show(name: str, spent: list[dict[str, Any]], best: float | None) -> float:
    """Print one line; return the processor seconds."""
    processor = median(s["processor"] for s in spent)
    wall, memory = median(s["wall"] for s in spent), max(s["peak_gb"] for s in spent)
    times = "" if best is None else f"{best / processor:10.1f}"
    print(f"{name:34}{wall:9.1f}{processor:13.1f}{memory:9.2f}{times}")
    return processor


def main() -> int:
    """Print a table; exit 1 where estimates differ, memory or the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--users", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--replicates", type=int, default=1_000)
    parser.add_argument("--peer-share", type=int, default=20, help="1 in so many is timed")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--obp", help="the Python that has sb-obp; without it, ours alone")
    asked = parser.parse_args()
    few = max(2, asked.replicates // asked.peer_share)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_log(folder, asked.rows, asked.candidates)
        ours: dict[str, list[dict[str, Any]]] = {}
        theirs: list[dict[str, Any]] = []
        for _ in range(asked.repeats):
            for users in asked.users:
                write_users(folder, asked.rows, users)
                for which in ("both", "all") if users == asked.users[-1] else ("both",):
                    found = run(sys.executable, "ope_ours.py", made, str(asked.replicates), which)
                    name = f"giftlive, {users:,} users" + ", all 21" * (which == "all")
                    ours.setdefault(name, []).append(found)
            if asked.obp:
                replicates = (str(few), str(asked.replicates))
                theirs.append(run(asked.obp, "ope_peer.py", made, *replicates))
    return report(asked, ours, theirs)


def report(
    asked: argparse.Namespace, ours: dict[str, list[dict[str, Any]]], theirs: list[dict[str, Any]]
) -> int:
    """Print what both found; return the exit code."""
    what = f"{asked.rows:,} decisions of {asked.candidates}, {asked.replicates:,} resamples"
    print(f"{what}, 11 estimators\n{'':34}{'wall s':>9}{'processor s':>13}{'peak GB':>9}   x peer")
    best = show("Open Bandit Pipeline, by row", theirs, None) if theirs else None
    problem = ""
    for name, spent in ours.items():
        processor = show(name, spent, best)
        if theirs:
            problem = problem or disagreement(spent[0]["values"], theirs[0]["values"])
        if max(s["peak_gb"] for s in spent) > LIMIT_GB:
            problem = problem or f"more than {LIMIT_GB:g} GB"
        if best is not None and best / processor < GOAL:
            problem = problem or f"less than {GOAL:g} times the peer"
    if problem:
        print(problem)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
