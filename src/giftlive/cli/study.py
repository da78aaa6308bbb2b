"""``giftlive study``: one question, one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show
from giftlive.types import Message


def study(
    name: Annotated[
        str, typer.Argument(help="The study's name; `giftlive study list` lists them.")
    ],
    source: options.Source = None,
    demo: options.Demo = False,
    out: options.Out = Path("RUN"),
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = False,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Run one study (and the steps it needs) into a run folder of its own."""
    from giftlive.run.pipeline import RunRequest, run_all
    from giftlive.studies.registry import ON_REQUEST, STUDIES, find

    if name == "list":
        studies = sorted((*STUDIES, *ON_REQUEST), key=lambda study: _place(study.id))
        if json:
            show.as_json(
                {
                    "studies": [
                        {"id": s.id, "name": s.name, "question": _question(s.name)} for s in studies
                    ]
                }
            )
            return
        width = max(len(known.name) for known in studies)
        for known in studies:
            typer.echo(f"{known.id:<4}  {known.name:<{width}}  {_question(known.name)}")
        return
    find(name)
    options.require_one_input(source, demo)
    request = RunRequest(
        source=source,
        out=out,
        config=options.resolve(config, settings, seed),
        overwrite=overwrite,
        cache=cache,
        command=options.spoken(f"study {name}", source, config, settings, seed),
        only=(name,),
    )
    summary = run_all(request)
    if json:
        show.as_json(summary.as_dict())
        return
    if judged := show.judged(summary.gate_rows()):
        show.console().print(show.verdict_table(judged))
    typer.echo(f"report: {summary.report}")


def _question(name: str) -> str:
    """Return what a study asks, as its page does."""
    from giftlive.reports.i18n import translate

    return translate(Message(f"study.{name}.question", {}), strict=True)


def _place(number: str) -> tuple[int, int, str]:
    """Return where a study stands in a list: 0.2, 0.2b, 0.3, 1.1."""
    chapter, _, rest = number.partition(".")
    digits = rest.rstrip("abcdefgh")
    return int(chapter), int(digits), rest[len(digits) :]
