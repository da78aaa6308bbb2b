"""``giftlive coverage``: how often each interval holds the truth, measured or as shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show

Replications = Annotated[int, typer.Option("--replications", min=50, help="Samples per cell.")]
Largest = Annotated[
    int | None, typer.Option("--largest", min=10, help="Leave out samples of more users.")
]
OutDir = Annotated[
    Path | None,
    typer.Option("--out", help="Measure, and write coverage.md and coverage_table.csv there."),
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Worker processes.")]


def coverage(
    out: OutDir = None,
    replications: Replications = 2_000,
    largest: Largest = None,
    seed: options.Seed = None,
    jobs: Jobs = 2,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Show the coverage table that the print rule rests on, or measure it again with --out."""
    from giftlive.stats.coverage_table import table

    rows = table()
    if out is not None:
        from giftlive.evaluation.coverage.lab import SEED
        from giftlive.run.cache import Cache, default_cache
        from giftlive.run.coverage import Plan, measure, write
        from giftlive.run.progress import Reporter

        plan = Plan(replications, largest, SEED if seed is None else seed, jobs)
        rows = measure(plan, Cache(cache or default_cache()), Reporter())
        write(rows, out)
    if json:
        show.as_json({"rows": [row.as_dict() for row in rows]})
        return
    show.console().print(show.coverage_table(rows))
