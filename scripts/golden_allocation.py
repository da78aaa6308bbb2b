"""Make tests/allocation/golden.json: optima by solvers this package does not use.

Run in an environment of its own, never the package's (cvxpy brings highspy, which cannot share a
process with OR-tools):

    python -m venv /tmp/golden && /tmp/golden/bin/pip install cvxpy pot numba pyarrow pydantic
    PYTHONPATH=src /tmp/golden/bin/python scripts/golden_allocation.py [large:log ...]

``conic`` holds optima of day 0 of the log-normal market, the 20 most valuable candidates each, by
Clarabel's interior-point method: ``small`` 2,000 users and 100 rooms, ``large`` 10,000 and 500
(about a minute of one core for each). There exponential cones fail numerically, so that logarithms
are made of second-order cones alone: 2^k log of the k-th square root, that log by Gauss-Legendre
quadrature of its integral, whose terms are concave and rational (Fawzi, Saunderson, Parrilo 2019,
"Semidefinite approximations of the matrix logarithm", section 3). ``largest_error`` is the largest
error of that over the ratios that rooms can reach, relative to the logarithm. ``transport`` holds
optima of 200 small integer instances by POT's network simplex.
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
SIZES = {"small": (2_000, 100), "large": (10_000, 500)}
SCALE, EDGES = 1_280.0, 20
TOLERANCES = {"tol_gap_rel": 1e-6, "tol_gap_abs": 1e-6, "tol_feas": 1e-7}
KINDS: tuple[Kind, ...] = ("log", "saturating", "sqrt")
ROOTS, NODES = 4, 5


def log1p_by_second_order_cones(ratio: Any, root: Any, inverse: Any) -> Any:
    """Return log(1 + ratio) by ROOTS square roots and NODES terms of a quadrature.

    log z = ∫ (z - 1) / (1 + t (z - 1)) dt over [0, 1]; a term is 1/t - 1/t / (1 + t (z - 1)).
    """
    z = 1.0 + ratio
    for _ in range(ROOTS):
        z = root(z)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    terms = [
        w / 2.0 / t * (1.0 - inverse(1.0 + t * (z - 1.0)))
        for t, w in zip((nodes + 1.0) / 2.0, weights, strict=True)
    ]
    return 2.0**ROOTS * sum(terms[1:], terms[0])


def largest_error(largest: float) -> float:
    """Return the largest relative error of the quadrature for ratios up to ``largest``."""
    ratio = np.geomspace(1e-6, largest, 100_000)
    made = log1p_by_second_order_cones(ratio, np.sqrt, np.reciprocal)
    return float(np.max(np.abs(made / np.log1p(ratio) - 1.0)))


def conic_optimum(batch: Batch, exponential: bool) -> dict[str, Any]:
    """Return the optimum of a batch that has seats alone, as a cone programme.

    Parameters
    ----------
    exponential : whether exponential cones may be used; else second-order cones alone.
    """
    n, m = batch.values.shape
    edge = np.arange(n * m)
    user = csr_matrix((np.ones(n * m), (edge // m, edge)), (n, n * m))
    room = csr_matrix((np.ones(n * m), (batch.rooms.ravel(), edge)), (len(batch.capacity), n * m))
    # Thousands are the unit: a solver's tolerances are absolute.
    money = (room @ csr_matrix((batch.values.ravel() / SCALE, (edge, edge)))).tocsr()
    x = cvxpy.Variable(n * m, nonneg=True)
    ratio = cvxpy.Variable(len(batch.capacity), nonneg=True)
    by_cones = log1p_by_second_order_cones
    worth = {
        "log": lambda: cvxpy.sum(
            cvxpy.log1p(ratio) if exponential else by_cones(ratio, cvxpy.sqrt, cvxpy.inv_pos)
        ),
        "saturating": lambda: cvxpy.sum(1 - cvxpy.exp(-ratio)),
        "sqrt": lambda: cvxpy.sum(2 * (cvxpy.sqrt(1 + ratio) - 1)),
    }[batch.returns.kind]()
    limits = [user @ x <= 1, room @ x <= batch.capacity, ratio == money @ x]
    programme = cvxpy.Problem(cvxpy.Maximize(worth), limits)
    value = programme.solve(solver=cvxpy.CLARABEL, **TOLERANCES)
    found = {"optimum": SCALE * float(value), "status": programme.status}
    if batch.returns.kind == "log" and not exponential:
        found["largest_error"] = largest_error(2.0 * float(ratio.value.max()))
    return found


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


def solve(size: str, kind: Kind) -> dict[str, Any]:
    """Return the optimum of one market under one kind of returns."""
    day = LogNormalMarket.draw(0, *SIZES[size]).day(0, Returns(kind, SCALE))
    return conic_optimum(top_edges(day, EDGES), exponential=size == "small")


def main() -> None:
    """Write the file; arguments choose what to solve again, the rest stays."""
    conic = json.loads(FILE.read_text(encoding="utf-8"))["conic"] if FILE.exists() else {}
    for size, kind in [(size, kind) for size in SIZES for kind in KINDS]:
        if len(sys.argv) > 1 and f"{size}:{kind}" not in sys.argv[1:]:
            continue
        try:
            conic.setdefault(size, {})[kind] = solve(size, kind)
        except cvxpy.SolverError as failure:
            print(size, kind, failure)
            continue
        print(size, kind, conic[size][kind], flush=True)
    made = {
        "by": {"cvxpy": cvxpy.__version__, "solver": "CLARABEL", "pot": ot.__version__},
        "sizes": SIZES,
        "scale": SCALE,
        "edges": EDGES,
        "conic": conic,
        "transport": [transport_optimum(seed) for seed in range(200)],
    }
    FILE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
