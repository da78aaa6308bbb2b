"""Where the SQL runs: DuckDB on one machine, Spark on one or many; the same text, equal rows."""

from giftlive.tables.engine.duck import DuckEngine
from giftlive.tables.engine.protocol import Engine
from giftlive.tables.engine.registry import ENGINES, open_engine
from giftlive.tables.engine.spark import SparkEngine

__all__ = ["ENGINES", "DuckEngine", "Engine", "SparkEngine", "open_engine"]
