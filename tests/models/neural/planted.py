"""Exposures whose law is known: who clicks, who gives, and what the two share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from giftlive.models.neural.extra import installed
from giftlive.models.neural.fitted import FittedMultiTask
from giftlive.models.neural.multi_task import MultiTask
from giftlive.models.neural.network import TASKS, Sizes
from giftlive.models.neural.training import Schedule
from giftlive.rng import stream
from giftlive.types import Bools, Floats, Ints

needs_torch = pytest.mark.skipif(
    not installed(), reason="PyTorch is not installed (the extra `neural`)"
)

SMALL = Sizes(embedding=8, tower=32, towers_out=16, trunk=32, shared=32, head=16)
NAMES = ("pair_noise", "streamer_id", "user_id", "user_past")


@dataclass(frozen=True)
class Shown:
    """Exposures: features, outcomes, and the true chances of both."""

    X: Floats
    clicked: Bools
    watch_seconds: Floats
    y: Floats
    user: Ints
    click: Floats
    gift: Floats
    names: tuple[str, ...] = NAMES

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, keep: slice | Bools) -> Shown:
        return Shown(
            X=self.X[keep],
            clicked=self.clicked[keep],
            watch_seconds=self.watch_seconds[keep],
            y=self.y[keep],
            user=self.user[keep],
            click=self.click[keep],
            gift=self.gift[keep],
            names=self.names,
        )


def exposures(n: int, seed: int, *, shared: bool, rate: float = -5.0) -> Shown:
    """Draw exposures; taste is hidden in the ids alone.

    The click follows the taste u · s of a user for a streamer. The gift follows the same taste
    where it is ``shared``; else it follows the user's past spend, of which clicks know nothing.
    """
    g = stream(seed, "exposures")
    users, streamers = 250, 60
    taste, style = g.normal(size=(users, 3)), g.normal(size=(streamers, 3)) / np.sqrt(3.0)
    user, streamer = g.integers(0, users, n), g.integers(0, streamers, n)
    liking = np.einsum("ni,ni->n", taste[user], style[streamer])
    past = g.normal(size=users)[user]
    click = _logistic(-0.5 + 2.0 * liking)
    gift = _logistic(rate + 1.6 * (liking if shared else past))
    clicked = g.random(n) < click
    gifted = clicked & (g.random(n) < gift)
    seconds = np.where(clicked, np.exp(3.0 + 0.8 * liking + 0.5 * g.normal(size=n)), np.nan)
    y = np.where(gifted, np.ceil(np.exp(2.0 + 0.5 * past + g.normal(size=n))), 0.0)
    X = np.column_stack([g.normal(size=n), 1000 + streamer, user, past])
    return Shown(X, clicked, seconds, y, user.astype(np.int64), click, gift)


def selected(n: int, seed: int) -> Shown:
    """Draw exposures whose selection is planted: who enters least gives most, once inside."""
    g = stream(seed, "selection")
    x = g.normal(size=n)
    click, gift = _logistic(-1.5 + 2.0 * x), _logistic(-2.0 - 1.2 * x)
    clicked = g.random(n) < click
    gifted = clicked & (g.random(n) < gift)
    y = np.where(gifted, np.ceil(np.exp(2.0 + g.normal(size=n))), 0.0)
    X = np.column_stack([x, g.normal(size=n)])
    user = np.arange(n) // 10
    return Shown(X, clicked, np.full(n, np.nan), y, user, click, gift, ("x", "noise"))


def model(tasks: tuple[str, ...] = TASKS, epochs: int = 12) -> MultiTask:
    """Return a small network, by default with every task."""
    return MultiTask(tasks=tasks, sizes=SMALL, schedule=Schedule(epochs=epochs))


def fit(data: Shown, tasks: tuple[str, ...] = TASKS, epochs: int = 12) -> FittedMultiTask:
    return model(tasks, epochs).fit(
        data.X,
        data.y,
        data.user,
        names=data.names,
        clicked=data.clicked,
        watch_seconds=data.watch_seconds,
    )


def _logistic(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-x))
