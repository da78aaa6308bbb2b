"""``giftlive verify``: every printed number of a run, computed again by another path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from giftlive.cli import options, show

if TYPE_CHECKING:
    from giftlive.run.verify import Verification


def verify(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = Path("RUN"),
    json: options.Json = False,
) -> None:
    """Exit 1 and name the first thing that is not found again, or that was edited.

    Computed again from the rows in tables/, by code that shares no estimator with the studies:
    every estimate with its n and its printed bounds, every series of a figure, the checks
    "binding", "power" and the off-policy "movable", and from the rules every gate with its
    thresholds, verdict and consequence. A number, gate or check that must be there and is absent
    is a difference.

    Only compared by digest with what the run wrote (digests.json): sentences, units, reasons,
    plain table cells, the other checks, whether an interval may be printed at all, config.toml,
    manifest.json, log.jsonl, models, report.html, report.md and the files of the figures.
    """
    from giftlive.run.progress import Reporter
    from giftlive.run.verify import verify as compute_again

    with Reporter().step("verify") as step:
        found = compute_again(run, step.listener)
    if json:
        show.as_json(found.as_dict())
    else:
        _print(found)
    _refuse(found)


def _print(found: Verification) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("subject")
    for name in ("estimates", "agreed", "largest difference", "not verified"):
        table.add_column(name, justify="right")
    for tally in found.tallies:
        open_ones = len(tally.unverified) + len(tally.excused)
        cells = f"{tally.claims:,}", f"{tally.agreed:,}", f"{tally.largest:.1e}", f"{open_ones:,}"
        table.add_row(tally.subject, *cells)
    console = show.console()
    console.print(table)
    for tally in found.tallies:
        for why in dict.fromkeys(why for _, why in tally.excused):
            count = sum(why == other for _, other in tally.excused)
            line = f"{tally.subject}: {count:,} not verified, {why}"
            console.print(line, style="dim", highlight=False, markup=False)


def _refuse(found: Verification) -> None:
    """Raise the first difference, or the first number that could not be computed again.

    Raises
    ------
    IdentityError
        Something printed was not found again; it is named with both values.
    """
    from giftlive.errors import IdentityError
    from giftlive.run.verify.folder import RULES_PLACE

    first = found.first
    if first is None:
        return
    others = sum(len(t.differences) + len(t.unverified) for t in found.tallies) - 1
    older = first.where == RULES_PLACE and not others
    expected, hint = (
        (
            "the rules with which the run was judged; every number was found again",
            "evaluation/rules.toml has changed since: verify with the version of manifest.json, "
            "or make the run again",
        )
        if older
        else (
            "the number that its rows give",
            "make the run again; if it stays, one of the two computations is wrong",
        )
    )
    said = f"{first.subject}: {first}" + (f"; {others:,} more" if others else "")
    raise IdentityError(said, first.where, expected, hint)
