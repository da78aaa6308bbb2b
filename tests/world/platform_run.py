"""One run of the platform over the history, as the tests of what it does all need it."""

from __future__ import annotations

from giftlive.world import World
from giftlive.world.kernel import begin, run_platform
from giftlive.world.state import (
    ROWS,
    Log,
    Span,
    State,
    filled,
    history_span,
    new_batch,
    new_log,
    new_state,
)


def played(world: World, seed: int) -> tuple[Span, Log, State]:
    """Return the span, the log and the state at the last decision; the log was long enough."""
    span = history_span(world, seed)
    state, log = new_state(world, span), new_log(60_000)
    batch = new_batch(len(world.user_ids), world.scene.choices.total)
    begin(world.scene, state, span)
    assert run_platform(world.scene, state, batch, span, log)
    return span, filled(log, int(state.cursor[ROWS])), state
