"""0.3b · Do rankers order on the generated world as they do in what is published?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.evaluation.behavioural import PUBLISHED, RANKERS, Reading, read_worlds
from giftlive.evaluation.results import StudyResult
from giftlive.studies.behavioural_tables import (
    Behaviour,
    behavioural_tables,
    listed,
    order_figure,
)
from giftlive.studies.context import Context, say, worlds_of
from giftlive.types import Message
from giftlive.world import load_scenario


@dataclass(frozen=True)
class BehaviouralFidelity:
    """Rankers on day-frozen clicks of the calibrated world, beside the published results.

    It has no gate and tunes nothing. Intervals are over worlds, each made on a seed of its own:
    over the users of one world no interval of a capture was measured to hold at such tails.
    """

    name: str = "behavioural_fidelity"
    id: str = "0.3b"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Make every world, rank its clicks and print the means over seeds."""
        config = context.config.fidelity
        scenario = load_scenario(config.preset, config.scale, config.overrides)
        seeds = tuple(context.config.seed + k for k in range(config.seeds))
        readings = read_worlds(
            scenario, seeds, memory_limit=context.config.memory_limit, progress=context.progress
        )
        context.keep("readings", _columns(readings))
        found = Behaviour(readings, scenario.scale, seeds)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.behavioural_fidelity.question", {}),
            seed=context.config.seed,
            config=config.model_dump() | {"size": scenario.scale},
            inputs=context.inputs() | {"world": f"{scenario.name} {scenario.fingerprint}"},
            code_version=context.code_version,
            estimates=listed(found),
            tables=behavioural_tables(found),
            figures=(order_figure(found),),
            text=_text(found),
        )


def _columns(readings: tuple[Reading, ...]) -> dict[str, list[Any]]:
    """Return one row per seed and number; where there is none ``known`` is false, ``value`` 0."""
    numbers = [r.number for r in readings]
    return {
        "seed": [r.seed for r in readings],
        **{name: [getattr(n, name) for n in numbers] for name in ("table", "row", "column")},
        "known": [n.value is not None for n in numbers],
        "value": [n.value or 0.0 for n in numbers],
    }


def _params(found: Behaviour) -> dict[str, Any]:
    """Return the numbers that the sentences are filled with."""
    top = "capture@1 %"
    rate = "clicks with a gift, {}"
    return {
        "ridge": found.value("order", "ridge", top),
        "trivial": found.value("order", "user_past_spend", top),
        "published_ridge": PUBLISHED["order", "ridge", top],
        "published_trivial": PUBLISHED["order", "user_past_spend", top],
        "gap": 100 * found.value("gains", "ridge - user_past_spend", top),
        "published_gap": 100 * PUBLISHED["gains", "ridge - user_past_spend", top],
        "best": max(RANKERS, key=lambda name: found.value("order", name, top)),
        "cold": found.value("rows", "pair without a gift", "share of the amount"),
        "once": found.value("double", rate.format("last touch"), "value"),
        "doubled": found.value("double", rate.format("every click"), "value"),
        "seeds": len(found.seeds),
        "scale": found.scale,
    }


def _text(found: Behaviour) -> dict[str, tuple[Message, ...]]:
    name, params = "behavioural_fidelity", _params(found)
    return {
        "finding": say(name, "finding", **params),
        "headline": (
            *say(name, "headline.ridge", estimate="capture_1pct_ridge"),
            *say(name, "headline.trivial", estimate="capture_1pct_user_past_spend"),
        ),
        "consensus": say(name, "consensus", **params),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": (
            *say(name, "inputs.published", value=f"{len(PUBLISHED)} published values"),
            *say(name, "inputs.worlds", value=worlds_of(len(found.seeds), found.scale)),
        ),
        "outputs": say(name, "outputs", value=", ".join(RANKERS)),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision"),
        "insight": say(name, "insight", "order", "labels", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "published", "seeds"),
        "scope": say(name, "scope", **params),
        "limits": say(name, "limits", "labels", "features", "leak", "slices", "linear"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.rankers", where="evaluation.behavioural.rankers:predicted"),
            *say(name, "modules.labels", where="evaluation.behavioural.labels:every_click"),
            *say(name, "modules.numbers", where="evaluation.behavioural.measure:numbers_of"),
        ),
    }
