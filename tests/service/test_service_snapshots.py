"""A restart from a snapshot: the state of the whole log to the bit, or the snapshot is ignored."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import EXPLORING, T0

from giftlive.errors import IdentityError, InputError, UsageError
from giftlive.service import applying
from giftlive.service import engine as engines
from giftlive.service import snapshots as kept
from giftlive.service.deciding import Request
from giftlive.service.engine import Origin, first_state, open_engine
from giftlive.service.frozen_state import frozen, thawed
from giftlive.service.local import LocalService
from giftlive.service.server import Serving, write_snapshot
from giftlive.service.settings import ServiceSettings
from giftlive.service.snapshots import Snapshots
from giftlive.service.store import Store, open_store
from giftlive.service.verification import verify_log

ORIGIN = Origin(EXPLORING, planted.values())
CALLS = list(planted.day(3, 200))


def _service(store: Store) -> LocalService:
    service = LocalService.open(store, ORIGIN, T0)
    service.hear(planted.rooms(8, seats=4), T0)
    service.switch({"shadow": {"name": "room_thompson"}, "because": "a shadow"})
    return service


def _play(service: LocalService, calls: list[Any]) -> None:
    for call, what, ts in calls:
        if call == "decide":
            service.decide(what, ts)
        else:
            service.hear(what, ts)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> tuple[MemoryStore, Path, str]:
    """A log, the folder of a snapshot from its middle, and the digest at its end."""
    store, folder = MemoryStore(), tmp_path_factory.mktemp("kept") / "snapshots"
    service = _service(store)
    _play(service, CALLS[:120])
    Snapshots(folder).write(service.state, store)
    _play(service, CALLS[120:])
    service.swap(planted.values(1))
    service.tick(service.state.ts + 5_000)
    return store, folder, service.state.digest()


@pytest.fixture
def copied(evening: tuple[MemoryStore, Path, str], tmp_path: Path) -> Snapshots:
    """The evening's snapshots, to be harmed."""
    import shutil

    shutil.copytree(evening[1], tmp_path / "snapshots")
    return Snapshots(tmp_path / "snapshots")


def _applied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of the records applied from now on."""
    numbers: list[int] = []
    plain = applying.apply

    def apply(state: Any, logged: Any) -> Any:
        numbers.append(logged.seq)
        return plain(state, logged)

    monkeypatch.setattr(engines, "apply", apply)
    return numbers


def test_only_the_tail_is_replayed_and_the_state_is_the_same(
    evening: tuple[MemoryStore, Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, folder, digest = evening
    (seq, _), *_ = Snapshots(folder).found()
    numbers = _applied(monkeypatch)
    again = open_engine(store, ORIGIN, T0, Snapshots(folder))
    assert numbers == list(range(seq + 1, store.last()[0] + 1))
    assert again.state.digest() == digest
    assert verify_log(store, None, Snapshots(folder)).snapshots == 1


def test_what_follows_a_restart_is_what_would_have_followed(tmp_path: Path) -> None:
    """Not only the digest: heaps, capacities, caches that it does not see."""
    digests, answers = [], []
    for restarts in (False, True):
        store, kept_here = MemoryStore(), Snapshots(tmp_path / str(restarts))
        service = _service(store)
        _play(service, CALLS[:100])
        if restarts:
            kept_here.write(service.state, store)
            service = LocalService(store, open_engine(store, ORIGIN, T0, kept_here))
        _play(service, CALLS[100:])
        answers.append([service.decide(Request(f"x{k}", k), T0 + 10**7) for k in range(9)])
        service.tick(T0 + 10**8)
        digests.append(service.state.digest())
    assert answers[0] == answers[1]
    assert digests[0] == digests[1]


def _truncate(place: Path) -> None:
    body = (place / "state.bin").read_bytes()
    (place / "state.bin").write_bytes(body[: len(body) // 2])


def _flip(place: Path) -> None:
    file = next((place / "online").glob("*.npy"))
    body = bytearray(file.read_bytes())
    body[-1] ^= 1
    file.write_bytes(body)


def _about(place: Path, **change: Any) -> None:
    about = json.loads((place / "snapshot.json").read_text())
    (place / "snapshot.json").write_text(json.dumps(about | change))


def _break(place: Path) -> None:
    (place / "snapshot.json").write_text("{")


HARMED: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (_truncate, "state.bin is harmed"),
    "a bit of a feature": (_flip, "digest"),
    "another form": (lambda place: _about(place, form=0), "form 0 of"),
    "other code": (lambda place: _about(place, code="0.0.0"), "of 0.0.0"),
    "another number": (lambda place: _about(place, seq=3), "snapshot.json is harmed"),
    "no description": (lambda place: (place / "snapshot.json").unlink(), "cannot be read"),
    "not JSON": (_break, "cannot be read"),
    "no state": (lambda place: (place / "state.bin").unlink(), "state.bin"),
}


@pytest.mark.parametrize("name", list(HARMED))
def test_one_that_is_harmed_is_ignored_with_one_line(
    name: str,
    evening: tuple[MemoryStore, Path, str],
    copied: Snapshots,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, _, digest = evening
    harm, said = HARMED[name]
    harm(copied.found()[0][1])
    numbers = _applied(monkeypatch)
    with caplog.at_level(logging.WARNING, "giftlive.service"):
        again = open_engine(store, ORIGIN, T0, copied)
    assert again.state.digest() == digest
    assert numbers[0] == 2
    assert len(caplog.records) == 1
    assert said in caplog.records[0].fields["why"]  # type: ignore[attr-defined]


def test_an_older_one_is_used_where_the_newest_is_harmed(
    evening: tuple[MemoryStore, Path, str], copied: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _, digest = evening
    (seq, _), *_ = copied.found()
    newer = copied.write(open_engine(store, ORIGIN, T0).state, store)
    _truncate(newer)
    numbers = _applied(monkeypatch)
    assert open_engine(store, ORIGIN, T0, copied).state.digest() == digest
    assert numbers[0] == seq + 1


def test_one_of_another_log_is_ignored(evening: tuple[MemoryStore, Path, str]) -> None:
    other = MemoryStore()
    _play(service := _service(other), list(planted.day(4, 200)))
    again = open_engine(other, ORIGIN, T0, Snapshots(evening[1]))
    assert again.state.digest() == service.state.digest()


def test_a_state_that_is_not_what_its_digest_says_is_refused(
    evening: tuple[MemoryStore, Path, str], copied: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files may be whole and yet hold another state: by a defect of what wrote them."""
    store = evening[0]
    state = open_engine(store, ORIGIN, T0).state
    monkeypatch.setattr(state, "digest", lambda: "0" * 32)
    place = copied.write(state, store)
    with pytest.raises(InputError, match="another state"):
        copied.read(place, first_state(store), store)
    with pytest.raises(IdentityError, match="in its snapshot"):
        verify_log(store, None, copied)


def test_no_more_than_a_few_stay(tmp_path: Path) -> None:
    store, folder = MemoryStore(), Snapshots(tmp_path)
    service = _service(store)
    for k in range(4):
        service.tick(T0 + 10_000 * (k + 1))
        folder.write(service.state, store)
    numbers = [seq for seq, _ in folder.found()]
    assert numbers == [service.state.seq, service.state.seq - 1]
    assert len(numbers) == kept.KEPT
    assert len(list(tmp_path.iterdir())) == kept.KEPT


def test_the_end_of_the_service_keeps_one(tmp_path: Path, sqlite: Store) -> None:
    pytest.importorskip("fastapi")
    from tests.service.serving import served

    from giftlive.service.api.app import Service, make_app

    here = Snapshots(tmp_path / "kept")
    engine = open_engine(sqlite, ORIGIN, T0)
    settings = ServiceSettings(decisive=EXPLORING)
    app = make_app(Service(settings, sqlite, engine, open_to_all=True, snapshots=here))
    with served(app) as client:
        for k in range(5):
            body = {"request_id": f"r{k}", "user_id": k, "candidates": [1, 2]}
            assert client.post("/v1/decisions", json=body).status_code == 200
    store = open_store(f"sqlite:///{tmp_path / 'log.db'}")
    found = verify_log(store, None, here)
    assert found.decisions == 5
    assert found.snapshots == 1
    assert here.found()[0][0] == store.last()[0]
    assert open_engine(store, ORIGIN, T0, here).state.digest() == found.digest
    store.close()


def test_a_command_keeps_one_and_is_refused_without_a_log(tmp_path: Path, sqlite: Store) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    serving = Serving(ServiceSettings(), url)
    with pytest.raises(UsageError, match="an empty log"):
        write_snapshot(serving)
    _play(service := _service(sqlite), CALLS[:20])
    for _ in range(2):
        assert write_snapshot(serving)["seq"] == service.state.seq
    assert len(Snapshots(tmp_path / "log.db.snapshots").found()) == 1
    with pytest.raises(UsageError, match="no folder for snapshots"):
        write_snapshot(Serving(ServiceSettings(), "postgresql://nobody@127.0.0.1:1/none"))


def test_bytes_cannot_call_anything(evening: tuple[MemoryStore, Path, str]) -> None:
    class Planted:
        def __reduce__(self) -> Any:
            return Path.touch, (Path("called"),)

    class Short:
        def __reduce__(self) -> Any:
            return np.frombuffer(b"", "u1").__reduce_ex__(5)[0], (b"abc", np.dtype("f8"), (1,), "C")

    state = first_state(evening[0])
    planted_bodies = [pickle.dumps(x) for x in (Planted(), {"totals": print}, Short())]
    for body in (*planted_bodies, b"", frozen(state)[:50]):
        with pytest.raises(InputError, match="not a state"):
            thawed(body, state, state.vectors.online)
