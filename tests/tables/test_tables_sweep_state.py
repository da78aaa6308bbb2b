"""A sweep that is saved and gone on with, at a day's end or where a log was cut."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tables.event_log import DAY, HOUR, T0, Log, assert_equal_bits, logs, nasty, swept

from giftlive.errors import InputError, UsageError
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.features import sweep
from giftlive.tables.features.state import KEYS, state_columns
from giftlive.tables.features.sweep_state import SweepState

ALL = tuple(column for group in KEYS for column in state_columns(group))


@settings(max_examples=15, deadline=None)
@given(log=logs())
def test_resuming_at_every_boundary_equals_one_sweep(
    log: Log, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("states")
    state = SweepState()
    kept: list[sweep.StateBatch] = []
    for batch in sweep.native_states(DuckEngine(log.connect()), state=state):
        assert batch.closes_ts is not None  # small days are one batch
        state.save(folder / str(len(kept)))
        kept.append(batch)
    for k in range(len(kept)):
        rest = swept(log, SweepState.load(folder / str(k)))
        if k + 1 == len(kept):
            assert rest == {}
            continue
        expected = {name: np.concatenate([b.columns[name] for b in kept[k + 1 :]]) for name in ALL}
        assert_equal_bits({name: rest[name] for name in ALL}, expected)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(log=logs(), cut=st.one_of(st.integers(T0 - DAY, T0 + 3 * DAY), st.integers(T0, T0 + 3)))
def test_a_log_cut_anywhere_is_gone_on_with(
    log: Log, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("s") / "state"
    if log.frozen:  # rows of a day stand at its midnight: it has to be over
        cut = log.day_start(cut)
    state, parts = SweepState(), []
    for con in (log.connect(before_ts=cut), log.connect()):
        parts.append(swept(log, state, con))
        state.save(folder)
        state = SweepState.load(folder)
    whole = swept(log)
    for name in ALL:
        both = [part[name] for part in parts if part]
        assert np.concatenate(both).tobytes() == whole[name].tobytes(), name


def test_a_finished_sweep_has_been_told_no_more_than_the_log_has_seen() -> None:
    """Neither the rest of the quarter of an hour nor the end of an open viewing."""
    log = Log(clicks=[(1, 2, 3, T0 + 5, T0 + HOUR, HOUR)], probes=[(1, 2, 3, T0 + 5)])
    state = SweepState()
    swept(log, state)
    assert state.until_ts == T0 + 6
    assert state.told.tolist() == [0, 1, 0, 0, 0, 0, 0]


def test_rows_are_numbered_alike_in_whatever_order_they_are_found(tmp_path: Path) -> None:
    shown = [(i << 40, i << 41, 10, T0, T0, 0) for i in range(50)]
    log = replace(nasty(), negatives=shown)
    turned = replace(
        log,
        category=dict(reversed(log.category.items())),
        negatives=log.negatives[::-1],
    )
    for name, one in (("a", log), ("b", turned)):
        state = SweepState()
        swept(one, state)
        state.save(tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_day_has_to_end_before_it_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH_PROBES", 2)
    state = SweepState()
    batches = sweep.native_states(DuckEngine(nasty().connect()), state=state)
    assert next(batches).closes_ts is None
    with pytest.raises(UsageError, match="closes_ts"):
        state.save(tmp_path / "state")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the folder of a state saved after the first day of the nasty log."""
    state = SweepState()
    next(iter(sweep.native_states(DuckEngine(nasty().connect()), state=state)))
    state.save(tmp_path / "state")
    return tmp_path / "state"


@pytest.mark.parametrize("name", ["pair_rows.npy", "clock.npy", "state.json"])
def test_a_corrupted_state_is_refused(saved: Path, name: str) -> None:
    data = bytearray((saved / name).read_bytes())
    data[len(data) // 2] ^= 1
    (saved / name).write_bytes(bytes(data))
    with pytest.raises(InputError, match=name):
        SweepState.load(saved)


def test_a_missing_or_foreign_state_is_refused(saved: Path, tmp_path: Path) -> None:
    plain = json.loads((saved / "state.json").read_text())
    (saved / "state.json").write_text(json.dumps(plain | {"version": 0}))
    with pytest.raises(InputError, match="version 0"):
        SweepState.load(saved)
    (saved / "state.json").unlink()
    with pytest.raises(InputError, match="not readable"):
        SweepState.load(saved)
    (tmp_path / "state").rename(tmp_path / "other")
    with pytest.raises(InputError, match=r"state\.json"):
        SweepState.load(saved)


def test_a_state_of_other_events_is_refused(saved: Path) -> None:
    log = nasty()
    log.gifts = [*log.gifts, (1, 5, 10, T0, T0, 1)]
    with pytest.raises(InputError, match="gift"):
        swept(log, SweepState.load(saved))
    log = nasty()
    log.category[10] = 5
    with pytest.raises(InputError, match="room 10"):
        swept(log, SweepState.load(saved))
