"""Make tests/allocation/golden.json: optima by solvers this package does not use.

Run in an environment of its own, never the package's (cvxpy brings highspy, which cannot share a
process with OR-tools):

    python -m venv /tmp/golden && /tmp/golden/bin/pip install cvxpy pot numba
    PYTHONPATH=src /tmp/golden/bin/python scripts/golden_allocation.py

``conic`` holds the optimum of day 0 of the log-normal market, 2,000 users, 100 rooms, the 20 most
valuable candidates each, by Clarabel's interior-point method (which fails numerically at 10,000 x
500; there the fluid beside the bound proves its gap). ``transport`` holds optima of 200
small integer instances by POT's network simplex.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cvxpy
import numpy as np
import ot
from scipy.sparse import csr_matrix

from giftlive.allocation.batch import Batch
from giftlive.allocation.lognormal import LogNormalMarket
from giftlive.allocation.returns import Kind, Returns
from giftlive.allocation.samples import top_edges
from giftlive.rng import stream

FILE = Path(__file__).resolve().parents[1] / "tests" / "allocation" / "golden.json"
USERS, ROOMS, SCALE, EDGES = 2_000, 100, 1_280.0, 20
TOLERANCES = {"tol_gap_rel": 1e-6, "tol_gap_abs": 1e-6, "tol_feas": 1e-7}
KINDS: tuple[Kind, ...] = ("log", "saturating", "sqrt")


def conic_optimum(batch: Batch) -> dict[str, Any]:
    """Return the optimum of a batch that has seats alone, as a cone programme."""
    n, m = batch.values.shape
    edge = np.arange(n * m)
    user = csr_matrix((np.ones(n * m), (edge // m, edge)), (n, n * m))
    room = csr_matrix((np.ones(n * m), (batch.rooms.ravel(), edge)), (len(batch.capacity), n * m))
    # Thousands are the unit: a solver's tolerances are absolute.
    money = (room @ csr_matrix((batch.values.ravel() / SCALE, (edge, edge)))).tocsr()
    x = cvxpy.Variable(n * m, nonneg=True)
    ratio = money @ x
    worth = {
        "log": lambda: cvxpy.sum(cvxpy.log1p(ratio)),
        "saturating": lambda: cvxpy.sum(1 - cvxpy.exp(-ratio)),
        "sqrt": lambda: cvxpy.sum(2 * (cvxpy.sqrt(1 + ratio) - 1)),
    }[batch.returns.kind]()
    programme = cvxpy.Problem(cvxpy.Maximize(worth), [user @ x <= 1, room @ x <= batch.capacity])
    value = programme.solve(solver=cvxpy.CLARABEL, **TOLERANCES)
    return {"optimum": SCALE * float(value), "status": programme.status}


def transport_optimum(seed: int) -> float:
    """Return the optimum of the instance of ``test_flow_is_the_linear_assignment...`` by POT."""
    draw = stream(seed, "assignment")
    n, rooms = int(draw.integers(1, 12)), int(draw.integers(1, 7))
    values = draw.integers(0, 50, (n, rooms)).astype(float)
    seats = draw.integers(0, 4, rooms)
    # One more column takes users without a seat, one more row fills seats without a user.
    cost = np.zeros((n + 1, rooms + 1))
    cost[:n, :rooms] = -values
    total = float(n + seats.sum())
    supply = np.append(np.ones(n), seats.sum()) / total
    demand = np.append(seats, n) / total
    return round(-float(ot.emd2(supply, demand, cost)) * total, 6)


def main() -> None:
    """Write the file; arguments choose the returns to solve again, the others stay."""
    market = LogNormalMarket.draw(0, USERS, ROOMS)
    conic = json.loads(FILE.read_text(encoding="utf-8"))["conic"] if FILE.exists() else {}
    for kind in KINDS:
        if len(sys.argv) > 1 and kind not in sys.argv[1:]:
            continue
        batch = top_edges(market.day(0, Returns(kind, SCALE)), EDGES)
        try:
            conic[kind] = conic_optimum(batch)
        except cvxpy.SolverError as failure:
            print(kind, failure)
            continue
        print(kind, conic[kind], flush=True)
    made = {
        "by": {"cvxpy": cvxpy.__version__, "solver": "CLARABEL", "pot": ot.__version__},
        "users": USERS,
        "rooms": ROOMS,
        "scale": SCALE,
        "edges": EDGES,
        "conic": conic,
        "transport": [transport_optimum(seed) for seed in range(200)],
    }
    FILE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
