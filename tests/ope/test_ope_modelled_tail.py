"""What a cap leaves out: the share that passes it times the mean excess of a fitted law."""

from __future__ import annotations

import numpy as np
import pytest

from giftlive.errors import InputError
from giftlive.ope.modelled_tail import modelled_tail, no_tail, tail_sums
from giftlive.rng import stream
from giftlive.types import Floats


def amounts(shape: float, n: int = 60_000, seed: int = 1) -> Floats:
    """Return rewards of which a tenth passes 100 by a generalised Pareto excess of scale 50."""
    g = stream(seed, "tail")
    excess = 50.0 / shape * (g.random(n) ** -shape - 1.0)
    return np.where(g.random(n) < 0.1, 100.0 + excess, 20.0)


@pytest.mark.parametrize("shape", [0.2, 0.5])
def test_the_mean_above_the_cap_is_found(shape: float) -> None:
    found = modelled_tail(tail_sums(np.ones(60_000), amounts(shape), 100.0))
    assert found.shape == pytest.approx(shape, abs=0.05)
    assert found.share_above == pytest.approx(0.1, abs=0.005)
    assert found.value == pytest.approx(0.1 * 50.0 / (1.0 - shape), rel=0.12)


def test_weights_move_how_often_and_not_how_far() -> None:
    reward = amounts(0.3)
    plain = modelled_tail(tail_sums(np.ones(len(reward)), reward, 100.0))
    more = modelled_tail(tail_sums(np.where(reward > 100.0, 2.0, 1.0), reward, 100.0))
    assert more.mean_excess == plain.mean_excess
    assert plain.share_above is not None
    p = plain.share_above
    assert more.share_above == pytest.approx(2.0 * p / (1.0 + p), rel=1e-12)


def test_chunks_merge_to_the_bit_in_any_order() -> None:
    reward, w = amounts(0.4, 5_000), stream(2, "w").random(5_000)
    whole = tail_sums(w, reward, 100.0)
    parts = [tail_sums(w[i::7], reward[i::7], 100.0) for i in range(7)]
    merged = no_tail(100.0)
    for part in reversed(parts):
        merged = merged.merge(part)
    assert modelled_tail(merged) == modelled_tail(whole)
    with pytest.raises(InputError, match="caps 100 and 5"):
        whole.merge(no_tail(5.0))


def test_no_number_where_there_is_no_mean_or_no_gift() -> None:
    infinite = modelled_tail(tail_sums(np.ones(60_000), amounts(1.4), 100.0))
    assert (infinite.status, infinite.value) == ("undefined", None)
    assert "their mean is infinite" in infinite.reason
    few = modelled_tail(tail_sums(np.ones(100), np.r_[np.zeros(71), np.full(29, 200.0)], 100.0))
    assert (few.status, few.value) == ("not_enough_data", None)
    assert few.reason == "29 rewards above the cap, need 30"
    none = modelled_tail(tail_sums(np.zeros(60), np.full(60, 200.0), 100.0))
    assert none.reason == "no decision carries weight under the target"
