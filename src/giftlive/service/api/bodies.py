"""What requests may say: strict, bounded, nothing unknown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from giftlive.logs.schema import MAX_AMOUNT, MAX_WATCH_MS
from giftlive.service import events

LARGEST_ID = (1 << 63) - 1
LARGEST_TS = 4_102_444_800_000  # the year 2100
LARGEST_SEATS = 1_000_000_000

Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
Ts = Annotated[int, Field(ge=0, le=LARGEST_TS, description="ms since 1970, UTC")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DecisionContext(_Body):
    """When the user is there; absent: now."""

    ts: Ts | None = None


class DecisionBody(_Body):
    """Who asks for how many rooms out of which."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"request_id": "r-1", "user_id": 42, "candidates": [101, 102, 103], "n": 2},
                {"request_id": "r-2", "user_id": 42},
            ]
        },
    )

    request_id: Name
    user_id: Id
    context: DecisionContext | None = None
    candidates: Annotated[list[Id], Field(max_length=2000)] | None = None
    n: Annotated[int, Field(ge=1, le=LARGEST_ID, description="at most `limits.slots`, 20")] = 1

    @model_validator(mode="after")
    def _distinct(self) -> DecisionBody:
        if self.candidates is not None and len(set(self.candidates)) < len(self.candidates):
            raise ValueError("every candidate once")
        return self


_WANTS = {
    events.GIFT: ("amount", "live_id"),
    events.WATCH: ("watch_ms", "live_id", "user_id"),
    events.LEAVE: ("watch_ms", "live_id", "user_id"),
    events.ROOM_OPEN: ("live_id", "streamer_id"),
    events.ROOM_CLOSE: ("live_id",),
    events.EXIT: ("user_id",),
}
_X = {
    events.GIFT: "amount",
    events.WATCH: "watch_ms",
    events.LEAVE: "watch_ms",
    events.ROOM_OPEN: "seats",
}


class EventBody(_Body):
    """One event; what it must say depends on its type."""

    event_id: Name
    type: Literal[
        "click",
        "watch",
        "gift",
        "comment",
        "like",
        "leave",
        "skip",
        "exit",
        "unfollow",
        "room_open",
        "room_close",
    ]
    ts: Ts
    user_id: Id | None = None
    live_id: Id | None = None
    streamer_id: Id | None = None
    amount: Annotated[int, Field(ge=0, le=MAX_AMOUNT)] | None = None
    watch_ms: Annotated[int, Field(ge=0, le=MAX_WATCH_MS)] | None = None
    seats: Annotated[int, Field(ge=0, le=LARGEST_SEATS)] | None = None
    decision_id: Name | None = None

    @model_validator(mode="after")
    def _complete(self) -> EventBody:
        for name in _WANTS.get(self.type, ("user_id", "live_id")):
            if getattr(self, name) is None:
                raise ValueError(f"a {self.type} event needs {name}")
        for name in ("amount", "watch_ms", "seats"):
            if getattr(self, name) is not None and _X.get(self.type) != name:
                raise ValueError(f"a {self.type} event has no {name}")
        return self

    def event(self) -> events.Event:
        """Return it as the log keeps it."""
        x = getattr(self, _X[self.type]) if self.type in _X else None
        found = (self.user_id, self.live_id, self.streamer_id, x)
        user, live, streamer, x = (-1 if number is None else number for number in found)
        decision = self.decision_id or ""
        return events.Event(self.event_id, self.type, self.ts, user, live, streamer, x, decision)


class EventsBody(_Body):
    """A batch of events, in any order."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "event_id": "e-1",
                            "type": "room_open",
                            "ts": 1746374400000,
                            "live_id": 101,
                            "streamer_id": 7,
                            "seats": 50,
                        },
                        {
                            "event_id": "e-2",
                            "type": "gift",
                            "ts": 1746374401000,
                            "user_id": 42,
                            "live_id": 101,
                            "amount": 10,
                        },
                    ]
                }
            ]
        },
    )

    events: Annotated[list[EventBody], Field(min_length=1, max_length=5000)]


class PolicyBody(_Body):
    """A change of policy; what is absent stays as it is."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"shadow": {"name": "softmax", "options": {"temperature": 0.2}}},
                {"kill_switch": False, "because": "the guardrail was right and is heard"},
                {
                    "policy": {
                        "name": "random_bucket",
                        "options": {
                            "share": 0.1,
                            "respect_seats": True,
                            "policy": {"name": "dual_price"},
                        },
                    },
                    "because": "ramp",
                },
            ]
        },
    )

    policy: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    kill_switch: bool | None = None
    because: Annotated[str, Field(max_length=200)] = ""
    if_version: Annotated[str, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _something(self) -> PolicyBody:
        if not self.model_fields_set & {"policy", "shadow", "kill_switch"}:
            raise ValueError("at least one of policy, shadow, kill_switch")
        for name in ("policy", "kill_switch"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def change(self) -> dict[str, Any]:
        """Return what is to change, as the log keeps it."""
        asked = self.model_fields_set & {"policy", "shadow", "kill_switch"}
        return {name: getattr(self, name) for name in sorted(asked)} | {"because": self.because}


class ModelBody(_Body):
    """A run folder on the service's machine, whose values are to decide from now on."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, json_schema_extra={"examples": [{"run": "RUN"}]}
    )

    run: Annotated[str, Field(min_length=1, max_length=1000)]


class RankedRoom(BaseModel):
    """One place of the answer: score = value - price + bonus."""

    live_id: int
    value: float
    price: float
    bonus: float
    score: float
    propensity: float
    marginal_propensity: float


class DecisionAnswer(BaseModel):
    """Which rooms, at what price, and by which rule."""

    decision_id: str
    request_id: str
    user_id: int
    ts: int
    ranking: list[RankedRoom]
    closed: Annotated[list[int], Field(description="candidates left out: they are closed")]
    policy: str
    policy_version: str
    price_version: str
    reason: str
    valued_by: str
    as_of_ts: int
    expires_ts: int


class EventsAnswer(BaseModel):
    """What became of the events: refused ids with a code each."""

    accepted: int
    joined: int
    duplicates: int
    refused: dict[str, str]
