"""``giftlive coverage``: how often each interval holds the truth, measured or as shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show
from giftlive.errors import UsageError

Replications = Annotated[
    int | None, typer.Option("--replications", min=50, help="Samples per cell (2,000).")
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Another seed of the samples.")]
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
    replications: Replications = None,
    largest: Largest = None,
    seed: Seed = None,
    jobs: Jobs = 2,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Show the coverage table that the print rule rests on, or measure it again with --out."""
    from giftlive.stats.coverage_table import table

    rows = table()
    if out is None:
        _require_nothing_to_measure(replications, largest, seed)
    else:
        from giftlive.evaluation.coverage.lab import SEED
        from giftlive.run.cache import Cache, default_cache
        from giftlive.run.coverage import REPLICATIONS, Plan, measure, write
        from giftlive.run.progress import Reporter

        plan = Plan(replications or REPLICATIONS, largest, SEED if seed is None else seed, jobs)
        rows = measure(plan, Cache(cache or default_cache()), Reporter())
        write(rows, out)
    if json:
        show.as_json({"rows": [row.as_dict() for row in rows]})
        return
    show.console().print(show.coverage_table(rows))


def _require_nothing_to_measure(*given: int | None) -> None:
    """Refuse settings of a measurement when none was asked for."""
    if any(value is not None for value in given):
        raise UsageError(
            "settings of a measurement without a folder to write",
            "--replications, --largest, --seed",
            "--out DIR beside them",
            "leave them out to see the table that is shipped",
        )
