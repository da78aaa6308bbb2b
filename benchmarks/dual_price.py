"""The dual-price decision: microseconds at 500 candidates, and at 100,000 through retrieval.

Three pieces of work, each beside the least that could be done instead:

- one row of 500 candidates through ``DualPrice.decide``, beside ``numpy.argmax``;
- batches of 500 rooms, every row a decision: decisions per second of one core, beside the same;
- one user and 100,000 rooms: ``Retriever.top`` keeps the best m by value less price, ``DualPrice``
  decides among them; beside one product of the same room table with the user (BLAS) and its argmax.

The last stops with exit code 1 unless retrieval chooses the room that a full search chooses.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from statistics import median

import numpy as np

from benchmarks.timing import Work, in_turns, ratio
from giftlive.allocation import Prices
from giftlive.policies import DualPrice, Retriever
from giftlive.rng import stream
from giftlive.types import DecisionBatch, Floats, Ints, Observation

SEATS, MINUTE, LENGTH = 3, 60.0, 16
ARGMAX = "numpy argmax"


def batch_of(values: Floats, rooms: Ints) -> DecisionBatch:
    """Return a batch of ``values`` [n, m] in ``rooms`` [n, m], seats left in all of them."""
    zero = np.zeros(len(values), dtype=np.int64)
    seen = Observation(
        zero, np.arange(len(values)), zero, zero, rooms, rooms, np.full(rooms.shape, SEATS)
    )
    return DecisionBatch(seen, values, np.full(values.shape, MINUTE))


def policy_for(rooms: int) -> DualPrice:
    """Return the policy with a price for each of ``rooms`` rooms in 24 buckets."""
    duals = stream(1, "prices").exponential(0.002, (rooms, 24))
    return DualPrice(Prices(duals, 0, 600_000, np.array([0.8, 0.2])))


def decision_works(rows: int, candidates: int) -> dict[str, Work]:
    """Return one ``decide`` of ``rows`` rows over all rooms, and argmax of the same values."""
    draw, policy = stream(1, "values"), policy_for(candidates)
    values = draw.exponential(size=(rows, candidates))
    batch = batch_of(values, np.tile(np.arange(candidates), (rows, 1)))
    state = policy.init(np.full(candidates, rows * SEATS, dtype=np.int64))
    return {
        ARGMAX: partial(np.argmax, values, axis=1),
        "dual_price": partial(policy.decide, state, batch, draw),
    }


def retrieval_works(rooms: int, kept: int, spread: float) -> dict[str, Work]:
    """Return retrieval with a decision among ``kept``, and a full product with its argmax.

    Room vectors of log-normal lengths of this ``spread``, as those of a platform with a few large
    rooms; 0: equal lengths, and no room can be skipped. User and room vectors are in one orthant,
    as factors of a value that is not negative.
    """
    draw, policy = stream(1, "vectors"), policy_for(rooms)
    vectors = np.abs(draw.normal(size=(rooms, LENGTH)))
    vectors *= (draw.lognormal(0.0, spread, rooms) / np.linalg.norm(vectors, axis=1))[:, None]
    user = np.abs(draw.normal(size=LENGTH))
    state = policy.init(np.full(rooms, SEATS, dtype=np.int64))
    charges = state.per_second[:, 0] * state.factor * MINUTE
    retriever = Retriever.of(vectors)

    def retrieve() -> int:
        found, _ = retriever.top(user, charges, kept)
        values = (vectors[found] @ user)[None, :]
        decided = policy.decide(state, batch_of(values, found[None, :]), draw)
        return int(found[decided.choice[0]])

    def full() -> int:
        return int(np.argmax(vectors @ user - charges))

    if retrieve() != full():
        raise SystemExit("retrieval and the full search choose different rooms")
    return {"full product, argmax": full, f"top {kept}, dual_price": retrieve}


def show(title: str, works: dict[str, Work], repeats: int, rows: int, calls: int) -> None:
    """Print time per decision, decisions per second, and the ratio to the first piece of work."""
    seconds = in_turns(works, repeats, calls)
    first = next(iter(works))
    print(f"\n{title:40}{'us / decision':>14}{'decisions / s':>16}{'x ' + first:>24}")
    for name, times in seconds.items():
        each = median(times) / rows
        relative = ratio(times, seconds[first])[0]
        print(f"{name:40}{each * 1e6:14.2f}{1.0 / each:16,.0f}{relative:24.1f}")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rooms", type=int, default=100_000)
    parser.add_argument("--kept", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=9)
    asked = parser.parse_args()
    one, many = (decision_works(rows, asked.candidates) for rows in (1, asked.rows))
    show(f"1 x {asked.candidates} candidates", one, asked.repeats, 1, 400)
    show(f"{asked.rows} x {asked.candidates} candidates", many, asked.repeats, asked.rows, 20)
    for spread, lengths in ((1.0, "unequal"), (0.0, "equal")):
        found = retrieval_works(asked.rooms, asked.kept, spread)
        show(f"1 x {asked.rooms:,} rooms of {lengths} length", found, asked.repeats, 1, 20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
