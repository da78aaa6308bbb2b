"""Weights that turn a stream of labels, some of them wrong for now, into unbiased training.

A stream is learnt from as it comes. An exposure enters as a negative at once (FNW) or after a
wait c with the label it shows then (ES-DFM), and a gift that arrives later enters again as a
positive. What is learnt from is therefore not P(y | x), and each row is weighted by the ratio of
the two:

- **FNW**, fake-negative weighted: positives 1 + p, negatives (1 − p)(1 + p), p the model's own.
- **ES-DFM**, elapsed-time sampling: with d(x) = P(gift later than c | x) and
  r(x) = P(no gift ever | x, none by c), both learnt on mature rows,
  positives 1 + d, negatives (1 + d)·r.

At a cut T only what *entered the stream* in its last ``span`` seconds is used: exposures shown
(or waited for) in it, and gifts that arrived in it, from exposures older than it too. Those make
up for the gifts that T has not seen. Taking all rows from the beginning would not: the first
exposures bring no late gifts from before, and FNW becomes the naive rate.

Assumption: as many late gifts arrive now as the exposures of now will send later. A drift in how
many give is passed on to the negatives at once and to the positives one delay later.

References
----------
Ktena et al. (2019), "Addressing delayed feedback for continuous training with neural networks in
CTR prediction", RecSys, equation 9; Yang et al. (2021), "Capturing delayed feedback in conversion
rate prediction via elapsed-time sampling", AAAI, equations 8 to 14.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.chance import Chance, FittedChance, Logistic
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.treatments import old_enough, waiting
from giftlive.types import Bools, Floats, Ints

ROUNDS, SETTLED = 50, 1e-5
"""Most rounds of the fixed point of FNW, and the change of a probability that ends it."""


@dataclass(frozen=True)
class Stream:
    """What entered the stream in its last seconds.

    Attributes
    ----------
    row : [m] of the follow-up; a row may enter twice. positive : [m] as which it entered.
    """

    row: Ints
    positive: Bools

    @classmethod
    def of(cls, follow_up: FollowUp, span: float, wait: float | None = None) -> Stream:
        """Return what entered in the last ``span`` seconds.

        Parameters
        ----------
        wait : seconds after which an exposure enters with the label it shows then; ``None``: at
            once, as a negative whatever its label is.

        Raises
        ------
        NotEnoughDataError
            Nothing entered.
        """
        delay = np.where(follow_up.seen, follow_up.delay, np.inf)
        start = 0.0 if wait is None else wait
        entered = (follow_up.age >= start) & (follow_up.age - start <= span)
        early = np.full(len(follow_up), False) if wait is None else delay <= wait
        late = follow_up.seen & ~early & (follow_up.age - np.nan_to_num(delay, posinf=0.0) <= span)
        first, again = np.flatnonzero(entered), np.flatnonzero(late)
        if not len(first):
            raise NotEnoughDataError(
                f"no exposure entered in the last {span:g} s", "stream", "at least one"
            )
        row = np.concatenate([first, again])
        return cls(row, np.concatenate([early[first], np.ones(len(again), dtype=bool)]))


def stream_span(follow_up: FollowUp, span: float | None, settled: float | None = None) -> float:
    """Return the seconds of the stream: by default those whose late gifts are all in the log.

    The stream then begins one horizon after the first exposure, or once the share ``settled`` of
    the late gifts is there: at once where nothing is late.

    Raises
    ------
    NotEnoughDataError
        The log is not longer than the horizon.
    """
    found = float(follow_up.age.max(initial=0.0)) - waiting(follow_up, settled)
    found = found if span is None else span
    if found > 0.0:
        return found
    if span is not None:
        raise UsageError(f"span {span:g}", "argument span", "seconds > 0")
    raise NotEnoughDataError(
        f"a log of {follow_up.age.max(initial=0.0):g} s, horizon {follow_up.horizon:g} s",
        "stream",
        "a log longer than the horizon",
        "give a span, or a shorter horizon",
    )


@dataclass(frozen=True)
class FakeNegativeWeighted:
    """FNW, repeated until the probabilities behind the weights are those that are learnt.

    Parameters
    ----------
    span : seconds of the stream that are used; ``None``: all but the first horizon, or less by
        ``settled`` (``stream_span``).
    """

    span: float | None = None
    chance: Chance = field(default_factory=Logistic)
    settled: float | None = None

    def fit(self, follow_up: FollowUp) -> FittedChance:
        """Fit; raises NotEnoughDataError where the fixed point is not reached."""
        stream = Stream.of(follow_up, stream_span(follow_up, self.span, self.settled))
        X, y = follow_up.X[stream.row], stream.positive.astype(np.float64)
        p = np.full(len(y), min(float(y.sum() / max((1.0 - y).sum(), 1.0)), 0.5))
        for _ in range(ROUNDS):
            fitted = self.chance.fit(X, y, fake_negative_weights(stream.positive, p))
            new = fitted.probability(X)
            if float(np.abs(new - p).max()) <= SETTLED:
                return fitted
            p = new
        raise NotEnoughDataError(
            f"weights still move after {ROUNDS} rounds", "FNW", "a fixed point", "use ES-DFM"
        )


@dataclass(frozen=True)
class ElapsedTimeSampled:
    """ES-DFM: exposures enter after ``wait`` seconds.

    Parameters
    ----------
    wait : seconds; ``None`` takes the median delay of the gifts of mature rows. span,
        settled : as FNW.
    """

    wait: float | None = None
    span: float | None = None
    chance: Chance = field(default_factory=Logistic)
    settled: float | None = None

    def fit(self, follow_up: FollowUp) -> FittedChance:
        """Fit the two helpers to mature rows, then the chance to the weighted stream."""
        old = old_enough(follow_up, follow_up.horizon)
        delay = np.where(follow_up.seen, follow_up.delay, np.inf)[old]
        wait = self._wait(delay)
        X, late = follow_up.X[old], np.isfinite(delay) & (delay > wait)
        later = self.chance.fit(X, late.astype(np.float64))
        none_yet = delay > wait
        never = self.chance.fit(X[none_yet], np.isinf(delay[none_yet]).astype(np.float64))
        stream = Stream.of(follow_up, stream_span(follow_up, self.span, self.settled), wait)
        rows = follow_up.X[stream.row]
        weight = elapsed_time_weights(
            stream.positive, later.probability(rows), never.probability(rows)
        )
        return self.chance.fit(rows, stream.positive.astype(np.float64), weight)

    def _wait(self, delay: Floats) -> float:
        gifts = delay[np.isfinite(delay)]
        if self.wait is None:
            return float(np.median(gifts)) if len(gifts) else 0.0
        if not self.wait >= 0.0:
            raise UsageError(f"wait {self.wait:g}", "argument wait", "seconds >= 0")
        return self.wait


def fake_negative_weights(positive: Bools, p: Floats) -> Floats:
    """Return 1 + p for positives and (1 − p)(1 + p) for negatives.

    Examples
    --------
    >>> fake_negative_weights(np.array([True, False]), np.array([0.5, 0.5])).tolist()
    [1.5, 0.75]
    """
    return np.where(positive, 1.0 + p, (1.0 - p) * (1.0 + p))


def elapsed_time_weights(positive: Bools, later: Floats, never: Floats) -> Floats:
    """Return 1 + d for positives and (1 + d)·r for negatives.

    Examples
    --------
    >>> elapsed_time_weights(np.array([True, False]), np.full(2, 0.5), np.full(2, 0.5)).tolist()
    [1.5, 0.75]
    """
    return np.where(positive, 1.0 + later, (1.0 + later) * never)
