"""``giftlive audit``: data health, and the proof that no feature sees the future."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import typer

from giftlive.cli import options, show

PASSED = "passed"
"""The result of a trial that found no leak."""


def audit(
    source: options.NeededSource,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    cache: options.CacheDir = None,
    planted_leak: Annotated[
        str,
        typer.Option(
            "--planted-leak",
            metavar="KIND",
            help="Add a feature that leaks (label, future_noise, whole_period, train_only);"
            " the audit must catch it.",
            show_default=False,
        ),
    ] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when the data has a defect.")
    ] = False,
    json: options.Json = False,
) -> None:
    """List what is wrong with the logs; exit 1 and name the feature when one knows the future."""
    from giftlive.run.pipeline import audit_source

    chosen = [*(settings or []), *([f"tables.planted_leak={planted_leak}"] if planted_leak else [])]
    findings = audit_source(source, options.resolve(config, chosen, seed), cache)
    if json:
        show.as_json({"findings": findings})
    else:
        for line in _lines(findings):
            typer.echo(line)
    if strict and any(row["result"] == "defect" for row in findings):
        raise typer.Exit(1)


def _lines(findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield one line per finding, its severity or result first, columns aligned.

    Data health comes first and of it the defects; what follows from one is on the same line,
    after its sentence. Then come the trials for leaks: those that failed, those without an
    answer, and one line per kind for those that passed.
    """
    from giftlive.run.health import HEALTH

    first = {"defect": 0, "FAILED": 0}
    health = [row for row in findings if row["kind"] == HEALTH]
    trials = [row for row in findings if row["kind"] != HEALTH]
    told = [row for row in trials if row["result"] != PASSED]
    rows = [
        *sorted(health, key=lambda row: first.get(row["result"], 1)),
        *sorted(told, key=lambda row: first.get(row["result"], 1)),
        *_passed(row for row in trials if row["result"] == PASSED),
    ]
    yield from _aligned(rows)


def _passed(trials: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one row per kind of trial that stands for all that passed it."""
    for kind, n in Counter(row["kind"] for row in trials).items():
        detail = "each one with --json"
        yield {"kind": kind, "subject": f"({n})", "result": PASSED, "detail": detail}


def _aligned(findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    columns = ("result", "kind", "subject")
    width = {name: max((len(row[name]) for row in findings), default=0) for name in columns}
    for row in findings:
        head = "  ".join(f"{row[name]:<{width[name]}}" for name in columns)
        follows = f". {row['consequence']}" if row["result"] == "defect" else ""
        yield f"{head}  {row['detail']}{follows}"
