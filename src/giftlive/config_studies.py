"""The sections of the configuration that belong to one study each.

Each names the worlds on which its study is run, on how many seeds, and what stands in it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

FROZEN = ConfigDict(frozen=True, extra="forbid")
"""What every section has in common: it does not change, and it knows all of its keys."""


def _scale(value: Any) -> Any:
    """Return a scale as text: a number is one too, as `--set fidelity.scale=0.1` gives it."""
    return str(value) if type(value) in (int, float) else value


class FidelityConfig(BaseModel):
    """The calibrated world that stands beside the published values, and on how many seeds."""

    model_config = FROZEN
    preset: str = "kuailive"
    scale: Annotated[str, BeforeValidator(_scale)] = "small"
    seeds: Annotated[int, Field(ge=2)] = 3
    overrides: dict[str, str] = Field(default_factory=dict)


class StagesConfig(BaseModel):
    """The worlds on which direct and two-stage models are compared.

    ``teachers`` further worlds teach the Bayes ceiling; 0: there is none.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    scale: Annotated[str, BeforeValidator(_scale)] = "small"
    seeds: Annotated[int, Field(ge=2)] = 8
    teachers: Annotated[int, Field(ge=0)] = 0
    direct: str = "boosted_log1p"
    staged: Annotated[tuple[str, ...], Field(min_length=1)] = ("two_part",)
    overrides: dict[str, str] = Field(default_factory=dict)


class FirstWindowConfig(BaseModel):
    """The worlds on which groups of features are compared, and after how many seconds.

    The groups are compared at the first of ``dwell_seconds``; re-scoring is measured at each.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    scale: Annotated[str, BeforeValidator(_scale)] = "small"
    seeds: Annotated[int, Field(ge=2)] = 8
    model: str = "hurdle"
    dwell_seconds: Annotated[tuple[Literal[3, 5, 10, 30], ...], Field(min_length=1)] = (5, 10)
    overrides: dict[str, str] = Field(default_factory=dict)


class RecallRerankConfig(BaseModel):
    """The worlds in whose decisions a recalled list is ordered again.

    ``lengths``: how many rooms are recalled; the gate asks about ``length``. ``decisions``: about
    how many of a world's test sessions are listed.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    scale: Annotated[str, BeforeValidator(_scale)] = "small"
    seeds: Annotated[int, Field(ge=2)] = 8
    direct: str = "boosted_log1p"
    staged: str = "hurdle"
    length: Annotated[int, Field(ge=2)] = 10
    lengths: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)] = (
        *(3, 5, 10, 20),
    )
    decisions: Annotated[int, Field(ge=50)] = 2_000
    overrides: dict[str, str] = Field(default_factory=dict)


class ValueModelsConfig(BaseModel):
    """The worlds on which value models are held against exact expected amounts.

    ``default``: the model that the gate asks about; ``teachers`` as in ``stages``.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    scale: Annotated[str, BeforeValidator(_scale)] = "small"
    seeds: Annotated[int, Field(ge=2)] = 8
    teachers: Annotated[int, Field(ge=0)] = 0
    default: str = "hurdle"
    names: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *("user_past_spend", "user_mean_gift", "pair_past_spend", "streamer_past_income"),
        *("ridge", "ridge_log1p", "boosted_log1p", "boosted_raw", "boosted_tweedie"),
        *("tweedie_glm", "two_part", "ziln", "hurdle"),
    )
    overrides: dict[str, str] = Field(default_factory=dict)


class DelayConfig(BaseModel):
    """The twins that may hide a delay, and the planted logs on which late labels are treated.

    ``recommended``: the treatment that the gate asks about; ``rows``, ``users``: of a planted log.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    scale: Annotated[str, BeforeValidator(_scale)] = "tiny"
    seeds: Annotated[int, Field(ge=2)] = 20
    rows: Annotated[int, Field(ge=1_000)] = 30_000
    users: Annotated[int, Field(ge=100)] = 3_000
    recommended: str = "delayed_feedback_weibull"
    names: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *("fixed_window", "delay_buckets", "discrete_hazard", "cox", "weibull_aft"),
        *("delayed_feedback", "delayed_feedback_weibull", "fnw", "es_dfm"),
    )
    overrides: dict[str, str] = Field(default_factory=dict)


class MultiTaskConfig(BaseModel):
    """What each arm of the comparison of dense signals and gifts alone may try.

    ``exposures``: about how many at most; of a larger log each is kept with the same chance.
    """

    model_config = FROZEN
    exposures: Annotated[int, Field(ge=1_000)] = 400_000
    learning_rates: Annotated[tuple[float, ...], Field(min_length=1)] = (1e-3, 3e-3)
    dropouts: Annotated[tuple[float, ...], Field(min_length=1)] = (0.1, 0.3)
    epochs: Annotated[int, Field(ge=1)] = 8


class OffPolicyConfig(BaseModel):
    """The logs of the off-policy trial, its evenings with shared seats, and its grid.

    ``decisions``: of a log; ``evenings``: with seats, and as many without limit, 0: none. The
    grid takes every size with every share of random traffic; without sizes there is none.
    """

    model_config = FROZEN
    replications: Annotated[int, Field(ge=50)] = 2_000
    decisions: Annotated[int, Field(ge=100)] = 2_000
    evenings: Annotated[int, Field(ge=0)] = 4
    grid_decisions: tuple[Annotated[int, Field(ge=100)], ...] = ()
    grid_buckets: Annotated[tuple[float, ...], Field(min_length=1)] = (0.01, 0.05, 0.2)
    grid_replications: Annotated[int, Field(ge=50)] = 200
