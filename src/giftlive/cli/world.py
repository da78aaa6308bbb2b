"""``giftlive world``: worlds whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from giftlive.cli import options, show, world_calibrate, world_check

if TYPE_CHECKING:
    from giftlive.run.progress import Reporter
    from giftlive.world import TwinSummary

FileFormat = Literal["csv", "parquet"]

app = typer.Typer(help="Worlds whose truth is known.", no_args_is_help=True, rich_markup_mode=None)
app.command("calibrate")(world_calibrate.calibrate)


@app.command("generate")
def generate(
    out: options.Out,
    preset: Annotated[
        str, typer.Option("--preset", help="A shipped preset or a TOML file.")
    ] = "kuailive",
    scale: Annotated[
        str | None, typer.Option("--scale", help="tiny, small, medium, full, or a number.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides every draw.")] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One coefficient, e.g. --set recorder.orphans=0."),
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="Of the tables.")] = "csv",
    truth: Annotated[
        bool, typer.Option("--truth/--no-truth", help="Also write what the log hides.")
    ] = True,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Run the platform's own ranking and write what it would have logged, and the truth."""
    from giftlive.run.folder import TWIN, check_target
    from giftlive.run.progress import Reporter
    from giftlive.world import build_world, load_scenario, require_clock, write_twin

    check_target(out, overwrite, TWIN)
    overrides = options.pairs(settings, "recorder.orphans=0")
    scenario = load_scenario(preset, scale=scale, overrides=overrides)
    require_clock(scenario, "--preset")
    reporter = Reporter()
    with reporter.step("world"):
        world = build_world(scenario, seed)
    with reporter.step("logs") as step:
        summary = write_twin(
            world,
            out,
            progress=step.listener,
            truth=truth,
            format=file_format,
            overwrite=overwrite,
        )
    facts = _facts(summary, reporter, selected=scenario.recorder.select_users)
    if json:
        show.as_json(facts)
        return
    for line in _lines(facts):
        typer.echo(line)


app.command("check")(world_check.check)


def _facts(summary: TwinSummary, reporter: Reporter, *, selected: bool) -> dict[str, Any]:
    """Return what was written and what it took, as plain values.

    ``acceptance_rate`` is None where users are not ``selected`` by what they did.
    """
    from giftlive.run.progress import peak_memory_mb

    return {
        "folder": str(summary.folder),
        "rows": summary.rows,
        "bytes": summary.bytes,
        "decisions": summary.decisions,
        "users": {
            "simulated": summary.users_simulated,
            "qualified": summary.users_qualified,
            "kept": summary.users_kept,
        },
        "acceptance_rate": summary.acceptance if selected else None,
        "amount": {"simulated": summary.amount_simulated, "written": summary.amount_written},
        "seconds": round(sum(step.seconds for step in reporter.steps), 1),
        "peak_memory_mib": peak_memory_mb(),
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    """Return the summary for a person, one fact a line."""
    users = facts["users"]
    return [
        *(f"{table:<20}{rows:>12,} rows" for table, rows in facts["rows"].items()),
        f"{'users':<20}{users['kept']:>12,} kept of {_origin(users, facts['acceptance_rate'])}",
        f"{'size':<20}{facts['bytes'] / 1e6:>12,.1f} MB",
        f"{'time':<20}{facts['seconds']:>12,.1f} s, peak memory {facts['peak_memory_mib']:,} MiB",
        f"written: {facts['folder']}",
    ]


def _origin(users: dict[str, int], acceptance: float | None) -> str:
    """Return what the kept users are a part of."""
    simulated = f"{users['simulated']:,} simulated"
    if acceptance is None:
        return simulated
    return (
        f"{users['qualified']:,} with every behaviour, of {simulated} ({acceptance:.1%} accepted)"
    )
