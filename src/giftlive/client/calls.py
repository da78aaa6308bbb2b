"""What both clients say to the service, and what they make of its answers."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from giftlive.errors import GiftLiveError

AGAIN = frozenset((408, 429, 503))
"""Answers after which the same call is sent again."""
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 5.0


class ServiceError(GiftLiveError):
    """The service refused a call, or could not be reached.

    Attributes
    ----------
    status : of HTTP, 0 where there was no answer. code : of the error body.
    """

    exit_code = 1

    def __init__(self, status: int, code: str, what: str, field: str = "", hint: str = "") -> None:
        self.status, self.code = status, code
        where = f"service, {status} {code}" if status else "service"
        super().__init__(what, f"{where}, {field}" if field else where, "", hint)


@dataclass(frozen=True)
class Call:
    """One request, complete before it is sent the first time, so that it can be repeated."""

    method: str
    path: str
    json: dict[str, Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Retries:
    """How often and how long to wait.

    Attributes
    ----------
    times : after the first try. draw : a number in [0, 1), so that callers do not come at once.
    """

    times: int = 5
    draw: Any = random.random

    def wait(self, tried: int, told: str | None) -> float:
        """Return seconds before try ``tried`` + 1: as told, or twice as long each time.

        Examples
        --------
        >>> Retries(draw=lambda: 0.0).wait(2, None), Retries(draw=lambda: 0.0).wait(0, "3")
        (0.1, 3.0)
        """
        own = min(_FIRST_WAIT * 2.0**tried, _LONGEST_WAIT)
        asked = float(told) if told and told.isdigit() else 0.0
        return max(own * (0.5 + 0.5 * self.draw()), min(asked, 60.0))


def headers_of(key: str | None) -> dict[str, str]:
    """Return what says who asks."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def decision_call(
    user_id: int,
    candidates: Iterable[int] | None,
    n: int,
    request_id: str | None,
    ts: int | None,
) -> Call:
    """Return a request for a decision; without an id it gets one."""
    body: dict[str, Any] = {"request_id": request_id or uuid.uuid4().hex, "user_id": user_id}
    if candidates is not None:
        body["candidates"] = list(candidates)
    if n != 1:
        body["n"] = n
    if ts is not None:
        body["context"] = {"ts": ts}
    return Call("POST", "/v1/decisions", body)


def events_call(events: Iterable[Mapping[str, Any]]) -> Call:
    """Return a report of events; those without an id get one."""
    named = [{"event_id": uuid.uuid4().hex} | dict(event) for event in events]
    return Call("POST", "/v1/events", {"events": named})


def export_call(from_ts: int, to_ts: int | None, version: str | None) -> Call:
    """Return a request for the decision log."""
    asked = {"from": from_ts, "to": to_ts, "policy_version": version}
    params = {name: value for name, value in asked.items() if value is not None}
    return Call("GET", "/v1/export", params=params)


def refusal(status: int, body: Any) -> ServiceError:
    """Return the error that an answer means."""
    detail = body.get("error", {}) if isinstance(body, dict) else {}
    return ServiceError(
        status,
        str(detail.get("code", "unknown")),
        str(detail.get("message", f"status {status}")),
        str(detail.get("field") or ""),
        str(detail.get("hint") or ""),
    )


def unreachable(error: Exception) -> ServiceError:
    """Return the error of a service that did not answer."""
    hint = "is it running, at this URL?"
    return ServiceError(0, "unreachable", f"{type(error).__name__}: {error}", "", hint)
