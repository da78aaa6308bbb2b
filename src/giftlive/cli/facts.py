"""``giftlive facts``: every named number of the logs, with what is divided by what."""

from __future__ import annotations

import typer

from giftlive.cli import options, show


def facts(
    source: options.NeededSource,
    config: options.ConfigFile = None,
    settings: options.Settings = None,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Print every fact with its denominator, population and interval, or the reason for none."""
    from giftlive.run.pipeline import facts_of

    book = facts_of(source, options.resolve(config, settings, None), cache)
    if json:
        show.as_json(book.as_dict())
        return
    show.wide_console().print(show.fact_table(book.facts))
    for warning in dict.fromkeys(fact.warning for fact in book.facts if fact.warning):
        typer.echo(f"* {warning}")
    typer.echo(book.delay.reason)
