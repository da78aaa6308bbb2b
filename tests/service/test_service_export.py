"""The exported log: valid, joined as the service joined it, readable by `giftlive ope`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.evaluation.off_policy_log import LogEvaluator, Reward
from giftlive.evaluation.target_policies import named_target
from giftlive.logs.decisions import DecisionLog, open_decisions, read_decisions
from giftlive.logs.decisions.record import joined
from giftlive.ope.registry import estimator_of
from giftlive.service.deciding import Request
from giftlive.service.engine import Origin
from giftlive.service.events import Event
from giftlive.service.export import Wanted, write_export
from giftlive.service.local import LocalService
from giftlive.service.settings import DecisiveSettings, JoinSettings
from giftlive.testing import check_decision_log

JOIN = JoinSettings(click_seconds=20.0, settle_seconds=2.0, hold_seconds=4.0)
EXPLORING = DecisiveSettings(
    policy={"name": "exploration_floor", "options": {"floor": 0.5}}, join=JOIN
)
ALL = Wanted(0, 10**13)


def _read(path: Path) -> DecisionLog:
    return joined(list(read_decisions(path)))


def _service(memory: MemoryStore) -> LocalService:
    service = LocalService.open(memory, Origin(EXPLORING, planted.values()), T0)
    service.hear(planted.rooms(5), T0)
    return service


def test_rewards_are_what_the_service_counted(memory: MemoryStore, tmp_path: Path) -> None:
    service = _service(memory)
    for call, what, ts in planted.day(5, 300):
        if call == "decide":
            service.decide(what, ts)
        else:
            service.hear(what, ts)
    service.tick(service.state.ts + 10**8)
    path = tmp_path / "decision.parquet"
    rows, before = write_export(memory, JOIN, ALL, path)
    log = _read(path)
    check_decision_log(path)
    assert before == ALL.to_ts
    assert rows == len(log) > 300
    assert log.reward.sum() == service.state.totals.earned > 0
    assert log.matured.all()
    slates = log.position >= 0
    assert slates.any()
    assert not slates.all()


def test_the_file_ends_before_the_first_open_decision(memory: MemoryStore, tmp_path: Path) -> None:
    service = _service(memory)
    for k in range(4):
        service.decide(Request(f"r{k}", k, (100 + k,)), T0 + 1000 * k)
        if k != 2:
            service.hear([Event(f"l{k}", "leave", T0 + 1000 * k + 10, k, 100 + k, -1, 9)])
    service.tick(T0 + 9_000)
    rows, before = write_export(memory, JOIN, ALL, tmp_path / "a")
    assert (rows, before) == (2, T0 + 2000)
    everything = Wanted(0, 10**13, unfinished=True)
    assert write_export(memory, JOIN, everything, tmp_path / "b")[0] == 4
    assert _read(tmp_path / "b").matured.tolist() == [True, True, False, True]
    service.tick(T0 + 60_000)
    assert write_export(memory, JOIN, ALL, tmp_path / "c")[0] == 4
    some = Wanted(T0 + 1000, T0 + 3000)
    assert write_export(memory, JOIN, some, tmp_path / "d")[0] == 2


def test_a_duplicate_event_earns_once_and_a_late_one_still_counts(
    memory: MemoryStore, tmp_path: Path
) -> None:
    service = _service(memory)
    service.decide(Request("r", 1, (100,)), T0 + 10)
    gift = Event("g", "gift", T0 + 20, 1, 100, -1, 7)
    service.hear([Event("l", "leave", T0 + 30, 1, 100, -1, 9_000)])
    service.hear([gift, gift], T0 + 1_500)  # after the leave, within the time to settle
    service.hear([gift], T0 + 1_600)
    service.hear([Event("late", "gift", T0 + 20, 1, 100, -1, 1000)], T0 + 10_000)
    service.tick(T0 + 20_000)
    write_export(memory, JOIN, ALL, tmp_path / "a")
    assert _read(tmp_path / "a").reward.tolist() == [7.0]


def test_one_policy_per_file(memory: MemoryStore, tmp_path: Path) -> None:
    service = _service(memory)
    with pytest.raises(NotEnoughDataError):
        write_export(memory, JOIN, ALL, tmp_path / "a")
    first = service.decide(Request("r1", 1), T0 + 10)["policy_version"]
    service.switch({"policy": {"name": "uniform"}})
    second = service.decide(Request("r2", 1), T0 + 20)["policy_version"]
    service.tick(T0 + 10**7)
    with pytest.raises(UsageError, match="2 policies decided"):
        write_export(memory, JOIN, ALL, tmp_path / "a")
    for version in (first, second):
        assert write_export(memory, JOIN, Wanted(0, 10**13, version), tmp_path / "a")[0] == 1
        assert set(_read(tmp_path / "a").policy_version) == {version}
    assert first != second


def test_off_policy_evaluation_reads_it(memory: MemoryStore, tmp_path: Path) -> None:
    """Logged with a floor, the value of uniform is what uniform earns: one gift in five rooms."""
    service = _service(memory)
    for k in range(600):
        ts = T0 + 100 * k
        answer = service.decide(Request(f"r{k}", k), ts)
        if answer["ranking"][0]["live_id"] == 102:
            service.hear([Event(f"g{k}", "gift", ts + 5, k, 102, -1, 10)])
    service.tick(T0 + 10**8)
    write_export(memory, JOIN, ALL, tmp_path / "decision.parquet")
    file = open_decisions(tmp_path / "decision.parquet")
    target = named_target("uniform", {}, file)
    found = LogEvaluator(target, (estimator_of("snips"),), Reward("amount")).evaluate(file)
    assert found.decisions == 600
    assert all(finding.passed is not False for finding in found.audit)
    assert found.estimates[0].interval.value == pytest.approx(2.0, abs=0.8)
