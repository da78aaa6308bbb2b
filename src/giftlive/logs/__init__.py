"""What happened: event tables with one schema, one reader per data set, rejects, and the store.

A reader turns a folder (or zip) somebody downloaded into the Parquet tables of
:mod:`giftlive.logs.schema`; everything above this layer sees a :class:`Store` only.
"""

from giftlive.logs.ingest import ingest
from giftlive.logs.source import Source
from giftlive.logs.store import Store

__all__ = ["Source", "Store", "ingest"]
