"""Files of parameters, and the way from a vector to a scenario and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from giftlive.errors import ConfigError, InputError
from giftlive.world import load_scenario
from giftlive.world.calibration import Parameter, load_parameters, preset_text, start_of
from giftlive.world.calibration.parameters import applied, settings


def test_the_shipped_parameters_are_coefficients_of_the_preset_within_their_bounds() -> None:
    scenario, parameters = load_scenario("kuailive"), load_parameters()
    x = start_of(scenario, parameters)
    assert np.isfinite(x).all()
    assert applied(scenario, settings(parameters, x)) == scenario
    for parameter in parameters:  # the law itself must allow both bounds
        for bound in (parameter.low, parameter.high):
            applied(scenario, {parameter.key: bound})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["click.base"]\nlow = 1', "not a parameter"),
        ('["click.base"]\nlow = 1\nhigh = 0', "nothing to search"),
        ('["click.base"]\nlow = -1\nhigh = 1\ntransform = "log"', "nothing to search"),
        ('["click.base"]\nlow = -1\nhigh = 1\ntransform = "root"', "no transform"),
        ('["click.base"]\nlow = "a"\nhigh = 1', "must be numbers"),
        ("[click.base]\nlow = -1\nhigh = 1", "not a parameter"),
        ("", "no parameter"),
    ],
)
def test_a_file_that_says_nothing_sensible_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_parameters(file)
    with pytest.raises(InputError, match="no such file"):
        load_parameters(tmp_path / "other.toml")


@pytest.mark.parametrize("key", ["click.bass", "people.homes", "click", "recorder.snapshot"])
def test_only_numbers_that_are_no_counts_are_fitted(key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        start_of(load_scenario("kuailive"), [Parameter(key, -10.0, 10.0)])


def test_a_start_outside_its_bounds_is_refused() -> None:
    with pytest.raises(ConfigError, match="outside"):
        start_of(load_scenario("kuailive"), [Parameter("click.base", 0.0, 1.0)])


def test_a_fitted_preset_says_what_differs_and_reads_back(tmp_path: Path) -> None:
    changed = {"click.base": -1.5, "amount.sigma": 2.2}
    text = preset_text("kuailive", {"recorder.orphans": "0.1"}, changed, "two\nlines")
    assert text.splitlines()[:3] == ["# two", "# lines", 'base = "kuailive"']
    assert len(text.splitlines()) == 12
    file = tmp_path / "fitted.toml"
    file.write_text(text, encoding="utf-8")
    found = load_scenario(file)
    preset = load_scenario("kuailive", overrides={"recorder.orphans": "0.1"})
    assert found == applied(preset, changed)
    whole = preset_text(str(file), {}, {"click.base": -1.0}, "")
    (tmp_path / "again.toml").write_text(whole, encoding="utf-8")
    assert load_scenario(tmp_path / "again.toml") == applied(found, {"click.base": -1.0})
