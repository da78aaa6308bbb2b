"""One network for click, watch, gift and amount: E[amount] with a shared representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from giftlive.errors import UsageError
from giftlive.models.base import Card, Training, distinct, known, training
from giftlive.models.neural.columns import IDS, Inputs
from giftlive.models.neural.extra import require_torch
from giftlive.models.neural.fitted import FittedMultiTask, Levels
from giftlive.models.neural.network import TASKS, Sizes
from giftlive.models.neural.outcomes import Outcomes, outcomes
from giftlive.models.neural.training import Lesson, Schedule, Trained, train, trained_tasks
from giftlive.rng import stream
from giftlive.types import Bools, Floats, Ints, Progress, silent


@dataclass(frozen=True)
class Weights:
    """Weight of each task, in units of what a constant would lose (:mod:`losses`).

    Click and watch form what is shared: they have many labels, the gift few, and its own weight is
    that of its nats per row at a rate of a few per cent. With a weight of 1 a hundred gifts are
    learnt by heart before the clicks have said what two rooms have in common. The amount rests
    on the gifts alone and has a quarter of theirs.
    """

    click: float = 1.0
    watch: float = 1.0
    gift: float = 0.2
    amount: float = 0.05


@dataclass(frozen=True)
class MultiTask:
    """P(click) · P(gift | click) · E[amount | gift] by two towers, a trunk and a head per task.

    Rows are exposures where ``fit`` is told which were entered, and then ``predict`` is
    E[amount | shown]; without ``clicked`` every row was entered and it is E[amount | entered].
    Columns named ``user_id`` and ``streamer_id`` are read as ids with embeddings: an id that is
    unknown, unseen, or has fewer than ``least_rows`` rows gets the row of the unknown, which
    learns from rare ids and from ids hidden at random.

    ``tasks=("gift",)`` is the single-task control: the same trunk, rows and schedule, one head.

    Assumption: given the features, whether a gift follows an entry depends on nothing that decided
    the entry. The product P(click and gift | shown) is right without it; P(gift | click) of rooms
    that nobody enters is not identified by any log.

    References
    ----------
    Ma et al. (2018), SIGIR (the product over exposures); Covington et al. (2016), RecSys, and
    Yi et al. (2019), RecSys (towers).
    """

    tasks: tuple[str, ...] = TASKS
    weights: Weights = field(default_factory=Weights)
    sizes: Sizes = field(default_factory=Sizes)
    schedule: Schedule = field(default_factory=Schedule)
    least_rows: int = 5
    validation_share: float = 0.1
    minimum_positives: int = 50
    seed: int = 0
    name: str = "multi_task"

    def __post_init__(self) -> None:
        """Refuse tasks that there are not."""
        if not set(self.tasks) <= set(TASKS) or not self.tasks:
            raise UsageError(f"tasks {self.tasks}", "MultiTask", f"some of {', '.join(TASKS)}")

    def fit(
        self,
        X: Floats,
        y: Floats,
        groups: Ints | None = None,
        *,
        names: Sequence[str],
        clicked: ArrayLike | None = None,
        watch_seconds: ArrayLike | None = None,
        validation: ArrayLike | None = None,
        progress: Progress = silent,
    ) -> FittedMultiTask:
        """Train the network; ``X`` may be a memory map, it is read in pools of 65,536 rows.

        Parameters
        ----------
        clicked : [n] whether the room was entered; None = all were.
        watch_seconds : [n] of the viewing, NaN where unknown; an outcome, never a feature.
        validation : [n] rows that choose the epoch and train nothing; None = a tenth, of whole
            users unless the user's id is read, then of rows.
        progress : told how many rows of all epochs are done.

        Raises
        ------
        UsageError
            PyTorch is not installed, shapes differ, or no row is left to train on.
        NotEnoughDataError
            Fewer than ``minimum_positives`` rows hold a gift.
        """
        data = _checked(X, y, groups, names, self.minimum_positives)
        require_torch()
        happened = outcomes(data.y, clicked, watch_seconds)
        lesson = Lesson(
            X=data.X,
            inputs=Inputs.of(data.X, data.names, self.least_rows),
            outcomes=happened,
            validation=self._held_out(data, validation),
            tasks=trained_tasks(self.tasks, happened),
            weights=asdict(self.weights),
            seed=self.seed,
        )
        trained = train(lesson, self.sizes, self.schedule, progress)
        card = self._card(data, lesson, trained)
        levels = _levels(data.y, happened)
        raw = FittedMultiTask(card, lesson.inputs, lesson.tasks, trained.parameters, levels)
        return _levelled(raw, data, happened, watch_seconds)

    def _held_out(self, data: Training, given: ArrayLike | None) -> Bools:
        n = len(data.y)
        if given is not None:
            held = np.asarray(given, dtype=np.bool_)
            if held.shape != (n,) or held.all():
                raise UsageError(
                    f"{held.sum()} of {held.shape} rows", "argument validation", "some of [n] rows"
                )
            return held
        by_row = IDS["user"] in data.names
        unit = np.arange(n) if by_row else np.unique(data.groups, return_inverse=True)[1]
        draws = stream(self.seed, "validation").random(int(unit.max(initial=-1)) + 1)
        return np.asarray(draws[unit] < self.validation_share)

    def _card(self, data: Training, lesson: Lesson, trained: Trained) -> Card:
        shown = not bool(lesson.outcomes.clicked.all())
        return Card(
            name=self.name,
            estimand=f"E[amount | {'shown' if shown else 'entered'}] = "
            + ("P(click) x " if "click" in lesson.tasks else "")
            + "P(gift) x E[amount | gift]",
            features=data.names,
            rows=len(data.y),
            positives=data.positives,
            settings={
                "tasks": list(lesson.tasks),
                "weights": {task: asdict(self.weights)[task] for task in lesson.tasks},
                "sizes": asdict(self.sizes),
                "schedule": asdict(self.schedule),
                "seed": self.seed,
            },
            fitted={
                "best_epoch": trained.best,
                "epochs": trained.ran,
                "validation_loss": list(trained.watched),
                "parameters": int(sum(p.size for p in trained.parameters.values())),
                "ids": {tower: len(table) - 1 for tower, table in lesson.inputs.tables.items()},
                "clicks": int(lesson.outcomes.clicked.sum()),
                "watched": int(lesson.outcomes.watched.sum()),
            },
            limits=_limits(lesson, trained),
        )


def _checked(
    X: Floats, y: Floats, groups: Ints | None, names: Sequence[str], minimum: int
) -> Training:
    """Check labels as every model does, without a copy of the features."""
    distinct(names)
    known(X[:1], len(names))
    labels = training(np.zeros((len(X), 1)), y, groups, tuple(names)[:1], minimum)
    return replace(labels, X=X, names=tuple(names))


def _levels(y: Floats, happened: Outcomes) -> Levels:
    gifts = y[happened.gifted] / happened.unit
    mean = float(gifts.mean()) if len(gifts) else 1.0
    return Levels(happened.watch_scale, happened.amount_scale, happened.unit, mean)


def _levelled(
    model: FittedMultiTask, data: Training, happened: Outcomes, watch_seconds: ArrayLike | None
) -> FittedMultiTask:
    """Set both levels by ratio smearing on the training rows: Σ actual / Σ predicted."""
    heads = model.heads(data.X)
    predicted = float((heads.click * heads.gift * heads.amount).sum())
    seconds = 1.0
    if heads.watch_seconds is not None and watch_seconds is not None:
        rows = happened.watched
        actual = np.asarray(watch_seconds, dtype=np.float64)[rows]
        seconds = float((1.0 + actual).sum() / (1.0 + heads.watch_seconds[rows]).sum())
    levels = replace(model.levels, money=float(data.y.sum()) / predicted, seconds=seconds)
    about = replace(model.about, fitted=model.about.fitted | {"level": levels.money})
    return replace(model, about=about, levels=levels)


def _limits(lesson: Lesson, trained: Trained) -> tuple[str, ...]:
    known_ids = (
        "An id that training did not see has no taste of its own: only its features speak."
        if lesson.inputs.tables
        else "No ids were among the features: there are no embeddings."
    )
    watched = (
        f"The epoch was chosen by the {'gift' if lesson.judged == ('gift',) else 'summed'} loss of "
        "held-out rows, which therefore say nothing about quality."
        if trained.watched
        else "Too few gifts among the held-out rows: the last epoch was kept, nothing was chosen."
    )
    return (
        known_ids,
        watched,
        "Probabilities are not recalibrated; the level of amounts is one ratio for all rows.",
        "Bits repeat on one machine with one version of PyTorch and the same number of threads; "
        "elsewhere the last digits differ.",
        "P(gift | click) where nobody enters is extrapolated; only its product with P(click) is "
        "estimated from data.",
    )
