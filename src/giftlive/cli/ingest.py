"""``giftlive ingest``: read a source, set bad rows aside, write the store; or an empty source."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from giftlive.cli import options, show
from giftlive.errors import UsageError

if TYPE_CHECKING:
    from giftlive.logs.source import Source

Template = Annotated[
    Path | None,
    typer.Option(
        "--template",
        help="Write an empty, documented source to fill, and nothing else.",
        show_default=False,
    ),
]


def ingest(
    source: Annotated[
        Path | None,
        typer.Option("--source", help="Folder or zip of logs.", show_default=False),
    ] = None,
    out: options.Out = Path("STORE"),
    template: Template = None,
    max_reject_share: Annotated[
        float, typer.Option(min=0, max=1, help="Above this share of set-aside rows it fails.")
    ] = 0.01,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Read a source into a store of Parquet tables with its rejects beside them."""
    from giftlive.logs.ingest import ingest as read
    from giftlive.run.folder import STORE, check_target
    from giftlive.run.progress import Reporter

    if source is None:
        _write_template(template, json)
        return
    if template is not None:
        raise _one_of("both of them given", "leave out --template")
    check_target(out, overwrite, STORE)
    reporter = Reporter()
    with reporter.step("ingest") as step:
        store = read(source, out, max_reject_share=max_reject_share, progress=step.listener)
    found = store.source
    if json:
        show.as_json({"store": str(out), "source": json_module.loads(found.as_json())})
        return
    for line in _lines(found, out):
        typer.echo(line)
    typer.echo(f"store: {out}")


def _lines(found: Source, store: Path) -> Iterator[str]:
    """Yield rows and rejects by table, each reason with its first row, and the notes."""
    from giftlive.logs.store import REJECTS

    for table, rows in sorted(found.rows.items()):
        reasons = found.rejects.get(table, {})
        yield f"{table:<16}{rows:>12,} rows{sum(reasons.values()):>10,} rejected"
        kept = store / REJECTS / f"{table}.parquet"
        first = _first_of_each(kept, len(reasons)) if reasons else {}
        for reason, count in sorted(reasons.items()):
            yield f"  {count:,} x {reason}{first.get(reason, '')}"
        if reasons:
            yield f"  each with its file, line, column and value: {kept}"
    for note in found.notes:
        yield f"note: {note}"


def _first_of_each(rejects: Path, reasons: int) -> dict[str, str]:
    """Return where the first row that was set aside for each reason stands, and what it holds."""
    import pyarrow.parquet as pq

    found: dict[str, str] = {}
    for batch in pq.ParquetFile(rejects).iter_batches():
        for row in batch.to_pylist():
            cell = f", column {row['column']}: {row['value']!r}" if row["column"] else ""
            found.setdefault(row["reason"], f", first {row['file']}, line {row['line']}{cell}")
        if len(found) == reasons:
            break
    return found


def _write_template(folder: Path | None, json: bool) -> None:
    from giftlive.logs.template import write_template

    if folder is None:
        raise _one_of("none of them given", "add --source DIR for logs")
    files = write_template(folder)
    if json:
        show.as_json({"template": str(folder), "files": files})
        return
    typer.echo(f"template: {folder} ({len(files)} files; begin with README.md and source.toml)")


def _one_of(what: str, hint: str) -> UsageError:
    expected = "exactly one: logs to read, or a folder for an empty source"
    return UsageError(what, "--source / --template", expected, hint)
