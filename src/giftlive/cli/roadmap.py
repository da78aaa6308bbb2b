"""``giftlive roadmap``: every gate and study with its evidence; nothing in it is typed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from giftlive.cli import options, show

if TYPE_CHECKING:
    from giftlive.reports.program import StudyState
    from giftlive.reports.roadmap import Roadmap

MARKDOWN = "roadmap.md"


def roadmap(
    run: Annotated[Path, typer.Argument(help="A run folder.")] = Path("RUN"),
    since: Annotated[
        list[Path] | None,
        typer.Option("--since", help="An earlier run; verdicts that changed are listed."),
    ] = None,
    add: options.Add = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write RUN/roadmap.md instead.")
    ] = False,
    lang: Annotated[str, typer.Option("--lang", help="Language: en or zh.")] = "en",
    json: options.Json = False,
) -> None:
    """Print gates, studies, experiments, key figures and verdicts that changed."""
    from giftlive.reports.roadmap import roadmap as roadmap_of
    from giftlive.reports.roadmap import roadmap_markdown
    from giftlive.run.digests import resealed
    from giftlive.run.summary import read_summary

    for folder in (run, *(since or ()), *(add or ())):
        read_summary(folder)
    found = roadmap_of(run, since or (), add or (), lang)
    if markdown:
        with resealed(run):
            (run / MARKDOWN).write_text(roadmap_markdown(found), encoding="utf-8")
    if json:
        show.as_json(found.as_dict() | ({"markdown": str(run / MARKDOWN)} if markdown else {}))
    elif markdown:
        typer.echo(f"roadmap: {run / MARKDOWN}")
    else:
        _print(found)


def _print(found: Roadmap) -> None:
    """Print the tables a terminal has room for; ``--markdown`` and ``--json`` say all."""
    from giftlive.reports.roadmap import because, counted

    console, say = show.wide_console(), found.say
    for name, rows in (
        ("gates", show.judged(found.gate_rows())),
        ("studies", [_study(state) for state in found.studies]),
        ("figures", [vars(figure) for figure in found.figures]),
        ("experiments", [vars(e) | {"verdicts": ", ".join(e.verdicts)} for e in found.experiments]),
        ("timeline", [vars(m) | {"verdicts": counted(m, say)} for m in found.timeline]),
        ("changes", [vars(c) | {"because": because(c, say)} for c in found.changes]),
    ):
        if rows:
            console.print(show.rows_table(say.chrome(f"roadmap.{name}"), rows, _COLUMNS[name]))
            console.print()
    if not found.changes:
        console.print(
            say.chrome("roadmap.no_changes" if found.compared else "roadmap.not_compared")
        )


_COLUMNS = {
    "gates": ("gate", "verdict", "estimate", "threshold", "reason", "next"),
    "studies": ("study", "state", "verdicts", "answer"),
    "figures": ("figure", "study", "estimate", "value", "interval", "n"),
    "experiments": ("id", "study", "date", "commit", "seed", "verdicts"),
    "timeline": ("date", "folder", "commit", "source", "verdicts"),
    "changes": ("gate", "before", "after", "estimate_before", "estimate_after", "since", "because"),
}


def _study(state: StudyState) -> dict[str, object]:
    """Return one row: what a study found, or the command that runs it."""
    told = state.command if state.state == "not_run" else state.answer
    return {
        "study": f"{state.id} {state.study}",
        "state": state.state.replace("_", " "),
        "verdicts": ", ".join(state.verdicts),
        "answer": told,
    }
