"""The run's configuration: TOML in, frozen and validated objects out.

Only validation lives here; each layer's ``registry`` turns the names into classes.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from giftlive.config_rollouts import (
    ColdStartConfig,
    ConcaveReturnsConfig,
    ConcurrencyConfig,
    EstimateVsAllocateConfig,
    InterferenceConfig,
    ParetoConfig,
    PhaseDiagramConfig,
    RiskConfig,
    RolloutsConfig,
    WhaleMatchingConfig,
)
from giftlive.config_studies import (
    FROZEN,
    DelayConfig,
    FidelityConfig,
    FirstWindowConfig,
    MultiTaskConfig,
    OffPolicyConfig,
    RecallRerankConfig,
    Scale,
    StagesConfig,
    ValueModelsConfig,
)
from giftlive.errors import ConfigError, InputError, Where

_SHAPES = {
    "tuple_type": "a list of values",
    "model_type": "a table of keys",
    "dict_type": "a table of keys",
    "date_type": "a date such as 2025-05-05",
    "date_from_datetime_parsing": "a date such as 2025-05-05",
    "date_from_datetime_inexact": "a date such as 2025-05-05",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "too_short": "at least {min_length} values, not {actual_length}",
    "too_long": "at most {max_length} values, not {actual_length}",
}
"""Pydantic's names of mistakes, and what should have been there in the words of a file."""


class IngestConfig(BaseModel):
    """How much of a source may be set aside before the ingest refuses it."""

    model_config = FROZEN
    max_reject_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Largest share of a table's rows that may be set aside; above it the ingest fails."""


NO_LIMIT = {"attribution_window_ms": "viewing", "session_gap_ms": "none"}
"""The word that stands for no limit in ms: until the viewing ends, never a new session."""


def _ms_or(word: str) -> BeforeValidator:
    def read(value: Any) -> Any:
        if value != word and (type(value) is not int or value < 0):
            raise ValueError(f"milliseconds, 0 or more, or {word!r}")
        return value

    return BeforeValidator(read)


class TablesConfig(BaseModel):
    """Sessions, labels, splits, and where the tables are made."""

    model_config = FROZEN
    attribution_window_ms: Annotated[int | Literal["viewing"], _ms_or("viewing")] = 60_000
    """A gift counts for the latest click at most so long before it; ``viewing``: until its end."""
    session_gap_ms: Annotated[int | Literal["none"], _ms_or("none")] = "none"
    """A longer pause starts a new session; ``none``: one session per user and room."""
    as_of: Literal["event", "day"] = "event"
    """What a feature knows: events before the row's own time, or before its local day."""
    dwell_seconds: Literal[0, 3, 5, 10, 30] = 0
    """Decide so long after the entry, with what the first seconds have shown; 0: at the entry."""
    folds: Annotated[int, Field(ge=3)] = 3
    """Rolling origins."""
    planted_leak: Literal["", "label", "future_noise", "whole_period", "train_only"] = ""
    """Plant a leak of this kind, to see the audit find it."""
    engine: Literal["duckdb", "spark"] = "duckdb"
    """Where tables are made; ``spark`` needs the extra ``spark`` and a Java runtime."""
    master: str | None = None
    """Spark's master, such as ``local[2]`` or ``spark://host:7077``."""
    form: Literal["native", "portable"] = "native"
    """``native``: compiled sweep; ``portable``: the one SQL text for DuckDB and Spark."""


MACHINE: dict[str, Any] = {
    "jobs": True,
    "memory_limit": True,
    "tables": {"master"},
    "rollouts": {"backend", "scheduler"},
}
"""Settings that decide where a run computes, never what: no cache key holds them."""


class ModelsConfig(BaseModel):
    """Which value models stand on the leaderboard, and how they are compared."""

    model_config = FROZEN
    names: tuple[str, ...] = (
        "user_past_spend",
        "user_mean_gift",
        "pair_past_spend",
        "streamer_past_income",
        "ridge",
        "boosted_log1p",
        "hurdle",
    )
    """Models of the leaderboard; at least one trivial ranker must be among them."""


class ArenaConfig(BaseModel):
    """The world in which policies are compared, and on how many seeds."""

    model_config = FROZEN
    preset: str = "scarce"
    """The world of the evenings."""
    scale: Scale | None = None
    """Its size; none: that of the preset."""
    seeds: Annotated[int, Field(ge=2)] = 20
    """Paired evenings."""
    value_model: str = "hurdle"
    """The model whose amounts the policies see; it should estimate E[amount]."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the world; ``--set world.KEY=VALUE`` writes them here."""


class DemoConfig(BaseModel):
    """The built-in twin that ``make demo`` analyses."""

    model_config = FROZEN
    preset: str = "kuailive"
    """The world whose logs ``--demo`` analyses."""
    scale: Scale = "small"
    """Its size: tiny, small, medium, full, or a number."""


class RunConfig(BaseModel):
    """Everything that decides what a run computes; written back as ``config.toml``."""

    model_config = FROZEN
    seed: Annotated[int, Field(ge=0, lt=2**62)] = 20_261_122
    """Decides every random number of a run."""
    jobs: Annotated[int, Field(ge=1)] = 2
    """Worker processes; changes no number."""
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?(MB|GB)$")] = "4GB"
    """What the database may hold in memory; changes no number."""
    ingest: IngestConfig = IngestConfig()
    tables: TablesConfig = TablesConfig()
    models: ModelsConfig = ModelsConfig()
    arena: ArenaConfig = ArenaConfig()
    off_policy: OffPolicyConfig = OffPolicyConfig()
    fidelity: FidelityConfig = FidelityConfig()
    stages: StagesConfig = StagesConfig()
    value_models: ValueModelsConfig = ValueModelsConfig()
    multi_task: MultiTaskConfig = MultiTaskConfig()
    first_window: FirstWindowConfig = FirstWindowConfig()
    recall_rerank: RecallRerankConfig = RecallRerankConfig()
    delay: DelayConfig = DelayConfig()
    rollouts: RolloutsConfig = RolloutsConfig()
    concave_returns: ConcaveReturnsConfig = ConcaveReturnsConfig()
    phase_diagram: PhaseDiagramConfig = PhaseDiagramConfig()
    whale_matching: WhaleMatchingConfig = WhaleMatchingConfig()
    cold_start: ColdStartConfig = ColdStartConfig()
    interference: InterferenceConfig = InterferenceConfig()
    concurrency: ConcurrencyConfig = ConcurrencyConfig()
    pareto: ParetoConfig = ParetoConfig()
    risk: RiskConfig = RiskConfig()
    estimate_vs_allocate: EstimateVsAllocateConfig = EstimateVsAllocateConfig()
    demo: DemoConfig = DemoConfig()


def load_config(path: Path | None = None, overrides: dict[str, Any] | None = None) -> RunConfig:
    """Return the configuration of ``path`` with dotted ``overrides`` applied.

    Parameters
    ----------
    path : a TOML file; None = the defaults.
    overrides : ``{"arena.seeds": 4}``; values may be strings, which are read as TOML values.

    Raises
    ------
    InputError
        The file is missing or is not TOML.
    ConfigError
        A key is unknown (the nearest valid key is named) or a value is out of range.

    Examples
    --------
    >>> load_config(overrides={"arena.seeds": "4"}).arena.seeds
    4
    """
    raw = {} if path is None else _read_toml(path)
    for key, value in (overrides or {}).items():
        _assign(raw, key, parse_value(value) if isinstance(value, str) else value)
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise _config_error(error, path) from None


def parse_value(text: str) -> Any:
    """Return the TOML value written in ``text``, or the text itself.

    Examples
    --------
    >>> parse_value("0.8"), parse_value("scarce")
    (0.8, 'scarce')
    """
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def nearest(key: str, valid: list[str], what: str = "keys") -> str:
    """Return a hint that names the valid key closest to ``key``, or all of them: ``what`` they are.

    Examples
    --------
    >>> nearest("sedes", ["seeds", "jobs"])
    'did you mean seeds?'
    """
    match = difflib.get_close_matches(key, valid, n=1, cutoff=0.5)
    return f"did you mean {match[0]}?" if match else f"valid {what}: {', '.join(sorted(valid))}"


def expected(error: ErrorDetails) -> str:
    """Return what would have been right, in the words that follow "expected"."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _SHAPES:
        return _SHAPES[kind].format(**context)
    message = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"a value {message}" if message.startswith(("greater ", "less ")) else message


def dump_toml(config: BaseModel) -> str:
    """Return resolved settings as TOML: a run's for ``load_config``, or a scenario's."""
    lines: list[str] = []
    _dump_table(config.model_dump(mode="json"), "", lines)
    return "\n".join(lines).strip() + "\n"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            "no such file", Where(str(path)), "a TOML file", "check the spelling of the path"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"not valid TOML: {error}",
            Where(str(path)),
            "key = value lines under [tables]",
            "start from the config.toml that a run writes",
        ) from None


def _assign(raw: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for part in parents:
        raw = raw.setdefault(part, {})
        if not isinstance(raw, dict):
            raise ConfigError(f"{part!r} is a value, not a table", dotted)
    raw[last] = value


def _config_error(error: ValidationError, path: Path | None) -> ConfigError:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    where = f"{path or 'configuration'}, key {'.'.join(location)}"
    if first["type"] == "extra_forbidden":
        hint = nearest(location[-1], list(_fields(location[:-1])))
        return ConfigError("unknown key", where, "a key of the configuration", hint)
    hint = "every key with its value is in the config.toml that a run writes"
    return ConfigError(f"{first['input']!r} is not valid", where, expected(first), hint)


def _fields(parents: list[str]) -> dict[str, Any]:
    model: type[BaseModel] = RunConfig
    for part in parents:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return {}
        model = annotation
    return dict(model.model_fields)


def _dump_table(table: dict[str, Any], prefix: str, lines: list[str]) -> None:
    values = {k: v for k, v in table.items() if v is not None and not isinstance(v, dict)}
    if prefix:
        lines.extend(["", f"[{prefix}]"])
    lines.extend(f"{_toml_key(key)} = {_toml_value(value)}" for key, value in values.items())
    for key, value in table.items():
        if isinstance(value, dict):
            _dump_table(value, f"{prefix}.{key}" if prefix else key, lines)


def _toml_key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _toml_value(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)
