"""``giftlive world decisions``: a decision log to try ``giftlive ope`` on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from giftlive.cli import options, show

_WORLD = "world."


def decisions(
    out: Annotated[
        Path, typer.Option("--out", help="Folder to write; it appears whole or not at all.")
    ],
    policy: Annotated[str, typer.Option("--policy", help="Who decides.")] = "softmax",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="One setting of the policy, e.g. --set temperature=0.5, or of the world,"
            " e.g. --set world.seats.load=0.5.",
        ),
    ] = None,
    explore: Annotated[
        float, typer.Option("--explore", help="Share of decisions drawn among all candidates.")
    ] = 0.0,
    evenings: Annotated[
        int, typer.Option("--evenings", min=1, help="How many; each is a file.")
    ] = 1,
    preset: Annotated[
        str, typer.Option("--preset", help="A shipped preset or a TOML file.")
    ] = "scarce",
    scale: Annotated[
        str | None, typer.Option("--scale", help="tiny, small, full, or a number.")
    ] = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = False,
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Let a policy decide in a world and log every decision with its propensities.

    The policy sees values estimated from what the world logged before, as a platform would. The
    reward of a decision is what the viewer gave.
    """
    from giftlive.evaluation.logged_evenings import LoggingPolicy
    from giftlive.run.decisions import LogRequest, write_decisions

    given = options.pairs(settings, "temperature=0.5")
    world = [f"{key}={text}" for key, text in given.items() if key.startswith(_WORLD)]
    own = {key: text for key, text in given.items() if not key.startswith(_WORLD)}
    placed = [f"arena.preset={preset}", *([] if scale is None else [f"arena.scale={scale}"])]
    facts = write_decisions(
        LogRequest(
            policy=LoggingPolicy(policy, own, explore),
            evenings=evenings,
            out=out,
            config=options.resolve(None, [*placed, *world], seed),
            overwrite=overwrite,
            cache=cache,
        )
    )
    if json:
        show.as_json({"folder": str(out), **facts})
        return
    typer.echo(
        f"{facts['decisions']:,} decisions for {facts['users']:,} users by {policy}:"
        f" {show.figure(facts['gifts_per_decision'])} gifts,"
        f" {show.figure(facts['amount_per_decision'])} given per decision"
    )
    typer.echo(f"written: {out}; next: giftlive ope --log {out} --policy greedy")
