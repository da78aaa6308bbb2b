"""``giftlive world calibrate``: coefficients whose world has the published quantities."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from giftlive.cli import options, show

if TYPE_CHECKING:
    from rich.table import Table

    from giftlive.run.progress import Reporter
    from giftlive.world.calibration import Calibration, Problem


def calibrate(
    out: Annotated[
        Path, typer.Option("--out", help="TOML file to write; a report goes beside it.")
    ],
    preset: Annotated[
        str, typer.Option("--preset", help="A shipped preset or a TOML file to start from.")
    ] = "kuailive",
    parameters: Annotated[
        Path | None,
        typer.Option("--parameters", help="TOML file of what to fit.", show_default=False),
    ] = None,
    scale: Annotated[
        str, typer.Option("--scale", help="Of the simulated worlds: a name or a number.")
    ] = "small",
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="Worlds per evaluation.")] = 16,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 2,
    rounds: Annotated[
        int, typer.Option("--rounds", min=0, help="Measurements of all slopes; 0 fits nothing.")
    ] = 3,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One coefficient, e.g. --set recorder.orphans=0."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Use evaluations that were made before.")
    ] = True,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Fit a preset to the published aggregates by simulated moments (docs/world.md)."""
    from giftlive.run.canonical import canonical_json
    from giftlive.run.progress import Reporter
    from giftlive.world import calibration, load_scenario, require_clock

    _check_out(out)
    overrides = options.pairs(settings, "recorder.orphans=0")
    scenario = load_scenario(preset, scale=scale, overrides=overrides)
    require_clock(scenario, "--preset")
    folder, wanted = _ledger_folder(cache), calibration.load_parameters(parameters)
    calibration.start_of(scenario, wanted)  # a key that is none is said before anything is lost
    if not resume:
        _forget(folder)
    ledger, aims = calibration.Ledger(folder), calibration.fitted_targets()
    problem = calibration.Problem(scenario, wanted, aims, tuple(range(1, seeds + 1)), ledger, jobs)
    found = _calibrated(problem, rounds, folder, Reporter())
    command = _spoken(preset, parameters, scale, seeds, rounds, settings)
    text = calibration.preset_text(preset, overrides, found.changed, _head(found, command))
    calibration.write_atomically(out, text)
    facts = found.as_dict() | {"command": command, "preset": out.name}
    calibration.write_atomically(_report_of(out), canonical_json(facts))
    if json:
        show.as_json(facts)
    else:
        _print(found, problem, out)


def _calibrated(problem: Problem, rounds: int, folder: Path, reporter: Reporter) -> Calibration:
    """Fit, telling every step on standard error; an interruption says how to go on."""
    from giftlive.errors import UsageError
    from giftlive.world.calibration import calibration_of, fit

    def say(text: str) -> None:
        reporter.console.print(text)

    problem.say = say
    try:
        with reporter.step("calibrate") as step:
            problem.progress = step.listener
            return calibration_of(problem, fit(problem, rounds))
    except KeyboardInterrupt:
        raise UsageError(
            f"interrupted; {problem.ledger.made} evaluations of this run are kept",
            str(folder),
            hint="the same command goes on from there; another --jobs changes nothing",
        ) from None


def _check_out(out: Path) -> None:
    from giftlive.errors import UsageError

    if out.suffix != ".toml" or out.is_dir() or not out.absolute().parent.is_dir():
        raise UsageError(
            "the preset cannot be written there",
            str(out),
            "a file that ends with .toml, in a folder that exists",
            "for example --out fitted.toml",
        )


def _report_of(out: Path) -> Path:
    return out.with_name(f"{out.name.removesuffix('.toml')}.calibration.json")


def _ledger_folder(cache: Path | None) -> Path:
    from giftlive.run.cache import default_cache

    return (cache or default_cache()) / "calibration"


def _forget(folder: Path) -> None:
    from giftlive.world.calibration.ledger import FILE

    (folder / FILE).unlink(missing_ok=True)


def _spoken(
    preset: str,
    parameters: Path | None,
    scale: str,
    seeds: int,
    rounds: int,
    settings: list[str] | None,
) -> str:
    """Return the command that fits the same again; files are named by their last part."""
    parts = ["giftlive", "world", "calibrate", "--preset", Path(preset).name]
    parts += [] if parameters is None else ["--parameters", parameters.name]
    parts += ["--scale", scale, "--seeds", str(seeds), "--rounds", str(rounds)]
    parts += [part for text in settings or [] for part in ("--set", text)]
    return shlex.join(parts)


def _head(found: Calibration, command: str) -> str:
    passed = sum(row.passed for row in found.rows)
    return (
        "Fitted to the published aggregates by simulated moments (docs/world.md).\n"
        f"{command}\n"
        f"{passed} of {len(found.rows)} numbers within their tolerance on "
        f"{len(found.seeds)} worlds of scale {found.scale:g}; loss {found.loss_before:.2f} before, "
        f"{found.loss_after:.2f} after."
    )


def _print(found: Calibration, problem: Problem, out: Path) -> None:
    console = show.wide_console()
    console.print(_target_table(found))
    console.print(_parameter_table(found))
    for line in _lines(found, problem):
        typer.echo(line)
    typer.echo(f"written: {out} and {_report_of(out)}")


def _target_table(found: Calibration) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("target", "published", "before", "pass", "after", "error", "tolerance", "pass"):
        table.add_column(name, justify="left" if name in {"target", "pass"} else "right")
    words = {True: "yes", False: "NO"}
    for row in found.rows:
        table.add_row(
            row.target,
            show.figure(row.value),
            show.figure(row.before),
            words[row.passed_before],
            show.figure(row.after),
            show.figure(None if row.after is None else row.after - row.value),
            show.figure(row.tolerance),
            words[row.passed],
        )
    return table


def _parameter_table(found: Calibration) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("coefficient", "start", "fitted", "s.e.", "moves most", "elasticity"):
        words = name in {"coefficient", "moves most"}
        table.add_column(name, justify="left" if words else "right")
    for known in found.identified.parameters:
        table.add_row(
            known.key,
            f"{found.start[known.key]:g}",
            f"{known.value:g}",
            show.figure(known.error) if known.identified else "not identified",
            known.target or "nothing",
            show.figure(known.elasticity),
        )
    return table


def _lines(found: Calibration, problem: Problem) -> list[str]:
    """Return what the tables do not say, a sentence a line."""
    known = found.identified
    condition = "not finite" if known.condition is None else f"{known.condition:,.0f}"
    lines = [
        f"loss {found.loss_before:.2f} -> {found.loss_after:.2f} in {found.rounds} rounds, "
        f"{problem.ledger.made} evaluations made; "
        f"{'settled' if found.settled else 'not settled: more --rounds may find better'}",
        f"condition number of the slopes {condition}",
    ]
    lines += [
        "the targets do not see: " + ", ".join(f"{w:+.2f} {key}" for key, w in blind.items())
        for blind in known.blind
    ]
    if found.users < found.users_wanted:
        lines.append(
            f"only {found.users:,} of {found.users_wanted:,} users had every behaviour: "
            "raise sizes.user_factor"
        )
    return lines
