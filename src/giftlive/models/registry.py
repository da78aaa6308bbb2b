"""The value models by name."""

from __future__ import annotations

from collections.abc import Callable

from giftlive.errors import UsageError
from giftlive.models.base import ValueModel
from giftlive.models.boosted import BoostedLog1p
from giftlive.models.boosted_amount import BoostedAmount
from giftlive.models.ensemble import GeometricMean
from giftlive.models.hurdle import Hurdle
from giftlive.models.neural.extra import require_torch
from giftlive.models.neural.multi_task import MultiTask
from giftlive.models.neural.ziln_network import ZilnNetwork
from giftlive.models.occurrence import Occurrence
from giftlive.models.recall_rerank import RecallRerank
from giftlive.models.ridge import Ridge
from giftlive.models.ridge_log1p import RidgeLog1p
from giftlive.models.trivial import TrivialRanker
from giftlive.models.tweedie_glm import TweedieGlm
from giftlive.models.two_part import TwoPart
from giftlive.models.ziln import Ziln

MODELS: dict[str, Callable[[], ValueModel]] = {
    "user_past_spend": lambda: TrivialRanker("user_past_spend", "user_gift_sum"),
    "pair_past_spend": lambda: TrivialRanker("pair_past_spend", "pair_gift_sum"),
    "streamer_past_income": lambda: TrivialRanker("streamer_past_income", "streamer_gift_sum"),
    "user_mean_gift": lambda: TrivialRanker("user_mean_gift", "user_gift_mean"),
    "user_last_amount": lambda: TrivialRanker("user_last_amount", "user_last_amount"),
    "ridge": Ridge,
    "ridge_log1p": RidgeLog1p,
    "ridge_log1p_geometric": lambda: RidgeLog1p(retransform=False),
    "boosted_log1p": BoostedLog1p,
    "boosted_raw": lambda: BoostedAmount("boosted_raw", "raw"),
    "boosted_tweedie": lambda: BoostedAmount("boosted_tweedie", "tweedie"),
    "tweedie_glm": TweedieGlm,
    "two_part": TwoPart,
    "two_part_weighted": lambda: TwoPart(stage1=Occurrence("weighted"), name="two_part_weighted"),
    "two_part_focal": lambda: TwoPart(stage1=Occurrence("focal"), name="two_part_focal"),
    "two_part_sampled": lambda: TwoPart(
        stage1=Occurrence(keep_negatives=0.1), name="two_part_sampled"
    ),
    "two_part_log": lambda: TwoPart(severity="log", name="two_part_log"),
    "two_part_levelled": lambda: TwoPart(level_bins=10, name="two_part_levelled"),
    "hurdle": Hurdle,
    "ziln": Ziln,
    "geo_mean": GeometricMean,
    "recall_rerank": RecallRerank,
}

NEURAL: dict[str, Callable[[], ValueModel]] = {
    "multi_task": MultiTask,
    "ziln_network": ZilnNetwork,
}
"""Models whose ``fit`` needs PyTorch, the extra ``neural``."""


def make(name: str) -> ValueModel:
    """Return the settings of the model called ``name``.

    Raises
    ------
    UsageError
        There is no such model, or it needs the extra ``neural``, which is not installed.
    """
    if name not in MODELS | NEURAL:
        known = ", ".join((*MODELS, *NEURAL))
        raise UsageError(f"there is no model {name!r}", "argument name", f"one of {known}")
    if name in NEURAL:
        require_torch()
    return (MODELS | NEURAL)[name]()
