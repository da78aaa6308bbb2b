"""``giftlive world card``: the model card of a world, measured anew."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show

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
    json: options.Json = False,
) -> None:
    """Write what a world is calibrated to, what emerges, what is assumed, what it matters."""
    from giftlive.evaluation.fidelity.card import card as text_of
    from giftlive.evaluation.fidelity.card import coefficients_of
    from giftlive.evaluation.fidelity.score import scores_of
    from giftlive.evaluation.fidelity.sensitivity import Moved, Place, swing
    from giftlive.run.progress import Reporter
    from giftlive.world import load_scenario, require_clock
    from giftlive.world.calibration import targets

    known = None if calibration is None else coefficients_of(calibration)
    place = Place(preset, scale, options.pairs(settings, "gift.delay_seconds=60"))
    scenario = load_scenario(place.preset, place.scale, place.overrides)
    require_clock(scenario, "--preset")
    drawn, reporter = list(range(seed, seed + seeds)), Reporter()
    with reporter.step("worlds") as step:
        base = place.readings("base", drawn, targets(), step.listener)
    moved: tuple[Moved, ...] = ()
    if sensitivity:
        with reporter.step("sensitivity") as step:
            moved = swing(place, base, drawn, targets(), progress=step.listener)
    words = ["giftlive", "world", "card", "--preset", preset, "--scale", scale, "--seed", str(seed)]
    words += ["--seeds", str(seeds), *(w for s in settings or [] for w in ("--set", s))]
    words += [] if sensitivity else ["--no-sensitivity"]
    words += [] if calibration is None else ["--calibration", calibration.name]
    command = shlex.join([*words, "--out", out.name])
    scores = scores_of(base, targets(), "base")
    out.write_text(text_of(scenario, drawn, scores, moved, known, command), encoding="utf-8")
    if json:
        show.as_json({"card": str(out), "scale": scenario.scale, "seeds": drawn})
        return
    typer.echo(f"card: {out}")
