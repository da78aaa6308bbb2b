"""Study 1.3 on predictions made by hand: it passes, fails, refuses; verify finds its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.studies.by_name import require_sentences, require_verified

from giftlive.config import load_config
from giftlive.errors import UsageError
from giftlive.evaluation.dense import ENTERED, MULTI, SINGLE, Found, Shown, Trial
from giftlive.evaluation.results import StudyResult
from giftlive.models.neural import extra
from giftlive.rng import stream
from giftlive.run.steps import TableFolder
from giftlive.studies import multi_task
from giftlive.studies.context import Context
from giftlive.studies.multi_task_tables import Dense, dense_of
from giftlive.studies.registry import ON_REQUEST, STUDIES, find
from giftlive.types import Floats

Answer = Callable[..., StudyResult]


def dense(users: int = 4_000, multi: float = 0.2, single: float = 1.5, **more: Any) -> Dense:
    """Return arms that know the truth up to noise: ``multi`` and ``single`` logits of it."""
    g = stream(1, "arms")
    n = 6 * users
    user = np.repeat(np.arange(users), 6)
    logit, click = g.normal(-3.0, 1.5, n), g.random(n) < 0.5
    y = np.where(click & (g.random(n) < _chance(logit)), 10.0, 0.0)
    X = np.column_stack([logit + 0.5 * g.normal(size=n), g.normal(size=n)])
    day = np.zeros(n, dtype=np.int64)
    data = Shown(X, multi_task._REFERENCES, click, np.full(n, np.nan), y, user, day)
    inside = {
        MULTI: _chance(logit + multi * g.normal(size=n)),
        ENTERED: _chance(logit + single * g.normal(size=n)),
    }
    alone = 0.5 * _chance(logit + single * g.normal(size=n))
    found = Found(
        rows=np.arange(n),
        fold=np.zeros(n, dtype=np.int64),
        shown={MULTI: 0.5 * inside[MULTI], SINGLE: alone, ENTERED: inside[ENTERED]},
        entered=inside,
        trials=(Trial(MULTI, 1e-3, 0.1, 0.3), Trial(SINGLE, 1e-3, 0.1, 0.2)),
        positives=(100, 200, 300),
        first=np.arange(n),
    )
    moved = multi_task._moved(data, found.first)
    return dense_of(data, found, moved, more.get("tie", True), seed=0)


def _chance(logit: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-logit))


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    store: Any = SimpleNamespace(source=SimpleNamespace(fingerprint="f", kind="k", label="l"))
    monkeypatch.setattr(multi_task, "require_torch", lambda: None)

    def made(**asked: Any) -> StudyResult:
        monkeypatch.setattr(multi_task, "measured", lambda context: dense(**asked))
        keep = TableFolder(tmp_path / "tables", "multi_task")
        context = Context(load_config(overrides={"seed": 0}), store, tmp_path, "tests")
        return find("multi_task").run(replace(context, keep=keep))

    return made


def test_it_runs_by_name_only() -> None:
    assert find("multi_task") in ON_REQUEST
    assert find("multi_task") not in STUDIES


def test_gate_1c_passes_where_dense_tasks_rank_better(answer: Answer) -> None:
    result = answer()
    assert all(check.passed for check in result.checks), result.checks
    (gate,) = result.gates
    assert gate.verdict == "PASS", gate.reason
    assert gate.consequence.startswith("train gifts together")


def test_gate_1c_fails_where_they_rank_worse(answer: Answer) -> None:
    (gate,) = answer(multi=1.5, single=0.2).gates
    assert gate.verdict == "FAIL", gate.reason


def test_gate_1c_is_open_where_both_rank_alike(answer: Answer) -> None:
    (gate,) = answer(multi=1.0, single=1.0).gates
    assert gate.verdict == "INCONCLUSIVE", gate.reason


def test_gate_1c_refuses_few_users_and_networks_that_differ_from_themselves(
    answer: Answer,
) -> None:
    few, carried = answer(users=120), answer(tie=False)
    assert "power" in [c.name for c in few.checks if not c.passed]
    assert [c.name for c in carried.checks if not c.passed] == ["a_a"]
    assert few.gates[0].verdict == carried.gates[0].verdict == "NOT ANSWERABLE"


def test_an_arm_of_entered_rows_is_wrong_in_level_over_exposures(answer: Answer) -> None:
    (arms,) = (t for t in answer(multi=0.2, single=0.2).tables if t.name == "arms")
    error = {row[0]: row[3].value for row in arms.rows}
    assert error[ENTERED] > 5.0 * error[MULTI]


def test_drawing_users_again_agrees_with_influence_values(answer: Answer) -> None:
    (again,) = (t for t in answer().tables if t.name == "again")
    ((_, _, _, ratio),) = again.rows
    assert 0.8 < ratio < 1.25


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_exists_and_none_claims_the_public_data(answer: Answer, lang: str) -> None:
    require_sentences(answer(), lang)


def test_verify_finds_every_number_again(answer: Answer, tmp_path: Path) -> None:
    require_verified(answer(), tmp_path, "arms", 0, 1, f"arms / {MULTI} / PR-AUC")


def test_without_torch_the_study_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extra, "installed", lambda: False)
    context = Context(load_config(), SimpleNamespace(), tmp_path, "tests")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="pip install"):
        find("multi_task").run(context)
