"""``giftlive world check``: is a world, or are real logs, what is published about KuaiLive?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from giftlive.cli import options, show
from giftlive.cli.world_table import check_table, header, summary
from giftlive.errors import UsageError

if TYPE_CHECKING:
    from giftlive.run.steps import Workshop
    from giftlive.world.calibration import Measured

_EXAMPLE = "gift.base=-4"

Folders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[DIR]...", help="Logs in KuaiLive's format, or ingested stores."),
]
Preset = Annotated[
    str | None,
    typer.Option("--preset", help="Make worlds of this preset or TOML file instead."),
]
Scale = Annotated[
    str | None, typer.Option("--scale", help="tiny, small, medium, full, or a number.")
]
Seeds = Annotated[
    int | None, typer.Option("--seeds", min=1, help="How many worlds: seeds 1 to this (8).")
]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Worlds at the same time (1).")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help=f"One coefficient, e.g. --set {_EXAMPLE}.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 unless every judged target passes.")]


def check(
    folders: Folders = None,
    preset: Preset = None,
    scale: Scale = None,
    seeds: Seeds = None,
    jobs: Jobs = None,
    settings: Settings = None,
    strict: Strict = False,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Hold logs, or worlds made for it, against the published values, target by target."""
    from giftlive.run.cache import Cache, default_cache
    from giftlive.run.progress import Reporter
    from giftlive.run.steps import Workshop
    from giftlive.world.calibration import check as judged

    shop = Workshop(Cache(cache or default_cache()), options.resolve(None, None, None), Reporter())
    if preset is None:
        _require_folders(folders, scale, seeds, jobs, settings)
        measured = _of_folders(folders or [], shop)
    else:
        _require_no_folders(folders)
        measured = _of_seeds(preset, scale, seeds, jobs, settings, shop)
    found = judged(measured)
    if json:
        show.as_json(found.as_dict())
    else:
        typer.echo(header(found, preset))
        show.console().print(check_table(found))
        for line in summary(found):
            typer.echo(line)
    if strict and not found.holds:
        raise typer.Exit(1)


def _of_folders(folders: list[Path], shop: Workshop) -> list[Measured]:
    from giftlive.run.world_check import measure_folder

    return [measure_folder(shop, folder) for folder in folders]


def _of_seeds(
    preset: str,
    scale: str | None,
    seeds: int | None,
    jobs: int | None,
    settings: list[str] | None,
    shop: Workshop,
) -> list[Measured]:
    from giftlive.run.world_check import Plan, measure_seeds
    from giftlive.world import load_scenario, require_clock
    from giftlive.world.calibration import SEEDS

    scenario = load_scenario(preset, scale=scale, overrides=options.pairs(settings, _EXAMPLE))
    require_clock(scenario, "--preset")
    return measure_seeds(Plan(scenario, seeds or SEEDS, jobs or 1), shop)


def _require_folders(folders: list[Path] | None, *of_a_preset: object) -> None:
    if any(given is not None for given in of_a_preset):
        raise UsageError(
            "settings of worlds that nobody asked for",
            "--scale, --seeds, --jobs, --set",
            "--preset NAME beside them",
            "leave them out to check folders",
        )
    if not folders:
        raise UsageError(
            "nothing to check",
            "DIR / --preset",
            "folders of logs, or a preset",
            "giftlive world check DIR",
        )


def _require_no_folders(folders: list[Path] | None) -> None:
    if folders:
        raise UsageError(
            "both of them given",
            "DIR / --preset",
            "folders of logs, or a preset, not both",
            "leave out --preset to check folders",
        )
