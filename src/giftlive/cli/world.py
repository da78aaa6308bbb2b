"""``giftlive world``: worlds whose truth is known."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from giftlive.cli import options, show

FileFormat = Literal["csv", "parquet"]

app = typer.Typer(help="Worlds whose truth is known.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keep ``generate`` a sub-command while it is the only one."""


@app.command("generate")
def generate(
    out: options.Out,
    preset: Annotated[
        str, typer.Option("--preset", help="A shipped preset or a TOML file.")
    ] = "kuailive",
    scale: Annotated[str | None, typer.Option("--scale", help="tiny, small, medium, full.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One coefficient, e.g. --set gift.base=-6.")
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="Of the tables.")] = "csv",
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Run the platform's own ranking and write what it would have logged, and the truth."""
    from giftlive.run.folder import TWIN, check_target
    from giftlive.run.progress import Reporter
    from giftlive.world import build_world, load_scenario, write_twin

    check_target(out, overwrite, TWIN)
    scenario = load_scenario(preset, scale=scale, overrides=options.pairs(settings))
    reporter = Reporter()
    with reporter.step("world") as step:
        world = build_world(scenario, seed)
        summary = write_twin(
            world, out, progress=step.listener, format=file_format, overwrite=overwrite
        )
    if json:
        show.as_json({"folder": str(out), "rows": summary.rows})
        return
    for table, rows in summary.rows.items():
        typer.echo(f"{table:<20}{rows:>12,} rows")
    typer.echo(f"written: {out}")
