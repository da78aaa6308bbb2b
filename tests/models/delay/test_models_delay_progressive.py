"""Questions and answers in order of time: nobody learns from what has not arrived."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.delay.histories import HOUR, HOUR_MS, history

from giftlive.errors import NotEnoughDataError, UsageError
from giftlive.models.delay.chance import FittedChance, Logistic
from giftlive.models.delay.follow_up import FollowUp
from giftlive.models.delay.progressive import Kind, cuts, progressive_validation, stream
from giftlive.models.delay.treatments import FixedWindow, Naive


def test_every_row_is_asked_once_and_answered_once_after_it() -> None:
    log = history(1, 300)
    events = list(stream(log))
    assert [e.ts for e in events] == sorted(e.ts for e in events)
    asked = [e.row for e in events if e.kind is Kind.QUESTION]
    answered = [e.row for e in events if e.kind is Kind.ANSWER]
    assert sorted(asked) == sorted(answered) == list(range(300))
    order = {(e.kind, e.row): i for i, e in enumerate(events)}
    assert all(order[Kind.QUESTION, r] < order[Kind.ANSWER, r] for r in range(300))
    for event in events:
        if event.kind is Kind.ANSWER:
            assert event.label == log.label[event.row]
            wait = min(log.delay[event.row], log.horizon)
            assert event.ts == int(np.ceil(log.ts[event.row] + 1_000 * wait))
        else:
            assert event.label is None
            assert event.ts == log.ts[event.row]


def test_a_gift_in_the_millisecond_of_the_exposure_is_answered_after_its_question() -> None:
    log = history(9, 50, mean_delay=0.0)
    order = {(e.kind, e.row): i for i, e in enumerate(stream(log))}
    assert all(order[Kind.QUESTION, r] < order[Kind.ANSWER, r] for r in range(50))


@given(st.integers(0, 90), st.integers(0, 4))
def test_both_forms_know_the_same_at_every_time(hours: int, seed: int) -> None:
    log, cut = history(seed, 120), hours * HOUR_MS
    heard = {e.row for e in stream(log, end_ms=cut) if e.kind is Kind.ANSWER}
    known = log.at(cut)
    final = known.seen | (known.age >= known.horizon)
    assert heard == set(log.shown_before(cut)[final].tolist())


def test_cuts_ask_everything_once_and_know_nothing_of_what_they_ask() -> None:
    log = history(2, 500)
    found = list(cuts(log, 20 * HOUR_MS, 5 * HOUR_MS, 43 * HOUR_MS))
    asked = np.concatenate([cut.asked for cut in found])
    inside = (log.ts >= 20 * HOUR_MS) & (log.ts < 43 * HOUR_MS)
    assert asked.tolist() == np.flatnonzero(inside).tolist()
    for cut in found:
        assert log.ts[cut.rows].max() < cut.ts
        assert log.ts[cut.asked].min() >= cut.ts
        assert len(cut.known) == len(cut.rows)
    with pytest.raises(UsageError, match="step"):
        next(cuts(log, 0, 0, 1))


@dataclass(frozen=True)
class Watched:
    """Naive, and what it was shown."""

    shown: list[FollowUp] = field(default_factory=list)

    def fit(self, follow_up: FollowUp) -> FittedChance:
        self.shown.append(follow_up)
        return Logistic().fit(follow_up.X, follow_up.seen.astype(np.float64))


def test_predictions_do_not_change_with_what_happens_after_them() -> None:
    log, model = history(3, 2_000), Watched()
    args = (20 * HOUR_MS, 6 * HOUR_MS, 64 * HOUR_MS)
    first = progressive_validation(model, log, *args)
    # Every gift that arrives after 30 h is moved to never: predictions before do not move.
    late = log.ts / 1_000 + log.delay > 30 * HOUR
    other = replace(log, delay=np.where(late, np.inf, log.delay))
    second = progressive_validation(Watched(), other, *args)
    assert np.array_equal(first.row, second.row)
    before = first.ts < 32 * HOUR_MS  # asked at the cut of 26 h
    assert np.array_equal(first.p[before], second.p[before])
    assert (first.p[~before] != second.p[~before]).any()
    assert len(model.shown) == 5
    assert [len(shown) for shown in model.shown] == sorted(len(shown) for shown in model.shown)


def test_only_final_labels_are_scored() -> None:
    log = history(4, 2_000)
    scored = progressive_validation(Naive(), log, 10 * HOUR_MS, 10 * HOUR_MS, 44 * HOUR_MS)
    assert scored.ts.max() <= 44 * HOUR_MS - 20 * HOUR_MS
    assert scored.ts.min() >= 10 * HOUR_MS
    assert np.array_equal(scored.label, log.label[scored.row])
    assert np.array_equal(scored.user, log.user[scored.row])
    with pytest.raises(NotEnoughDataError, match="final label"):
        progressive_validation(Naive(), log, 30 * HOUR_MS, 6 * HOUR_MS, 40 * HOUR_MS)


def test_waiting_gets_the_level_and_naive_falls_short() -> None:
    log = history(5, 40_000, hours=96.0)
    args = (40 * HOUR_MS, 8 * HOUR_MS, 96 * HOUR_MS)
    naive = progressive_validation(Naive(), log, *args)
    window = progressive_validation(FixedWindow(), log, *args)
    rate = naive.label.mean()
    assert naive.p.mean() < 0.96 * rate
    assert window.p.mean() == pytest.approx(rate, rel=0.03)
