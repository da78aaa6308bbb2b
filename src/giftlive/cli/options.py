"""Options that several commands share, declared once."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from giftlive.config import RunConfig, load_config, parse_value
from giftlive.errors import UsageError

Source = Annotated[
    Path | None, typer.Option("--source", help="Folder or zip of logs (docs/sources.md).")
]
NeededSource = Annotated[Path, typer.Option("--source", help="Folder or zip of logs.")]
Demo = Annotated[bool, typer.Option("--demo", help="Use the built-in calibrated world.")]
Out = Annotated[
    Path, typer.Option("--out", help="Folder to write; it appears whole or not at all.")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, e.g. --set arena.seeds=8.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Overrides the configured seed.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an old folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Engine = Annotated[
    str | None,
    typer.Option("--engine", help="Where tables are made: duckdb or spark.", show_default=False),
]
Master = Annotated[
    str | None,
    typer.Option("--master", help="Spark master URL, e.g. spark://host:7077.", show_default=False),
]
Add = Annotated[
    list[Path] | None,
    typer.Option("--add", help="A run of other studies on the same source, shown as well."),
]
CacheDir = Annotated[
    Path | None, typer.Option("--cache", help="Where finished steps are kept.", show_default=False)
]


def pairs(
    settings: list[str] | None, example: str = "arena.seeds=8", option: str = "--set"
) -> dict[str, str]:
    """Return ``key=value`` settings as a dictionary; ``example`` is one of the command's.

    Raises
    ------
    UsageError
        A setting has no ``=``.
    """
    found = {}
    for text in settings or []:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(
                f"{text!r} is not a setting", option, "key=value", f"for example {option} {example}"
            )
        found[key.strip()] = value.strip()
    return found


def require_one_input(source: Path | None, demo: bool) -> None:
    """Raise unless exactly one of ``--source`` and ``--demo`` was given.

    Raises
    ------
    UsageError
        Neither or both were given.
    """
    if (source is None) == (not demo):
        raise UsageError(
            f"{'both' if demo else 'none'} of them given",
            "--source / --demo",
            "exactly one: a folder of logs or the built-in world",
            "add --source DIR for your logs" if source is None else "leave out --demo",
        )


def spoken(
    command: str,
    source: Path | None,
    config: Path | None,
    settings: list[str] | None,
    seed: int | None,
) -> str:
    """Return the command that repeats a run; a folder or file is named by its last part.

    Examples
    --------
    >>> spoken("study baseline", Path("/data/my logs"), None, ["arena.seeds=8"], 3)
    "giftlive study baseline --source 'my logs' --set arena.seeds=8 --seed 3"
    """
    parts = ["giftlive", *command.split()]
    parts += ["--demo"] if source is None else ["--source", source.resolve().name]
    parts += [] if config is None else ["--config", config.name]
    parts += [part for text in settings or [] for part in ("--set", text)]
    parts += [] if seed is None else ["--seed", str(seed)]
    return shlex.join(parts)


def placed(engine: str | None, master: str | None) -> list[str]:
    """Return the settings of ``--engine`` and ``--master``.

    Raises
    ------
    UsageError
        A master without the engine that has one.

    Examples
    --------
    >>> placed("spark", "local[2]")
    ['tables.engine=spark', 'tables.master=local[2]']
    """
    if master is not None and engine != "spark":
        raise UsageError(
            "only Spark has a master", "--master", "--engine spark beside it", "add --engine spark"
        )
    named = [("engine", engine), ("master", master)]
    return [f"tables.{key}={value}" for key, value in named if value is not None]


def resolve(config: Path | None, settings: list[str] | None, seed: int | None) -> RunConfig:
    """Return the configuration of a command from its file, settings and seed."""
    overrides: dict[str, Any] = {}
    arena: dict[str, str] = {}
    for key, value in pairs(settings).items():
        if key.startswith("world."):
            arena[key.removeprefix("world.")] = value
        else:
            overrides[key] = parse_value(value)
    if arena:
        overrides["arena.overrides"] = arena
    if seed is not None:
        overrides["seed"] = seed
    return load_config(config, overrides)
