"""Files of the decision log: those of others are checked, one's own appear whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.errors import InputError, MissingCapabilityError, UsageError
from giftlive.logs.decisions import DecisionLog, DecisionWriter, open_decisions, read_decisions
from giftlive.logs.decisions.arrow import SCHEMA, as_table
from giftlive.logs.decisions.record import joined
from giftlive.logs.store import connection
from giftlive.testing import identical, make_decisions

LOG = make_decisions(3)
ROW = int(np.argmax(LOG.available[:, 3] & LOG.shown & (LOG.position == -1)))
OPEN = int(np.argmax(~LOG.matured))


def written(path: Path, *logs: DecisionLog) -> Path:
    with DecisionWriter(path) as writer:
        for log in logs:
            writer.append(log)
    return path


# Files that somebody else wrote


def edited(path: Path, change: Callable[[Any], Any]) -> Path:
    pq.write_table(change(as_table(LOG)), path)
    return path


def without(name: str) -> Callable[[Any], Any]:
    return lambda table: table.drop_columns([name])


def column(name: str, change: Callable[[list[Any]], None], kind: Any = None) -> Any:
    def changed(table: Any) -> Any:
        entries = table.column(name).to_pylist()
        change(entries)
        data = pa.array(entries, kind or SCHEMA.field(name).type)
        return table.set_column(table.column_names.index(name), name, data)

    return changed


def put(row: int, value: Any) -> Callable[[list[Any]], None]:
    return lambda entries: entries.__setitem__(row, value)


FULL = [int(room) for room in LOG.candidates[ROW] if room >= 0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("user_id"), "no column user_id.*decision-log.md"),
        (column("ts", lambda entries: None, pa.float64()), "column ts: type double.*int64"),
        (column("user_id", put(4, None)), "row 4, column user_id: nothing"),
        (column("reward", put(OPEN, float("nan"))), f"row {OPEN}, column reward: nan.*null"),
        (column("position", put(ROW, -1)), f"row {ROW}, column position: -1.*null"),
        (column("values", put(ROW, [1.0])), f"row {ROW}, column values: 1 entries for"),
        (
            column("prices", put(ROW, [None, *[0.0] * (len(FULL) - 1)])),
            f"row {ROW}, column prices: a gap",
        ),
        (
            column("candidates", put(ROW, [*FULL[:-1], -1])),
            f"row {ROW}, column candidates: a room id -1",
        ),
        (lambda table: table.slice(0, 20).take([*range(20), 3]), "row 20, column decision_id"),
    ],
)
def test_files_of_others_are_refused_with_the_place(
    change: Callable[[Any], Any], says: str, tmp_path: Path
) -> None:
    path = edited(tmp_path / "other.parquet", change)
    with pytest.raises(InputError, match=says) as error:
        list(read_decisions(path, 8))
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("name", ["propensity", "propensities", "propensity_kind"])
def test_a_log_without_propensities_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    path = edited(tmp_path / "other.parquet", without(name))
    with pytest.raises(MissingCapabilityError, match=f"no column {name}; .*log `propensity`"):
        open_decisions(path)


def test_a_gap_in_the_propensities_says_what_to_log(tmp_path: Path) -> None:
    path = edited(tmp_path / "other.parquet", column("propensities", put(2, None)))
    with pytest.raises(MissingCapabilityError, match=r"row 2, column propensities.*log `prop"):
        list(read_decisions(path))


def test_ids_are_compared_across_batches_and_row_groups(tmp_path: Path) -> None:
    again = replace(LOG, ts=LOG.ts + 10**9, reward_ts=np.where(LOG.matured, 2 * 10**12, -1))
    with pytest.raises(InputError, match=f"row {len(LOG)}, column decision_id.*row 0"):
        written(tmp_path / "d.parquet", LOG, again)
    fresh = np.array([f"{name}'" for name in LOG.decision_id], dtype=object)
    with pytest.raises(InputError, match=r"column slate_id.*one run of rows"):
        written(tmp_path / "d.parquet", LOG, replace(again, decision_id=fresh))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["policy", "policy_version"])
def test_one_policy_per_file_also_across_batches(name: str, tmp_path: Path) -> None:
    """Each half has one policy: only who remembers the first one can refuse the second."""
    half = ROW - int(max(LOG.position[ROW], 0))
    column_ = getattr(LOG, name).copy()
    column_[half:] = "another"
    mixed = replace(LOG, **{name: column_})
    says = rf"row {half}, column {name}: another .*one {name} per file"
    with pytest.raises(InputError, match=says):
        written(tmp_path / "d.parquet", mixed.rows(slice(0, half)), mixed.rows(slice(half, None)))
    assert not list(tmp_path.iterdir())
    path = tmp_path / "other.parquet"
    pq.write_table(as_table(mixed), path)
    for batch in (half, len(LOG)):
        with pytest.raises(InputError, match=says):
            list(read_decisions(path, batch))


def test_a_reason_is_free_text(tmp_path: Path) -> None:
    """As docs/decision-log.md says: a service may have codes of its own."""
    reason = LOG.reason.copy()
    reason[ROW], reason[0] = "campaign 7", None
    told = replace(LOG, reason=reason)
    (found,) = read_decisions(written(tmp_path / "d.parquet", told))
    assert identical(found.reason, reason)


def test_a_copy_by_another_writer_reads_the_same(tmp_path: Path) -> None:
    """DuckDB names list entries otherwise; dictionaries and large types are storage, not type."""
    path = written(tmp_path / "d.parquet", LOG)
    con = connection()
    con.execute(f"copy (from '{path}') to '{tmp_path / 'duck.parquet'}' (format parquet)")
    kinds = {"policy": pa.dictionary(pa.int32(), pa.string()), "reason": pa.large_string()}
    kinds |= {"values": pa.large_list(pa.float64())}
    fields = [pa.field(f.name, kinds.get(f.name, f.type)) for f in SCHEMA]
    other = as_table(LOG).cast(pa.schema(fields)).append_column("note", pa.array(LOG.ts))
    pq.write_table(other, tmp_path / "large.parquet")
    for name in ("duck", "large"):
        parts = list(read_decisions(tmp_path / f"{name}.parquet", 50))
        assert identical(joined(parts), LOG)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"user_id,ts\n1,2\n"])
def test_what_is_no_parquet_file_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"d\.parquet: not readable"):
        open_decisions(path)
    with pytest.raises(InputError, match="not readable"):
        open_decisions(tmp_path / "absent.parquet")


def test_batches_have_rows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="batch_rows"):
        list(read_decisions(written(tmp_path / "d.parquet", LOG), 0))


# Whole or not at all


def interrupted(path: Path) -> None:
    with DecisionWriter(path) as writer:
        writer.append(LOG)
        raise ZeroDivisionError


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = written(tmp_path / "d.parquet", LOG)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        interrupted(path)
    with pytest.raises(InputError, match=rf"row {len(LOG)}, column ts.*order"):
        written(path, LOG, LOG.rows([0]))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["d.parquet"]


def test_the_place_of_a_bad_row_is_that_in_the_file(tmp_path: Path) -> None:
    slot = np.where(np.arange(len(LOG)) == ROW, -1, LOG.slot)
    bad = replace(LOG, slot=slot)
    edge = ROW - int(max(LOG.position[ROW], 0))
    with pytest.raises(InputError, match=rf"d\.parquet, row {ROW}, column slot"):
        written(tmp_path / "d.parquet", bad.rows(slice(0, edge)), bad.rows(slice(edge, None)))


def test_a_killed_writer_leaves_no_log(tmp_path: Path) -> None:
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from giftlive.logs.decisions import DecisionWriter\n"
        "from giftlive.testing.logged import make_decisions\n"
        f"with DecisionWriter(Path({str(tmp_path / 'd.parquet')!r})) as writer:\n"
        "    writer.append(make_decisions(1, 20))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -9
    assert not (tmp_path / "d.parquet").exists()
    assert all(p.name.startswith(".") for p in tmp_path.iterdir())  # hidden, never mistaken


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written.*a folder that exists"):
        written(tmp_path / "no" / "d.parquet", LOG)
