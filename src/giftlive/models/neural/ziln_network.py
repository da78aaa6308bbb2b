"""The zero-inflated log-normal of ``models.ziln`` as a small network, trained in one likelihood.

    −log L = Σ BCE(1{y > 0}, p(x)) + Σ_{y > 0} [ (log y − μ(x))² / 2σ²(x) + log σ(x) ]
    E[amount | x] = level · p(x) · exp(μ(x) + σ²(x)/2)

The trunk is shared by p, μ and σ. Training divides each part by what a constant loses; the weights
below put the parts back to about one nat each at a gift in 70 rows, the rate of the calibrated
world: 0.5 · r / H(r) = 0.1 at r = 1/70, H the entropy of a gift.

References
----------
Wang, Liu, Miao (2019), "A deep probabilistic model for customer lifetime value prediction",
equation 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from giftlive.models.neural.multi_task import MultiTask, Weights
from giftlive.models.neural.network import Sizes


@dataclass(frozen=True)
class ZilnNetwork(MultiTask):
    """P(gift) · exp(μ + σ²/2) by one small network: the zero-inflated log-normal as one likelihood.

    Rows are entered ones. Everything else is :class:`MultiTask`: ids, schedule, best epoch, level.
    """

    name: str = "ziln_network"
    tasks: tuple[str, ...] = ("gift", "amount")
    weights: Weights = field(default_factory=lambda: Weights(gift=1.0, amount=0.1))
    sizes: Sizes = field(
        default_factory=lambda: Sizes(
            embedding=8, tower=32, towers_out=16, trunk=64, shared=32, head=16
        )
    )
