"""1.2 · Are late labels a problem here, and which treatment helps where they are?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from giftlive.errors import UsageError
from giftlive.evaluation import checks
from giftlive.evaluation.delay import (
    ORACLE,
    RECORDERS,
    VANILLA,
    Design,
    fit_seconds,
    read_delays,
)
from giftlive.evaluation.delay.regimes import SLOW, WORLDS
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Estimate, Gate, StudyResult
from giftlive.evaluation.rules import Rule
from giftlive.models.delay.registry import TREATMENTS
from giftlive.stats.intervals import paired_t
from giftlive.studies.context import Context, say
from giftlive.studies.delay_figures import figures
from giftlive.studies.delay_tables import LOSS, REGIMES, DelayNumbers, listed, tables
from giftlive.studies.over_worlds import columns_of
from giftlive.types import Message
from giftlive.world import load_scenario


@dataclass(frozen=True)
class Delay:
    """First whether a log can show delays at all, then treatments where the law is known.

    Where gifts carry the time of the entry nothing may be fitted. Planted logs have true chances,
    so that losses are expected losses; intervals are over logs, each on a seed of its own.
    """

    name: str = "delay"
    id: str = "1.2"
    needs: tuple[str, ...] = ()
    uses_evening: bool = False

    def run(self, context: Context) -> StudyResult:
        """Read twins and planted logs, and judge the recommended treatment."""
        design = design_of(context)
        found = DelayNumbers(
            read_delays(design, context.progress),
            design.seeds,
            "exposures of planted logs after the cut, judged by their true chances",
            design.names,
            design.recommended,
            design.rows,
        )
        context.keep("readings", columns_of(found.readings))
        for name, seconds in fit_seconds(design).items():
            context.spent(name, {"fit_seconds": seconds})
        rule, named = load_rules()["delay"], listed(found)
        made = _checks(found, rule)
        gate = judge(rule, named, made)
        scenario = next(iter(design.twins.values()))
        return StudyResult(
            study=self.name,
            id=self.id,
            question=Message("study.delay.question", {}),
            seed=context.config.seed,
            config=context.config.delay.model_dump() | {"size": scenario.scale},
            inputs=context.inputs() | {"world": f"{scenario.name} {scenario.fingerprint}"},
            code_version=context.code_version,
            checks=made,
            estimates=named,
            gates=(gate,),
            tables=tables(found),
            figures=figures(found),
            text=_text(found, named, gate),
        )


def design_of(context: Context) -> Design:
    """Return the logs and treatments that are asked for.

    Raises
    ------
    UsageError
        A treatment is unknown, or the recommended one is naive or not among the names.
    """
    asked, first = context.config.delay, context.config.seed
    known = [name for name in TREATMENTS if name != VANILLA]
    unknown = [name for name in asked.names if name not in known]
    if unknown or asked.recommended not in asked.names:
        raise UsageError(
            f"names {', '.join(asked.names)}, recommended {asked.recommended}",
            "delay.names",
            f"some of {', '.join(known)}, the recommended one among them",
            f"{VANILLA} and the oracle stand beside them in any case",
        )
    return Design(
        twins={
            name: load_scenario(asked.preset, asked.scale, asked.overrides | dict(changed))
            for name, changed in RECORDERS.items()
        },
        seeds=tuple(first + k for k in range(asked.seeds)),
        names=asked.names,
        recommended=asked.recommended,
        rows=asked.rows,
        users=asked.users,
        memory_limit=context.config.memory_limit,
        late={
            regime: load_scenario(asked.preset, asked.scale, asked.overrides | dict(changed))
            for regime, changed in WORLDS.items()
        },
    )


def _checks(found: DelayNumbers, rule: Rule) -> tuple[Check, ...]:
    one, other = (found.of(SLOW, name, LOSS) for name in (VANILLA, ORACLE))
    assert one is not None
    assert other is not None
    control = {name: found.of(SLOW, name, LOSS, "control") for name in found.names}
    gains = {
        name: paired_t(one, own, n_unit="worlds")
        for name, own in control.items()
        if own is not None
    }
    ties = [tie for r in (*REGIMES, *WORLDS) for tie in found.ties(f"{r}: a_a", VANILLA, "differs")]
    return (
        checks.a_a(ties, "naive fitted twice, on every log"),
        checks.no_leak(gains, f"log-loss below {VANILLA}'s after learning from permuted labels"),
        checks.movable(
            paired_t(one, other, n_unit="worlds"),
            f"log-loss of {VANILLA} against the {ORACLE}, slow delays",
            **rule.asked("movable"),
        ),
        checks.power(len(found.seeds), "worlds", **rule.asked("power")),
    )


def _text(
    found: DelayNumbers, named: tuple[Estimate, ...], gate: Gate
) -> dict[str, tuple[Message, ...]]:
    name, value = "delay", {e.name: e.value or 0.0 for e in named}
    params: dict[str, Any] = {
        "recommended": found.recommended,
        "closed": value["gap_closed"],
        "error": value["error_ratio"],
        "harm": round(1e5 * value["harm_without_delay"], 3) + 0.0,  # no minus zero
        "tilt": value["tilt_recommended"],
        "tilt_naive": value["tilt_naive"],
        "at_click": value["gifts_at_a_click"],
        "identifiable": value["identifiable_as_recorded"],
        "own_times": value["identifiable_with_own_times"],
        "misfit": value["misfit_slow"],
        "misfit_half": value["misfit_half_late"],
        "closed_half": value["half_late_gap_closed"],
        "warned_half": value["half_late_warned"],
        "medians": value["median_estimated_over_true"],
        "best": found.ranked[0],
        "seeds": len(found.seeds),
        "rows": found.rows,
        "verdict": gate.verdict,
    }
    return {
        "finding": say(name, "finding", **params),
        "headline": say(name, "headline", estimate="gap_closed", label=found.recommended),
        "consensus": say(
            name, "consensus", evidence=gate.reason, decision=gate.consequence, **params
        ),
        "cannot_tell": say(name, "cannot_tell"),
        "mechanism": say(name, "mechanism"),
        "inputs": say(name, "inputs.logs", value=f"{len(found.seeds)} of {found.rows} exposures"),
        "outputs": say(name, "outputs", value=", ".join(found.names)),
        "pipeline": say(name, "pipeline", "1", "2", "3", "4", "5", "6"),
        "outcomes": say(name, "outcomes", "passed", "rejected", "anomaly"),
        "design": say(name, "design", **params),
        "decision": say(name, "decision", consequence=gate.consequence),
        "insight": say(name, "insight", "undone", "calendar", "form", **params),
        "tradeoffs": say(name, "tradeoffs"),
        "assumptions": say(name, "assumptions", "planted", "recorder"),
        "scope": say(name, "scope"),
        "limits": say(name, "limits", "viewings", "drift", "worlds", "median"),
        "next": say(name, "next"),
        "modules": (
            *say(name, "modules.verdict", where="facts.delay:delay_verdict"),
            *say(name, "modules.twin", where="evaluation.delay.identifiability:read_twin"),
            *say(name, "modules.measure", where="evaluation.delay.measure:measured"),
            *say(name, "modules.recorded", where="evaluation.delay.recorded:recorded_log"),
            *say(name, "modules.gap", where="evaluation.delay.gap:gap_closed"),
        ),
    }
