"""The decision log: exact round trips, every rule broken once, and nothing half written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giftlive.errors import GiftLiveError, InputError, MissingCapabilityError
from giftlive.logs.decisions import (
    REPLAY_KEY,
    RULES,
    DecisionLog,
    DecisionWriter,
    open_decisions,
    parquet,
    validate,
    world_decision_id,
)
from giftlive.logs.decisions.arrow import SCHEMA
from giftlive.logs.decisions.record import COLUMNS, joined, known
from giftlive.logs.schema import TABLES
from giftlive.rng import derive
from giftlive.testing import identical, make_decisions

LOG = make_decisions(3)
SINGLE = np.flatnonzero(LOG.shown & ~known(LOG.slate_id) & (LOG.propensity_kind == "exact"))
ROW = int(SINGLE[np.argmax((LOG.candidates[SINGLE] >= 0).sum(axis=1) >= 4)])
ESTIMATED = int(np.argmax((LOG.propensity_kind == "monte_carlo") & LOG.available[:, 1]))
NOTHING = int(np.argmax(~LOG.shown & LOG.matured))
OPEN = int(np.argmax(~LOG.matured))
PLACE = int(np.argmax(LOG.position == 1))
WORLD = int(np.argmax(LOG.seed >= 0))
ARRIVED = int(np.argmax(LOG.matured & LOG.shown))


def written(path: Path, *logs: DecisionLog) -> Path:
    with DecisionWriter(path) as writer:
        for log in logs:
            writer.append(log)
    return path


def at(row: int, **changes: Any) -> DecisionLog:
    """Return the log with other entries in one row."""
    columns = {name: getattr(LOG, name).copy() for name in changes}
    for name, value in changes.items():
        columns[name][row] = value
    return replace(LOG, **columns)


def with_table(row: int, name: str, column: int, value: float) -> DecisionLog:
    table = getattr(LOG, name).copy()
    table[row, column] = value
    return replace(LOG, **{name: table})


def test_the_record_has_the_columns_of_the_schema() -> None:
    assert TABLES["decision"].column_names == COLUMNS == tuple(SCHEMA.names)
    assert set(REPLAY_KEY) | set(TABLES["decision"].order) <= set(COLUMNS)


def test_the_page_describes_every_column_in_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "decision-log.md").read_text(encoding="utf-8")
    rows = [line.replace("\\|", "").split("|") for line in page.splitlines() if "| `" in line[:3]]
    kinds = {"BIGINT": "int64", "DOUBLE": "double", "VARCHAR": "text", "BOOLEAN": "boolean"}
    described = [(row[1].strip(" `"), row[2].strip(), row[4].strip() != "no") for row in rows]
    assert described == [
        (
            c.name,
            ("list of " if c.type.endswith("[]") else "") + kinds[c.type.removesuffix("[]")],
            c.nullable,
        )
        for c in TABLES["decision"].columns
    ]


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 60), batch=st.integers(1, 90))
def test_a_log_survives_its_file(
    seed: int, size: int, batch: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "decision.parquet"
    log = make_decisions(seed, size)
    written(path, log)
    found = open_decisions(path)
    parts = list(found.batches(batch))
    assert found.rows == len(log) == sum(map(len, parts))
    assert all(part.width == found.width for part in parts)
    for part in parts:  # slates are never cut
        assert part.position[0] <= 0
    if parts:
        assert identical(joined(parts).widened(log.width), log)


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(1, len(LOG) - 1), max_size=6))
def test_equal_logs_are_equal_bytes_however_they_came(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    edges = sorted({c - int(max(LOG.position[c], 0)) for c in cuts} | {0, len(LOG)})
    parts = [LOG.rows(slice(a, b)) for a, b in pairwise(edges)]
    whole, cut = written(folder / "a.parquet", LOG), written(folder / "b.parquet", *parts)
    assert whole.read_bytes() == cut.read_bytes()


def test_memory_is_bounded_by_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 64)
    log = LOG.rows(~known(LOG.slate_id))
    with DecisionWriter(tmp_path / "d.parquet") as writer:
        for first in range(0, len(log), 20):
            writer.append(log.rows(slice(first, first + 20)))
            assert writer._held < 64
    metadata = pq.ParquetFile(tmp_path / "d.parquet").metadata
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert groups == [64] * (len(log) // 64) + [len(log) % 64]


DEFECTS: tuple[tuple[DecisionLog, str], ...] = (
    (at(5, decision_id=""), "row 5, column decision_id"),
    (at(5, decision_id=LOG.decision_id[0]), "row 5, column decision_id: .*1 of"),
    (at(5, ts=LOG.ts[5] - 10**6), "row 5, column ts: .*order of time"),
    (replace(LOG, ts=LOG.ts + 10**15), r"row 0, column ts: .*0 to 253"),
    (at(ROW, slot=-1), f"row {ROW}, column slot: -1"),
    (at(ROW, seed=-2, visit=-1), f"row {ROW}, column seed: -2"),
    (at(WORLD, visit=-1), f"row {WORLD}, column visit: -1"),
    (with_table(ROW, "candidates", 0, -1), f"row {ROW}, column candidates: .*padding"),
    (
        with_table(ROW, "candidates", 1, LOG.candidates[ROW, 0]),
        f"row {ROW}, column candidates: .*every room once",
    ),
    (at(ROW, action=7), f"row {ROW}, column action: 7"),
    (
        with_table(ROW, "propensities", 0, 1.2),
        rf"row {ROW}, column propensities: .*\[0, 1\]",
    ),
    (
        with_table(ROW, "propensities", 0, 0.0),
        f"row {ROW}, column propensities: 0.* a sum of 1",
    ),
    (at(NOTHING, propensity=0.5), f"row {NOTHING}, column propensity: 0.5"),
    (at(ROW, propensity=0.0), rf"row {ROW}, column propensity: 0 .*in \(0, 1\]"),
    (at(ROW, propensity=LOG.propensity[ROW] / 2), f"row {ROW}, column propensity: .*entry of"),
    (at(ROW, propensity_kind="guess"), f"row {ROW}, column propensity_kind: guess"),
    (at(ESTIMATED, draws=-1), f"row {ESTIMATED}, column draws: -1"),
    (at(ROW, draws=9), f"row {ROW}, column draws: 9"),
    (with_table(ROW, "values", 0, np.nan), f"row {ROW}, column values"),
    (with_table(ROW, "prices", 0, np.inf), f"row {ROW}, column prices"),
    (at(ROW, policy=""), f"row {ROW}, column policy"),
    (at(ROW, policy_version=None), f"row {ROW}, column policy_version"),
    (at(OPEN, reward=1.0), f"row {OPEN}, column reward: 1 "),
    (at(ARRIVED, reward=np.inf), f"row {ARRIVED}, column reward: inf"),
    (at(NOTHING, reward=3.0), f"row {NOTHING}, column reward: 3 "),
    (at(ARRIVED, reward_ts=LOG.ts[ARRIVED] - 1), f"row {ARRIVED}, column reward_ts"),
    (at(PLACE, marginal_propensity=np.nan), f"row {PLACE}, column slate_id: .* or none"),
    (at(PLACE, position=2), f"row {PLACE}, column position: 2"),
    (at(PLACE, user_id=10**6), f"row {PLACE}, column user_id: .*one user per slate"),
    (at(ROW, user_id=-5), f"row {ROW}, column user_id: -5 .*0 or more"),
    (at(ROW, policy="greedy"), f"row {ROW}, column policy: greedy .*one policy per file"),
    (at(ROW, policy_version="2"), f"row {ROW}, column policy_version: 2 .*per file"),
    (at(PLACE, marginal_propensity=1.5), f"row {PLACE}, column marginal_propensity: 1.5"),
    (at(PLACE, propensity=LOG.propensity[PLACE] / 2), f"row {PLACE}, column propensity: .*product"),
)


@pytest.mark.parametrize(("log", "says"), DEFECTS)
def test_defects_are_refused_with_their_place(log: DecisionLog, says: str) -> None:
    with pytest.raises(InputError, match=says) as error:
        validate(log)
    assert error.value.expected


def zero_estimate() -> DecisionLog:
    row = LOG.propensities[ESTIMATED].copy()
    lost, taken = LOG.available[ESTIMATED].nonzero()[0][:2]
    if lost == LOG.column[ESTIMATED]:
        lost, taken = taken, lost
    row[taken] += row[lost]
    row[lost] = 0.0
    return at(ESTIMATED, propensities=row, propensity=row[LOG.column[ESTIMATED]])


def moved_slate() -> DecisionLog:
    """Return a slate whose two rows stand apart, at one time."""
    start = PLACE - 1
    pair = LOG.rows(slice(start, PLACE + 1))
    other = LOG.rows([ROW])
    other = replace(other, ts=pair.ts[:1], reward_ts=pair.ts[:1], matured=np.array([True]))
    other = replace(other, reward=np.array([0.0]))
    return joined([pair.rows([0]), other, pair.rows([1])])


def same_room_twice() -> DecisionLog:
    row = LOG.propensities[PLACE].copy()
    first = int(LOG.column[PLACE - 1])
    row[first], row[LOG.column[PLACE]] = row[LOG.column[PLACE]], 0.0
    return at(PLACE, action=LOG.action[PLACE - 1], propensities=row)


def empty_place() -> DecisionLog:
    nothing = np.zeros(LOG.width)
    return at(PLACE, action=-1, propensities=nothing, propensity=np.nan)


def split_in_time() -> DecisionLog:
    return replace(LOG, ts=LOG.ts + 300 * (np.arange(len(LOG)) >= PLACE), reward_ts=LOG.reward_ts)


def resumed_slate() -> DecisionLog:
    """Return a slate, another row, and a second run that calls itself the same slate."""
    pair = LOG.rows(LOG.slate_id == LOG.slate_id[PLACE])
    again = replace(pair, decision_id=np.array([f"{i}'" for i in pair.decision_id], dtype=object))
    single = LOG.rows([ROW])
    base = int(pair.ts[0])
    single = replace(single, ts=np.array([base]), reward_ts=np.array([base]))
    single = replace(single, reward=np.array([0.0]), matured=np.array([True]))
    return joined([pair, single, again])


COMPOSED: tuple[tuple[Callable[[], DecisionLog], str], ...] = (
    (zero_estimate, f"row {ESTIMATED}, column propensities: .*not seen is not impossible"),
    (moved_slate, "column position: 1 "),
    (same_room_twice, f"row {PLACE}, column action: .*once in a slate"),
    (empty_place, f"row {PLACE}, column action: -1 .*every place"),
    (split_in_time, f"row {PLACE}, column ts: .*one time per slate"),
    (resumed_slate, "column slate_id: .*one run of rows"),
)


@pytest.mark.parametrize(("make", "says"), COMPOSED)
def test_defects_of_several_columns_are_refused(make: Callable[[], DecisionLog], says: str) -> None:
    with pytest.raises(InputError, match=says):
        validate(make())


def test_a_decision_without_propensity_says_what_to_log() -> None:
    with pytest.raises(MissingCapabilityError, match=f"row {ROW}, column propensity: nothing") as e:
        validate(at(ROW, propensity=np.nan))
    assert "cannot be recovered afterwards" in e.value.hint


def test_every_rule_is_broken_by_a_defect() -> None:
    broken = set()
    logs = [log for log, _ in DEFECTS] + [make() for make, _ in COMPOSED]
    for log in [*logs, at(ROW, propensity=np.nan)]:
        with pytest.raises(GiftLiveError) as error:
            validate(log)
        broken.add((str(error.value.where).rpartition(" ")[2], error.value.expected))
    assert {(rule.column, rule.expected) for rule in RULES} <= broken


def test_columns_of_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"column reward: shape \(3,\)"):
        replace(LOG, reward=np.zeros(3))
    with pytest.raises(InputError, match="column values: shape"):
        replace(LOG, values=np.zeros((len(LOG), 2)))


def test_an_empty_log_is_a_log(tmp_path: Path) -> None:
    found = open_decisions(written(tmp_path / "d.parquet"))
    assert (found.rows, found.width, list(found.batches())) == (0, 0, [])


# Names of decisions


def test_ids_are_the_hash_of_the_key() -> None:
    """Golden: SplitMix64's finaliser chained over the words, written out in Python integers."""
    mask, golden = 2**64 - 1, 0x9E3779B97F4A7C15

    def mix(x: int) -> int:
        x &= mask
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        return x ^ (x >> 31)

    def word(half: int, key: tuple[int, int, int]) -> int:
        h = mix(derive(5, "decision id") + golden)
        for part in (half, *key):
            h = mix(h + part * golden + golden)
        return h

    key = (123_456, 7, 3)
    found = world_decision_id(5, *(np.array([k]) for k in key))[0]
    assert found == f"{word(0, key):016x}{word(1, key):016x}"


def test_distinct_keys_have_distinct_ids() -> None:
    user, visit, slot = (a.ravel() for a in np.meshgrid(range(60), range(40), range(10)))
    ids = [*world_decision_id(1, user, visit, slot), *world_decision_id(2, user, visit, slot)]
    assert len(set(ids)) == 48_000
    assert {len(name) for name in ids} == {32}
