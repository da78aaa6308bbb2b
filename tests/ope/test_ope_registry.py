from __future__ import annotations

import pytest

from giftlive.errors import ConfigError
from giftlive.ope import DR, IPS, clipped_ips
from giftlive.ope.registry import PLAIN, SHAPED, estimator_of


def test_every_name_gives_the_estimator_that_prints_it() -> None:
    assert estimator_of("ips") is IPS
    assert estimator_of(" dr ") is DR
    for name in PLAIN:
        assert estimator_of(name).name == name
    for name in SHAPED:
        assert estimator_of(f"{name}:0.5").name == f"{name}(0.5)"
        assert estimator_of(estimator_of(f"{name}(0.25)").name).name == f"{name}(0.25)"
    assert estimator_of("clipped_ips:10").name == clipped_ips(10.0).name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("snip", "no estimator is called 'snip'.*did you mean 'snips'"),
        ("", "no estimator is called ''"),
        ("clipped_ips", "'clipped_ips' without a number.*clipped_ips:NUMBER"),
        ("clipped_ips:ten", "without a number"),
        ("ips:3", "ips, which has no parameter"),
    ],
)
def test_other_names_are_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        estimator_of(text)


def test_a_parameter_out_of_range_is_refused_by_the_estimator() -> None:
    with pytest.raises(Exception, match="finite number above 0"):
        estimator_of("lse:-1")
