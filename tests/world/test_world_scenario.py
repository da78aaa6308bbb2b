from __future__ import annotations

from pathlib import Path

import pytest

from giftlive.config import dump_toml
from giftlive.errors import ConfigError, InputError
from giftlive.world import load_scenario, presets


def test_every_preset_loads_and_says_its_name() -> None:
    assert presets() == (
        "churny",
        "cold_start",
        "kuailive",
        "scarce",
        "v1",
        "v2",
        "whale_heavy",
    )
    assert [load_scenario(name).name for name in presets()] == list(presets())


@pytest.mark.parametrize(
    ("name", "scale", "overrides", "says"),
    [
        ("scrace", None, {}, "did you mean scarce?"),
        ("scarce", "tinny", {}, "did you mean tiny?"),
        ("scarce", None, {"seats.laod": "0.8"}, "did you mean load?"),
        ("scarce", None, {"seat.load": "0.8"}, "did you mean seats?"),
        ("scarce", None, {"visits.per_day": "-1"}, "a value greater than or equal to"),
        ("scarce", None, {"visits.per_day": "1e-300"}, "visits.per_day"),
        ("scarce", None, {"visits.sigma": "10"}, "visits.sigma"),
        ("scarce", None, {"visits.exposures": "1e300"}, "visits.exposures"),
        ("scarce", None, {"visits.phase_hours": "1e300"}, "visits.phase_hours"),
        ("scarce", None, {"stars.rooms_per_day": "0"}, "stars.rooms_per_day"),
        ("scarce", None, {"stars.popularity_shape": "0.001"}, "stars.popularity_shape"),
        ("scarce", None, {"stars.quality_sigma": "1e300"}, "stars.quality_sigma"),
        ("scarce", None, {"stars.fixed_hours": "[-5, 30]"}, "fixed_hours.0: -5 is not valid"),
        ("scarce", None, {"stars.fixed_hours": "[24, 19]"}, r"not \[24.0, 19.0\]"),
        ("scarce", None, {"stars.fixed_hours": "[19]"}, "two hours of a day"),
        ("scarce", None, {"stars.fixed_hours": "[1, 2, 3]"}, "two hours of a day"),
        ("scarce", None, {"calendar.start": "9999-12-31"}, "start: 9999-12-31 is not valid"),
        ("scarce", None, {"calendar.start": "soon"}, "expected a date such as"),
        ("scarce", None, {"calendar.history_days": "99999999"}, "history_days"),
        (
            "scarce",
            None,
            {"tiers.seats": "[99999999999999999999]", "tiers.shares": "[1.0]"},
            "tiers.seats.0",
        ),
        ("scarce", None, {"sizes.users": "1000000000", "scale": "1e9"}, "too many"),
        ("scarce", None, {"amount.prices": "[0.3, 1.4]"}, "whole numbers >= 1, not 0.3"),
        ("scarce", None, {"amount.prices": "[1, 1.4]"}, "whole numbers >= 1, not 1.4"),
        ("scarce", None, {"amount.prices": "[1, 5, 5]"}, "must increase: 5"),
        ("v1", None, {"amount.prices": "[5, 1]"}, "must increase: 1"),
        (
            "scarce",
            None,
            {"gift.base": "true"},
            "gift.base: True is not valid; expected a valid num",
        ),
        ("scarce", None, {"budget.days": "true"}, "budget.days: True"),
        ("scarce", None, {"amount.prices": "[true, 5]"}, "prices.0: True"),
        ("scarce", None, {"recorder.select_users": "1"}, "select_users: 1"),
        ("scarce", None, {"gift": "3"}, "expected a table of keys"),
        ("scarce", None, {"amount.prices": "3"}, "expected a list of values"),
        ("scarce", None, {"load": "0.8"}, "did you mean seats.load?"),
        ("scarce", None, {"orphans": "0"}, "did you mean recorder.orphans?"),
        ("scarce", None, {"orphan": "0"}, "did you mean recorder.orphans?"),
        ("scarce", None, {"gift.whale_gamma": "0"}, "did you mean externality.whale_gamma?"),
        ("scarce", None, {"base": "1"}, "did you mean click.base, gift.base or amount.base?"),
        ("scarce", None, {"calendar.tz": "Asia/Shangai"}, "did you mean Asia/Shanghai?"),
        ("scarce", "tiny", {"scales": "3"}, "the scenario names no scales"),
        ("scarce", None, {"scales": "3"}, "key scales: 3 is not valid; expected a table"),
        ("kuailive", None, {"recorder.outage_days": "[9, 99]"}, "day 99 is not one of the 21"),
        ("scarce", "-1", {}, "greater than 0"),
        ("scarce", None, {"gift.base": "nan"}, "finite"),
        ("scarce", None, {"gift.base.more": "1"}, "is a value"),
        ("scarce", None, {"calendar.tz": '"Mars/Olympus"'}, "IANA"),
        ("scarce", None, {"visits.diurnal": "[0.0]"}, "24"),
        ("scarce", None, {"gift.crowd": "-0.1", "seats.alpha": "0.5"}, "never both"),
        ("v1", None, {"gift.delay_seconds": "5.0"}, "must be 0"),
        ("kuailive", None, {"recorder.lagged": "0.5"}, "<= 1"),
        ("kuailive", None, {"recorder.outage_days": "[1]"}, "same length"),
        ("churny", None, {"fatigue.clik": "0.5"}, "did you mean click?"),
        ("churny", None, {"churn.hazrd": "0.5"}, "did you mean hazard?"),
        ("churny", None, {"budgets.days": "7"}, "did you mean budget?"),
        ("cold_start", None, {"newcomers.shar": "0.5"}, "did you mean share?"),
        ("cold_start", None, {"suply.weight": "0.5"}, "did you mean supply?"),
        ("cold-start", None, {}, "did you mean cold_start?"),
        ("churney", None, {}, "did you mean churny?"),
        ("churny", None, {"churn.hazard": "-0.1"}, "greater than or equal to 0"),
        ("churny", None, {"fatigue.recovery_hours": "0"}, "greater than 0"),
        ("churny", None, {"retention.weight": "1.5"}, "less than or equal to 1"),
        ("churny", None, {"budget.days": "0"}, "greater than or equal to 1"),
        ("churny", None, {"budget.per_wealth": "-1"}, "greater than or equal to 0"),
        ("cold_start", None, {"supply.exposure": "-5"}, "greater than 0"),
        ("cold_start", None, {"newcomers.share": "2"}, "less than or equal to 1"),
        ("scarce", None, {"seats.load": "0"}, "greater than 0"),
        ("scarce", None, {"seats.background": "-0.2"}, "greater than or equal to 0"),
        ("v2", None, {"tiers.seats": "[100, 0, 20]"}, "greater than or equal to 1"),
        ("kuailive", None, {"seats.mode": '"hard"'}, "kuailive: seats by seats.load need.*tiers"),
        ("v1", None, {"budget.per_wealth": "1"}, "budget.per_wealth must be 0"),
        ("v1", None, {"supply.weight": "0.5"}, "supply.weight must be 0"),
        ("v1", None, {"gift.leaving": "0.5"}, "no clock to leave by: gift.leaving must be 0"),
        ("v1", None, {"gift.delay_loyal": "0.5"}, "gift.delay_loyal must be 0"),
        (
            "scarce",
            None,
            {"amount.prices": "[]", "gift.delay_seconds": "0", "budget.per_wealth": "1"},
            "needs amount.prices",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named(
    name: str, scale: str | None, overrides: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        load_scenario(name, scale, overrides)


def test_a_file_says_only_what_differs_from_its_base(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "scarce"\nname = "mine"\n[seats]\nload = 1.5\n', encoding="utf-8")
    mine, base = load_scenario(path), load_scenario("scarce")
    assert (mine.name, mine.seats.load, mine.seats.exponent) == ("mine", 1.5, base.seats.exponent)


def test_a_missing_or_broken_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_scenario(tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_text("a = = 1", encoding="utf-8")
    with pytest.raises(InputError, match="not valid TOML"):
        load_scenario(tmp_path / "broken.toml")
    (tmp_path / "lost.toml").write_text('base = "kuai"', encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean kuailive"):
        load_scenario(tmp_path / "lost.toml")


def test_a_file_without_scales_has_no_named_scale(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"unknown scale 'tiny'.*names no scales"):
        load_scenario(path, "tiny")
    with pytest.raises(ConfigError, match=r'key mode: this key is missing.*base = "kuailive"'):
        load_scenario(path, "0.1")


@pytest.mark.parametrize("name", presets())
def test_a_scenario_written_down_is_the_same_scenario(name: str, tmp_path: Path) -> None:
    changed = load_scenario(name, "0.3", {"gift.wealth": "0.1234567890123456789", "name": 'a "b"'})
    path = tmp_path / "frozen.toml"
    path.write_text(dump_toml(changed), encoding="utf-8")
    again = load_scenario(path)
    assert again == changed
    assert again.fingerprint == changed.fingerprint


def test_a_shorter_window_forgets_the_outages_of_its_preset_that_it_never_reaches() -> None:
    short = load_scenario("kuailive", None, {"calendar.history_days": "12"}).recorder
    assert (short.outage_days, short.outage_drop) == ((9,), (0.6,))
    days = {"calendar.history_days": "12", "recorder.outage_days": "[9, 15]"}
    with pytest.raises(ConfigError, match="day 15 is not one of the 12"):
        load_scenario("kuailive", None, days)


def test_sizes_follow_the_scale() -> None:
    small = load_scenario("kuailive", "small")
    assert (small.scale, small.kept_users) == (0.05, round(23_772 * 0.05))
    assert small.users > small.kept_users


def test_the_fingerprint_moves_with_any_value() -> None:
    one = load_scenario("scarce")
    assert one.fingerprint == load_scenario("scarce").fingerprint
    assert one.fingerprint != load_scenario("scarce", None, {"seats.load": "1.1"}).fingerprint
