"""The value models by name."""

from __future__ import annotations

from collections.abc import Callable

from giftlive.models.base import ValueModel
from giftlive.models.boosted import BoostedLog1p
from giftlive.models.neural.extra import require_torch
from giftlive.models.neural.multi_task import MultiTask
from giftlive.models.ridge import Ridge
from giftlive.models.trivial import TrivialRanker
from giftlive.models.two_part import TwoPart

MODELS: dict[str, Callable[[], ValueModel]] = {
    "user_past_spend": lambda: TrivialRanker("user_past_spend", "user_gift_sum"),
    "pair_past_spend": lambda: TrivialRanker("pair_past_spend", "pair_gift_sum"),
    "streamer_past_income": lambda: TrivialRanker("streamer_past_income", "streamer_gift_sum"),
    "ridge": Ridge,
    "boosted_log1p": BoostedLog1p,
    "two_part": TwoPart,
}

NEURAL: dict[str, Callable[[], ValueModel]] = {"multi_task": MultiTask}
"""Models whose ``fit`` needs PyTorch, the extra ``neural``."""


def make(name: str) -> ValueModel:
    """Return the settings of the model called ``name``.

    Raises
    ------
    UsageError
        It needs the extra ``neural``, which is not installed.
    """
    if name in NEURAL:
        require_torch()
    return (MODELS | NEURAL)[name]()
