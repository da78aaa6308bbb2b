"""A folder in KuaiLive's format, fed to a running service as a platform would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.service.memory_store import MemoryStore
from tests.service.serving import served

from giftlive.cli import options
from giftlive.client import Client
from giftlive.client.replay import Replay
from giftlive.logs.store import Store as Logs
from giftlive.run.pipeline import store_of
from giftlive.service.api.app import Service, make_app
from giftlive.service.engine import Engine, Origin, open_engine
from giftlive.service.settings import DecisiveSettings, ServiceSettings
from giftlive.service.verification import verify_log
from giftlive.world import build_world, load_scenario, write_twin

pytestmark = pytest.mark.slow

MOST = 400


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    folder = tmp_path_factory.mktemp("world") / "twin"
    scenario = load_scenario("kuailive", "0.001", {"calendar.history_days": "3"})
    write_twin(build_world(scenario, 7), folder, truth=False)
    assert (folder / "click.csv").is_file()
    cache = tmp_path_factory.mktemp("cache")
    return store_of(folder, options.resolve(None, None, None), cache)


@pytest.fixture
def service() -> Iterator[tuple[str, Engine, MemoryStore]]:
    memory, settings = MemoryStore(), DecisiveSettings()
    engine = open_engine(memory, Origin(settings), 0)
    how = ServiceSettings(decisive=settings, clock="requests")
    with served(make_app(Service(how, memory, engine, open_to_all=True))) as client:
        yield str(client.base_url), engine, memory


def _told(logs: Logs, until: int) -> dict[str, Any]:
    """Return what the log itself says happened before a time."""
    con = logs.connect()
    try:
        gifts = "select count(*), sum(amount) from gift where ts < ?"
        count, amount = con.execute(gifts, [until]).fetchone()
        rooms = con.execute("select count(*) from room where start_ts < ?", [until]).fetchone()[0]
        return {"gifts": count, "amount": int(amount or 0), "rooms": rooms}
    finally:
        con.close()


def test_a_kuailive_folder_over_http(logs: Logs, service: tuple[str, Engine, MemoryStore]) -> None:
    url, engine, memory = service
    with Client(url) as client:
        done = Replay(client, logs, seats=5).play(most=MOST)
        again = Replay(client, logs, seats=5).play(most=MOST)
    state = engine.state
    told = _told(logs, done.ts)
    assert done.decisions == state.totals.decisions == MOST
    assert told["gifts"] > 0
    assert done.amount == told["amount"]
    assert done.events == state.totals.events
    assert done.joined > 0
    assert 0 < done.shown_same <= MOST
    assert len([k for k in state.event_ids if "-gift-" in k]) == told["gifts"]
    assert len([k for k in state.event_ids if "-open-" in k]) == told["rooms"]
    # said again: the same decisions, not one event more
    assert (again.decisions, again.events) == (MOST, 0)
    assert again.shown_same == done.shown_same
    assert state.totals.decisions == MOST
    assert state.totals.duplicates == done.events
    assert verify_log(memory).decisions == MOST
