"""Every gate in a world where it passes, where it fails, where it is open, and where it refuses.

The worlds are as small as they can be while seats are many enough for a fluid bound to be near
(shadow_price), gifts frequent enough for a normal limit (off_policy) and users many enough for
an interval of money (baseline).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from giftlive import ope
from giftlive.config import load_config
from giftlive.errors import NotEnoughDataError
from giftlive.evaluation import rollout
from giftlive.evaluation.bandit import Contexts
from giftlive.evaluation.contest import run_contest
from giftlive.evaluation.evening import Evening
from giftlive.evaluation.gates import judge, load_rules
from giftlive.evaluation.results import Check, Gate, StudyResult
from giftlive.evaluation.rules import rules_text
from giftlive.rng import stream
from giftlive.studies import baseline, off_policy, shadow_price
from giftlive.studies.board import board_of
from giftlive.studies.context import Context
from giftlive.studies.off_policy import OffPolicy
from giftlive.studies.shadow_price import ShadowPrice
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import rolling_origins
from giftlive.types import Floats, Ints

Oracle = Callable[[dict[str, str]], Evening]


def failed(checks: tuple[Check, ...]) -> set[str]:
    return {check.name for check in checks if not check.passed}


# One law of gifts for both, milder than the calibrated one: where a gate passes or fails is a
# matter of seats and of rarity, and must not move with a fit.
MILD = {
    "people.price_sigma": "0",
    "people.devotion_sigma": "0",
    "people.generosity_sigma": "0.8",
    "people.tail_share": "0.05",
    "people.home_decay": "1",
    "people.home_popularity": "1",
    "gift.base": "-5.7",
    "gift.wealth": "0.4",
    "gift.match": "0.5",
    "gift.loyal": "1.0",
    "gift.home_decay": "1",
    "gift.popularity": "0",
    "gift.delay_seconds": "20",
    "gift.delay_power": "0.5",
    "amount.base": "-2.6",
    "amount.wealth": "1.2",
    "amount.match": "0.3",
    "amount.sigma": "1.3",
}

# shadow_price: 16,000 users of about one visit in ten evenings (so that almost none is lost to
# a user who still watches), four rooms of 60 to 110 seats, little spread of wealth.
EVEN = MILD | {
    "sizes.users": "16000",
    "sizes.streamers": "4",
    "visits.per_day": "0.1",
    "visits.sigma": "0",
    "people.wealth_sigma": "0.3",
    "people.tail_share": "0",
    "people.generosity_sigma": "0.2",
}


def priced(context: Context, evening: Evening, seeds: int = 8) -> StudyResult:
    config = load_config(overrides={"seed": 11, "jobs": 1, "arena.seeds": seeds})
    return ShadowPrice().run(replace(context, config=config, evening=evening))


def test_shadow_price_passes_where_many_seats_bind_a_little(
    context: Context, oracle: Oracle
) -> None:
    result = priced(context, oracle(EVEN | {"seats.load": "0.36"}))
    assert failed(result.checks) == set()
    (gate,) = result.gates
    assert gate.verdict == "PASS", gate.reason
    assert gate.consequence == "allocate by dual price"


def test_shadow_price_fails_where_too_few_seats_bind_hard(context: Context, oracle: Oracle) -> None:
    """Exact values and an oracle's prices: an hour of about 50 seats a room is no fluid."""
    result = priced(context, oracle(EVEN | {"seats.load": "0.6"}))
    assert failed(result.checks) == set()
    (gate,) = result.gates
    assert gate.verdict == "FAIL", gate.reason
    assert gate.consequence.startswith("use dual prices only where their paired gain")


@pytest.mark.slow
def test_shadow_price_is_open_where_the_share_is_at_the_border(
    context: Context, oracle: Oracle
) -> None:
    result = priced(context, oracle(EVEN | {"seats.load": "0.48"}))
    assert failed(result.checks) == set()
    (gate,) = result.gates
    assert gate.verdict == "INCONCLUSIVE", gate.reason
    assert "evenings would decide" in gate.reason
    assert gate.consequence == "no change until the question is decided"


def test_shadow_price_refuses_where_seats_do_not_bind(context: Context, oracle: Oracle) -> None:
    """Huge rooms: every policy is unconstrained, and near the bound for that reason alone."""
    result = priced(context, oracle(EVEN | {"seats.load": "0.05"}))
    assert "binding" in failed(result.checks)
    (gate,) = result.gates
    assert gate.verdict == "NOT ANSWERABLE"
    assert "0.0% of dual_price's choices" in gate.reason
    assert result.estimates[0].value is not None  # what it would have said: above 0.95
    assert result.estimates[0].value > 0.95


def test_shadow_price_refuses_one_evening(oracle: Oracle) -> None:
    """No interval: refused by power, and by the judge even where every check were to pass."""
    evening = oracle(EVEN | {"seats.load": "0.36"})
    contest, rule = run_contest(evening, 1, 11), load_rules()["shadow_price"]
    made, found = shadow_price._checks(contest, rule), shadow_price._estimates(contest, evening)
    assert failed(made) == {"movable", "power"}
    assert judge(rule, found, made).verdict == "NOT ANSWERABLE"
    gate = judge(rule, found, [replace(check, passed=True) for check in made])
    assert gate.verdict == "NOT ANSWERABLE"
    assert gate.reason == "1 evenings: an interval needs at least 2"


def test_shadow_price_reads_its_thresholds_from_the_rules(oracle: Oracle) -> None:
    contest = run_contest(oracle(EVEN | {"seats.load": "0.36"}), 2, 11)
    written = {
        "binding": ("least_price_share = 0.01", "least_price_share = 0.5"),
        "movable": ("smallest = 0.02", "smallest = 50"),
    }
    usual = failed(shadow_price._checks(contest, load_rules()["shadow_price"]))
    for name, (old, new) in written.items():
        assert old in rules_text()
        stricter = load_rules(rules_text().replace(old, new))["shadow_price"]
        assert failed(shadow_price._checks(contest, stricter)) == usual | {name}


def test_shadow_price_refuses_a_generator_carried_from_policy_to_policy(
    context: Context, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the world in which the gate passes, and identical policies no longer tie."""
    carried = np.random.default_rng(1)
    monkeypatch.setattr(rollout, "stream", lambda *name: carried)
    result = priced(context, oracle(EVEN | {"seats.load": "0.36"}))
    assert failed(result.checks) == {"a_a"}
    (gate,) = result.gates
    assert gate.verdict == "NOT ANSWERABLE"
    assert "evenings on which uniform was played twice: 3 of 3 differ" in gate.reason


# off_policy: 200 users, eight rooms, an hour; what differs is how rare a gift is.
FEW = MILD | {"sizes.users": "200", "sizes.streamers": "8"}


def screened(context: Context, evening: Evening, replications: int, decisions: int) -> StudyResult:
    sizes = {
        "off_policy.replications": replications,
        "off_policy.decisions": decisions,
        "off_policy.evenings": 0,
    }
    config = load_config(overrides={"seed": 1, "jobs": 1, **sizes})
    return OffPolicy().run(replace(context, config=config, evening=evening))


def test_off_policy_passes_where_gifts_are_frequent(context: Context, oracle: Oracle) -> None:
    result = screened(context, oracle(FEW | {"gift.base": "-1"}), 1_800, 2_000)
    assert failed(result.checks) == set()
    (gate,) = result.gates
    assert gate.verdict == "PASS", gate.reason
    by_name = {e.name: e for e in result.estimates}
    full = by_name["snips_full_coverage"].high
    assert full is not None
    assert full < 0.93  # the same logs cannot judge full value


def test_off_policy_fails_where_gifts_are_rare(context: Context, oracle: Oracle) -> None:
    result = screened(context, oracle(FEW | {"gift.base": "-8"}), 1_600, 200)
    assert failed(result.checks) == set()
    (gate,) = result.gates
    assert gate.verdict == "FAIL", gate.reason
    assert gate.consequence.startswith("judge policies in the arena")


@pytest.mark.slow
def test_off_policy_is_open_where_an_order_is_at_a_border(context: Context, oracle: Oracle) -> None:
    result = screened(context, oracle(FEW | {"gift.base": "-1"}), 1_800, 1_200)
    assert failed(result.checks) == set()
    (gate,) = result.gates
    assert gate.verdict == "INCONCLUSIVE", gate.reason
    assert "snips_count_coverage PASS" in gate.reason
    assert "snips_count_order INCONCLUSIVE" in gate.reason
    assert "replications would decide" in gate.reason


def test_off_policy_refuses_an_estimator_that_is_off_by_rounding(
    context: Context, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: one part in 10¹² of a tie that must be exact."""
    honest = ope.snips_replications

    def off(reward: Floats, propensity: Floats, target: Floats) -> tuple[Floats, Floats, Floats]:
        value, low, high = honest(reward, propensity, target)
        return value * (1 + 1e-12), low, high

    monkeypatch.setattr(ope, "snips_replications", off)
    result = screened(context, oracle(FEW | {"gift.base": "-2"}), 1_300, 100)
    assert failed(result.checks) == {"a_a"}
    assert result.gates[0].verdict == "NOT ANSWERABLE"


def test_off_policy_refuses_too_few_replications(context: Context, oracle: Oracle) -> None:
    result = screened(context, oracle(FEW | {"gift.base": "-2"}), 100, 200)
    assert failed(result.checks) == {"power"}
    assert result.gates[0].verdict == "NOT ANSWERABLE"


def test_off_policy_refuses_targets_that_do_not_differ(context: Context, oracle: Oracle) -> None:
    """Rooms that are all alike: every policy has the same gift rate."""
    causes = ("click.match", "click.quality", "click.loyal", "watch.stay_match", "watch.stay_loyal",
              "gift.match", "gift.skill", "gift.loyal", "amount.match")  # fmt: skip
    result = screened(context, oracle(FEW | dict.fromkeys(causes, "0")), 60, 100)
    assert "movable" in failed(result.checks)
    assert result.gates[0].verdict == "NOT ANSWERABLE"


def test_off_policy_refuses_logs_that_show_nothing_of_a_target(
    context: Context, oracle: Oracle
) -> None:
    """Gift chances that are noise: what their greedy would show, the logger hardly ever does."""
    evening = oracle(FEW | {"gift.base": "-2"})
    backwards = evening.values.max() - evening.values
    with pytest.raises(NotEnoughDataError, match="'greedy by gift chance' would show"):
        screened(context, replace(evening, gift_probability=backwards), 60, 100)


def test_the_tie_of_the_logging_policy_survives_rounding() -> None:
    """Small rewards whose sum depends on how it is taken: the difference is 0, not 1e-19."""
    for seed in range(60):
        g = stream(seed, "tie")
        logging, chance = g.dirichlet(np.ones(20), 400), g.gamma(0.2, 0.05, (400, 20))
        contexts = Contexts(np.arange(400), logging, {}, {"count": chance}, {})
        assert off_policy._same_policy_gap(contexts) == 0.0


# baseline: ridge against past spend, on users whose generosity a column shows or has stopped
# to show.
def clicks_of(users: int, days: int = 20, a_day: int = 5) -> tuple[Ints, Ints]:
    """Return user and day of every click: as many of each user as the coverage table asks for."""
    return np.tile(np.arange(users), days * a_day), np.repeat(np.arange(days), users * a_day)


def gifts(users: int, turns: bool = False, a_day: int = 5) -> Matrix:
    """Return 20 days of clicks; where it ``turns``, the column's sign does on test days."""
    g = stream(5, "baseline")
    user, day = clicks_of(users, a_day=a_day)
    n = len(user)
    spend, taste = g.exponential(10.0, users)[user], g.normal(size=n)
    sign = np.where(turns & (day >= 18), -1.0, 1.0)
    mean = np.exp(0.3 * np.log1p(spend) + 1.0 * sign * taste)
    y = np.where(g.random(n) < 0.3, np.ceil(mean * g.exponential(1.0, n)), 0.0)
    X = np.column_stack([spend, taste])
    zero = np.zeros(n, dtype=np.int64)
    names = ("user_gift_sum", "taste")
    return Matrix(X, y, (y > 0).astype(np.int64), user, zero, zero, zero, day, names, "click")


def spenders(users: int) -> Matrix:
    """Return days on which past spend says nearly all and a column next to nothing."""
    g = stream(5, "baseline")
    user, day = clicks_of(users)
    n = len(user)
    spend, taste = g.exponential(10.0, users)[user], g.normal(size=n)
    mean = (1.0 + spend) * np.exp(0.2 * taste)
    y = np.where(g.random(n) < 0.3, np.ceil(mean * g.exponential(1.0, n)), 0.0)
    X = np.column_stack([spend, g.normal(size=n), taste])
    zero = np.zeros(n, dtype=np.int64)
    names = ("user_gift_sum", "streamer_gift_sum", "taste")
    return Matrix(X, y, (y > 0).astype(np.int64), user, zero, zero, zero, day, names, "click")


def ranked(
    context: Context, matrix: Matrix, names: tuple[str, ...] = ("user_past_spend", "ridge")
) -> tuple[Gate, tuple[Check, ...]]:
    config = load_config(overrides={"seed": 1, "jobs": 1, "models.names": names})
    folds = rolling_origins(matrix.day)[-1:]
    # The tail of these amounts is read from their history: they are not gifts of a live platform.
    source = replace(context.store.source, kind="made here")
    light = replace(context, config=config, store=replace(context.store, source=source))
    board = board_of(light, matrix, folds)
    rule = load_rules()["baseline"]
    made = baseline._checks(board, rule)
    return judge(rule, baseline._estimates(board, matrix.unit), made), made


def test_baseline_passes_where_a_column_shows_what_spend_does_not(context: Context) -> None:
    gate, checks = ranked(context, gifts(users=6_000))
    assert failed(checks) == set()
    assert gate.verdict == "PASS", gate.reason
    assert gate.consequence == "serve the chosen value model"


def test_baseline_fails_where_what_was_learned_has_turned(context: Context) -> None:
    """Validation days still look like the past: the model is chosen, and loses on test days."""
    gate, checks = ranked(context, gifts(users=6_000, turns=True))
    assert failed(checks) == set()
    assert gate.verdict == "FAIL", gate.reason
    assert gate.consequence == "serve the best trivial ranker"


def test_baseline_is_open_where_a_model_knows_no_more_than_past_spend(context: Context) -> None:
    rankers = ("user_past_spend", "streamer_past_income", "ridge")
    gate, checks = ranked(context, spenders(users=6_000), rankers)
    assert failed(checks) == set()
    assert gate.verdict == "INCONCLUSIVE", gate.reason
    assert "users would decide" in gate.reason


def test_baseline_checks_do_not_look_at_test_days(context: Context) -> None:
    """Known trap: a check that reads the outcome it is to let pass."""
    matrix = gifts(users=500)
    turned = replace(matrix, y=np.where(matrix.day >= 18, matrix.y[::-1], matrix.y))
    (_, one), (_, other) = ranked(context, matrix), ranked(context, turned)
    assert one == other


def test_baseline_refuses_an_interval_of_few_users(context: Context) -> None:
    gate, checks = ranked(context, gifts(users=500))
    assert failed(checks) == {"power"}
    assert gate.verdict == "NOT ANSWERABLE"


def test_baseline_refuses_rankers_that_rank_alike(context: Context) -> None:
    matrix = gifts(users=6_000, a_day=1)
    same: dict[str, Any] = {"X": np.ones_like(matrix.X)}
    gate, checks = ranked(context, replace(matrix, **same))
    assert failed(checks) == {"movable"}
    assert gate.verdict == "NOT ANSWERABLE"
