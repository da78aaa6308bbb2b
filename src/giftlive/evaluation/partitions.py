"""The same work on many pieces, by worker processes here or by the executors of Spark."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from joblib import Parallel, delayed

from giftlive.tables.engine.spark import require_spark, spark_session

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


@contextmanager
def in_order(
    work: Callable[[TaskT], ResultT], tasks: Sequence[TaskT], jobs: int, master: str | None = None
) -> Iterator[Iterator[ResultT]]:
    """Hand out the results of tasks in their order, one after the other, whoever is done first.

    Parameters
    ----------
    work : importable where it is run. jobs : worker processes of joblib, where no master is named.
    master : of a Spark cluster, ``local[2]`` for one here: every task is a partition of its own,
        and the driver holds one result at a time.

    Raises
    ------
    UsageError
        PySpark or Java is missing.
    """
    if master is None:
        parallel = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs")
        yield parallel(delayed(work)(task) for task in tasks)
        return
    require_spark()
    with tempfile.TemporaryDirectory(prefix="giftlive-spark-") as scratch:
        session: Any = spark_session(master, "1GB", Path(scratch))
        try:
            pieces = session.sparkContext.parallelize(tasks, max(1, len(tasks)))
            yield pieces.map(work).toLocalIterator()
        finally:
            session.stop()
