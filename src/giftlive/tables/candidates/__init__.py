"""Which rooms a decision was a choice among: live intervals, retrieval, negatives, sampled sets.

Candidates at t follow from what was known strictly before t and from which rooms are still on
air. Decision-level sets add what the log shows of the decision itself, with weights that make a
sample of the live rooms speak for all of them.
"""

from giftlive.tables.candidates.candidates import Candidates, candidates_at
from giftlive.tables.candidates.decisions import DecisionFacts, build_decisions
from giftlive.tables.candidates.estimates import (
    live_total,
    place_of_choice,
    share_below_choice,
)
from giftlive.tables.candidates.exposures import write_exposures
from giftlive.tables.candidates.listing import Listing
from giftlive.tables.candidates.options import CandidateOptions
from giftlive.tables.candidates.reasons import REASONS
from giftlive.tables.candidates.recall import Recall, recall_of, retrieval_recall
from giftlive.tables.candidates.rooms import RoomIndex
from giftlive.tables.candidates.sets import DecisionSets, decision_batches, load_decisions

__all__ = [
    "REASONS",
    "CandidateOptions",
    "Candidates",
    "DecisionFacts",
    "DecisionSets",
    "Listing",
    "Recall",
    "RoomIndex",
    "build_decisions",
    "candidates_at",
    "decision_batches",
    "live_total",
    "load_decisions",
    "place_of_choice",
    "recall_of",
    "retrieval_recall",
    "share_below_choice",
    "write_exposures",
]
