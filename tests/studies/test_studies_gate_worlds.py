"""Gates of the allocation studies on small worlds: what in a world lets each pass, or fails it.

What decides is named by each test. The worlds are tiny and as many as the power check asks for:
verdicts come from causes so strong that few rounds show them. Where a test has two first seeds, no
world is in both of its sets.

No world was found that fails ``concurrency``: users come in an order drawn at random, so that who
comes later finds no fewer viewers anywhere, and the response only takes; where viewers shun full
rooms by themselves (``click.crowd``), which is not counted as a response, the elasticity came
nearest to 0 from below, -0.03 (10 worlds, interval -0.034 to -0.022).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.studies.cell_readings import context_of, gates, value

from giftlive.evaluation.results import StudyResult
from giftlive.studies.registry import find

pytestmark = pytest.mark.slow
twice = pytest.mark.parametrize("first", [0, 1_000])


def judged(folder: Path, study: str, first: int = 0, /, **asked: Any) -> StudyResult:
    """Return a study's result on worlds from seed ``first`` on; every check must have passed."""
    context = context_of(folder, study, **asked)
    seeded = context.config.model_copy(update={"seed": first})
    result = find(study).run(replace(context, config=seeded))
    assert [check.name for check in result.checks if not check.passed] == []
    return result


def verdicts(result: StudyResult) -> dict[str, str]:
    return {name: gate.verdict for name, gate in gates(result).items()}


# 6.1: eight rooms of four seats, 40 users a round: scarce for both. The model's errors differ.
LEVERS = {"users": 200, "streamers": 8, "seats": 4, "rounds": 4, "factors": [1.0, 0.0], "seeds": 44}


@pytest.mark.parametrize(
    ("errors", "verdict"), [([0.2, 0.1, 0.2], "PASS"), ([3.0, 2.0, 3.0], "FAIL")]
)
def test_allocation_before_values_where_the_model_knows_them_and_not_where_it_guesses(
    tmp_path: Path, errors: list[float], verdict: str
) -> None:
    result = judged(tmp_path, "estimate_vs_allocate", errors=errors, **LEVERS)
    assert verdicts(result) == {"estimate_vs_allocate": verdict}
    assert value(result, "allocation_lever_truth") > 0.3  # seats are as scarce in both


# 5.2: load 1.25 and the judged differentiation. Seats of a room and errors of the values differ.
PHASE = {
    "loads": [1.25], "differentiations": [0.6], "factors": [0.0, 1.0], "streamers": 6, "seeds": 44
}  # fmt: skip


def test_dual_prices_reach_the_optimum_where_rooms_have_many_seats_and_values_are_known(
    tmp_path: Path,
) -> None:
    """Twenty seats a room are nearly a fluid: prices of another day hold today."""
    near: dict[str, Any] = {"users": 400, "seats": 20, "rounds": 2, "errors": [0.1, 0.05, 0.1]}
    result = judged(tmp_path, "phase_diagram", **PHASE, **near)
    assert verdicts(result) == {"phase_diagram": "PASS", "phase_diagram_oracle": "PASS"}


def test_dual_prices_miss_the_optimum_where_a_room_has_one_seat_even_on_true_values(
    tmp_path: Path,
) -> None:
    """Who comes first takes the only seat; prices of other days do not know who comes later."""
    alone: dict[str, Any] = {"users": 100, "seats": 1, "rounds": 3}
    result = judged(tmp_path, "phase_diagram", **PHASE, **alone)
    assert verdicts(result) == {"phase_diagram": "FAIL", "phase_diagram_oracle": "FAIL"}


# 4.2: eight rooms of four seats, classes of load up to 1.5.
CROWDS = {"users": 200, "streamers": 8, "seats": 4, "rounds": 6, "seeds": 30}


def test_a_viewer_is_worth_less_where_rooms_above_their_seats_give_less(tmp_path: Path) -> None:
    result = judged(tmp_path, "concurrency", **CROWDS)
    assert verdicts(result) == {"concurrency": "PASS"}


def test_crowding_is_not_judged_where_full_rooms_change_no_gift(tmp_path: Path) -> None:
    """Where the response takes nothing, every world says exactly 0: no interval, no verdict."""
    result = judged(tmp_path, "concurrency", alpha=1e-20, **CROWDS)
    assert verdicts(result) == {"concurrency": "NOT ANSWERABLE"}
    assert value(result, "soft_elasticity") == 0.0
    assert value(result, "hard_elasticity") < -0.5  # the seats are as few as above


# 5.4: the belief decides: calibrated for each user, or over all pairs together.
def test_a_lower_bound_pays_where_the_belief_is_pooled_and_not_where_it_is_by_user(
    tmp_path: Path,
) -> None:
    result = judged(tmp_path, "risk", days=10, seeds=43)
    assert verdicts(result) == {"risk": "FAIL", "risk_pooled": "PASS"}


DAYS = {
    "externality.donor_gamma": "0.0", "rounds.rounds": "2", "rounds.users_per_round": "100",
    "sizes.streamers": "30", "sizes.users": "300",
}  # fmt: skip


@twice
@pytest.mark.parametrize(
    ("taste", "verdict"),
    [({"gift.match": "10"}, "PASS"), ({"gift.match": "0", "amount.match": "10"}, "FAIL")],
)
def test_a_lower_bound_pays_where_values_end_and_the_belief_goes_on(
    tmp_path: Path, first: int, taste: dict[str, str], verdict: str
) -> None:
    """Taste spreads a user's values as widely in both: over the chance of a gift, or its amount.

    A chance ends at 1, an amount nowhere. The log-normal belief ends nowhere either: of rooms known
    badly it expects several times what any is worth, though its 90 % intervals hold as they say.
    """
    asked: dict[str, Any] = {"days": 10, "seeds": 43, "unknown": 3.0, "overrides": DAYS | taste}
    result = judged(tmp_path, "risk", first, **asked)
    assert verdicts(result) == {"risk": verdict, "risk_pooled": verdict}
    assert 0.89 < value(result, "by_user_covered") < 0.91


@twice
def test_a_lower_bound_repairs_no_pooled_belief_where_users_are_alike(
    tmp_path: Path, first: int
) -> None:
    """Without rich and poor users the spread of all pairs is that of each user's candidates."""
    alike = {"people.wealth_sigma": "0", "people.tail_share": "0"}
    result = judged(tmp_path, "risk", first, days=10, seeds=43, overrides=DAYS | alike)
    assert verdicts(result) == {"risk": "FAIL", "risk_pooled": "FAIL"}


# 6.2: load 1.25 on eight rooms.
def test_a_budget_split_is_honest_where_half_of_a_rooms_seats_are_still_many(
    tmp_path: Path,
) -> None:
    asked = {"users": 960, "streamers": 8, "seats": 24, "rounds": 8, "loads": [1.25], "seeds": 30}
    assert verdicts(judged(tmp_path, "interference", **asked)) == {"interference": "PASS"}


def test_a_budget_split_is_not_honest_where_half_of_a_rooms_seats_is_one(tmp_path: Path) -> None:
    """Values are known exactly: what is missing is a market as large as the one it stands for."""
    asked = {"users": 100, "streamers": 8, "seats": 2, "rounds": 8, "loads": [1.25], "seeds": 80}
    result = judged(tmp_path, "interference", errors=[0.0, 0.0, 0.0], **asked)
    (gate,) = gates(result).values()
    assert gate.verdict == "FAIL"
    assert gate.estimate is not None
    assert gate.estimate.name == "budget_of_truth"


# 5.3: one whale a room, a twentieth of the users are whales; the seats of the rooms differ.
AMPLE, FEW = [0.05, 0.2, 2.0], [0.05, 0.2, 0.1]


@pytest.mark.parametrize(
    ("first", "second", "verdict"), [(AMPLE, FEW, "PASS"), (FEW, AMPLE, "FAIL")]
)
def test_a_whale_layer_keeps_rooms_calm_where_seats_are_ample_and_not_where_all_crowd_them(
    tmp_path: Path, first: list[float], second: list[float], verdict: str
) -> None:
    tiny: dict[str, Any] = {"scale": 0.05, "null_scale": 0.05, "null_seeds": 2, "seeds": 44}
    points = {"points": [AMPLE, FEW], "judged": first, "congested": second, "caps": [1]}
    result = judged(tmp_path, "whale_matching", overrides={"rounds.rounds": "3"}, **tiny, **points)
    other = {"PASS": "FAIL", "FAIL": "PASS"}[verdict]
    assert verdicts(result) == {"whale_matching": verdict, "whale_matching_congested": other}


# 2.2: four newcomers among twenty streamers, 80 decisions a round; what they are promised differs.
NEWCOMERS = {
    "externality.donor_gamma": "0.0", "gift.base": "-3.0", "gift.skill": "0.6",
    "rounds.rounds": "15", "rounds.users_per_round": "80", "sizes.streamers": "20",
    "sizes.users": "300", "watch.stay_base": "0.0", "watch.stay_match": "1.5",
}  # fmt: skip


@pytest.mark.parametrize(("floor", "verdict"), [(2.0, "PASS"), (15.0, "FAIL")])
def test_a_floor_of_two_stays_a_round_is_cheap_and_one_that_takes_most_decisions_is_not(
    tmp_path: Path, floor: float, verdict: str
) -> None:
    """Fifteen stays for each of four newcomers are most of what 80 decisions can give.

    Learning every room costs too much in both: the others are known already.
    """
    result = judged(tmp_path, "cold_start", seeds=43, overrides=NEWCOMERS, floor=floor)
    assert verdicts(result) == {"cold_start": verdict, "cold_start_learning": "FAIL"}


# Ten streamers, two of them new; users alike and gifts frequent, so that a bandit hears much.
LEARNABLE = NEWCOMERS | {
    "gift.base": "-1.0", "gift.skill": "1.5", "people.tail_share": "0",
    "people.wealth_sigma": "0.3", "rounds.rounds": "20", "rounds.users_per_round": "40",
    "sizes.streamers": "10",
}  # fmt: skip


@twice
@pytest.mark.parametrize(("error", "verdict"), [(1.5, "PASS"), (0.1, "FAIL")])
def test_learning_every_room_pays_where_the_model_is_wrong_about_rooms_and_not_where_it_is_right(
    tmp_path: Path, first: int, error: float, verdict: str
) -> None:
    """The error of a room is the same for all users: what the bandit hears of one helps all."""
    asked: dict[str, Any] = {"errors": [0.2, error, 0.2], "floor": 1.0, "overrides": LEARNABLE}
    result = judged(tmp_path, "cold_start", first, seeds=43, **asked)
    assert verdicts(result)["cold_start_learning"] == verdict
    assert (value(result, "learning_revenue") > 0.0) == (verdict == "PASS")


# 5.5: thirty rooms and five aims, which conflict or do not.
AIMS = {
    "sizes.users": "100", "sizes.streamers": "30", "rounds.rounds": "8",
    "rounds.users_per_round": "50", "watch.stay_base": "0.0", "watch.stay_match": "1.5",
    "externality.donor_gamma": "0.0", "seats.mode": "soft", "seats.alpha": "0.5",
    "tiers.shares": "[1.0]", "tiers.seats": "[5]",
}  # fmt: skip


def test_many_weightings_are_worth_having_where_five_aims_conflict(tmp_path: Path) -> None:
    assert verdicts(judged(tmp_path, "pareto", seeds=30, overrides=AIMS)) == {"pareto": "PASS"}


def test_few_weightings_are_worth_having_where_only_evenness_stands_against_revenue(
    tmp_path: Path,
) -> None:
    """Seats for all, stays alike in all rooms, and users who hardly come twice."""
    alike = {
        "tiers.seats": "[500]", "watch.stay_match": "0", "watch.stay_loyal": "0",
        "sizes.users": "800", "rounds.rounds": "4", "rounds.users_per_round": "25",
    }  # fmt: skip
    result = judged(tmp_path, "pareto", seeds=30, overrides=AIMS | alike)
    assert verdicts(result) == {"pareto": "FAIL"}


# 2.1: gifts so frequent that every world reaches the judged Gini; the errors of the values differ.
@pytest.mark.parametrize(
    ("errors", "verdict"), [([0.1, 0.05, 0.1], "PASS"), ([1.2, 0.8, 1.2], "FAIL")]
)
def test_log_returns_reach_their_bound_where_values_are_known_and_not_where_they_are_guessed(
    tmp_path: Path, errors: list[float], verdict: str
) -> None:
    frequent = {"gift.base": "-3.0", "rounds.rounds": "8", "sizes.users": "1600"}
    result = judged(tmp_path, "concave_returns", seeds=43, errors=errors, overrides=frequent)
    assert verdicts(result) == {
        "concave_returns": verdict,
        "concave_returns_oracle": "PASS",
        "concave_returns_published": "FAIL",  # who spreads cannot earn more than who only earns
    }


# One setting of every family is enough where no frontiers are compared.
ONE_EACH: dict[str, Any] = {
    "log": [11.0], "sqrt": [5.0], "saturating": [20.0], "exposure_cap": [1.6], "head_cap": [2.0],
    "errors": [0.1, 0.05, 0.1], "seeds": 43,
}  # fmt: skip


@twice
def test_log_returns_miss_their_bound_where_fewer_viewers_than_rooms_cannot_be_divided(
    tmp_path: Path, first: int
) -> None:
    """Eighty viewers for 100 rooms: the bound lets each be shared out among many rooms.

    With 400 viewers a round, as above, values known as well reach it.
    """
    few = {"gift.base": "-3.0", "rounds.rounds": "8", "sizes.users": "1600"}
    few["rounds.users_per_round"] = "10"
    result = judged(tmp_path, "concave_returns", first, overrides=few, **ONE_EACH)
    assert verdicts(result)["concave_returns_oracle"] == "FAIL"
    assert value(result, "oracle_own_bound_share") < 0.93


@twice
@pytest.mark.parametrize(("seats", "verdict"), [(2, "PASS"), (60, "FAIL")])
def test_who_spreads_earns_more_than_who_only_earns_where_seats_are_few_and_soft(
    tmp_path: Path, first: int, seats: int, verdict: str
) -> None:
    """Greedy crowds the best rooms, and gifts fall there; 60 seats are one for everybody."""
    soft = {
        "externality.donor_gamma": "0.0", "gift.base": "-3.0", "rounds.rounds": "6",
        "rounds.users_per_round": "60", "seats.alpha": "2.0", "seats.mode": "soft",
        "sizes.streamers": "20", "sizes.users": "1000", "tiers.seats": f"[{seats}]",
        "tiers.shares": "[1.0]",
    }  # fmt: skip
    asked = {"scale": "full", "overrides": soft}
    result = judged(tmp_path, "concave_returns", first, **asked, **ONE_EACH)
    assert verdicts(result)["concave_returns_published"] == verdict
