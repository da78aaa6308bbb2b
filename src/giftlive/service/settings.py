"""What can be set about the service; the part that decides results is written into its log."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from giftlive.errors import ConfigError
from giftlive.service.guardrail_settings import DEFAULT_GUARDRAILS, GuardrailSettings

Json = dict[str, Any]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PricerSettings(_Frozen):
    """The price of a seat-second: entropic mirror descent on occupancy against ``target``."""

    learning_rate: float = Field(default=12.0, ge=0.0)
    """Per hour of occupancy one full room above the target."""
    target: float = Field(default=0.75, gt=0.0, le=1.0)
    """Occupied share of a room at which its price stands still."""
    floor: float = Field(default=0.05, gt=0.0)
    """Smallest positive price of a seat-second, in units of the mean value of a seat-second."""
    largest: float = Field(default=100.0, gt=0.0)
    """Largest price, in the same unit."""
    largest_step: float = Field(default=0.25, gt=0.0)
    """Bound on the change of log price in one tick."""
    newcomer_floor: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Least share of decisions that show a newcomer; 0: no such resource."""
    newcomer_decisions: int = Field(default=100, ge=1)
    """A streamer shown less often is a newcomer."""
    newcomer_rate: float = Field(default=60.0, ge=0.0)
    """Per hour of a share that is missing altogether, in mean values of a decision."""
    newcomer_largest: float = Field(default=5.0, gt=0.0)
    """Largest bonus, in the same unit."""
    stale_after_seconds: float = Field(default=120.0, gt=0.0)
    """Decisions, but no event for so long: occupancy is not believed and prices stand still."""


class RoomSettings(_Frozen):
    """The rooms that the service remembers."""

    largest: int = Field(default=4096, ge=1, le=1 << 16)
    """Live rooms at one time."""
    retrieved: int = Field(default=200, ge=1, le=2000)
    """Candidates when a request names none."""
    silent_hours: float = Field(default=24.0, gt=0.0)
    """A room of which no event came for so long is live no more; showing it does not count."""


class JoinSettings(_Frozen):
    """When the outcome of a decision is final."""

    click_seconds: float = Field(default=600.0, gt=0.0)
    """Without a click for so long, the decision earned nothing."""
    settle_seconds: float = Field(default=60.0, ge=0.0)
    """After the viewer left, late gifts still count for so long."""
    longest_hours: float = Field(default=6.0, gt=0.0)
    """A viewing that nobody ended is over after so long."""
    hold_seconds: float = Field(default=30.0, ge=0.0)
    """A decision holds a seat until the click, for so long at most."""
    early_seconds: float = Field(default=5.0, ge=0.0)
    """An event dated further before a decision does not follow from it; clocks differ by less."""
    remembered: int = Field(default=200_000, ge=1)
    """Open decisions; beyond, the oldest are taken for finished."""


class DecisiveSettings(_Frozen):
    """What replay depends on; a log keeps the settings it began with."""

    seed: int = 0
    """Decides every random choice of policies."""
    tz: str = "Asia/Shanghai"
    """Whose days and hours features mean."""
    tick_ms: int = Field(default=1_000, ge=10)
    """Features, prices and guardrails move once in so long."""
    user_refresh_seconds: float = Field(default=300.0, gt=0.0)
    """A user who comes back after so long gets features of the present."""
    pairs_per_user: int = Field(default=64, ge=1)
    """Streamers with whom a user's own history counts."""
    remembered_requests: int = Field(default=500_000, ge=1)
    """Ids by which a repeated request is known, the latest so many."""
    remembered_events: int = Field(default=1_000_000, ge=1)
    """Ids by which a repeated event is known, the latest so many."""
    expiry_seconds: float = Field(default=30.0, gt=0.0)
    """How long a caller may act on an answer."""
    policy: Json = Field(
        default={
            "name": "random_bucket",
            "options": {"share": 0.05, "respect_seats": True, "policy": {"name": "dual_price"}},
        }
    )
    """Who decides until ``PUT /v1/policy`` says otherwise: never in favour of a full room."""
    safe_policy: Json = Field(default={"name": "greedy_with_cap"})
    """Who decides after a breached guardrail."""
    rerank: int = Field(default=0, ge=0, le=20)
    """Best candidates that the full model values again; 0: the Scorer alone."""
    rooms: RoomSettings = RoomSettings()
    join: JoinSettings = JoinSettings()
    pricer: PricerSettings = PricerSettings()
    guardrails: tuple[GuardrailSettings, ...] = DEFAULT_GUARDRAILS
    """What must not get worse (docs/service.md)."""
    digest_every_ticks: int = Field(default=300, ge=1)
    """Ticks between two digests of the state in the log, which ``--verify`` compares."""


class LimitSettings(_Frozen):
    """What a request may ask for; not part of the log."""

    body_bytes: int = Field(default=1 << 20, ge=1024)
    """Bytes of a body."""
    candidates: int = Field(default=1000, ge=1, le=2000)
    """Rooms that a request may name."""
    slots: int = Field(default=20, ge=1)
    """Rooms that a request may ask for."""
    events: int = Field(default=1000, ge=1)
    """Events of one batch."""
    clock_skew_seconds: float = Field(default=300.0, ge=0.0)
    """How far a time in a request may be off the clock."""
    event_age_hours: float = Field(default=168.0, gt=0.0)
    """Events that happened longer ago are refused: nothing waits for them any more."""
    waiting: int = Field(default=2000, ge=1)
    """Requests that wait for the store; beyond, the answer is 503."""
    requests_per_second: float = Field(default=5000.0, gt=0.0)
    """Per key, with bursts of twice as many."""
    store_seconds: float = Field(default=5.0, gt=0.0)
    """A store that takes longer to write is called unavailable."""
    model_ms: float = Field(default=20.0, gt=0.0)
    """A full model that takes longer is left out for ``model_rest_seconds``."""
    model_rest_seconds: float = Field(default=30.0, gt=0.0)
    """How long a slow model rests."""
    snapshot_seconds: float = Field(default=600.0, ge=0.0)
    """Another process keeps a snapshot once in so long; 0: only when the service ends."""
    export_rows: int = Field(default=200_000, ge=1)
    """Decisions of one export."""


class ServiceSettings(_Frozen):
    """Everything; ``clock`` says whose time counts."""

    decisive: DecisiveSettings = DecisiveSettings()
    limits: LimitSettings = LimitSettings()
    clock: Literal["wall", "requests"] = "wall"
    """``requests``: time is what requests say it is, for replays of past logs."""


def load_settings(path: Path | None, overrides: Json | None = None) -> ServiceSettings:
    """Read a TOML file and apply ``overrides``, dotted keys to values.

    Raises
    ------
    ConfigError
        The file is not TOML, or a key or value is not valid.

    Examples
    --------
    >>> load_settings(None, {"decisive.tick_ms": 500}).decisive.tick_ms
    500
    """
    found: Json = {}
    if path is not None:
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(str(error), str(path), "a TOML file") from error
    for key, value in (overrides or {}).items():
        _put(found, key.split("."), value)
    try:
        return ServiceSettings.model_validate_json(_as_json(found))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(first["msg"], where or "settings", "docs/service.md") from error


def require_in_force(asked: DecisiveSettings, kept: DecisiveSettings, log: str) -> None:
    """Hold what was asked for against the settings that a log keeps.

    Raises
    ------
    ConfigError
        A setting was given, and the log has another value: every such one is named.

    Examples
    --------
    >>> require_in_force(DecisiveSettings(), DecisiveSettings(tick_ms=500), "sqlite:///log.db")
    """
    found = list(_differing(asked, kept, "decisive"))
    if found:
        raise ConfigError(
            "; ".join(f"{key} is asked to be {told} and is {own}" for key, told, own in found),
            log,
            "the settings that this log began with, which it keeps for ever",
            "leave them away, or begin a new log with another --db; "
            "PUT /v1/policy changes the policy of a service that runs",
        )


def _differing(asked: BaseModel, kept: BaseModel, where: str) -> Iterator[tuple[str, str, str]]:
    """Yield key, value asked for and value kept, as JSON, of all that was given and differs."""
    for name in sorted(asked.model_fields_set):
        told, own = getattr(asked, name), getattr(kept, name)
        if isinstance(told, BaseModel):
            yield from _differing(told, own, f"{where}.{name}")
        elif told != own:
            yield f"{where}.{name}", _as_json(told).decode(), _as_json(own).decode()


def _put(tree: Json, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _as_json(tree: Any) -> bytes:
    """Return settings as JSON: strict models take a JSON list for a tuple, not a Python one."""
    from pydantic_core import to_json

    return to_json(tree)
