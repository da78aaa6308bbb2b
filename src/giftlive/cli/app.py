"""The command tree."""

from __future__ import annotations

import typer

from giftlive.cli import (
    allocate,
    audit,
    bench,
    coverage,
    doctor,
    facts,
    gates,
    ingest,
    keys,
    leaderboard,
    ope,
    replay,
    report,
    roadmap,
    run,
    serve,
    study,
    tables,
    verify,
    world,
    world_card,
    world_decisions,
)
from giftlive.cli.examples import START, give_examples

app = typer.Typer(
    name="giftlive",
    help="Who should see which live room: gift values, attention prices, gated decisions.",
    epilog=START,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("ingest")(ingest.ingest)
app.command("tables")(tables.tables)
app.command("audit")(audit.audit)
app.command("facts")(facts.facts)
app.command("study")(study.study)
app.command("allocate")(allocate.allocate)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("ope")(ope.ope)
app.command("roadmap")(roadmap.roadmap)
app.command("report")(report.report)
app.command("gates")(gates.gates)
app.command("verify")(verify.verify)
app.command("replay")(replay.replay)
app.command("serve")(serve.serve)
app.command("coverage")(coverage.coverage)
app.command("doctor")(doctor.doctor)
world.app.command("card")(world_card.card)
world.app.command("decisions")(world_decisions.decisions)
app.add_typer(world.app, name="world")
app.add_typer(keys.app, name="keys")
app.add_typer(bench.app, name="bench")
give_examples(app)
