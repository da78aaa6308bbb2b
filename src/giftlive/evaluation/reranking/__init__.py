"""Recall by a direct model, re-rank the recalled rooms of each decision by a second stage."""

from giftlive.evaluation.reranking.decisions import Listed, listed
from giftlive.evaluation.reranking.lists import first_places, moved, reranked
from giftlive.evaluation.reranking.measure import (
    CAPTURE,
    DIRECT,
    FIRST,
    METRICS,
    NDCG,
    PERFECT,
    REALISED_CAPTURE,
    REALISED_NDCG,
    SLATE,
    STAGED_ALONE,
    by_staged,
    by_truth,
    measured,
    scores,
)
from giftlive.evaluation.reranking.worlds import Plan, read_worlds

__all__ = [
    "CAPTURE",
    "DIRECT",
    "FIRST",
    "METRICS",
    "NDCG",
    "PERFECT",
    "REALISED_CAPTURE",
    "REALISED_NDCG",
    "SLATE",
    "STAGED_ALONE",
    "Listed",
    "Plan",
    "by_staged",
    "by_truth",
    "first_places",
    "listed",
    "measured",
    "moved",
    "read_worlds",
    "reranked",
    "scores",
]
