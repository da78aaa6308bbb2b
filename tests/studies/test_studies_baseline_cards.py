"""Every model of the leaderboard has a card: data, features, folds, metrics, limits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.evaluation.test_evaluation_leaderboard import matrix

from giftlive.config import load_config
from giftlive.run.canonical import canonical_json
from giftlive.run.steps import Cards
from giftlive.studies.baseline_cards import _sayable, card_of, days_of
from giftlive.studies.board import Board, board_of
from giftlive.tables.matrix import Matrix
from giftlive.tables.splits import Fold, rolling_origins

NAMES = ("user_past_spend", "streamer_past_income", "ridge")
SOURCE = {"fingerprint": "ab12", "kind": "tables", "label": "planted"}


@pytest.fixture(scope="module")
def boarded() -> tuple[Board, Matrix, tuple[Fold, ...]]:
    rows = matrix(users=60)
    folds = rolling_origins(rows.day)
    late = np.flatnonzero(rows.day == folds[-1].train[1] - 1)[0]  # on no training day of the first
    rows.user[late] = 10_000
    context: Any = SimpleNamespace(
        config=load_config(overrides={"models.names": NAMES}),
        progress=lambda done, total: None,
        store=SimpleNamespace(source=SimpleNamespace(**SOURCE)),
        truth=lambda rows: None,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("giftlive.studies.board.tail_of", lambda *_: "gift")
        return board_of(context, rows, folds), rows, folds


@pytest.fixture(scope="module")
def cards(boarded: Any) -> dict[str, dict[str, Any]]:
    board, rows, folds = boarded
    return {p.name: card_of(board, p, rows, folds, SOURCE) for p in board.predictions}


def test_a_card_says_data_features_folds_and_limits(boarded: Any, cards: Any) -> None:
    _, rows, folds = boarded
    last = (rows.day >= folds[-1].train[0]) & (rows.day < folds[-1].train[1])
    assert set(cards) == set(NAMES)
    for name, card in cards.items():
        assert card["name"] == name
        assert card["features"] == list(rows.names)
        assert card["limits"]
        assert card["estimand"]
        assert card["bytes"] > 0
        assert card["data"] == SOURCE | {
            "unit": "click",
            "days": list(folds[-1].train),
            "users": 61,
            "rows": int(last.sum()),
            "positives": int((rows.y[last] > 0).sum()),
        }
        assert card["folds"] == [days_of(fold) for fold in folds]


def test_its_metrics_are_those_of_the_leaderboard(boarded: Any, cards: Any) -> None:
    board = boarded[0]
    for scored in board.scored:
        metrics = cards[scored.name]["metrics"]
        assert list(metrics) == list(scored.metrics)
        for name, interval in scored.metrics.items():
            assert metrics[name]["value"] == interval.value
            assert metrics[name]["value"] is not None or metrics[name]["reason"]
            # Sixty users: the print rule forbids bounds that were not measured to hold.
            shown = board.metric(scored, name, "click")
            assert (metrics[name]["low"], metrics[name]["high"]) == (shown.low, shown.high)


def test_cards_are_files_of_a_run(cards: Any, tmp_path: Any) -> None:
    keep = Cards(tmp_path / "cards")
    for name, card in cards.items():
        keep(name, card)
    assert {path.stem for path in (tmp_path / "cards").iterdir()} == set(NAMES)
    assert (tmp_path / "cards" / "ridge.json").read_text() == canonical_json(cards["ridge"])


def test_a_number_that_is_none_is_a_word() -> None:
    said = _sayable({"a": (np.inf, 1.0), "b": {"c": np.nan}})
    assert said == {"a": ["inf", 1.0], "b": {"c": "nan"}}
