"""Both engines, the same text: equal rows, equal files; and one sentence where Spark fails."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.spark import needs_spark

from giftlive.errors import UsageError
from giftlive.logs.schema import TABLES
from giftlive.logs.store import Store
from giftlive.tables import TableOptions, build_tables
from giftlive.tables.build import features_of
from giftlive.tables.engine import DuckEngine, Engine, SparkEngine, open_engine
from giftlive.tables.labels import attribution
from giftlive.tables.staging import stage_decisions

MakeStore = Callable[..., Store]
LARGEST = 2**63 - 1
HOUR, DAY = 3_600_000, 86_400_000

RELATIONS = {
    "member": "row_id",
    "label": "row_id",
    "local_time": "slot_ts",
    "code": "feature, value",
    "room_category": "live_id",
    "sample": "sample_id",
}


def evening(make_store: MakeStore, **changes: Any) -> Store:
    """Return a store with twins, equal times, an empty day, the largest id and every table."""
    rng = np.random.default_rng(5)
    days = rng.choice([0, 1, 3, 4], 120)
    times = (days * DAY + rng.integers(0, 40, 120) * HOUR // 2).tolist()
    users, streamers = rng.integers(0, 6, 120).tolist(), rng.integers(0, 4, 120).tolist()
    clicks = [
        (u, 100 * s + t // DAY, s, t, 1_000 * i)
        for i, (u, s, t) in enumerate(zip(users, streamers, times, strict=True))
    ]
    clicks += [*clicks[:5], (LARGEST, LARGEST, LARGEST, DAY, 500)]
    gifts = [(*c[:3], c[3] + 7_000 * (i % 3), 1 + i) for i, c in enumerate(clicks[::4])]
    gifts += [(LARGEST, LARGEST, LARGEST, DAY, 10**12), (3, 77, 77, 5, 2)]
    acts = [c[:4] for c in clicks]
    rooms = [
        {
            "live_id": live,
            "streamer_id": live // 100,
            "start_ts": live % 100 * DAY - 1_000 if live % 100 else 0,
            "live_type": live % 3,
            "category": ("Song", "unknown", "Dancing & more", None)[live % 4],
        }
        for live in sorted({c[1] for c in clicks[:-1]})
    ]
    people = [
        {"user_id": u, "age": f"{10 * u}-{10 * u + 9}", "is_photo_author": u % 2} for u in range(5)
    ]
    return make_store(
        clicks,
        gifts,
        anonymous=[(-1, 100, 1, DAY, 9), (-1, 203, 2, 3 * DAY, 4)],
        comments=acts[::3],
        likes=acts[::5],
        negatives=[(u, live + 1, s, t) for u, live, s, t in acts[::2]],
        rooms=rooms + rooms[:2],
        users=people,
        streamers=[{"streamer_id": s, "gender": "FM"[s % 2]} for s in range(4)],
        **changes,
    )


def staged(engine: Engine, store: Store, options: TableOptions) -> dict[str, Any]:
    """Return every staged relation as an Arrow table, the balance and the codes."""
    codes = stage_decisions(engine, store.source, options, features_of(store.source, options))
    found: dict[str, Any] = {
        name: pa.Table.from_batches(
            list(engine.batches(f"select * from {name} order by {order}")),
        )
        for name, order in RELATIONS.items()
    }
    found["balance"] = attribution(engine, options.unit_of(store.source), options)
    found["codes"] = codes
    return found


def assert_equal_rows(one: Any, other: Any) -> None:
    """Equal names, types and values; an engine may declare a column nullable or not."""
    types = [pa.schema([field.with_nullable(True) for field in t.schema]) for t in (one, other)]
    assert types[0].remove_metadata() == types[1].remove_metadata()
    for name in one.column_names:
        assert one[name].to_pylist() == other[name].to_pylist(), name


def test_every_table_of_the_schema_is_a_view(make_store: MakeStore) -> None:
    engine = DuckEngine.open(make_store([(1, 10, 5, 0, 9)]), threads=1)
    for schema in TABLES.values():
        assert tuple(engine.columns(f"select * from {schema.view}")) == schema.column_names
    assert engine.rows("select count(*) from gift") == [(0,)]
    engine.close()


def test_duckdb_keeps_puts_reads_and_writes(make_store: MakeStore, tmp_path: Path) -> None:
    options = TableOptions(threads=1)
    engine = open_engine(make_store([(1, 10, 5, 0, 9)]), options)
    engine.put("n", pa.table({"i": np.arange(200_000)}))
    engine.stage("n", "select i + 1 as i from n")
    read = engine.batches("select i from n order by i desc")
    first = next(read)["i"][0].as_py()
    engine.stage("n", "select i from n where i <= 3")  # while the batches are read
    assert first + sum(len(batch) for batch in read) > 200_000
    engine.write("select i from n order by i desc", tmp_path / "it's.parquet")
    assert pq.read_table(tmp_path / "it's.parquet")["i"].to_pylist() == [3, 2, 1]
    engine.close()


@pytest.fixture(scope="module")
def kept_stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark [odd] *name")


@pytest.fixture
def spark(make_store: MakeStore, tmp_path: Path) -> Iterator[SparkEngine]:
    engine = SparkEngine.open(make_store([(1, 10, 5, 0, 9)]), "local[2]", scratch=tmp_path)
    yield engine
    engine.close()
    assert list(tmp_path.iterdir()) == []


@needs_spark
@pytest.mark.slow
def test_spark_keeps_puts_reads_and_writes(spark: SparkEngine, tmp_path: Path) -> None:
    for schema in TABLES.values():
        assert tuple(spark.columns(f"select * from {schema.view}")) == schema.column_names
    assert spark.rows("select user_id, ts from click") == [(1, 0)]
    spark.put("n", pa.table({"i": np.arange(50_000), "word": ["a", None] * 25_000}))
    spark.stage("n", "select i + 1 as i, word from n")
    read = spark.batches("select i from n order by i desc")
    assert sum(len(batch) for batch in read) == 50_000
    spark.write("select i, word from n order by i desc", tmp_path / "it's [1].parquet")
    written = pq.read_table(tmp_path / "it's [1].parquet")
    assert written["i"].to_pylist() == list(range(50_000, 0, -1))
    assert written["word"].null_count == 25_000
    (tmp_path / "it's [1].parquet").unlink()
    spark.stage("nobody", "select i from n where i < 0")
    assert spark.columns("select * from nobody")["i"].shape == (0,)
    with pytest.raises(UsageError, match=r"Spark failed: .*no_such_table.*engine"):
        spark.rows("select * from no_such_table")
    with pytest.raises(UsageError, match="Spark failed"):
        spark.stage("broken", "select cast('one' as bigint) as i from n")


@needs_spark
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "tz"),
    [
        (TableOptions(), "Asia/Shanghai"),
        (TableOptions(unit="click", as_of="day"), "America/Sao_Paulo"),
        (TableOptions(session_gap_ms=HOUR, dwell_seconds=10), "America/New_York"),
        (TableOptions(attribution_window_ms=None, unit="gift"), "Asia/Kathmandu"),
    ],
    ids=["session", "click", "dwell", "gift"],
)
def test_spark_stages_what_duckdb_stages(
    make_store: MakeStore, options: TableOptions, tz: str
) -> None:
    store = evening(make_store, tz=tz)
    duck, spark = DuckEngine.open(store, threads=1), SparkEngine.open(store, "local[2]")
    try:
        one, other = staged(duck, store, options), staged(spark, store, options)
    finally:
        duck.close()
        spark.close()
    assert one["balance"] == other["balance"]
    assert one["codes"] == other["codes"]
    for name in RELATIONS:
        assert len(one[name]) > 0
        assert_equal_rows(one[name], other[name])


@needs_spark
@pytest.mark.slow
def test_spark_builds_what_duckdb_builds(make_store: MakeStore, tmp_path: Path) -> None:
    store = evening(make_store)
    here = build_tables(store, tmp_path / "duckdb", TableOptions(form="portable", threads=1))
    there = build_tables(store, tmp_path / "spark", TableOptions(engine="spark"))
    assert (here.rows, here.features) == (there.rows, there.features)
    for name in ("attribution.json", "dictionary.json"):
        texts = [(tmp_path / engine / name).read_text() for engine in ("duckdb", "spark")]
        assert texts[0] == texts[1].replace("sql on spark", "sql on duckdb")
    labels = [pq.read_table(tmp_path / e / "labels.parquet") for e in ("duckdb", "spark")]
    assert_equal_rows(*labels)
    one, other = (pq.read_table(tmp_path / e / "samples") for e in ("duckdb", "spark"))
    assert one.column_names == other.column_names
    for name in one.column_names:
        assert one.schema.field(name).type == other.schema.field(name).type, name
        a, b = one[name].to_numpy(), other[name].to_numpy()
        if a.dtype == np.float64:
            assert np.all(np.abs(a - b) <= 1e-9 * np.maximum(1.0, np.abs(a))), name
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


@needs_spark
@pytest.mark.slow
def test_spark_reads_a_path_as_it_is_written(make_store: MakeStore, kept_stores: Path) -> None:
    plain = make_store([(1, 10, 5, 0, 9), (2, 10, 5, 0, 9)])
    shutil.copytree(plain.folder, kept_stores / "a{b}")
    engine = SparkEngine.open(Store.open(kept_stores / "a{b}"), "local[1]")
    assert engine.rows("select count(*) from click") == [(2,)]
    engine.close()


@needs_spark
@pytest.mark.slow
def test_a_master_that_is_none_is_said_in_one_sentence(make_store: MakeStore) -> None:
    with pytest.raises(UsageError, match=r"master ghost://nowhere: Spark failed: .*ghost"):
        SparkEngine.open(make_store([(1, 10, 5, 0, 9)]), "ghost://nowhere")


def test_what_is_not_installed_is_named(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store([(1, 10, 5, 0, 9)])
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match="run `scripts/setup spark`"):
        open_engine(store, TableOptions(engine="spark"))
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="there is no Java"):
        open_engine(store, TableOptions(engine="spark"))


def test_a_query_that_is_too_large_for_two_threads_runs_on_one() -> None:
    import duckdb

    class Tight:
        """A connection whose memory is enough for one thread."""

        def __init__(self) -> None:
            self.con = duckdb.connect(config={"threads": 2})

        def execute(self, sql: str) -> Any:
            ((threads,),) = self.con.execute("select current_setting('threads')").fetchall()
            if sql.startswith("create") and threads > 1:
                raise duckdb.OutOfMemoryException("too large")
            return self.con.execute(sql)

    engine = DuckEngine(Tight())
    engine.stage("one", "select 1 as x")
    assert engine.rows("select x from one") == [(1,)]
    assert engine.rows("select current_setting('threads')") == [(2,)]
