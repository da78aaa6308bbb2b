"""``giftlive replay``: a log fed to a running service, with a live table of how it does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from giftlive.cli import options, show
from giftlive.errors import missing_extra

if TYPE_CHECKING:
    from giftlive.client.replay import Progress

_REDRAW_SECONDS = 0.5


def replay(
    source: options.NeededSource,
    url: Annotated[str, typer.Option("--url", help="Of the running service.")],
    speed: Annotated[
        float, typer.Option("--speed", min=0.0, help="Log seconds per second; 0: at full speed.")
    ] = 0.0,
    key: Annotated[
        str | None,
        typer.Option("--key", envvar="GIFTLIVE_KEY", help="API key (or GIFTLIVE_KEY)."),
    ] = None,
    decisions: Annotated[
        int | None, typer.Option("--decisions", min=1, help="Stop after so many.")
    ] = None,
    from_ts: Annotated[int, typer.Option("--from", help="ms UTC to start at.")] = 0,
    seats: Annotated[
        int | None, typer.Option("--seats", min=0, help="Of every room; none: unlimited.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Goes into every id.")] = "replay",
    cache: options.CacheDir = None,
    json: options.Json = False,
) -> None:
    """Feed a log (of a world, KuaiLive, …) to a running service like a platform would."""
    from rich.live import Live

    from giftlive.run.pipeline import store_of

    try:
        from giftlive.client import Client
        from giftlive.client.replay import Replay
    except ImportError as error:
        raise missing_extra(error, "giftlive replay", "service") from error

    store = store_of(source, options.resolve(None, None, None), cache)
    with Client(url, key) as client:
        feeding = Replay(client, store, speed, seats, name)
        if json:
            done = feeding.play(from_ts, most=decisions)
            show.as_json(figures(done) | {"policy": client.policy()})
            return
        with Live(console=show.console(), refresh_per_second=2) as live:
            board = _Board(live, client)
            done = feeding.play(from_ts, most=decisions, watch=board)
            board.draw(done)


def figures(done: Progress) -> dict[str, Any]:
    """Return what a replay came to."""
    found = np.array(done.seconds) * 1e3
    p50, p99 = np.percentile(found, [50, 99]).tolist() if len(found) else (None, None)
    return {
        "log_ts": done.ts,
        "decisions": done.decisions,
        "events": done.events,
        "events_joined": done.joined,
        "decisions_that_showed_the_room_entered": done.shown_same,
        "amount_in_the_log": done.amount,
        "p50_ms": p50,
        "p99_ms": p99,
    }


class _Board:
    """Redraws the table now and then; asks the service how its guardrails stand."""

    def __init__(self, live: Any, client: Any) -> None:
        self._live, self._client, self._drawn = live, client, 0.0

    def __call__(self, done: Progress) -> None:
        now = time.monotonic()
        if now - self._drawn >= _REDRAW_SECONDS:
            self._drawn = now
            self.draw(done)

    def draw(self, done: Progress) -> None:
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False)
        for name, value in figures(done).items():
            plain = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if value else "0"
            table.add_row(name.replace("_", " "), str(value) if name == "log_ts" else plain)
        policy = self._client.policy()
        table.add_row("policy", f"{policy['policy']} ({policy['because']})")
        for rail in policy["guardrails"]:
            table.add_row(rail["name"], _rail(rail))
        self._live.update(table)


def _rail(rail: dict[str, Any]) -> str:
    if rail["low"] is None:
        return "no data"
    word = "BREACHED" if rail["breached"] else "ok"
    return (
        f"{word}: {rail['value']:.3f} [{rail['low']:.3f}, {rail['high']:.3f}],"
        f" {rail['direction'].replace('_', ' ')} {rail['threshold']:g}, n {rail['n']:,}"
    )
