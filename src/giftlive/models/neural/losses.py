"""What training minimises, head by head, each in units of what a constant would lose.

    L = Σ_k w_k · L_k / L_k⁰

w_k is the weight of task k and L_k⁰ the loss of the best constant on the training rows, so that a
weight of 1 means "one relative improvement is worth as much as another", however sparse the task.

- click: log-loss over all rows (they are exposures).
- watch: squared error of the standardised log(1 + seconds), over rows that were watched.
- gift: log-loss over *all* rows of P(click) · P(gift | click), the ESMM product (Ma et al. 2018,
  eq. 2). The gift head is never trained on entered rows alone, so who enters does not decide whom
  it fits. Without a click task the gift head is P(gift) of a row itself.
- amount: negative log-likelihood of a log-normal with its own mean and spread per row, over gifts.

References
----------
Ma et al. (2018), "Entire Space Multi-Task Model", SIGIR. Wang, Liu and Miao (2019), "A Deep
Probabilistic Model for Customer Lifetime Value Prediction", for the log-normal head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from giftlive.models.neural.outcomes import Outcomes
from giftlive.types import Bools

NARROWEST, WIDEST = -3.0, 0.7
"""Range of the logarithm of the spread of an amount, in standard deviations of all gifts."""

_SURE = -1e-6
"""Largest log-probability: log(1 − p) of it is still a number in single precision."""


@dataclass(frozen=True)
class Rates:
    """Base rates of the training rows: what a constant prediction would say.

    Attributes
    ----------
    click, watched, gift : shares of the rows. They also scale sums over a minibatch, so that its
        number of gifts does not change the weight of each.
    """

    click: float
    watched: float
    gift: float

    @classmethod
    def of(cls, outcomes: Outcomes, rows: Bools) -> Rates:
        """Count, with half a case added to each side."""

        def rate(hit: Bools) -> float:
            return (float(hit[rows].sum()) + 0.5) / (float(rows.sum()) + 1.0)

        return cls(rate(outcomes.clicked), rate(outcomes.watched), rate(outcomes.gifted))

    def constant_loss(self, task: str) -> float:
        """Return L⁰ of a task per row that it is about."""
        if task in ("watch", "amount"):
            return 1.0 if task == "watch" else 0.5
        p = self.click if task == "click" else self.gift
        return -(p * np.log(p) + (1.0 - p) * np.log1p(-p))

    def start(self, task: str, esmm: bool) -> float:
        """Return the bias with which a head begins: the constant that fits best."""
        if task == "click":
            return float(np.log(self.click / (1.0 - self.click)))
        if task == "gift":
            p = min(self.gift / self.click, 0.999) if esmm else self.gift
            return float(np.log(p / (1.0 - p)))
        return 0.0


@dataclass(frozen=True)
class Labels:
    """Labels of a minibatch, as PyTorch tensors [b]."""

    clicked: Any
    watched: Any
    gifted: Any
    watch: Any
    amount: Any

    @classmethod
    def of(cls, torch: Any, outcomes: Outcomes, rows: Any) -> Labels:
        """Take the labels of ``rows``."""
        names = ("clicked", "watched", "gifted", "watch", "amount")
        return cls(
            *(torch.from_numpy(getattr(outcomes, n)[rows].astype(np.float32)) for n in names)
        )


def summed(
    torch: Any, output: Mapping[str, Any], labels: Labels, tasks: Sequence[str]
) -> dict[str, Any]:
    """Return Σ over the rows of each task's loss, not yet divided by anything."""
    F = torch.nn.functional
    found: dict[str, Any] = {}
    if "click" in tasks:
        logit = output["click"][:, 0]
        found["click"] = F.binary_cross_entropy_with_logits(logit, labels.clicked, reduction="sum")
    if "watch" in tasks:
        found["watch"] = (labels.watched * (output["watch"][:, 0] - labels.watch) ** 2).sum()
    if "gift" in tasks:
        log_p = F.logsigmoid(output["gift"][:, 0])
        if "click" in tasks:
            log_p = log_p + F.logsigmoid(output["click"][:, 0])
        log_p = log_p.clamp(max=_SURE)
        log_not = torch.log(-torch.expm1(log_p))
        found["gift"] = -(labels.gifted * log_p + (1.0 - labels.gifted) * log_not).sum()
    if "amount" in tasks:
        mean = output["amount"][:, 0]
        log_sd = output["amount"][:, 1].clamp(NARROWEST, WIDEST)
        miss = 0.5 * ((labels.amount - mean) * torch.exp(-log_sd)) ** 2
        found["amount"] = (labels.gifted * (miss + log_sd)).sum()
    return found


def relative(sums: Mapping[str, Any], rows: int, rates: Rates) -> dict[str, Any]:
    """Return L_k / L_k⁰ of sums over ``rows`` rows."""
    share = {"click": 1.0, "gift": 1.0, "watch": rates.watched, "amount": rates.gift}
    return {
        task: total / (rows * share[task] * rates.constant_loss(task))
        for task, total in sums.items()
    }
