"""A service with open rooms that asks for keys, and a key of each scope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx
from tests.service import planted
from tests.service.busy_evening import hurried, now_ms, open_rooms
from tests.service.memory_store import MemoryStore
from tests.service.serving import served

from giftlive.service.api.app import Service, make_app
from giftlive.service.engine import Engine, Origin, open_engine
from giftlive.service.keys import create_key


class Keyed(NamedTuple):
    """The client holds the key of scope admin; there is one of each scope."""

    client: httpx.Client
    keys: dict[str, str]
    engine: Engine
    memory: MemoryStore

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")


@contextmanager
def keyed() -> Iterator[Keyed]:
    """Serve it until the block ends."""
    memory, settings, keys = MemoryStore(), hurried(), {}
    for scope in ("decide", "ingest", "admin"):
        keys[scope], row = create_key(scope, [scope], 0)
        memory.put_key(row)
    engine = open_engine(memory, Origin(settings.decisive, planted.values()), now_ms())
    with served(make_app(Service(settings, memory, engine))) as client:
        client.headers["Authorization"] = f"Bearer {keys['admin']}"
        open_rooms(client)
        yield Keyed(client, keys, engine, memory)
