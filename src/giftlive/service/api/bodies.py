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

    request_id: Annotated[Name, Field(description="yours; the same one gets the same answer")]
    user_id: Annotated[Id, Field(description="who is there")]
    context: Annotated[DecisionContext | None, Field(description="absent: now")] = None
    candidates: Annotated[
        Annotated[list[Id], Field(max_length=2000)] | None,
        Field(description="rooms, `live_id` of each; absent: the live ones of most appeal"),
    ] = None
    n: Annotated[
        int,
        Field(ge=1, le=LARGEST_ID, description="rooms to show; at most `limits.slots`, 20"),
    ] = 1

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
_NEEDS = "; ".join(f"{kind}: {', '.join(fields)}" for kind, fields in _WANTS.items())


class EventBody(_Body):
    """One event; what it must say depends on its type."""

    event_id: Annotated[Name, Field(description="yours; heard again it counts once")]
    type: Annotated[
        Literal[
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
        ],
        Field(description=f"what it needs: {_NEEDS}; the others: user_id, live_id"),
    ]
    ts: Ts
    user_id: Annotated[Id | None, Field(description="whose it is")] = None
    live_id: Annotated[Id | None, Field(description="the room")] = None
    streamer_id: Annotated[Id | None, Field(description="whose room it is")] = None
    amount: Annotated[
        Annotated[int, Field(ge=0, le=MAX_AMOUNT)] | None, Field(description="platform units")
    ] = None
    watch_ms: Annotated[
        Annotated[int, Field(ge=0, le=MAX_WATCH_MS)] | None, Field(description="ms inside so far")
    ] = None
    seats: Annotated[
        Annotated[int, Field(ge=0, le=LARGEST_SEATS)] | None,
        Field(description="of the room; absent: no limit"),
    ] = None
    decision_id: Annotated[
        Name | None, Field(description="of the decision it follows; absent: the latest that can be")
    ] = None

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
    value: Annotated[float, Field(description="expected amount if shown, platform units")]
    price: Annotated[float, Field(description="of the seat for as long as it is taken")]
    bonus: Annotated[float, Field(description="for what a policy adds to a room")]
    score: float
    propensity: Annotated[float, Field(description="chance of this place, given those above it")]
    marginal_propensity: Annotated[float, Field(description="chance to be anywhere in the answer")]


class DecisionAnswer(BaseModel):
    """Which rooms, at what price, and by which rule."""

    decision_id: Annotated[str, Field(description="events that follow from it may name it")]
    request_id: str
    user_id: int
    ts: Annotated[int, Field(description="ms since 1970, UTC")]
    ranking: Annotated[list[RankedRoom], Field(description="the best first; may be empty")]
    closed: Annotated[list[int], Field(description="candidates left out: they are closed")]
    policy: Annotated[str, Field(description="who decided")]
    policy_version: str
    price_version: Annotated[str, Field(description="number of the tick whose prices hold")]
    reason: Annotated[str, Field(description="code of docs/decision-log.md")]
    valued_by: Annotated[str, Field(description="`scorer`, `model` or `popularity`")]
    as_of_ts: Annotated[int, Field(description="the tick whose features and prices were used")]
    expires_ts: Annotated[int, Field(description="not to be acted upon after it")]


class EventsAnswer(BaseModel):
    """What became of the events: refused ids with a code each."""

    accepted: int
    joined: Annotated[int, Field(description="of them, how many followed from a decision")]
    duplicates: Annotated[int, Field(description="heard before")]
    refused: Annotated[dict[str, str], Field(description="`event_id` and a code")]
