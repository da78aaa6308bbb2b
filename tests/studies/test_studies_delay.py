"""Study 1.2 on readings made by hand: it passes, fails and refuses; verify finds every number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified

from giftlive.config import load_config
from giftlive.errors import UsageError
from giftlive.evaluation.behavioural import Number, Reading
from giftlive.evaluation.delay.identifiability import AS_RECORDED, RECORDERS
from giftlive.evaluation.delay.measure import recent
from giftlive.evaluation.delay.recorded import LATE
from giftlive.evaluation.delay.regimes import (
    DELAYED,
    DRIFT,
    HALF_LATE,
    IN_VIEWINGS,
    SLOW,
    VIEWINGS,
    WORLDS,
)
from giftlive.evaluation.results import Estimate, Gate, StudyResult
from giftlive.reports.numbers import unit_rule
from giftlive.rng import stream
from giftlive.run.steps import TableFolder
from giftlive.studies import delay
from giftlive.studies.context import Context
from giftlive.studies.delay_tables import BANDS, MATURITY, REGIMES, TIMES, WINDOWS
from giftlive.studies.registry import ON_REQUEST, STUDIES, find

JUDGED = "delayed_feedback_weibull"
NAMES = ("fixed_window", "weibull_aft", JUDGED)
GOOD: dict[str, float] = {
    "closed": 0.98,
    "error": 0.1,
    "harm": 1e-6,
    "gap": 0.008,
    "differs": 0.0,
    "leaks": 5.0,
}
Answer = Callable[..., StudyResult]


@dataclass(frozen=True)
class Log:
    """What one log says, number by number, on which the judged treatment is as good as ``says``."""

    seed: int
    says: dict[str, float]
    g: np.random.Generator
    found: list[Reading] = field(default_factory=list)

    def say(self, table: str, row: str, column: str, value: float | None) -> None:
        self.found.append(Reading(self.seed, Number(table, row, column, value)))

    def near(self, value: float) -> float:
        return value * (1.0 + 0.01 * float(self.g.normal()))

    def score(self, table: str, name: str, loss: float, error: float) -> None:
        self.say(table, name, "log-loss", loss)
        self.say(table, name, "calibration error", self.near(error))
        self.say(table, name, "level", self.near(1.0))
        self.say(table, name, "tilt", self.near(-0.2 if name == "naive" else 0.01))

    def twins(self) -> None:
        for recorder in (*RECORDERS, LATE):
            stamped = recorder == AS_RECORDED
            self.say("twin", recorder, "gifts at a click", self.near(0.92 if stamped else 0.01))
            self.say("twin", recorder, "identifiable", 0.0 if stamped else 1.0)
            self.say("twin", recorder, "estimated median", None if stamped else self.near(17.0))
            self.say("twin", recorder, "true median", self.near(17.5))

    def regime(self, regime: str) -> float:
        """Say the scores of a regime and return its gap."""
        late = (*DELAYED, *WORLDS, VIEWINGS)
        gap = self.near(self.says["gap"]) if regime in late else 0.0
        table = f"{regime}: treatments"
        self.score(table, "naive", 0.27 + gap, 0.03)
        self.score(table, "oracle", 0.27, 0.001)
        for name in NAMES:
            share = self.near(self.says["closed"] if name == JUDGED else 0.5)
            more = 0.0 if gap else self.near(self.says["harm"])
            self.score(table, name, 0.27 + gap * (1.0 - share) + more, 0.03 * self.says["error"])
        if gap and regime != VIEWINGS:
            few = self.seed == 0 and regime == next(iter(WORLDS))  # too few gifts for a curve
            self.say(f"{regime}: fit", JUDGED, "misfit", None if few else self.near(0.2))
            self.say(f"{regime}: fit", JUDGED, "warned", None if few else 1.0)
        self.say(f"{regime}: a_a", "naive", "differs", self.says["differs"])
        return gap

    def slow(self, gap: float) -> None:
        """Say what is asked of slow labels alone."""
        for name in NAMES:
            learnt = self.says["leaks"] if name == JUDGED else 5.0
            self.say(f"{SLOW}: control", name, "log-loss", 0.27 + self.near(learnt * gap))
            self.say(f"{SLOW}: exchanged", name, "log-loss", 0.27 + self.near(0.1 * gap))
        for window in (w + kept for w in WINDOWS for kept in ("", ", first")):
            self.say(f"{SLOW}: windows", window, "log-loss", 0.27 + self.near(0.3 * gap))
        for time, which in product(TIMES, MATURITY):
            self.say(f"{SLOW}: maturity", time, which, self.near(0.5))
        for band, name in product(BANDS, ("naive", JUDGED, "oracle")):
            self.say(f"{SLOW}: age", band, name, self.near(-0.1))


def readings(logs: int, says: dict[str, float]) -> tuple[Reading, ...]:
    """Return every number of ``logs`` logs."""
    g = stream(1, "readings")
    found: list[Reading] = []
    for log in (Log(seed, says, g) for seed in range(logs)):
        log.twins()
        gaps = {regime: log.regime(regime) for regime in (*REGIMES, *WORLDS, VIEWINGS)}
        log.slow(gaps[SLOW])
        forgetting = (recent("naive"), recent(JUDGED))
        for name in ("naive", "fixed_window", JUDGED, *forgetting):
            log.score(f"{DRIFT}: progressive", name, log.near(0.3), 0.02)
        found += log.found
    return tuple(found)


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., Context]:
    store: Any = SimpleNamespace(source=SimpleNamespace(fingerprint="f", kind="k", label="l"))

    def made(**asked: Any) -> Context:
        chosen = {"delay.names": list(NAMES), "delay.rows": 1_000, "delay.users": 200} | {
            f"delay.{key}": value for key, value in asked.items()
        }
        config = load_config(overrides={"seed": 0, **chosen})
        keep = TableFolder(tmp_path / "tables", "delay")
        return replace(Context(config, store, tmp_path, "tests"), keep=keep)

    return made


@pytest.fixture
def answer(context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch) -> Answer:
    def made(*, logs: int = 8, **says: float) -> StudyResult:
        found = readings(logs, GOOD | says)
        monkeypatch.setattr(delay, "read_delays", lambda design, progress: found)
        return find("delay").run(context(seeds=logs))

    return made


def gate(result: StudyResult) -> Gate:
    (found,) = result.gates
    return found


def cells(result: StudyResult, table: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row for row in next(t for t in result.tables if t.name == table).rows}


def test_it_runs_by_name_only() -> None:
    assert find("delay") in ON_REQUEST
    assert find("delay") not in STUDIES


def test_a_good_treatment_passes(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks)
    assert gate(result).verdict == "PASS", gate(result).reason
    named = {e.name: e.value for e in result.estimates}
    assert named["gap_closed"] == pytest.approx(0.98, abs=0.02)
    assert named["identifiable_as_recorded"] == 0.0
    assert named["identifiable_with_own_times"] == 1.0
    assert named["median_estimated_over_true"] == pytest.approx(17.0 / 17.5, abs=0.02)


@pytest.mark.parametrize(
    ("says", "value", "part"),
    [
        ("closed", 0.6, "gap_closed"),
        ("error", 0.6, "error_ratio"),
        ("harm", 2e-4, "harm_without_delay"),
    ],
)
def test_each_part_alone_fails_it(answer: Answer, says: str, value: float, part: str) -> None:
    found = gate(answer(**{says: value}))
    assert found.verdict == "FAIL", found.reason
    assert found.estimate is not None
    assert found.estimate.name == part


def test_it_refuses_few_logs_no_gap_and_a_fit_that_differs_from_itself(answer: Answer) -> None:
    for says, check in (
        ({"logs": 4}, "power"),
        ({"gap": 1e-4}, "movable"),
        ({"differs": 1.0}, "a_a"),
        ({"leaks": 0.05}, "no_leak"),
    ):
        result = answer(**says)
        assert [c.name for c in result.checks if not c.passed] == [check]
        assert gate(result).verdict == "NOT ANSWERABLE"


def test_an_undefined_median_is_printed_as_none(answer: Answer) -> None:
    found = cells(answer(), "identifiable")
    stamped, own = found[AS_RECORDED], found["entry times off"]
    assert stamped[3].value is None
    assert stamped[3].status == stamped[5].status == "undefined"
    assert own[3].value == pytest.approx(17.0, abs=0.3)


def test_no_share_of_a_gap_is_printed_where_there_is_none(answer: Answer) -> None:
    found = cells(answer(), "regimes")
    assert found["none"][3] == found["fast"][3] == "no gap to close"
    assert found["slow"][3].value == pytest.approx(0.98, abs=0.02)
    assert set(cells(answer(), "worlds")) == {*NAMES, "oracle"}
    viewed = set(cells(answer(), "viewings"))
    assert viewed == set(NAMES) & set(IN_VIEWINGS)


def test_a_column_of_percent_holds_percent(answer: Answer) -> None:
    """A column of shares says %, so that its cells must be shares too: 0.0643 % is not 6.43 %."""
    result = answer()
    for table in result.tables:
        for row in table.rows:
            for unit, cell in zip(table.units, row, strict=True):
                if isinstance(cell, Estimate) and unit_rule(unit).factor != 1:
                    assert unit_rule(cell.unit) == unit_rule(unit), f"{table.name} / {row[0]}"
    assert [cell.unit for cell in cells(result, "progressive")["naive"][1:4]] == [
        *("nats", "share", "ratio")
    ]


def test_a_misfit_is_printed_where_every_log_has_one(answer: Answer) -> None:
    found, (few, *_) = cells(answer(), "fit"), WORLDS
    assert found[HALF_LATE][1].value == pytest.approx(0.2, abs=0.01)
    assert found[HALF_LATE][2].value == 1.0
    assert few not in found


def test_the_title_of_the_shares_says_how_sure_it_is(answer: Answer) -> None:
    def title(logs: int) -> str:
        return next(f.title for f in answer(logs=logs).figures if f.name == "closed")

    assert "(9" in title(20)
    assert title(2) == f"{JUDGED} closes 98% of the gap on 2 logs, too few for an interval"


@pytest.mark.parametrize(
    "asked",
    [
        {"recommended": "naive"},
        {"recommended": "cox"},
        {"names": [JUDGED, "naive"]},
        {"names": [JUDGED, "no_such"]},
    ],
)
def test_what_cannot_be_judged_is_refused(
    context: Callable[..., Context], asked: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="stand beside them in any case"):
        delay.design_of(context(**asked))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists_and_none_claims_the_public_data(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(
        answer(), tmp_path, "control", 0, 1, f"control / {JUDGED} / closed from permuted labels"
    )


def test_costs_go_to_the_listener_and_not_into_the_result(
    context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, costs = readings(8, GOOD), dict[str, Any]()
    monkeypatch.setattr(delay, "read_delays", lambda design, progress: found)
    heard = replace(context(seeds=8), spent=lambda name, cost: costs.update({name: cost}))
    result = find("delay").run(heard)
    assert set(costs) == {"naive", *NAMES}
    assert all(cost["fit_seconds"] > 0.0 for cost in costs.values())
    assert "seconds" not in str(result.as_dict()["config"])
