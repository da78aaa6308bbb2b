import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from giftlive import rng

words = st.integers(min_value=0, max_value=2**62)


@given(words, words, words, words, words)
def test_a_draw_is_a_pure_function_of_its_key(a: int, b: int, c: int, d: int, e: int) -> None:
    draw = rng.uniform(a, b, c, d, e)
    assert draw == rng.uniform(a, b, c, d, e)
    assert 0.0 < draw < 1.0


def test_neighbouring_keys_are_independent_uniforms() -> None:
    draws = np.array([[rng.uniform(1, 2, i, j, 0) for j in range(200)] for i in range(200)])
    assert stats.kstest(draws.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(draws[:, :-1].ravel(), draws[:, 1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]) < 0.02


def test_every_word_of_the_key_matters() -> None:
    base = [3, 5, 7, 11, 13]
    changed = [rng.bits(*[w + (i == j) for j, w in enumerate(base)]) for i in range(5)]
    assert len({*changed, rng.bits(*base)}) == 6


def test_golden_bits_do_not_change_between_releases() -> None:
    assert [f"{rng.uniform(1, 2, 3, 4, i):.12f}" for i in range(3)] == [
        "0.724187633618",
        "0.817408020366",
        "0.976384211513",
    ]


def test_normal_quantile_is_scipys() -> None:
    p = np.concatenate([np.logspace(-12, -1, 40), np.linspace(0.1, 0.99, 50)])
    mine = np.array([rng.normal_quantile(x) for x in p])
    np.testing.assert_allclose(mine, stats.norm.ppf(p), rtol=1e-10, atol=1e-12)


def test_streams_are_named_not_ordered() -> None:
    first = rng.stream(1, "policy", 3).random(4)
    rng.stream(1, "policy", 2).random(1000)
    np.testing.assert_array_equal(first, rng.stream(1, "policy", 3).random(4))
    assert rng.derive(1, "a") != rng.derive(1, "b") != rng.derive(2, "b")
    assert 0 <= rng.derive(1, "a") < 2**63
