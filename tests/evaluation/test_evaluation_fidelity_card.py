"""The model card: what it says of numbers known by hand, and what a coefficient moves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from giftlive.errors import InputError
from giftlive.evaluation.fidelity import Reading, Score
from giftlive.evaluation.fidelity.card import Bands, Coefficient, card, coefficients_of
from giftlive.evaluation.fidelity.sensitivity import SWINGS, Moved, Place, Swing, differences, swing
from giftlive.types import silent
from giftlive.world import load_scenario
from giftlive.world.calibration import Target, targets

ONE = Target("one", (10.0,), "abs", 2.0)
SMALL = Place("kuailive", "0.003", {"calendar.history_days": "2"})


def of(world: str, *values: float) -> list[Reading]:
    return [Reading(world, seed, "one", "one", 0, "", value) for seed, value in enumerate(values)]


def test_a_change_is_paired_and_in_tolerances() -> None:
    """Differences 4 and 6 on two seeds: mean 5, standard error 1, tolerance 2."""
    found = differences([*of("base", 10.0, 20.0), *of("moved", 14.0, 26.0)], [ONE])
    assert found == {"one": (2.5, 0.5)}


def test_what_only_one_of_both_worlds_has_is_left_out() -> None:
    assert differences([*of("base", 10.0), *of("moved", 14.0, 26.0)], [ONE]) == {}
    assert differences(of("moved", 14.0), [ONE]) == {}


def test_a_coefficient_moves_the_target_it_acts_on() -> None:
    rate = [t for t in targets() if t.name == "gift_rows_per_click"]
    base = SMALL.readings("base", [1], rate, silent)
    same = SMALL.value("gift.base")
    moved = swing(SMALL, base, [1], rate, [Swing("gift.base", same, same + 1.0)])
    assert [(m.key, m.base, m.value) for m in moved] == [("gift.base", same, same + 1.0)]
    assert moved[0].by["gift_rows_per_click"][0] > 1.0


@pytest.mark.parametrize("asked", SWINGS, ids=lambda asked: asked.key)
def test_every_swing_is_a_coefficient_that_may_have_both_values(asked: Swing) -> None:
    place = Place("kuailive", None, {})
    factor = place.value(asked.key) if asked.relative else 1.0
    for end in (asked.low, asked.high):
        assert place.changed(asked.key, factor * end).value(asked.key) == factor * end


def written(coefficients: tuple[Coefficient, ...] | None, moved: tuple[Moved, ...] = ()) -> str:
    user_gini = next(t for t in targets() if t.name == "user_gini")
    scores = (
        Score(ONE, "one", "", 10.0, 2.0, np.array([13.0, 13.0])),
        Score(user_gini, "user_gini", "", 0.942, 0.01, np.array([0.94, 0.945])),
    )
    scenario = load_scenario("kuailive", "tiny")
    bands = Bands(moved, 0.05, 3)
    return card(scenario, [1, 2], scores, bands, coefficients, "giftlive world card --out C.md")


def test_the_card_tells_what_was_fitted_from_what_emerges() -> None:
    text = written(None)
    calibrated, emerges = text.index("## Calibrated"), text.index("## Emerges")
    assert calibrated < text.index("| one | 10 | 2 | any | 13 | 0 | **no** |") < emerges
    assert text.index("| user_gini |") > emerges
    assert "by construction" in text
    assert "none may be read as an estimate" in text
    assert "Not measured in this card" in text


def test_what_only_full_size_can_have_is_not_held_against_a_smaller_world() -> None:
    density = next(t for t in targets() if t.name == "gifting_pair_density")
    scores = (Score(density, density.name, "", 6.4e-5, 6.4e-6, np.array([3e-4, 3e-4])),)
    for scale, said in (("medium", "full size only"), ("full", "**no**")):
        scenario = load_scenario("kuailive", scale)
        text = card(scenario, [1, 2], scores, Bands((), 0.05, 2), None, "giftlive world card")
        assert f"| 0.0003 | 0 | {said} |" in text


def test_the_card_names_what_is_not_identified_and_what_matters() -> None:
    known = (
        Coefficient("gift.base", -5.0, 0.1, identified=True, target="gift_rows_per_click"),
        Coefficient("gift.loyal", 2.0, None, identified=False, target=None),
    )
    moved = (Moved("fatigue.stay", 0.0, 0.5, {"user_gini": (-1.25, 0.1), "one": (9.0, 0.0)}),)
    text = written(known, moved)
    assert "| `gift.base` | -5 | 0.1 | yes | gift_rows_per_click |" in text
    assert "| `gift.loyal` | 2 |  | **no**: the starting value | nothing |" in text
    assert "| `fatigue.stay` | 0 | 0.5 | **-1.25 ± 0.10** |" in text
    assert "3 paired seeds at scale 0.05" in text


def test_a_report_of_a_calibration_is_read(tmp_path: Path) -> None:
    file = tmp_path / "fit.json"
    row = {"key": "a.b", "value": 1, "error": None, "identified": False, "target": None}
    file.write_text(json.dumps({"identified": {"parameters": [row]}}), encoding="utf-8")
    (found,) = coefficients_of(file)
    assert (found.key, found.value, found.identified) == ("a.b", 1.0, False)


@pytest.mark.parametrize("text", ["", "{}", '{"identified": {"parameters": [{"key": "a"}]}}'])
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "fit.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"fit\.json"):
        coefficients_of(file)
