"""The decision log: who was offered what, with which probability, and what came of it.

One schema (the table ``decision`` of :mod:`giftlive.logs.schema`), written by worlds and by the
service, read by off-policy evaluation. ``record`` holds a stretch of it as arrays, ``rules`` and
``slates`` say what makes it valid, ``arrow`` and ``parquet`` stream it to a file and back,
``identity`` names its rows.
"""

from giftlive.logs.decisions.identity import REPLAY_KEY, world_decision_id
from giftlive.logs.decisions.parquet import (
    DecisionFile,
    DecisionWriter,
    open_decisions,
    read_decisions,
)
from giftlive.logs.decisions.record import EXACT, MONTE_CARLO, DecisionLog, Texts
from giftlive.logs.decisions.rules import RULES, validate

__all__ = [
    "EXACT",
    "MONTE_CARLO",
    "REPLAY_KEY",
    "RULES",
    "DecisionFile",
    "DecisionLog",
    "DecisionWriter",
    "Texts",
    "open_decisions",
    "read_decisions",
    "validate",
    "world_decision_id",
]
