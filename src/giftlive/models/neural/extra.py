"""PyTorch, if the extra ``neural`` is installed, held to the same bits every time."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from giftlive.errors import UsageError

TORCH = "pip install torch --index-url https://download.pytorch.org/whl/cpu"
"""How to get the one package of the extra, without the CUDA libraries."""


def installed() -> bool:
    """Return whether PyTorch can be imported, without importing it."""
    return importlib.util.find_spec("torch") is not None


def require_torch() -> Any:
    """Return the module ``torch``.

    Raises
    ------
    UsageError
        The extra ``neural`` is not installed.
    """
    if not installed():
        raise UsageError(
            "PyTorch is not installed",
            "a model of the extra `neural`",
            "torch 2.13 or later",
            f"{TORCH} (the CPU build, about 200 MB); a saved network predicts without it",
        )
    import torch

    return torch


@contextmanager
def deterministic(torch: Any, threads: int) -> Iterator[None]:
    """Let only deterministic operations run, on ``threads`` threads; undone afterwards.

    Sums are split by thread: another number of threads gives other last digits.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
