"""Apache Spark, local or a cluster: the same SQL text where one machine is not enough.

The master decides where the work is done; the store, the output and the scratch folder must be
visible to every worker. A stage is computed once and kept as Parquet in the scratch folder: its
plan is cut there, so that a chain of stages stays a chain of short queries.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from giftlive.errors import UsageError, install_hint
from giftlive.logs.schema import TABLES, TableSchema
from giftlive.logs.store import Store
from giftlive.tables.engine.protocol import numpy_columns

_TYPES = {"VARCHAR": "string", "BIGINT[]": "array<bigint>", "DOUBLE[]": "array<double>"}
_LOCAL_PARTITIONS = 4
_MEGABYTES = {"MB": 1, "GB": 1024}
_LOGGING = Path(__file__).with_name("log4j2.properties")


@dataclass(frozen=True)
class SparkEngine:
    """An :class:`Engine <giftlive.tables.engine.protocol.Engine>` on one Spark session."""

    session: Any
    scratch: Path
    master: str
    name: str = "spark"
    staged: dict[str, Path] = field(default_factory=dict)

    @staticmethod
    def open(
        store: Store,
        master: str = "local[2]",
        memory_limit: str = "2GB",
        scratch: Path | None = None,
    ) -> SparkEngine:
        """Start a session over the tables of ``store``.

        Parameters
        ----------
        master : Spark master URL, such as "local[2]" or "spark://host:7077".
        memory_limit : of the driver, which in local mode does all the work.
        scratch : folder in which to make one for stages; None = the system's temporary folder.

        Raises
        ------
        UsageError
            The extra ``spark`` or Java is not installed, or the master cannot be reached.
        """
        require_spark()
        kept = Path(tempfile.mkdtemp(prefix="giftlive-spark-", dir=scratch)).absolute()
        try:
            with _one_sentence(master):
                engine = SparkEngine(spark_session(master, memory_limit, kept), kept, master)
                for schema in TABLES.values():
                    engine._view_of(store, schema)
        except BaseException:
            shutil.rmtree(kept, ignore_errors=True)
            raise
        return engine

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a result that fits on a page."""
        with _one_sentence(self.master):
            return [tuple(row) for row in self.session.sql(sql).collect()]

    def columns(self, sql: str) -> dict[str, NDArray[Any]]:
        """Return a result that fits in memory, as one array per column."""
        with _one_sentence(self.master):
            return numpy_columns(self.session.sql(sql).toArrow())

    def batches(self, sql: str) -> Iterator[Any]:
        """Yield record batches, read back from parts that the workers wrote."""
        folder, _ = self._written(sql)
        yield from _batches(folder)
        shutil.rmtree(folder)

    def stage(self, name: str, select: str) -> None:
        """Keep a query's rows as Parquet parts behind a view."""
        folder, schema = self._written(select)
        self._view(name, folder, schema)
        self.staged[name] = folder

    def read(self, name: str) -> Iterator[Any]:
        """Yield record batches from the parts of a stage."""
        yield from _batches(self.staged[name])

    def drop(self, name: str) -> None:
        """Remove the view and the parts behind it."""
        with _one_sentence(self.master):
            self.session.catalog.dropTempView(name)
        shutil.rmtree(self.staged.pop(name))

    def put(self, name: str, table: Any) -> None:
        """Keep an Arrow table as a Parquet file behind a view."""
        import pyarrow.parquet as pq

        folder = self._new_folder()
        folder.mkdir()
        pq.write_table(table, folder / "part-00000.parquet")
        with _one_sentence(self.master):
            schema = self.session.read.parquet(_url(folder)).schema
        self._view(name, folder, schema)

    def write(self, select: str, file: Path) -> None:
        """Write one Parquet file: readers need not know which engine wrote it."""
        import pyarrow.parquet as pq

        folder, _ = self._written(select)
        parts = _parts(folder)
        schema = pq.read_schema(parts[0]).remove_metadata()
        with pq.ParquetWriter(file, schema) as whole:
            for part in parts:
                with pq.ParquetFile(part) as piece:
                    for group in range(piece.num_row_groups):
                        whole.write_table(piece.read_row_group(group).cast(schema))
        shutil.rmtree(folder)

    def close(self) -> None:
        """Stop the session and remove what its stages kept."""
        with _one_sentence(self.master):
            self.session.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _view_of(self, store: Store, schema: TableSchema) -> None:
        """Make a table of the store a view with exactly the schema's columns."""
        ddl = ", ".join(f"`{c.name}` {_TYPES.get(c.type, c.type)}" for c in schema.columns)
        file = store.file(schema.name)
        if file.is_file():
            self._view(schema.view, file.absolute(), ddl)
        else:
            self.session.createDataFrame([], ddl).createOrReplaceTempView(schema.view)

    def _view(self, name: str, path: Path, schema: Any) -> None:
        with _one_sentence(self.master):
            rows = self.session.read.schema(schema).parquet(_url(path))
            rows.createOrReplaceTempView(name)

    def _written(self, select: str) -> tuple[Path, Any]:
        folder = self._new_folder()
        with _one_sentence(self.master):
            rows = self.session.sql(select)
            rows.write.parquet(_url(folder, pattern=False))
            return folder, rows.schema

    def _new_folder(self) -> Path:
        return self.scratch / uuid.uuid4().hex


def spark_session(master: str, memory_limit: str, scratch: Path) -> Any:
    """Return a session on ``master`` whose files lie in ``scratch``; whoever opens it stops it."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.driver.memory": f"{_megabytes(memory_limit)}m",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_LOGGING}",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.ansi.doubleQuotedIdentifiers": "true",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if master.startswith("local"):
        settings["spark.sql.shuffle.partitions"] = str(_LOCAL_PARTITIONS)
        settings["spark.driver.host"] = settings["spark.driver.bindAddress"] = "127.0.0.1"
        settings["spark.local.dir"] = str(scratch)
    builder = SparkSession.builder.master(master).appName("giftlive")
    for key, value in settings.items():
        builder = builder.config(key, value)
    with warnings.catch_warnings():
        # rows leave Spark as Arrow: which pandas is installed does not matter
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        return builder.getOrCreate()


def _megabytes(limit: str) -> int:
    return int(float(limit[:-2]) * _MEGABYTES[limit[-2:]])


def require_spark() -> None:
    """Refuse, with what to install, where PySpark or Java is missing."""
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "PySpark is not installed",
            "engine spark",
            "the extra `spark`",
            install_hint("spark"),
        ) from error
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise UsageError(
            "there is no Java",
            "engine spark",
            "Java 17 or later, on PATH or at JAVA_HOME",
            "install a Java runtime (Debian: apt-get install default-jre-headless)",
        )


@contextmanager
def _one_sentence(master: str) -> Iterator[None]:
    """Turn what Spark or its Java process raises into one error of GiftLive."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:
        raise UsageError(
            f"Spark failed: {_cause(str(error).splitlines())}",
            f"engine spark, master {master}",
            "a master that answers, and workers that see the store and the output folder",
            "the same tables come from `--engine duckdb`",
        ) from error


def _cause(lines: Iterable[str]) -> str:
    """Return the line of a Java trace that says what happened."""
    said = [line.lstrip(": ").strip() for line in lines]
    named = [line for line in said if line and not line.startswith("An error occurred while")]
    return named[0] if named else "without a word"


def _batches(folder: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    for part in _parts(folder):
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches()


def _parts(folder: Path) -> list[Path]:
    """Return the files of a written result in its order: Spark numbers parts as they are sorted."""
    return sorted(folder.glob("part-*.parquet"))


def _url(path: Path, *, pattern: bool = True) -> str:
    """Return a local path for Spark, which reads a path as a pattern and writes it as it is."""
    text = str(path)
    if pattern:
        text = "".join(f"\\{c}" if c in "*?[]{}\\" else c for c in text)
    return f"file:{text}"
