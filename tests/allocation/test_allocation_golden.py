"""Optima by solvers this package does not use: scripts/golden_allocation.py makes the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from giftlive.allocation.batch import Batch
from giftlive.allocation.batch_certificate import batch_certificate
from giftlive.allocation.batch_flow import batch_optimum
from giftlive.allocation.flow import optimal_assignment
from giftlive.allocation.lognormal import LogNormalMarket
from giftlive.allocation.returns import Kind, Returns
from giftlive.allocation.samples import top_edges
from giftlive.rng import stream

GOLDEN: Any = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("kind", ["log", "sqrt"])
def test_bound_is_within_a_thousandth_of_an_interior_point_method(kind: Kind, size: str) -> None:
    market = LogNormalMarket.draw(0, *GOLDEN["sizes"][size])
    batch = top_edges(market.day(0, Returns(kind, GOLDEN["scale"])), GOLDEN["edges"])
    golden = GOLDEN["conic"][size][kind]
    optimum = golden["optimum"]
    assert golden["status"] == "optimal"
    assert golden.get("largest_error", 0.0) < 1e-7
    priced = batch_certificate(batch)
    assert optimum * (1 - 1e-5) <= priced.bound <= optimum * 1.001
    assert optimum * 0.999 <= priced.fluid.worth <= optimum * (1 + 1e-5)


def test_flows_are_linear_assignment_and_transport_on_two_hundred_instances() -> None:
    """POT from the file, SciPy's linear assignment here, both flows of the package: one number."""
    found = []
    for seed in range(200):
        draw = stream(seed, "assignment")
        n, rooms = int(draw.integers(1, 12)), int(draw.integers(1, 7))
        values = draw.integers(0, 50, (n, rooms)).astype(float)
        seats = draw.integers(0, 4, rooms)
        listed = np.tile(np.arange(rooms), (n, 1))
        wide = np.repeat(values, seats, axis=1)  # a column per seat
        row, column = linear_sum_assignment(wide, maximize=True)
        found.append(float(wide[row, column].sum()))
        assert batch_optimum(Batch(values, listed, seats.astype(float))).worth == found[-1]
        assert optimal_assignment(values, listed, seats).value == found[-1]
    np.testing.assert_allclose(found, GOLDEN["transport"], atol=1e-6)
    assert len(set(found)) > 100
