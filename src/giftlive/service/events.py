"""What happens on the platform, as the log keeps it."""

from __future__ import annotations

from typing import Any, NamedTuple

CLICK, WATCH, GIFT, COMMENT, LIKE, LEAVE, SKIP, EXIT, UNFOLLOW, ROOM_OPEN, ROOM_CLOSE = (
    *("click", "watch", "gift", "comment", "like", "leave", "skip", "exit", "unfollow"),
    *("room_open", "room_close"),
)
TYPES = (*(CLICK, WATCH, GIFT, COMMENT, LIKE, LEAVE, SKIP, EXIT, UNFOLLOW, ROOM_OPEN, ROOM_CLOSE),)
"""click: entered; watch, leave: the viewing so far, or ended; skip: shown, not entered;
exit: left the platform; unfollow: a complaint."""


class Event(NamedTuple):
    """One event; -1 and "" stand for absent.

    Attributes
    ----------
    ts : ms UTC at which it happened, as the platform says. x : amount, watch_ms or seats.
    decision_id : the decision it follows from, where the platform says so.
    """

    event_id: str
    type: str
    ts: int
    user_id: int = -1
    live_id: int = -1
    streamer_id: int = -1
    x: int = -1
    decision_id: str = ""

    def plain(self) -> list[Any]:
        """Return it as a JSON list."""
        return list(self)
