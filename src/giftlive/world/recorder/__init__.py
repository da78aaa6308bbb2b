"""What a platform's log shows of a world, in KuaiLive's columns, and what it hides.

``marks`` draws what befalls each click and gift, one keyed draw per defect, so that a switch
moves nothing but its own defect; ``survey`` finds who is kept; ``events``, ``entities`` and
``truth`` turn decisions into tables, piece by piece in order of time; ``recording`` joins them.
"""

from giftlive.world.recorder.recording import recorded
from giftlive.world.recorder.survey import Survey, survey
from giftlive.world.recorder.tables import Chunks, Piece, Table, collected

__all__ = ["Chunks", "Piece", "Survey", "Table", "collected", "recorded", "survey"]
