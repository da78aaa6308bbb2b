"""The formula of the network, written once for PyTorch (training) and NumPy (prediction).

Two towers, each over an id's embedding and the features of that side::

    u = tower(embedding of the user ‖ user features)
    s = tower(embedding of the streamer ‖ streamer and room features)
    h = trunk(u ‖ s ‖ u ∘ s ‖ all other features)          the shared representation
    output_k = head_k(h)                                    one small network per task

u ∘ s is the element-wise product: with it the trunk holds what a two-tower model ranks by, the
inner product of u and s. Layers are x W + b with max(x, 0) between them; u and s keep their
sign, without which no inner product could say "this one not".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.neural.columns import IDS, Block, Inputs
from giftlive.rng import stream
from giftlive.types import Floats

TASKS = ("click", "watch", "gift", "amount")
"""Every task, in the order of the story: enter, stay, give, how much."""

OUTPUTS = {"click": 1, "watch": 1, "gift": 1, "amount": 2}
"""Numbers a head gives: a logit, a mean, or mean and spread."""

Parameters = dict[str, Any]
Drop = Callable[[Any], Any]


@dataclass(frozen=True)
class Sizes:
    """Widths of the layers."""

    embedding: int = 16
    tower: int = 64
    towers_out: int = 32
    trunk: int = 128
    shared: int = 64
    head: int = 32


@dataclass(frozen=True)
class Arrays:
    """The two operations that PyTorch and NumPy name differently."""

    join: Callable[[Sequence[Any]], Any]
    take: Callable[[Any, Any], Any]


def _take(table: Floats, rows: Any) -> Floats:
    return np.asarray(table[rows])


NUMPY = Arrays(lambda parts: np.concatenate(parts, axis=1), _take)


def initial(inputs: Inputs, tasks: Sequence[str], sizes: Sizes, seed: int) -> dict[str, Floats]:
    """Draw the parameters: He's normal law for layers, small embeddings, heads that start at 0.

    Each array has a stream of its own name, so that networks with other heads start from the
    same trunk.
    """
    z = sizes
    shapes: dict[str, tuple[int, int]] = {}
    for tower in IDS:
        table = inputs.tables.get(tower)
        width = inputs.scalings[tower].width + (z.embedding if table is not None else 0)
        if table is not None:
            shapes[f"{tower}.ids"] = (len(table), z.embedding)
        shapes |= {f"{tower}.1": (width, z.tower), f"{tower}.2": (z.tower, z.towers_out)}
    width = 3 * z.towers_out + inputs.scalings["rest"].width
    shapes |= {"trunk.1": (width, z.trunk), "trunk.2": (z.trunk, z.shared)}
    for task in tasks:
        shapes |= {f"{task}.1": (z.shared, z.head), f"{task}.2": (z.head, OUTPUTS[task])}
    found: dict[str, Floats] = {}
    for name, shape in shapes.items():
        draws = stream(seed, "network", name).normal(size=shape)
        if name.endswith(".ids"):
            found[name] = 0.3 * draws
            continue
        last = name in {f"{task}.2" for task in tasks}
        found[f"{name}.W"] = draws * (0.0 if last else np.sqrt(2.0 / max(shape[0], 1)))
        found[f"{name}.b"] = np.zeros(shape[1])
    return found


def forward(
    p: Parameters,
    block: Block,
    tasks: Sequence[str],
    arrays: Arrays = NUMPY,
    drop: Drop = lambda h: h,
) -> Mapping[str, Any]:
    """Return the raw outputs [n, OUTPUTS[task]] of every task.

    Parameters
    ----------
    p : parameters by name. block : rows. arrays : of NumPy or of PyTorch, as ``p`` and ``block``.
    drop : applied to the shared layers in training (dropout).
    """

    def layer(x: Any, name: str) -> Any:
        return x @ p[f"{name}.W"] + p[f"{name}.b"]

    def two(x: Any, name: str) -> Any:
        return drop(layer(layer(x, f"{name}.1").clip(min=0), f"{name}.2"))

    sides = []
    for tower in IDS:
        x = block.numbers[tower]
        if f"{tower}.ids" in p:
            x = arrays.join([arrays.take(p[f"{tower}.ids"], block.ids[tower]), x])
        sides.append(two(x, tower))
    u, s = sides
    h = two(arrays.join([u, s, u * s, block.numbers["rest"]]), "trunk").clip(min=0)
    return {task: layer(layer(h, f"{task}.1").clip(min=0), f"{task}.2") for task in tasks}
