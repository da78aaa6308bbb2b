"""The epochs: what is minimised, on which rows it is watched, and which epoch is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.neural.batches import batch_size, pools
from giftlive.models.neural.columns import Block, Inputs, chunks
from giftlive.models.neural.extra import deterministic, require_torch
from giftlive.models.neural.losses import Labels, Rates, relative, summed
from giftlive.models.neural.network import Arrays, Sizes, forward, initial
from giftlive.models.neural.outcomes import Outcomes
from giftlive.rng import derive, stream
from giftlive.types import Bools, Floats, Ints, Progress

FEWEST = 10
"""Gifts among the validation rows from which on they may choose the epoch."""


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes
    ----------
    epochs : at most. patience : training ends when no task's validation loss was lower for so many
        epochs. The epoch that is kept is that of the lowest gift loss: a dense task may still be
        forming what is shared when the gifts first look learnt.
    learning_rate : of AdamW at the start; it falls to a tenth along half a cosine.
    decay : of weights. id_decay : of embeddings, which see few rows each.
    dropout : share of shared units silenced. id_dropout : share of ids read as unknown, by which
        the unknown row learns what is usual. threads : they decide the last digits of sums; one is
        as fast as two here, and much faster on a busy machine, where two wait for each other.
    """

    epochs: int = 10
    patience: int = 2
    learning_rate: float = 2e-3
    decay: float = 1e-3
    id_decay: float = 0.1
    id_pace: float = 5.0
    dropout: float = 0.1
    id_dropout: float = 0.1
    threads: int = 1


@dataclass(frozen=True)
class Trained:
    """Parameters of the best epoch, and how training went.

    Attributes
    ----------
    parameters : [..] float32 by name. best : number of the epoch kept, from 1. ran : epochs run.
    watched : validation loss after each epoch, in units of the constant's; empty without one.
    """

    parameters: dict[str, Any]
    best: int
    ran: int
    watched: tuple[float, ...]


@dataclass(frozen=True)
class Lesson:
    """Everything that training reads: rows, labels, which rows validate, what is trained."""

    X: Floats
    inputs: Inputs
    outcomes: Outcomes
    validation: Bools
    tasks: tuple[str, ...]
    weights: Mapping[str, float]
    seed: int

    @property
    def judged(self) -> tuple[str, ...]:
        """Return the tasks that choose the epoch: the gift, or all where it is not trained."""
        return ("gift",) if "gift" in self.tasks else self.tasks

    @property
    def validates(self) -> bool:
        """Return whether the validation rows hold enough to choose by."""
        return int((self.outcomes.gifted & self.validation).sum()) >= FEWEST


def train(lesson: Lesson, sizes: Sizes, schedule: Schedule, progress: Progress) -> Trained:
    """Minimise the loss on the rows that do not validate; return the best epoch's parameters.

    Equal lessons give equal bits on a machine: every draw has a stream of its own name, operations
    are deterministic, and the number of threads is the schedule's.
    """
    torch = require_torch()
    start = initial(lesson.inputs, lesson.tasks, sizes, lesson.seed)
    rates = Rates.of(lesson.outcomes, ~lesson.validation)
    esmm = "click" in lesson.tasks
    for task in lesson.tasks:
        start[f"{task}.2.b"][0] = rates.start(task, esmm)
    with deterministic(torch, schedule.threads):
        return _Course(torch, lesson, schedule, rates, start).run(progress)


class _Course:
    """One training run; it owns the tensors while it lasts."""

    def __init__(
        self,
        torch: Any,
        lesson: Lesson,
        schedule: Schedule,
        rates: Rates,
        start: Mapping[str, Floats],
    ) -> None:
        self.torch, self.lesson, self.schedule, self.rates = torch, lesson, schedule, rates
        self.rows = np.flatnonzero(~lesson.validation)
        self.held_out = np.flatnonzero(lesson.validation)
        self.size = batch_size(len(self.rows))
        self.p = {
            name: torch.from_numpy(value.astype(np.float32)).requires_grad_()
            for name, value in start.items()
        }
        ids = [v for name, v in self.p.items() if name.endswith(".ids")]
        rest = [v for name, v in self.p.items() if not name.endswith(".ids")]
        groups = [
            {"params": rest, "weight_decay": schedule.decay, "pace": 1.0},
            {"params": ids, "weight_decay": schedule.id_decay, "pace": schedule.id_pace},
        ]
        self.adam = torch.optim.AdamW([g for g in groups if g["params"]], lr=0.0)
        self.arrays = Arrays(
            lambda parts: torch.cat(list(parts), dim=1),
            lambda table, rows: torch.nn.functional.embedding(rows, table),
        )
        self.noise = torch.Generator()
        self.noise.manual_seed(derive(lesson.seed, "dropout"))

    def run(self, progress: Progress) -> Trained:
        """Train epoch by epoch."""
        s, validates = self.schedule, self.lesson.validates
        total = s.epochs * len(self.rows)
        watched: list[float] = []
        course: list[dict[str, float]] = []
        best, kept = 0, self._parameters()
        for epoch in range(s.epochs):
            self._epoch(epoch, lambda done, e=epoch: progress(e * len(self.rows) + done, total))
            if not validates:
                best, kept = epoch + 1, self._parameters()
                continue
            course.append(self._validation_losses())
            watched.append(sum(course[-1][task] for task in self.lesson.judged))
            if watched[-1] == min(watched):
                best, kept = epoch + 1, self._parameters()
            if all(_stale(course, task) >= s.patience for task in self.lesson.tasks):
                break
        progress(total, total)
        return Trained(kept, best, len(watched) or s.epochs, tuple(watched))

    def _epoch(self, epoch: int, heard: Any) -> None:
        rng = stream(self.lesson.seed, "rows", epoch)
        done, steps = 0, self.schedule.epochs * len(self.rows)
        for pool in pools(self.rows, self.size, rng):
            block = self.lesson.inputs.block(self.lesson.X[pool])
            numbers, ids = self._tensors(block, rng)
            for rows in chunks(len(pool), self.size):
                self._learning_rate((epoch * len(self.rows) + done) / steps)
                part = Block(
                    {k: v[rows] for k, v in numbers.items()}, {k: v[rows] for k, v in ids.items()}
                )
                self._step(part, pool[rows])
                done += len(pool[rows])
            heard(done)

    def _step(self, block: Block, rows: Ints) -> None:
        labels = Labels.of(self.torch, self.lesson.outcomes, rows)
        output = forward(self.p, block, self.lesson.tasks, self.arrays, self._drop)
        losses = relative(
            summed(self.torch, output, labels, self.lesson.tasks), len(rows), self.rates
        )
        total = sum(self.lesson.weights[task] * loss for task, loss in losses.items())
        self.adam.zero_grad(set_to_none=True)
        total.backward()
        self.torch.nn.utils.clip_grad_norm_(list(self.p.values()), 5.0)
        self.adam.step()

    def _validation_losses(self) -> dict[str, float]:
        """Return the mean loss of every task on the validation rows, that of a constant being 1."""
        sums: dict[str, float] = {}
        with self.torch.no_grad():
            for part in chunks(len(self.held_out), 16_384):
                rows = self.held_out[part]
                numbers, ids = self._tensors(self.lesson.inputs.block(self.lesson.X[rows]))
                output = forward(self.p, Block(numbers, ids), self.lesson.tasks, self.arrays)
                labels = Labels.of(self.torch, self.lesson.outcomes, rows)
                for task, loss in summed(self.torch, output, labels, self.lesson.tasks).items():
                    sums[task] = sums.get(task, 0.0) + float(loss)
        return relative(sums, len(self.held_out), self.rates)

    def _tensors(
        self, block: Block, rng: np.random.Generator | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a block as tensors, some ids made unknown where ``rng`` is given."""
        ids = dict(block.ids)
        if rng is not None:
            for tower in sorted(ids):
                unknown = rng.random(len(ids[tower])) < self.schedule.id_dropout
                ids[tower] = np.where(unknown, 0, ids[tower])
        numbers = {k: self.torch.from_numpy(v.astype(np.float32)) for k, v in block.numbers.items()}
        return numbers, {k: self.torch.from_numpy(v) for k, v in ids.items()}

    def _drop(self, h: Any) -> Any:
        share = self.schedule.dropout
        if share <= 0.0:
            return h
        kept = self.torch.rand(h.shape, generator=self.noise) >= share
        return h * kept / (1.0 - share)

    def _learning_rate(self, progress: float) -> None:
        top = self.schedule.learning_rate
        now = top * (0.1 + 0.9 * 0.5 * (1.0 + np.cos(np.pi * progress)))
        for group in self.adam.param_groups:
            group["lr"] = now * group["pace"]

    def _parameters(self) -> dict[str, Any]:
        return {name: value.detach().numpy().copy() for name, value in self.p.items()}


def _stale(course: Sequence[Mapping[str, float]], task: str) -> int:
    """Return how many epochs ago the task's validation loss was lowest."""
    losses = [losses[task] for losses in course]
    return len(losses) - 1 - losses.index(min(losses))


def trained_tasks(tasks: Sequence[str], outcomes: Outcomes) -> tuple[str, ...]:
    """Return those of ``tasks`` that these rows can teach, in the order of the story.

    Where every row was entered there is no click to learn; without watch times no watch head.
    """
    able = {
        "click": not bool(outcomes.clicked.all()),
        "watch": bool(outcomes.watched.any()),
        "gift": True,
        "amount": bool(outcomes.gifted.any()),
    }
    return tuple(task for task in able if able[task] and task in tasks)
