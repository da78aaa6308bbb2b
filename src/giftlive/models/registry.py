"""The value models by name."""

from __future__ import annotations

from collections.abc import Callable

from giftlive.models.base import ValueModel
from giftlive.models.boosted import BoostedLog1p
from giftlive.models.ensemble import GeometricMean
from giftlive.models.hurdle import Hurdle
from giftlive.models.recall_rerank import RecallRerank
from giftlive.models.ridge import Ridge
from giftlive.models.trivial import TrivialRanker
from giftlive.models.two_part import TwoPart
from giftlive.models.ziln import Ziln

MODELS: dict[str, Callable[[], ValueModel]] = {
    "user_past_spend": lambda: TrivialRanker("user_past_spend", "user_gift_sum"),
    "pair_past_spend": lambda: TrivialRanker("pair_past_spend", "pair_gift_sum"),
    "streamer_past_income": lambda: TrivialRanker("streamer_past_income", "streamer_gift_sum"),
    "ridge": Ridge,
    "boosted_log1p": BoostedLog1p,
    "two_part": TwoPart,
    "hurdle": Hurdle,
    "ziln": Ziln,
    "geo_mean": GeometricMean,
    "recall_rerank": RecallRerank,
}
