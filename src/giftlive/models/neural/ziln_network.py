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

from giftlive.models.neural.multi_task import MultiTask, Weights
from giftlive.models.neural.network import Sizes

SMALL = Sizes(embedding=8, tower=32, towers_out=16, trunk=64, shared=32, head=16)


def ziln_network() -> MultiTask:
    """Return the settings of the network: gift and amount alone, on rows that were entered."""
    return MultiTask(
        name="ziln_network",
        tasks=("gift", "amount"),
        weights=Weights(gift=1.0, amount=0.1),
        sizes=SMALL,
    )
