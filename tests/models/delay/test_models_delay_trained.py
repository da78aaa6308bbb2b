"""Treatments on disk: equal bit for bit, without pickle, with a card."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.models.delay.histories import HOUR, HOUR_MS, history

from giftlive.errors import InputError, UsageError
from giftlive.evaluation.delay.planted import DAY, Plan, arrivals
from giftlive.evaluation.delay.planted_viewings import ViewingPlan, viewings
from giftlive.models.delay.chance import BoostedChance
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.plain import Plain
from giftlive.models.delay.registry import TREATMENTS, treatment
from giftlive.models.delay.survival_chance import FittedSurvival
from giftlive.models.delay.trained import LIMITS, TrainedTreatment, train
from giftlive.models.folder import digest_of, load, save
from giftlive.models.trees import TreeSettings

X = np.linspace(-2.0, 2.0, 9)[:, None]


@cache
def known(mean_delay: float = 4 * HOUR) -> FollowUp:
    return history(1, 3_000, mean_delay=mean_delay).at(48 * HOUR_MS)


def again(model: TrainedTreatment, folder: Path) -> TrainedTreatment:
    save(model, folder)
    for file in folder.iterdir():
        assert b"pickle" not in file.read_bytes()
    found = load(folder)
    assert isinstance(found, TrainedTreatment)
    return found


@pytest.mark.parametrize("name", sorted(TREATMENTS))
def test_what_is_loaded_says_the_same_bit_for_bit(name: str, tmp_path: Path) -> None:
    model = train(name, known(), ["x"])
    found = again(model, tmp_path / "model")
    assert np.array_equal(found.probability(X), model.probability(X))
    assert np.array_equal(model.probability(X), treatment(name).fit(known()).probability(X))
    assert found.about == model.about
    assert found.state() == model.state()


def test_the_card_says_what_it_is_and_is_not(tmp_path: Path) -> None:
    save(train("fixed_window", known(), ["x"], memory=40 * HOUR), tmp_path / "m")
    card = json.loads((tmp_path / "m" / "card.json").read_text(encoding="utf-8"))
    assert card["name"] == "recent fixed_window"
    assert card["settings"]["memory"] == 40 * HOUR
    young = known().age <= 40 * HOUR  # what is forgotten is no row of the model
    assert 0 < young.sum() < 3_000
    assert (card["rows"], card["positives"]) == (int(young.sum()), int(known().seen[young].sum()))
    assert card["fitted"]["horizon_seconds"] == 20 * HOUR
    assert 10 * HOUR < card["fitted"]["settled_after_seconds"] < 20 * HOUR
    assert any("drift" in limit for limit in card["limits"])
    assert set(LIMITS) == set(TREATMENTS)


def test_laws_with_leaving_an_atom_or_trees_come_back_whole(tmp_path: Path) -> None:
    follow_up = viewings(ViewingPlan(rows=3_000, users=300), 1).history.at(2_400_000)
    model = train("cox", follow_up, ["a", "b"])
    found, rows = again(model, tmp_path / "viewings"), follow_up.X[:5]
    assert isinstance(found.fitted, FittedSurvival)
    assert isinstance(model.fitted, FittedSurvival)
    assert found.fitted.law.leaving is not None
    times = [10.0, 500.0]
    assert np.array_equal(found.fitted.incidence(rows, times), model.fitted.incidence(rows, times))
    at_once = train("discrete_hazard", known(0.0), ["x"])
    loaded = again(at_once, tmp_path / "atom")
    assert np.array_equal(loaded.probability(X), at_once.probability(X))
    trees = BoostedChance(TreeSettings(rounds=5, leaves=4, rows_per_leaf=50, threads=1))
    grown = train("delay_buckets", known(), ["x"], chance=trees)
    assert np.array_equal(again(grown, tmp_path / "grown").probability(X), grown.probability(X))
    assert list((tmp_path / "grown").glob("*.txt"))


def test_what_is_not_one_of_ours_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Design:
        centre: float = 0.0

    with pytest.raises(InputError, match="cannot be saved"):
        Plain().write(Design(), "fitted")
    save(train("naive", known(), ["x"]), tmp_path / "m")
    path = tmp_path / "m" / "model.json"
    for was, now in (('"LinearChance"', '"Path"'), ('"spread"', '"width"'), ('"array":', '"arr":')):
        text = path.read_text(encoding="utf-8")
        assert was in text
        body = json.loads(text.replace(was, now))
        body["digest"] = digest_of({key: said for key, said in body.items() if key != "digest"})
        path.write_text(json.dumps(body), encoding="utf-8")
        with pytest.raises(InputError, match="not a saved law"):
            load(tmp_path / "m")
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="2 names"):
        train("naive", known(), ["x", "y"])
    with pytest.raises(UsageError, match="the card names them"):
        train("naive", known(), ["x"]).probability(np.zeros((2, 2)))


def test_a_log_in_seconds_instead_of_milliseconds_gets_a_hint() -> None:
    """A cut and times a thousand times too small leave rows that are seconds old."""
    planted = arrivals(Plan(rows=3_000, users=300), 1).history
    right = planted.at(int(5 * DAY * 1_000))
    wrong = replace(planted, ts=planted.ts // 1_000).at(int(5 * DAY))
    names = ("propensity", "mood", "relationship", "calendar")

    def hinted(follow_up: FollowUp) -> bool:
        limits = train("naive", follow_up, names).about.limits
        return any("milliseconds" in limit for limit in limits)

    assert hinted(wrong)
    assert not hinted(right)
