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


Scale = Annotated[str, BeforeValidator(_scale)]
"""A scale of a preset by its name, or a number."""


class FidelityConfig(BaseModel):
    """The calibrated world that stands beside the published values, and on how many seeds."""

    model_config = FROZEN
    preset: str = "kuailive"
    """The calibrated world."""
    scale: Scale = "small"
    """Its size; judged from medium on."""
    seeds: Annotated[int, Field(ge=2)] = 3
    """Worlds; judged from 8 on."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the world."""


class StagesConfig(BaseModel):
    """The worlds on which direct and two-stage models are compared.

    ``teachers`` further worlds teach the Bayes ceiling; 0: there is none.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    """The worlds."""
    scale: Scale = "small"
    """Their size."""
    seeds: Annotated[int, Field(ge=2)] = 8
    """Worlds."""
    teachers: Annotated[int, Field(ge=0)] = 0
    """Further worlds that teach the Bayes ceiling."""
    direct: str = "boosted_log1p"
    """The direct model."""
    staged: Annotated[tuple[str, ...], Field(min_length=1)] = ("two_part",)
    """The two-stage models; the gate asks about the first."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the worlds."""


class FirstWindowConfig(BaseModel):
    """The worlds on which groups of features are compared, and after how many seconds.

    The groups are compared at the first of ``dwell_seconds``; re-scoring is measured at each.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    """The worlds."""
    scale: Scale = "small"
    """Their size."""
    seeds: Annotated[int, Field(ge=2)] = 8
    """Worlds."""
    model: str = "hurdle"
    """The model that is fitted with and without each group."""
    dwell_seconds: Annotated[tuple[Literal[3, 5, 10, 30], ...], Field(min_length=1)] = (5, 10)
    """Seconds after the entry."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the worlds."""


class RecallRerankConfig(BaseModel):
    """The worlds in whose decisions a recalled list is ordered again.

    ``lengths``: how many rooms are recalled; the gate asks about ``length``. ``decisions``: about
    how many of a world's test sessions are listed.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    """The worlds."""
    scale: Scale = "small"
    """Their size."""
    seeds: Annotated[int, Field(ge=2)] = 8
    """Worlds."""
    direct: str = "boosted_log1p"
    """The model that recalls."""
    staged: str = "hurdle"
    """The model that orders again."""
    length: Annotated[int, Field(ge=2)] = 10
    """Rooms recalled, in the gate."""
    lengths: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)] = (
        *(3, 5, 10, 20),
    )
    """Rooms recalled, in the table."""
    decisions: Annotated[int, Field(ge=50)] = 2_000
    """About how many test sessions of a world are listed."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the worlds."""


class ValueModelsConfig(BaseModel):
    """The worlds on which value models are held against exact expected amounts.

    ``default``: the model that the gate asks about; ``teachers`` as in ``stages``.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    """The worlds."""
    scale: Scale = "small"
    """Their size."""
    seeds: Annotated[int, Field(ge=2)] = 8
    """Worlds."""
    teachers: Annotated[int, Field(ge=0)] = 0
    """Further worlds that teach the Bayes ceiling."""
    default: str = "hurdle"
    """The model that the gate asks about."""
    names: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *("user_past_spend", "user_mean_gift", "pair_past_spend", "streamer_past_income"),
        *("ridge", "ridge_log1p", "boosted_log1p", "boosted_raw", "boosted_tweedie"),
        *("tweedie_glm", "two_part", "ziln", "hurdle"),
    )
    """The models compared."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the worlds."""


class DelayConfig(BaseModel):
    """The twins that may hide a delay, and the planted logs on which late labels are treated.

    ``recommended``: the treatment that the gate asks about; ``rows``, ``users``: of a planted log.
    """

    model_config = FROZEN
    preset: str = "kuailive"
    """The twins that may hide a delay."""
    scale: Scale = "tiny"
    """Their size."""
    seeds: Annotated[int, Field(ge=2)] = 20
    """Planted logs, and twins."""
    rows: Annotated[int, Field(ge=1_000)] = 30_000
    """Rows of a planted log."""
    users: Annotated[int, Field(ge=100)] = 3_000
    """Users of a planted log."""
    recommended: str = "delayed_feedback_weibull"
    """The treatment that the gate asks about."""
    names: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *("fixed_window", "delay_buckets", "discrete_hazard", "cox", "weibull_aft"),
        *("delayed_feedback", "delayed_feedback_weibull", "fnw", "es_dfm"),
    )
    """The treatments compared."""
    overrides: dict[str, str] = Field(default_factory=dict)
    """Coefficients of the twins."""


class MultiTaskConfig(BaseModel):
    """What each arm of the comparison of dense signals and gifts alone may try.

    ``exposures``: about how many at most; of a larger log each is kept with the same chance.
    """

    model_config = FROZEN
    exposures: Annotated[int, Field(ge=1_000)] = 400_000
    """About how many exposures are used at most."""
    learning_rates: Annotated[tuple[float, ...], Field(min_length=1)] = (1e-3, 3e-3)
    """Rates that each arm may try."""
    dropouts: Annotated[tuple[float, ...], Field(min_length=1)] = (0.1, 0.3)
    """Shares of hidden units that each arm may try."""
    epochs: Annotated[int, Field(ge=1)] = 8
    """Passes over the exposures at most."""


class OffPolicyConfig(BaseModel):
    """The logs of the off-policy trial, its evenings with shared seats, and its grid.

    ``decisions``: of a log; ``evenings``: with seats, and as many without limit, 0: none. The
    grid takes every size with every share of random traffic; without sizes there is none.
    """

    model_config = FROZEN
    replications: Annotated[int, Field(ge=50)] = 2_000
    """Logs of the trial."""
    decisions: Annotated[int, Field(ge=100)] = 2_000
    """Decisions of a log."""
    evenings: Annotated[int, Field(ge=0)] = 4
    """Whole evenings with seats, and as many without limit."""
    grid_decisions: tuple[Annotated[int, Field(ge=100)], ...] = ()
    """Sizes of the grid; none: no grid."""
    grid_buckets: Annotated[tuple[float, ...], Field(min_length=1)] = (0.01, 0.05, 0.2)
    """Shares of random traffic in the grid."""
    grid_replications: Annotated[int, Field(ge=50)] = 200
    """Logs per cell of the grid."""
