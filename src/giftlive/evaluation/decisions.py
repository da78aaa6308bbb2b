"""Evenings written down as decision logs, and played again from them.

What a viewing comes to is known when it ends, long after the decision was taken. So an evening is
played twice: first for its outcomes, then, identical by its replay key, for the rows, each with
its reward. The second play is held against the first: a policy that keeps something outside its
state and its generator cannot be replayed, and leaves no log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from giftlive.errors import IdentityError
from giftlive.evaluation.explanation import PriceBook, prices_of, reasons
from giftlive.evaluation.rollout import Valuer, play
from giftlive.evaluation.version import version_of
from giftlive.logs.decisions import (
    EXACT,
    REPLAY_KEY,
    DecisionFile,
    DecisionLog,
    DecisionWriter,
)
from giftlive.logs.decisions.identity import world_decision_id
from giftlive.logs.decisions.record import COLUMNS, joined
from giftlive.policies.base import Policy, hear
from giftlive.rng import stream
from giftlive.types import DecisionBatch, Decisions, Floats, Ints
from giftlive.world import World
from giftlive.world.rounds import make_arena

BATCH_ROWS = 4_096
"""Rows after which an evening in progress hands on what it has."""


@dataclass(frozen=True)
class LoggedEvening:
    """One policy's evening, to be written down.

    Attributes
    ----------
    world : played on its arena day, clocked or in rounds; its public ids are logged.
    policy : decides. valuer : puts values and seat times on candidates.
    seed : of the evening: names the arena's draws and the policy's own stream.
    until : ms UTC at which the log is closed: viewings that end later have no reward yet.
        None: all have ended.
    """

    world: World
    policy: Policy[Any]
    valuer: Valuer
    seed: int
    until: int | None = None

    def write(self, path: Path) -> int:
        """Write the log to ``path``, whole or not at all; return its number of rows.

        Raises
        ------
        IdentityError
            The policy decided otherwise when the evening was played again.
        """
        with DecisionWriter(path) as writer:
            for log in self.batches():
                writer.append(log)
        return writer.rows

    def batches(self) -> Iterator[DecisionLog]:
        """Yield the log in order of time, about ``BATCH_ROWS`` rows at a time."""
        arena = make_arena(self.world, self.seed)
        outcome, _ = play(arena, self.policy, self.valuer, arena.seats, self.seed)
        rng, state = stream(self.seed, "policy"), self.policy.init(arena.seats)
        book, policy_version = PriceBook.of(self.policy, state), version_of(self.policy)
        heard, row, yielded, waiting = 0, 0, 0, list[DecisionLog]()
        observation = arena.reset()
        while observation is not None:
            batch = DecisionBatch(observation, *self.valuer(observation))
            decisions = self.policy.decide(state, batch, rng)
            came = _Came.of(outcome, row, batch, decisions)
            prices = prices_of(batch, decisions)
            versions = policy_version, book.version(heard)
            waiting.append(self._rows(batch, decisions, prices, versions, came))
            row, heard = row + len(batch), heard + 1
            feedback, observation = arena.step(decisions)
            state = self.policy.update(state, hear(feedback, batch, decisions))
            # Within a tick a later batch may hold earlier decisions.
            over = observation is None or int(observation.ts.min()) >= feedback.ts
            if over and row - yielded >= BATCH_ROWS:
                yield _in_order(waiting)
                yielded, waiting = row, []
        if waiting:
            yield _in_order(waiting)

    def _rows(
        self,
        batch: DecisionBatch,
        decisions: Decisions,
        prices: Floats,
        versions: tuple[str, str | None],
        came: _Came,
    ) -> DecisionLog:
        seen, n = batch.observation, len(batch)
        user_id = self.world.user_ids[seen.user]
        chosen = np.take_along_axis(seen.rooms, decisions.choice.clip(0)[:, None], axis=1)[:, 0]
        shown = decisions.choice >= 0
        order = np.argsort(seen.rooms < 0, axis=1, kind="stable")  # padding goes to the end
        rooms = np.take_along_axis(seen.rooms, order, axis=1)
        ended = seen.ts + came.watch_ms
        matured = np.full(n, True) if self.until is None else ended <= self.until
        return DecisionLog(
            decision_id=world_decision_id(self.seed, user_id, seen.visit, seen.slot),
            user_id=user_id,
            ts=seen.ts,
            seed=np.full(n, self.seed),
            visit=seen.visit,
            slot=seen.slot,
            candidates=np.where(rooms >= 0, self.world.live_ids[rooms], -1),
            action=np.where(shown, self.world.live_ids[chosen], -1),
            propensity=np.where(shown, came.propensity, np.nan),
            propensity_kind=_every(n, EXACT),
            draws=np.full(n, -1),
            propensities=np.take_along_axis(decisions.propensities, order, axis=1),
            slate_id=_every(n, None),
            position=np.full(n, -1),
            conditional_propensity=np.full(n, np.nan),
            marginal_propensity=np.full(n, np.nan),
            price_version=_every(n, versions[1]),
            values=np.take_along_axis(batch.values, order, axis=1),
            prices=np.take_along_axis(prices, order, axis=1),
            policy=_every(n, self.policy.name),
            policy_version=_every(n, versions[0]),
            reason=reasons(batch, decisions, prices),
            reward=np.where(matured, came.amount, np.nan),
            reward_ts=np.where(matured, ended, -1),
            matured=matured,
        )


@dataclass(frozen=True)
class _Came:
    """What came of the decisions of one batch: stated propensity, gifts, time watched, [n] each."""

    propensity: Floats
    amount: Floats
    watch_ms: Ints

    @staticmethod
    def of(outcome: Any, first: int, batch: DecisionBatch, decisions: Decisions) -> _Came:
        """Return the outcome of rows ``first`` on, if they were decided as they are now."""
        rows, every = slice(first, first + len(batch)), np.arange(len(batch))
        shown = decisions.choice >= 0
        room = np.where(shown, batch.observation.rooms[every, decisions.choice], -1)
        chance = np.where(shown, decisions.propensities[every, decisions.choice], 0.0)
        again = np.array_equal(room, outcome.room[rows])
        if not (again and np.array_equal(chance, outcome.propensity[rows])):
            raise IdentityError(
                f"one of the decisions from {first} on came out otherwise",
                "the evening played again",
                "equal decisions from an equal replay key",
                "a policy's memory belongs in its state, its randomness in `rng`",
            )
        return _Came(chance, outcome.amount[rows], outcome.watch_ms[rows])


def _every(n: int, text: str | None) -> Any:
    return np.full(n, text, dtype=object)


def _in_order(parts: Sequence[DecisionLog]) -> DecisionLog:
    log = joined(parts)
    return log.rows(np.lexsort((log.slot, log.visit, log.user_id, log.ts)))


def require_replay(file: DecisionFile, evening: LoggedEvening) -> None:
    """Play ``evening`` again and hold every row of the logged one against it, bit for bit.

    Raises
    ------
    IdentityError
        A row of the log does not follow from its replay key; decision and column are named.
    """
    again, fresh = evening.batches(), list[DecisionLog]()
    for logged in file.batches():
        while sum(map(len, fresh)) < len(logged) and (more := next(again, None)):
            fresh.append(more)
        played = joined([*fresh, logged.rows(slice(0, 0))])
        _require_equal(logged.widened(played.width), played.rows(slice(0, len(logged))))
        fresh = [played.rows(slice(len(logged), None))]
    left = sum(map(len, fresh)) + sum(len(log) for log in again)
    if left:
        raise IdentityError(f"{left} decisions too few", str(file.path), "the whole evening")


def _require_equal(logged: DecisionLog, played: DecisionLog) -> None:
    for name in (*REPLAY_KEY, *COLUMNS):  # where the keys differ, that is the reason
        one, two = getattr(logged, name), getattr(played, name)
        if one.shape == two.shape and one.tobytes() == two.tobytes() and one.dtype != object:
            continue
        same = np.full(len(one), False)
        same[: len(two)] = _same_rows(one[: len(two)], two)
        if not same.all():
            row = int(np.argmin(same))
            raise IdentityError(
                f"{name} is {one[row]}, {two[row] if row < len(two) else 'missing'} when replayed",
                f"decision {logged.decision_id[row]}",
                "equal rows from an equal replay key",
                "replay with the policy, prices, seed and world that the row names",
            )


def _same_rows(one: Any, two: Any) -> Any:
    equal = (one == two) | ((one != one) & (two != two))  # NaN stands for null
    return equal if equal.ndim == 1 else equal.all(axis=1)
