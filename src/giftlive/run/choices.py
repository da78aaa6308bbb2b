"""Names in a configuration that only the registries can judge, judged before any work is done."""

from __future__ import annotations

from collections.abc import Sequence

from giftlive.config import RunConfig, nearest
from giftlive.errors import ConfigError
from giftlive.evaluation.leaderboard import TRIVIAL
from giftlive.models.registry import MODELS, NEURAL, make
from giftlive.world import load_scenario, require_clock

_MODELS = "configuration, key models.names"


def check_choices(config: RunConfig) -> None:
    """Refuse a model, a world or a scale that does not exist, and a board without an opponent.

    Raises
    ------
    ConfigError
        Naming the nearest valid choice where there is one.
    UsageError
        The world plays in rounds: it can have no log and no evening. Or a model needs an extra
        that is not installed.
    """
    _known(config.models.names, _MODELS)
    _known((config.stages.direct, *config.stages.staged), "configuration, table stages")
    trivial = set(config.models.names).intersection(TRIVIAL)
    if not trivial or len(trivial) == len(set(config.models.names)):
        raise ConfigError(
            f"{len(trivial)} trivial rankers among {len(config.models.names)} models",
            _MODELS,
            "at least one trivial ranker and one model to compare with it",
            f"add one of {', '.join(TRIVIAL)}" if not trivial else "add ridge, for example",
        )
    arena, demo = config.arena, config.demo
    _known((arena.value_model,), "configuration, key arena.value_model")
    evening = load_scenario(arena.preset, scale=arena.scale, overrides=arena.overrides)
    require_clock(evening, "configuration, key arena.preset")
    require_clock(load_scenario(demo.preset, scale=demo.scale), "configuration, key demo.preset")
    fidelity = config.fidelity
    calibrated = load_scenario(fidelity.preset, fidelity.scale, fidelity.overrides)
    require_clock(calibrated, "configuration, key fidelity.preset")
    stages = config.stages
    require_clock(
        load_scenario(stages.preset, stages.scale, stages.overrides),
        "configuration, key stages.preset",
    )


def _known(names: Sequence[str], where: str) -> None:
    valid = [*MODELS, *NEURAL]
    for name in names:
        if name not in valid:
            raise ConfigError(
                f"there is no model {name!r}", where, "value models", nearest(name, valid)
            )
        make(name)
