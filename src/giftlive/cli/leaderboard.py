"""``giftlive leaderboard``: the tables of study 0.2 of a run, with what every model cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from giftlive.cli import options, show
from giftlive.errors import InputError


def leaderboard(
    run: Annotated[
        Path, typer.Argument(help="A run folder with results of study baseline.")
    ] = Path("RUN"),
    json: options.Json = False,
) -> None:
    """Print rankings, levels, differences, slices and costs of every value model of a run."""
    from giftlive.run.verify.rows import read_json

    path = run / "results" / "baseline.json"
    if not path.is_file():
        raise InputError(
            "no leaderboard", str(path), "a run folder with study baseline",
            "make one with `giftlive study baseline`",
        )  # fmt: skip
    tables = [*read_json(path)["tables"], _costs(read_json(run / "manifest.json"))]
    if json:
        show.as_json({"tables": tables})
        return
    console = show.wide_console()
    for table in tables:
        if table["rows"]:
            console.print(show.result_table(table))
            console.print()


def _costs(manifest: Any) -> dict[str, Any]:
    """Return the clock times of the fits as one more table; they are not in the results."""
    found = manifest.get("costs", {}).get("baseline", {})
    return {
        "name": "costs",
        "columns": ["model", "fit", "training rows", "predict", "saved"],
        "units": ["", "s", "last origin", "µs per row", "bytes"],
        "rows": [
            [name, c["fit_seconds"], c["fit_rows"], c["predict_us"], c["bytes"]]
            for name, c in found.items()
        ],
    }
