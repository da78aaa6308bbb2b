"""0.3 · Does the generated world show the statistics and the behaviours that are published?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from giftlive.evaluation import checks
from giftlive.evaluation.fidelity import (
    BEHAVIOURS,
    CALIBRATED,
    ROUNDS,
    Comparison,
    Score,
    compare,
)
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.facts import compute_facts
from giftlive.stats.intervals import Interval, no_interval
from giftlive.studies.context import Context, say
from giftlive.studies.fidelity_figures import fidelity_figures
from giftlive.studies.fidelity_tables import fidelity_tables, mean_of_seeds
from giftlive.types import Message
from giftlive.world import load_scenario
from giftlive.world.calibration import Target, targets


@dataclass(frozen=True)
class WorldFidelity:
    """The target table over seeds: the calibrated world, two in rounds, and the run's own logs.

    Attributes
    ----------
    table : the targets; None = those that are published.
    """

    table: tuple[Target, ...] | None = None
    name: str = "world_fidelity"
    id: str = "0.3"
    needs: tuple[str, ...] = ("click", "gift")
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Measure every world on every seed; check size and seeds before reading the outcome."""
        config = context.config.fidelity
        scenario = load_scenario(config.preset, config.scale, config.overrides)
        own = compute_facts(context.store)
        found = compare(
            scenario,
            [context.config.seed + k for k in range(config.seeds)],
            targets() if self.table is None else self.table,
            own,
            first=own if context.twin else None,
            memory_limit=context.config.memory_limit,
            progress=context.progress,
        )
        context.keep("readings", _readings(found))
        context.keep("worlds", _worlds(found))
        rule = load_rules()["world_fidelity"]
        made, estimates = _checks(found, rule), _estimates(found)
        gate = judge(rule, estimates, made)
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.world_fidelity.question", {}),
            seed=context.config.seed,
            config=config.model_dump() | {"size": found.scale},
            inputs=context.inputs() | {"world": f"{scenario.name} {scenario.fingerprint}"},
            code_version=context.code_version,
            checks=made,
            estimates=estimates,
            gates=(gate,),
            tables=fidelity_tables(found),
            figures=fidelity_figures(found),
            text=_text(found, gate, context),
        )


def _readings(found: Comparison) -> dict[str, list[Any]]:
    """Return one row per world, seed and number: what all numbers are made of.

    Where a world has no such number ``known`` is false and ``value`` 0.
    """
    names = ("world", "seed", "target", "fact", "part")
    columns: dict[str, list[Any]] = {n: [getattr(r, n) for r in found.readings] for n in names}
    columns["known"] = [r.value is not None for r in found.readings]
    columns["value"] = [r.value or 0.0 for r in found.readings]
    return columns


def _worlds(found: Comparison) -> dict[str, list[Any]]:
    return {"world": [CALIBRATED], "scale": [found.scale], "seeds": [len(found.seeds)]}


def _checks(found: Comparison, rule: Rule) -> tuple[Check, ...]:
    """Return what must hold before the targets are read; none of it looks at the outcome."""
    reference = ROUNDS[0]
    return (
        checks.a_a(found.ties, "worlds in rounds made twice on one seed"),
        checks.movable(
            _missed_share(found, reference),
            f"share of its targets that {reference} misses",
            **rule.asked("movable"),
        ),
        checks.power(len(found.seeds), "seeds", **rule.asked("power")),
        checks.size(found.scale, f"the {CALIBRATED} world", **rule.asked("size")),
    )


def _missed_share(found: Comparison, world: str) -> Interval:
    """Return the share of the targets of ``world`` that it misses, known without error."""
    judged = found.judged(world)
    if not judged:
        return no_interval("undefined", "it has none of the targets", checks.EXACT, 0, "targets")
    return checks.exact(1.0 - sum(judged.values()) / len(judged), "targets")


def _estimates(found: Comparison) -> tuple[Estimate, ...]:
    """Return the share within tolerance of every world, then the behaviours of the calibrated."""
    shares = [
        _share(found, world, f"{prefix}targets_within_tolerance")
        for world, prefix in ((CALIBRATED, ""), *((name, f"{name}_") for name in ROUNDS))
    ]
    return (*shares, *(mean_of_seeds(s, CALIBRATED, s.unit) for s in _behaviours(found)))


def _behaviours(found: Comparison, world: str = CALIBRATED) -> tuple[Score, ...]:
    """Return the scores of what no coefficient sets."""
    return tuple(s for s in found.scores(world) if s.target.name in BEHAVIOURS)


def _share(found: Comparison, world: str, name: str) -> Estimate:
    """Return the share of a world's gated targets that pass: exact, the error is in the rule."""
    judged = found.judged(world)
    share = sum(judged.values()) / len(judged) if judged else None
    return Estimate(
        name=name,
        value=share,
        low=share,
        high=share,
        method=checks.EXACT,
        n=len(found.seeds),
        n_unit="seeds",
        unit="share",
        denominator=f"{len(judged)} gated targets",
        population=f"the {world} world" if world == CALIBRATED else f"the world {world} in rounds",
        status="ok" if judged else "undefined",
        reason="" if judged else "none of the targets is gated at this scale",
    )


def _text(found: Comparison, gate: Gate, context: Context) -> dict[str, tuple[Message, ...]]:
    name, params = "world_fidelity", _params(found, gate)
    return {
        "finding": say(name, "finding", **params),
        "headline": (
            *say(name, "headline.targets", estimate="targets_within_tolerance"),
            *(
                Message(f"study.{name}.headline.{s.target.name}", {"estimate": s.fact})
                for s in _behaviours(found)
                if s.target.name == "revenue_share_never_gifted_pairs" and s.mean is not None
            ),
        ),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": (
            *say(name, "inputs.targets", value=f"{len(found.table)} published quantities"),
            *say(name, "inputs.worlds", value=f"{CALIBRATED}, {', '.join(ROUNDS)}"),
            *say(name, "inputs.logs", value=context.store.source.label),
        ),
        "outputs": say(name, "outputs", value="mean, error and tolerance of every target"),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "mechanism", "diagnostics", "design", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "published", "seeds", "rounds"),
        "scope": say(name, "scope", **params),
        "limits": say(name, "limits", "moments", "weeks", "rounds", "logs"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.targets", where="world.calibration.targets:targets"),
            *say(name, "modules.worlds", where="evaluation.fidelity.comparison:compare"),
            *say(name, "modules.rule", where="evaluation.fidelity.score:Score"),
        ),
    }


def _params(found: Comparison, gate: Gate) -> dict[str, Any]:
    """Return the numbers that the sentences are filled with."""
    judged = {world: found.judged(world) for world in (CALIBRATED, *ROUNDS)}
    emerging = {t: ok for t, ok in judged[CALIBRATED].items() if t in BEHAVIOURS}
    set_by = {t: ok for t, ok in judged[CALIBRATED].items() if t not in BEHAVIOURS}
    return {
        "within": sum(judged[CALIBRATED].values()),
        "gated": len(judged[CALIBRATED]),
        "emerge": sum(emerging.values()),
        "emerging": len(emerging),
        "constructed": sum(set_by.values()),
        "constructing": len(set_by),
        **{name: sum(judged[name].values()) for name in ROUNDS},
        **{f"{name}_of": len(judged[name]) for name in ROUNDS},
        "seeds": len(found.seeds),
        "scale": found.scale,
        "missed": _missed(found.scores(CALIBRATED), judged[CALIBRATED]),
        "verdict": gate.verdict,
    }


def _missed(scores: Sequence[Score], judged: dict[str, bool], most: int = 3) -> str:
    """Return the names of the targets that are missed by most, the furthest first."""
    far: dict[str, float] = {}
    for score in scores:
        if judged.get(score.target.name, True) is False:
            distance = score.distance
            size = abs(distance) if distance is not None else float("inf")
            far[score.target.name] = max(size, far.get(score.target.name, 0.0))
    names = sorted(far, key=lambda name: (-far[name], name))
    return ", ".join(names[:most]) or "none"
