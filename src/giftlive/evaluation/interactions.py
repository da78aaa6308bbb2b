"""Decision logs as off-policy evaluation wants them: chunk by chunk, merged to the same bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from giftlive.errors import InputError, NotEnoughDataError
from giftlive.logs.decisions import DecisionLog
from giftlive.logs.decisions.record import known
from giftlive.ope import IPS, SNIPS, Estimator, Interactions
from giftlive.stats.intervals import Interval
from giftlive.types import Floats

Target = Callable[[DecisionLog], Floats]
"""Maps a stretch of a log to the target policy's probabilities [n, m] of its candidates."""


def interactions(log: DecisionLog, target: Floats, q: Floats | None = None) -> Interactions:
    """Return a stretch of a log as off-policy evaluation wants it.

    Showing nothing is one more action, in a column after the candidates: it earns 0, and the log
    chose it with probability 1 where nothing could be shown. A target that declines where the
    log did not therefore has no overlap there, and the estimators say so.

    Parameters
    ----------
    log : decisions with matured rewards, none of a slate.
    target : [n, m] target policy's probabilities of the candidates: 0 at padding, rows sum to 1,
        or to 0 where it shows nothing.
    q : [n, m] modelled reward of the candidates, 0 at padding.

    Raises
    ------
    NotEnoughDataError
        A reward has not matured. Leaving out such rows would prefer short viewings: evaluate the
        decisions of a time whose rewards have all matured.
    InputError
        A row belongs to a slate, or the target puts mass on padding.
    """
    _require_single(log)
    _require_matured(log)
    if np.any(target[~log.available] != 0.0):
        row = int(np.argmax(np.any((target != 0.0) & ~log.available, axis=1)))
        raise InputError("a probability of padding", f"row {row}, target", "0 where no candidate")
    return Interactions(
        user=log.user_id,
        action=np.where(log.shown, log.column, log.width),
        propensity=np.where(log.shown, log.propensity, 1.0),
        reward=log.reward,
        target=_with_nothing(target),
        q=None if q is None else np.column_stack([q, np.zeros(len(log))]),
        propensities=_with_nothing(log.propensities),
    )


def evaluate_log(
    batches: Iterable[DecisionLog], target: Target, estimators: Sequence[Estimator] = (IPS, SNIPS)
) -> dict[str, Interval]:
    """Estimate a target policy's value from a log read in batches, in constant memory per user.

    However the log is cut, the result is the same to the bit: the states merge exactly, and a
    :class:`~giftlive.logs.decisions.DecisionFile` pads all batches alike.

    Parameters
    ----------
    batches : for instance ``read_decisions(path)``.
    target : asked once per batch; its answer for a row must not depend on the other rows.

    Returns
    -------
    dict
        Estimator name -> interval, clustered by user.
    """
    states = {estimator.name: estimator.init() for estimator in estimators}
    for log in batches:
        chunk = interactions(log, target(log))
        for estimator in estimators:
            states[estimator.name] = estimator.update(states[estimator.name], chunk)
    return {estimator.name: estimator.estimate(states[estimator.name]) for estimator in estimators}


def _with_nothing(probabilities: Floats) -> Floats:
    """Return [n, m + 1]: the last column is 1 where a row has no probability at all."""
    nothing = ~np.any(probabilities > 0.0, axis=1)
    return np.column_stack([probabilities, nothing.astype(np.float64)])


def _require_single(log: DecisionLog) -> None:
    slates = np.flatnonzero(known(log.slate_id))
    if len(slates):
        raise InputError(
            f"slate {log.slate_id[slates[0]]}",
            f"row {slates[0]}, column slate_id",
            "single choices",
            "slates need estimators of their own, which weigh whole slates or places",
        )


def _require_matured(log: DecisionLog) -> None:
    open_rows = np.flatnonzero(~log.matured)
    if len(open_rows):
        raise NotEnoughDataError(
            f"{len(open_rows):,} of {len(log):,} decisions have no final reward",
            f"row {open_rows[0]}, column matured",
            "matured rewards",
            f"evaluate decisions before {log.ts[open_rows[0]]}, or wait; leaving out single rows"
            " would prefer short viewings",
        )
