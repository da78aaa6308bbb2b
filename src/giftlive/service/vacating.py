"""Seats that become free: of a decision that holds one no longer, of a room that closes."""

from __future__ import annotations

from giftlive.service.joining import Open
from giftlive.service.state import State


def release(state: State, found: Open) -> None:
    """Give back the seat that a decision held, if it still does."""
    shown = found.shown
    if found.held and shown.slot >= 0 and state.rooms.live_id[shown.slot] == shown.live_id:
        state.rooms.held[shown.slot] -= 1
    found.held = False


def close_room(state: State, live_id: int) -> None:
    """Let a room and everybody in it be gone."""
    slot = state.rooms.slot_of.get(live_id, -1)
    if slot < 0:
        return
    state.pricer.closed(slot, int(state.rooms.streamer_id[slot]))
    state.rooms.close(live_id)
    for pair in [pair for pair in state.viewers if pair[1] == live_id]:
        del state.viewers[pair]
