"""``giftlive world card``: the model card of a world, measured anew."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from giftlive.cli import options, show

if TYPE_CHECKING:
    from giftlive.evaluation.fidelity.measure import Reading
    from giftlive.evaluation.fidelity.sensitivity import Moved, Place
    from giftlive.world import Scenario

Calibration = Annotated[
    Path | None,
    typer.Option("--calibration", help="What `giftlive world calibrate --json` printed."),
]


def card(
    out: Annotated[Path, typer.Option("--out", help="Markdown file to write.")],
    preset: Annotated[
        str, typer.Option("--preset", help="A shipped preset or a TOML file.")
    ] = "kuailive",
    scale: Annotated[
        str, typer.Option("--scale", help="tiny, small, medium, full, or a number.")
    ] = "small",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The first of them.")] = 1,
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="How many worlds.")] = 4,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One coefficient, e.g. --set gift.delay_seconds=60."),
    ] = None,
    calibration: Calibration = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity/--no-sensitivity", help="Also move assumed coefficients."),
    ] = True,
    bands_scale: Annotated[
        str | None, typer.Option("--bands-scale", help="Scale of those moves; none: --scale.")
    ] = None,
    bands_seeds: Annotated[
        int | None, typer.Option("--bands-seeds", min=2, help="And their worlds; none: --seeds.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Write what a world is calibrated to, what emerges, what is assumed, what it matters."""
    from giftlive.evaluation.fidelity.card import Bands, coefficients_of
    from giftlive.evaluation.fidelity.card import card as text_of
    from giftlive.evaluation.fidelity.score import scores_of
    from giftlive.evaluation.fidelity.sensitivity import Place
    from giftlive.world.calibration import targets

    known = None if calibration is None else coefficients_of(calibration)
    place = Place(preset, scale, options.pairs(settings, "gift.delay_seconds=60"))
    scenario = _clocked(place)
    drawn = list(range(seed, seed + seeds))
    there = Place(preset, bands_scale or scale, place.overrides)
    moved_scale = _clocked(there).scale
    few = list(range(seed, seed + (bands_seeds or seeds)))
    base = _base(place, drawn)
    moved = _moved((there, few), (place, drawn), base) if sensitivity else ()
    asked = {
        "--preset": preset,
        "--scale": scale,
        "--seed": seed,
        "--seeds": seeds,
        "--bands-scale": bands_scale,
        "--bands-seeds": bands_seeds,
        "--calibration": calibration and calibration.name,
        "--out": out.name,
    }
    command = _command(asked, settings or [], sensitivity)
    scores = scores_of(base, targets(), "base")
    bands = Bands(moved, moved_scale, len(few))
    out.write_text(text_of(scenario, drawn, scores, bands, known, command), encoding="utf-8")
    if json:
        show.as_json({"card": str(out), "scale": scenario.scale, "seeds": drawn})
        return
    typer.echo(f"card: {out}")


def _command(asked: Mapping[str, object], settings: Sequence[str], sensitivity: bool) -> str:
    """Return the command with the options that were given a value."""
    named = [w for name, value in asked.items() if value is not None for w in (name, str(value))]
    whole = [] if sensitivity else ["--no-sensitivity"]
    return shlex.join(
        ["giftlive", "world", "card", *(w for s in settings for w in ("--set", s)), *whole, *named]
    )


def _clocked(place: Place) -> Scenario:
    from giftlive.world import load_scenario, require_clock

    scenario = load_scenario(place.preset, place.scale, place.overrides)
    require_clock(scenario, "--preset")
    return scenario


def _base(place: Place, seeds: list[int]) -> tuple[Reading, ...]:
    from giftlive.run.progress import Reporter
    from giftlive.world.calibration import targets

    with Reporter().step(f"worlds, scale {place.scale}") as step:
        return place.readings("base", seeds, targets(), step.listener)


def _moved(
    there: tuple[Place, list[int]], here: tuple[Place, list[int]], base: tuple[Reading, ...]
) -> tuple[Moved, ...]:
    """Return what the assumed coefficients move ``there``; ``base`` was measured ``here``."""
    from giftlive.evaluation.fidelity.sensitivity import swing
    from giftlive.run.progress import Reporter
    from giftlive.world.calibration import targets

    before = base if there == here else _base(*there)
    place, seeds = there
    with Reporter().step("sensitivity") as step:
        return swing(place, before, seeds, targets(), progress=step.listener)
