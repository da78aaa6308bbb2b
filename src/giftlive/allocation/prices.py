"""Prices of a day, in a form another day can use."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from giftlive.allocation.certificate import certificate
from giftlive.allocation.problem import Label, Problem
from giftlive.clock import MS_PER_DAY
from giftlive.errors import InputError
from giftlive.types import Floats, Ints


@dataclass(frozen=True)
class Prices:
    """What a seat-second of each room costs over the day.

    Attributes
    ----------
    duals : [S, T] money per seat-second. start_ms, bucket_ms : the grid of the T buckets; prices
        repeat daily, so yesterday's grid serves today.
    spill : [K] mean share of a stay that falls in the bucket of the decision and the K-1 next.
    label : ``true`` if they were computed on true values (an oracle), else ``estimated``.

    Raises
    ------
    InputError
        When a price or a share is negative or no finite number, or buckets have no length.
    """

    duals: Floats
    start_ms: int
    bucket_ms: int
    spill: Floats
    label: Label = "estimated"

    def __post_init__(self) -> None:
        if self.duals.ndim != 2 or not ((self.duals >= 0.0) & np.isfinite(self.duals)).all():
            raise InputError("not a table of prices", "Prices.duals", "[S, T], every price >= 0")
        if self.spill.ndim != 1 or not ((self.spill >= 0.0) & np.isfinite(self.spill)).all():
            raise InputError("not a list of shares", "Prices.spill", "[K], every share >= 0")
        if self.bucket_ms <= 0:
            raise InputError(f"{self.bucket_ms}", "Prices.bucket_ms", "> 0")

    def per_stay_second(self) -> Floats:
        """Return [S, T]: what one expected second costs a stay that starts in the bucket.

        Σ_k spill_k λ_s,t+k: later seconds are paid at the prices of the buckets they fall in;
        those after the last bucket are free, as in the certificate.
        """
        total = np.zeros_like(self.duals)
        for k, share in enumerate(self.spill[: self.duals.shape[1]]):
            total[:, : self.duals.shape[1] - k] += share * self.duals[:, k:]
        return total

    def bucket(self, ts: Ints) -> Ints:
        """Return the bucket [n] of the time of day of each ``ts`` [n]; the last one after it."""
        offset = (np.asarray(ts, dtype=np.int64) - self.start_ms) % MS_PER_DAY
        return np.minimum(offset // self.bucket_ms, self.duals.shape[1] - 1)

    def for_rooms(self, row_of_room: Ints) -> Prices:
        """Return prices for other rooms: ``row_of_room`` [R] names each one's old row, -1: free.

        Yesterday's prices belong to yesterday's rooms; today's rooms take those of the same
        streamer.

        Raises
        ------
        InputError
            A room has no old row of that number.
        """
        if row_of_room.max(initial=-1) >= len(self.duals):
            raise InputError(
                f"row {row_of_room.max()}, {len(self.duals)} rows", "row_of_room",
                "a row of the prices, or -1 for a free room",
            )  # fmt: skip
        known = row_of_room >= 0
        duals = np.zeros((len(row_of_room), self.duals.shape[1]))
        duals[known] = self.duals[row_of_room[known]]
        return replace(self, duals=duals)


def train_prices(
    problem: Problem, start_ms: int, bucket_ms: int, *, passes: int = 60, seed: int = 0
) -> Prices:
    """Price the seats of a past day for use on the next one.

    Parameters
    ----------
    problem : yesterday's arrivals, normally with estimated values and so labelled.
    start_ms, bucket_ms : the grid on which ``problem.bucket`` was formed.

    Returns
    -------
    Prices
        The certificate's duals with the mean spill of the problem's decisions.
    """
    priced = certificate(problem, passes=passes, seed=seed)
    spill = problem.shares.mean(axis=(0, 1))
    return Prices(priced.duals, start_ms, bucket_ms, spill, problem.label)
