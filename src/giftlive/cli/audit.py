"""``giftlive audit``: data health, and the proof that no feature sees the future."""

from __future__ import annotations

from typing import Annotated

import typer

from giftlive.cli import options, show


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
    json: options.Json = False,
) -> None:
    """Exit 1 and name the feature when one knows the future."""
    from giftlive.run.pipeline import audit_source

    chosen = [*(settings or []), *([f"tables.planted_leak={planted_leak}"] if planted_leak else [])]
    findings = audit_source(source, options.resolve(config, chosen, seed), cache)
    if json:
        show.as_json({"findings": findings})
        return
    for row in findings:
        typer.echo(f"{row['kind']:<24}{row['subject']:<34}{row['result']:<17}{row['detail']}")
