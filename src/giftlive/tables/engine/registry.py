"""The engines by name."""

from __future__ import annotations

from pathlib import Path

from giftlive.logs.store import Store
from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.engine.spark import SparkEngine
from giftlive.tables.options import ENGINES, TableOptions

__all__ = ["ENGINES", "open_engine"]


def open_engine(store: Store, options: TableOptions, scratch: Path | None = None) -> Engine:
    """Return the engine that ``options`` ask for, over the tables of ``store``.

    Parameters
    ----------
    scratch : folder for what a Spark stage keeps (all workers of a cluster must see it);
        None = a temporary folder.

    Raises
    ------
    UsageError
        The extra ``spark`` or Java is not installed, or the master cannot be reached.
    """
    if options.engine == "duckdb":
        return DuckEngine.open(store, options.memory_limit, options.threads)
    master = options.master or f"local[{options.threads}]"
    return SparkEngine.open(store, master, options.memory_limit, scratch)
