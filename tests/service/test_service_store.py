"""The log: one order, exact bodies, nothing twice, both databases alike."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from giftlive.errors import IntegrityError, UnavailableError, UsageError
from giftlive.service.record import Logged, Record, pack, unpack
from giftlive.service.store import KeyRow, Store, open_store


def _write(store: Store, after: int, *records: Record) -> tuple[list[Logged], list[Logged]]:
    return store.commit(after, lambda others, ts: records)


def test_what_is_written_is_read_exactly(store: Store) -> None:
    odd = {"x": np.array([0.1, -0.0, np.inf, 5e-324]), "i": np.array([2**63 - 1, -1])}
    others, mine = _write(
        store, 0, Record("a", 5, {"t": "ü", "f": 0.1}, odd), Record("b", 6, {}, key="k")
    )
    assert others == []
    assert [m.seq for m in mine] == [1, 2]
    first, second = store.read(0, 10)
    assert first.record.meta == {"t": "ü", "f": 0.1}
    assert {n: a.tobytes() for n, a in first.record.arrays.items()} == {
        n: a.tobytes() for n, a in odd.items()
    }
    assert (second.seq, second.ts, second.record.kind, second.record.key) == (2, 6, "b", "k")
    assert store.last() == (2, 6)
    found = store.find("k")
    assert found is not None
    assert found.seq == 2
    assert store.get(3) is None
    assert store.find("nobody") is None


def test_reading_goes_on_where_it_stopped(store: Store) -> None:
    _write(store, 0, *(Record("a", ts, {}) for ts in (10, 10, 20, 30)))
    assert [r.seq for r in store.read(1, 2)] == [2, 3]
    assert [store.seq_at(ts) for ts in (10, 11, 20, 21, 99)] == [0, 2, 2, 3, 4]


def test_a_second_writer_is_told_what_the_first_wrote(url: str) -> None:
    one, two = open_store(url), open_store(url)
    _write(one, 0, Record("a", 1, {"n": 1}))
    told: list[Sequence[Logged]] = []

    def compose(others: Sequence[Logged], last_ts: int) -> list[Record]:
        told.append(others)
        return [Record("a", last_ts + 1, {"n": 2})]

    others, mine = two.commit(0, compose)
    assert [o.record.meta for o in others] == [o.record.meta for o in told[0]] == [{"n": 1}]
    assert (mine[0].seq, mine[0].ts) == (2, 2)
    one.close()
    two.close()


def test_writers_at_once_leave_one_gapless_order(url: str) -> None:
    stores = [open_store(url) for _ in range(3)]
    errors: list[BaseException] = []

    def write(store: Store, name: int) -> None:
        try:
            for n in range(20):
                _write(store, 10**9, Record("a", 0, {"by": name, "n": n}))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(s, k)) for k, s in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = stores[0].read(0, 1000)
    assert [r.seq for r in found] == list(range(1, 61))
    for k in range(3):
        assert [r.record.meta["n"] for r in found if r.record.meta["by"] == k] == list(range(20))
    for store in stores:
        store.close()


def test_a_group_is_written_whole_or_not_at_all(store: Store) -> None:
    _write(store, 0, Record("a", 1, {}, key="k"))
    with pytest.raises(UnavailableError):
        _write(store, 1, Record("a", 2, {}), Record("a", 3, {}, key="k"))
    assert store.last() == (1, 1)
    _write(store, 1, Record("a", 4, {}))
    assert store.last() == (2, 4)


def test_an_error_while_composing_leaves_the_store_usable(store: Store) -> None:
    def compose(others: Sequence[Logged], last_ts: int) -> list[Record]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.commit(0, compose)
    assert store.last() == (0, 0)
    _write(store, 0, Record("a", 1, {}))
    assert store.last() == (1, 1)


def test_keys_are_kept_and_revoked(store: Store) -> None:
    store.put_key(KeyRow("a", "shop", "d", "decide", 5))
    assert store.revoke_key("a", 7)
    assert not store.revoke_key("a", 8)
    assert not store.revoke_key("b", 8)
    assert store.all_keys() == [KeyRow("a", "shop", "d", "decide", 5, 7)]


@pytest.mark.parametrize("url", ["", "mysql://x", "sqlite:///", "sqlite://log.db"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--db"):
        open_store(url)


def test_a_folder_that_is_not_there_is_said() -> None:
    with pytest.raises(UnavailableError, match="unable to open"):
        open_store("sqlite:////nowhere/at/all/log.db")


@pytest.mark.parametrize("cut", [0, 3, 5, -1])
def test_a_torn_body_is_not_a_record(cut: int) -> None:
    body = pack(Record("a", 1, {"x": 1}, {"y": np.arange(3)}))
    with pytest.raises(IntegrityError):
        unpack("a", 1, None, body[:cut])
    with pytest.raises(IntegrityError):
        unpack("a", 1, None, body + b"x")
