"""``giftlive bench``: speed beside what it is compared with, from a clone of the repository."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer

app = typer.Typer(help="Speed as ratios.", no_args_is_help=True, rich_markup_mode=None)

_PASSED_ON: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""Arguments are those of the benchmark, --help included."""


@app.command("tables", context_settings=_PASSED_ON)
def tables(context: typer.Context) -> None:
    """Labels and all features of a full-size log, both forms, against Polars.

    Runs `python -m benchmarks.tables` with the same arguments (--help lists them). Exit 1 when
    the results differ.
    """
    _run("benchmarks.tables", context.args, _clone())


@app.command("models", context_settings=_PASSED_ON)
def models(context: typer.Context) -> None:
    """Value models on five million rows: fit, prediction, Scorer, against plain LightGBM.

    Runs `python -m benchmarks.models` with the same arguments (--help lists them).
    """
    _run("benchmarks.models", context.args, _root())


@app.command("ope", context_settings=_PASSED_ON)
def ope(context: typer.Context) -> None:
    """Off-policy estimates of a million decisions with bootstrap intervals, against a peer.

    Runs `python -m benchmarks.ope` with the same arguments (--help lists them). The peer, Open
    Bandit Pipeline, needs an environment of its own: `--obp PYTHON`. Exit 1 when the estimates
    differ.
    """
    _run("benchmarks.ope", context.args, _root())


@app.command("allocation", context_settings=_PASSED_ON)
def allocation(context: typer.Context) -> None:
    """Allocation on fresh days beside its upper bound; solvers beside the exact flow.

    Runs `python -m benchmarks.allocation` with the same arguments (--help lists them). Exit 1
    when prices solved 50 times a day keep less of the bound than they should.
    """
    _run("benchmarks.allocation", context.args, _root())


@app.command("service", context_settings=_PASSED_ON)
def service(context: typer.Context) -> None:
    """Durable decisions per second of the decision service, beside a bare call and the disk.

    Runs `python -m benchmarks.service` with the same arguments (--help lists them). Needs the
    extra `service`. Exit 1 when a request was refused.
    """
    _run("benchmarks.service", context.args, _root())


@app.command("all", context_settings=_PASSED_ON)
def everything(context: typer.Context) -> None:
    """Every benchmark, measured or from the cache, and the page docs/benchmarks.md.

    Runs `python -m benchmarks.all` with the same arguments (--help lists them); `--quick` takes
    minutes. Exit 1 when a benchmark failed.
    """
    _run("benchmarks.all", context.args, _root())


def _run(module: str, arguments: list[str], root: Path) -> None:
    """Run a benchmark from the root of the clone and leave with its exit code."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=root, check=False)
    raise typer.Exit(done.returncode)


def _clone() -> Path:
    """Return the root of the clone, where Polars is installed as well.

    Raises
    ------
    UsageError
        The package was installed without its repository, or Polars is absent.
    """
    from giftlive.errors import UsageError, install_hint

    root = _root()
    if importlib.util.find_spec("polars") is None:
        raise UsageError(
            "Polars, which the tables are compared with, is not installed",
            "giftlive bench tables",
            "the extra `bench`",
            install_hint("bench"),
        )
    return root


def _root() -> Path:
    """Return the root of the clone that this package is part of.

    Raises
    ------
    UsageError
        The package was installed without its repository.
    """
    import giftlive
    from giftlive.errors import UsageError

    root = Path(giftlive.__file__).resolve().parents[2]
    if not (root / "benchmarks" / "tables.py").is_file():
        raise UsageError(
            "the benchmarks are not part of the installed package",
            "giftlive bench",
            "a clone of the repository",
            "clone it, run `scripts/setup bench` there, and call the command again",
        )
    return root
