"""The log: SQLite in a file by default, PostgreSQL by URL; the same tests hold for both."""

from giftlive.service.store.open_store import open_store
from giftlive.service.store.protocol import Compose, KeyRow, Store

__all__ = ["Compose", "KeyRow", "Store", "open_store"]
