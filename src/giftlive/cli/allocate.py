"""``giftlive allocate``: what a setting of the allocation would do, on a small world."""

from __future__ import annotations

import json as text_of
from typing import TYPE_CHECKING, Annotated, Any

import typer

from giftlive.cli import options, show
from giftlive.errors import UsageError

if TYPE_CHECKING:
    from giftlive.evaluation.what_if import Knobs, Point, Position


def allocate(
    fairness: Annotated[
        float, typer.Option("--fairness", help="Worth of evenness, in mean values: 0 to 1000.")
    ] = 0.0,
    cold_start: Annotated[
        float, typer.Option("--cold-start", help="Share of visits kept for new rooms: 0 to 1.")
    ] = 0.0,
    whale_cap: Annotated[
        int, typer.Option("--whale-cap", help="Whales per room at a time; 0: no cap.")
    ] = 0,
    exploration: Annotated[
        float, typer.Option("--exploration", help="Share of visits at random: 0 to 1.")
    ] = 0.0,
    policy: Annotated[
        str | None, typer.Option("--policy", help="JSON of a policy to compare with.")
    ] = None,
    frontier: Annotated[
        bool, typer.Option("--frontier", help="Play other weights of fairness as well.")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=2, max=100, help="Worlds to play.")] = 6,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Names the worlds.")] = 0,
    lines: Annotated[
        bool, typer.Option("--lines", help="One JSON line per rollout, the result as the last.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Play a setting of the sliders on a small world and print what it earns and for whom.

    Revenue is exact and expected, per 1,000 decisions; every interval is over worlds.
    """
    from giftlive.evaluation.what_if import Knobs, Market, play_positions
    from giftlive.rng import derive
    from giftlive.world.truth import compiled

    knobs = Knobs(fairness, cold_start, whale_cap, exploration)
    wanted = _positions(knobs, _spec(policy), frontier)
    total, done = len(wanted) * seeds, 0

    def told() -> None:
        nonlocal done
        done += 1
        if lines:
            typer.echo(text_of.dumps({"done": done, "total": total}))

    if lines:
        begun = {"done": 0, "total": total, "worlds": seeds, "compiled": compiled()}
        typer.echo(text_of.dumps(begun))
    markets = [Market.of(derive(seed, "what if", k)) for k in range(seeds)]
    result = _result(play_positions(wanted, markets, told), seed, seeds)
    if lines:
        typer.echo(text_of.dumps({"result": result}))
    elif json:
        show.as_json(result)
    else:
        _print(result)


def _spec(policy: str | None) -> Any:
    if policy is None:
        return None
    try:
        return text_of.loads(policy)
    except ValueError as error:
        raise UsageError(str(error), "--policy", 'JSON, e.g. {"name": "greedy"}') from error


def _positions(knobs: Knobs, spec: Any, frontier: bool) -> dict[str, Position]:
    """Return what is to be played by the names it has in the result."""
    from giftlive.evaluation.what_if import FAIRNESS, Position

    levels = sorted({*FAIRNESS, knobs.fairness}) if frontier else [knobs.fairness]
    found = {f"fairness {level:g}": Position(knobs.at(level)) for level in levels}
    found["chosen"] = found.pop(f"fairness {knobs.fairness:g}")
    return found | ({"current": Position(spec=spec)} if spec is not None else {})


def _result(points: dict[str, Point], seed: int, seeds: int) -> dict[str, Any]:
    """Return plain data: the chosen point, the frontier by fairness, the current policy."""
    current = points.get("current")
    curve = [point for name, point in points.items() if name != "current"]
    curve.sort(key=lambda point: point.position.knobs.fairness)
    return {
        "seed": seed,
        "seeds": seeds,
        "chosen": _plain(points["chosen"], current),
        "frontier": [_plain(point, current) for point in curve],
        "current": _plain(current, None) if current else None,
    }


def _plain(point: Point, against: Point | None) -> dict[str, Any]:
    from giftlive.evaluation.what_if import difference

    knobs, spec = point.position.knobs, point.position.spec
    found: dict[str, Any] = {"knobs": vars(knobs) if spec is None else None, "spec": spec}
    found["measures"] = {name: _interval(point.mean(name)) for name in point.values}
    if against is not None:
        found["against_current"] = {
            name: _interval(difference(point, against, name)) for name in point.values
        }
    return found


def _interval(found: Any) -> dict[str, Any]:
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _print(result: dict[str, Any]) -> None:
    from rich.table import Table

    rows = [("chosen", result["chosen"]), ("current", result["current"])]
    chosen = result["chosen"]["knobs"]
    others = [p for p in result["frontier"] if p["knobs"] != chosen]
    rows += [(f"fairness {p['knobs']['fairness']:g}", p) for p in others]
    names = list(result["chosen"]["measures"])
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("setting")
    for name in names:
        table.add_column(name, justify="right")
    for title, point in rows:
        if point is not None:
            cells = [f"{point['measures'][name]['value']:,.3f}" for name in names]
            table.add_row(title, *cells)
    show.console().print(table)
