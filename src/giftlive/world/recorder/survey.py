"""Who is kept, and what the profiles count: one look at the whole history before writing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftlive.types import Bools, Floats, Ints
from giftlive.world.entities import World
from giftlive.world.history import history_seed
from giftlive.world.recorder.marks import lost_visits, viewings
from giftlive.world.recorder.tables import Chunks
from giftlive.world.social import acts
from giftlive.world.state import CLICKED, SKIPPED, Log


@dataclass(frozen=True)
class Survey:
    """Of a history: the kept dense ``users`` and ``streamers``, and counts of everybody's views.

    ``qualified`` users had every behaviour; with ``select_users`` the kept ones are the first of
    them, else everybody is kept. ``amount`` is everybody's money.
    ``lost`` : sorted keys of the users and rooms all of whose clicks are lost (``orphans``).
    ``user_views user_watch_ms`` [U], ``streamer_*`` [S] count all viewings, as a platform's own
    counters do, whatever becomes of their rows.
    """

    users: Ints
    streamers: Ints
    qualified: int
    amount: int
    decisions: int
    lost: Ints
    user_views: Ints
    user_watch_ms: Ints
    streamer_views: Ints
    streamer_watch_ms: Ints

    def keeps_user(self) -> Bools:
        """[U] True for the kept."""
        return _members(self.users, len(self.user_views))

    def keeps_streamer(self) -> Bools:
        """[S] True for the kept."""
        return _members(self.streamers, len(self.streamer_views))


def survey(world: World, chunks: Chunks) -> Survey:
    """Return who is kept of a history, by what they truly did: no defect changes who they are."""
    many, stars = len(world.user_ids), len(world.streamer_ids)
    views, watched = np.zeros((2, many)), np.zeros((2, stars))
    behaviours = np.zeros((5, many), dtype=bool)
    amount = decisions = 0
    lost = [np.zeros(0, dtype=np.int64)]
    for log in chunks():
        rows = viewings(log)
        star = world.room_streamer[log.room[rows]]
        views += _counted(log.user[rows], log.watch_ms[rows], many)
        watched += _counted(star, log.watch_ms[rows], stars)
        for known, happened in zip(behaviours, _behaviours(world, log), strict=True):
            known[log.user[happened]] = True
        amount += total_amount(log.amount)
        decisions += len(log.ts)
        lost.append(lost_visits(world, log))
    qualified = np.flatnonzero(behaviours.all(axis=0))
    selected = world.scenario.recorder.select_users
    users = qualified[: world.scenario.kept_users] if selected else np.arange(many)
    return Survey(
        users=users,
        streamers=_streamers(world, chunks, _members(users, many)),
        qualified=len(qualified),
        amount=amount,
        decisions=decisions,
        lost=np.unique(np.concatenate(lost)),
        user_views=views[0].astype(np.int64),
        user_watch_ms=views[1].astype(np.int64),
        streamer_views=watched[0].astype(np.int64),
        streamer_watch_ms=watched[1].astype(np.int64),
    )


def total_amount(amounts: Floats) -> int:
    """Return a sum of whole amounts as a whole number."""
    return int(np.rint(amounts).astype(np.int64).sum())


def _behaviours(world: World, log: Log) -> tuple[Bools, ...]:
    seed = history_seed(world)
    comments, likes = (acts(world, log, seed, what).happened for what in ("comment", "like"))
    return log.status == CLICKED, log.status == SKIPPED, comments, likes, log.amount > 0


def _streamers(world: World, chunks: Chunks, keeps_user: Bools) -> Ints:
    clicked = np.zeros(len(world.streamer_ids), dtype=bool)
    if not world.scenario.recorder.select_streamers:
        return np.arange(len(clicked))
    for log in chunks():
        rows = viewings(log)
        mine = rows[keeps_user[log.user[rows]]]
        clicked[world.room_streamer[log.room[mine]]] = True
    return np.flatnonzero(clicked)


def _counted(who: Ints, watch_ms: Ints, many: int) -> Floats:
    """Return [2, many]: viewings, and ms watched (whole numbers below 2^53: exact)."""
    return np.stack([np.bincount(who, minlength=many), np.bincount(who, watch_ms, many)])


def _members(which: Ints, many: int) -> Bools:
    inside = np.zeros(many, dtype=bool)
    inside[which] = True
    return inside
