"""Evenings as decision logs: true to what happened, replayable to the bit, ready for OPE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal

from giftlive import ope
from giftlive.allocation import Prices
from giftlive.errors import IdentityError, InputError, NotEnoughDataError
from giftlive.evaluation import decisions as module
from giftlive.evaluation.decisions import LoggedEvening, require_replay
from giftlive.evaluation.explanation import reasons
from giftlive.evaluation.interactions import evaluate_log, interactions
from giftlive.evaluation.rollout import TableValuer, play
from giftlive.evaluation.version import version_of
from giftlive.logs.decisions import DecisionLog, open_decisions, read_decisions
from giftlive.logs.decisions.arrow import as_table
from giftlive.logs.decisions.record import joined, known
from giftlive.ope import DM, DR, IPS, SNIPS
from giftlive.policies import DualPrice, Greedy, GreedyWithCap, Policy, Softmax, Uniform
from giftlive.rng import stream
from giftlive.testing import check_decision_log, identical, make_batch, make_decisions
from giftlive.types import DecisionBatch, Decisions, Floats, Ints
from giftlive.world import World, build_world, load_scenario
from giftlive.world.rounds import make_arena

SEED = 11
SMALL = {"sizes.users": "120", "sizes.streamers": "8", "calendar.history_days": "1"}


@cache
def world(preset: str) -> World:
    if preset == "v1":
        return build_world(load_scenario("v1", "tiny"), 1)
    if preset == "hasty":
        hasty = {"visits.skip_seconds": "0.6", "visits.per_day": "6"}
        return build_world(load_scenario("kuailive", overrides=SMALL | hasty), 1)
    return build_world(load_scenario(preset, overrides=SMALL), 1)


def evening(policy: Policy[Any], preset: str = "scarce", **changes: Any) -> LoggedEvening:
    place = world(preset)
    shape = len(place.user_ids), len(place.streamer_ids)
    draw = stream(1, "estimates")
    valuer = TableValuer(draw.exponential(size=shape), draw.uniform(1.0, 100.0, shape))
    return replace(LoggedEvening(place, policy, valuer, SEED), **changes)


def written(logged: LoggedEvening, folder: Path) -> Path:
    path = folder / "decision.parquet"
    assert logged.write(path) == open_decisions(path).rows
    return path


def prices() -> Prices:
    rooms = len(make_arena(world("scarce"), SEED).seats)
    duals = stream(2, "prices").exponential(0.05, (rooms, 24))
    return Prices(duals, world("scarce").origin_ms, 3_600_000, np.array([0.7, 0.3]))


def softmax() -> Softmax:
    return Softmax(temperature=0.7, floor=0.1)


def greedy(log: DecisionLog) -> Floats:
    best = np.where(log.available, log.values, -np.inf).argmax(axis=1)
    target = np.zeros(log.values.shape)
    rows = np.flatnonzero(log.shown)
    target[rows, best[rows]] = 1.0
    return target


@pytest.mark.parametrize("preset", ["scarce", "kuailive", "hasty", "v1"])
def test_an_evening_keeps_every_promise_of_a_log(preset: str, tmp_path: Path) -> None:
    """Hasty users decide several times a tick: batches out of order; rounds have no clock."""
    policy = Softmax(floor=0.2)
    check_decision_log(written(evening(policy, preset), tmp_path))


def test_the_log_is_what_happened(tmp_path: Path) -> None:
    logged = evening(DualPrice(prices()))
    path = written(logged, tmp_path)
    log = joined(list(read_decisions(path)))
    arena = make_arena(logged.world, SEED)
    outcome, _ = play(arena, logged.policy, logged.valuer, arena.seats, SEED)
    place = logged.world
    user_id = place.user_ids[outcome.user]
    order = np.lexsort((outcome.slot, outcome.visit, user_id, outcome.ts))
    assert_array_equal(log.user_id, user_id[order])
    assert_array_equal(log.action, np.where(outcome.shown, place.live_ids[outcome.room], -1)[order])
    assert_array_equal(log.reward, outcome.amount[order])
    assert_array_equal(log.reward_ts, (outcome.ts + outcome.watch_ms)[order])
    assert log.reward.sum() == outcome.revenue
    assert not log.shown.all()


def test_equal_keys_replay_to_the_bit(tmp_path: Path) -> None:
    logged = evening(softmax())
    found = open_decisions(written(logged, tmp_path))
    require_replay(found, logged)
    before = found.path.read_bytes()
    assert written(evening(softmax()), tmp_path).read_bytes() == before


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"seed": SEED + 1}, "when replayed"),
        ({"policy": replace(softmax(), temperature=0.7000001)}, "policy_version is"),
        ({"policy": replace(softmax(), name="other")}, "policy is softmax, other"),
    ],
)
def test_another_key_does_not_replay(other: dict[str, Any], says: str, tmp_path: Path) -> None:
    found = open_decisions(written(evening(softmax()), tmp_path))
    with pytest.raises(IdentityError, match=says):
        require_replay(found, replace(evening(softmax()), **other))


def test_a_log_that_was_touched_or_cut_does_not_replay(tmp_path: Path) -> None:
    logged = evening(softmax())
    path = written(logged, tmp_path)
    log = joined(list(read_decisions(path)))
    row = int(np.argmax(log.reward > 0))
    richer = log.reward.copy()
    richer[row] += 1.0
    for other, says in (
        (replace(log, reward=richer), rf"decision {log.decision_id[row]}: reward is"),
        (log.rows(slice(0, len(log) - 2)), "2 decisions too few"),
        (joined([log, replace(log.rows([-1]), ts=log.ts[-1:] + 1, reward_ts=log.ts[-1:] + 1,
            reward=np.zeros(1), matured=np.full(1, True),
            decision_id=np.array(["more"], dtype=object))]), "missing when replayed"),
    ):  # fmt: skip
        pq.write_table(as_table(other), path)
        with pytest.raises(IdentityError, match=says):
            require_replay(open_decisions(path), logged)


@dataclass(frozen=True)
class Forgetful:
    """Chooses by how often it was asked, which nobody can replay."""

    name: str = "forgetful"
    calls: Iterator[int] = field(default_factory=count)

    def init(self, seats: Ints, /) -> Any:
        return Uniform().init(seats)

    def decide(self, state: Any, batch: DecisionBatch, rng: np.random.Generator, /) -> Decisions:
        policy = Greedy() if next(self.calls) < 100 else Uniform()
        return policy.decide(state, batch, rng)

    def update(self, state: Any, feedback: Any, /) -> Any:
        return state


def test_a_policy_with_a_hidden_memory_leaves_no_log(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="belongs in its state"):
        evening(Forgetful()).write(tmp_path / "decision.parquet")
    assert not list(tmp_path.iterdir())


def test_batches_end_with_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 1)
    parts = list(evening(softmax(), "kuailive").batches())
    assert len(parts) > 50
    tick = world("kuailive").scene.rhythm.tick_ms
    ends = [int(part.ts[-1]) // tick for part in parts]
    assert all(int(b.ts[0]) // tick > end for b, end in zip(parts[1:], ends[:-1], strict=True))


# Values, prices, reasons and versions


def test_values_less_prices_are_the_scores_of_the_policy() -> None:
    policy = DualPrice(prices(), learning_rate=0.0)
    log = joined(list(evening(policy).batches()))
    assert log.prices[log.available].min() > 0.0
    net = np.where(log.available, log.values - log.prices, -np.inf)
    chosen = np.take_along_axis(net, log.column.clip(0)[:, None], axis=1)[:, 0]
    priced = log.shown & (log.reason == "price")
    assert_array_equal(chosen[priced], net.max(axis=1)[priced])
    declined = ~log.shown & (log.reason == "price")
    assert np.all(net.max(axis=1)[declined] < 0.0)
    assert priced.sum() > 5
    assert declined.sum() > 5


def test_prices_are_versioned_by_what_was_heard() -> None:
    still, moving = DualPrice(prices(), learning_rate=0.0), DualPrice(prices())
    first, second = (joined(list(evening(p).batches())) for p in (still, moving))
    assert len(set(first.price_version)) == 1
    opening = first.price_version[0].partition(".")[0]
    numbers = [int(version.partition(".")[2]) for version in second.price_version]
    assert {version.partition(".")[0] for version in second.price_version} == {opening}
    assert numbers == sorted(numbers)
    assert numbers[-1] > 100
    none = joined(list(evening(Uniform()).batches()))
    assert not known(none.price_version).any()
    assert not none.prices.any()


def test_a_version_names_everything_in_a_configuration() -> None:
    same, other = prices(), replace(prices(), start_ms=5)
    one = version_of(DualPrice(same))
    assert one == version_of(DualPrice(prices()))
    different = [DualPrice(other), DualPrice(same, target=0.7), Greedy(), GreedyWithCap(), {"a": 1}]
    assert len({one, *map(version_of, different)}) == 6
    assert version_of([np.zeros(2)]) != version_of([np.zeros(2, dtype=np.int64)])


def test_reasons_follow_from_the_row() -> None:
    batch = make_batch(1, rows=5)  # the first row has no candidate
    values, rooms = batch.values, batch.observation.rooms
    values[1:] = np.array([3.0, 2.0, 1.0, 0.5, 0.1])
    rooms[1:] = np.arange(5)
    costs = np.zeros_like(values)
    costs[3] = [2.5, 0.0, 0.0, 0.0, 0.0]
    chances = np.zeros_like(values)
    choice = np.array([-1, 0, 1, 1, -1])
    chances[1, 0] = chances[3, 1] = 1.0
    chances[2] = 0.2
    found = reasons(batch, Decisions(choice, chances), costs)
    assert found.tolist() == ["no_candidate", "greedy", "random", "price", "seat"]
    costs[4] = 9.0
    assert reasons(batch, Decisions(choice, chances), costs)[4] == "price"
    full = Decisions(np.array([-1, 2, 1, 2, -1]), np.where(np.arange(5) == 2, 1.0, chances))
    assert reasons(batch, full, costs)[1] == "seat"


# Off-policy evaluation from the file


def test_chunks_from_the_file_equal_arrays_in_memory(tmp_path: Path) -> None:
    logged = evening(softmax())
    found = open_decisions(written(logged, tmp_path))
    memory = joined(list(logged.batches()))
    assert identical(memory, joined(list(found.batches(97))).widened(memory.width))
    whole = evaluate_log([memory], greedy)
    assert whole["snips"].status == "ok"
    for rows in (1_000_000, 97, 13):
        assert identical(evaluate_log(found.batches(rows), greedy), whole)
    for estimator in (DM, DR):
        states = [estimator.init(), estimator.init()]
        for k, rows in enumerate((13, 200)):
            for log in found.batches(rows):
                chunk = interactions(log, greedy(log), q=0.5 * log.values)
                states[k] = estimator.update(states[k], chunk)
        assert identical(*states)


def test_the_logging_policy_earns_the_mean_of_its_log(tmp_path: Path) -> None:
    """Nothing shown is a decision that earned nothing, not a row to leave out."""
    declined = 0
    for policy in (softmax(), DualPrice(prices())):
        path = written(evening(policy), tmp_path)
        log = joined(list(read_decisions(path)))
        declined += int(np.sum(~log.shown))
        found = evaluate_log(read_decisions(path), lambda log: log.propensities, (IPS, SNIPS))
        for interval in found.values():
            assert interval.value == pytest.approx(log.reward.mean(), rel=1e-12)
    assert declined > 0


def test_a_target_that_shows_where_the_log_declined_has_no_overlap(tmp_path: Path) -> None:
    log = joined(list(evening(DualPrice(prices())).batches()))
    everywhere = log.available / np.maximum(log.available.sum(axis=1, keepdims=True), 1)
    found = ope.evaluate(interactions(log, everywhere))["ips"]
    assert found.status == "undefined"
    assert "never shows" in found.reason
    nowhere = np.zeros(log.values.shape)
    assert ope.evaluate(interactions(log, nowhere))["snips"].status == "undefined"


def test_open_rewards_are_refused_not_left_out(tmp_path: Path) -> None:
    whole = joined(list(evening(softmax()).batches()))
    until = int(np.median(whole.ts))
    path = written(evening(softmax(), until=until), tmp_path)
    check_decision_log(path)
    log = joined(list(read_decisions(path)))
    assert_array_equal(log.matured, whole.reward_ts <= until)
    assert_array_equal(log.reward[log.matured], whole.reward[log.matured])
    with pytest.raises(NotEnoughDataError, match=r"have no final reward.*short viewings"):
        interactions(log, greedy(log))
    first = int(np.argmin(log.matured))
    interactions(log.rows(slice(0, first)), greedy(log)[:first])


def test_slates_and_mass_on_padding_are_refused() -> None:
    log = make_decisions(1)
    log = replace(log, matured=np.full(len(log), True))
    with pytest.raises(InputError, match=r"slate .*single choices"):
        interactions(log, greedy(log))
    single = log.rows(~known(log.slate_id))
    target = greedy(single)
    row = int(np.argmax(~single.available[:, -1]))
    target[row, -1] = 0.5
    with pytest.raises(InputError, match=f"row {row}, target"):
        interactions(single, target)
