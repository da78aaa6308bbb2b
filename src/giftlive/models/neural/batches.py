"""Minibatches in a random order from rows that are read in blocks: memory does not grow with n."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from giftlive.types import Ints

BLOCK = 512
"""Neighbouring rows that are read together."""

POOL = 1 << 16
"""Rows that are mixed before they are dealt out."""


def pools(rows: Ints, size: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Yield row numbers to be cut into minibatches of ``size``; together each row once.

    Blocks of neighbours are drawn in random order and about ``POOL`` rows of them are mixed. Only
    one pool of features needs to be in memory, whatever ``X`` lives on.
    """
    starts = np.arange(0, len(rows), BLOCK)
    rng.shuffle(starts)
    per_pool = max(1, max(POOL // size, 1) * size // BLOCK)
    for first in range(0, len(starts), per_pool):
        pool = np.concatenate([rows[s : s + BLOCK] for s in starts[first : first + per_pool]])
        rng.shuffle(pool)
        yield pool


def batch_size(rows: int, largest: int = 4096, smallest: int = 128, steps: int = 200) -> int:
    """Return a power of two that gives an epoch of about ``steps`` steps or more.

    Examples
    --------
    >>> batch_size(2_500_000), batch_size(20_000), batch_size(300)
    (4096, 128, 128)
    """
    wanted = max(rows // steps, 1)
    return int(np.clip(2 ** int(np.log2(wanted)), smallest, largest))
