"""Real donations: the facts a source without clicks supports, on real rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from giftlive.facts import FactBook, compute_facts
from giftlive.logs.ingest import ingest
from giftlive.logs.store import Store

GDQ = Path(__file__).resolve().parents[3] / "shared" / "data" / "gdq"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not GDQ.is_dir(), reason="the shared data folder with gdq is not there"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return ingest(GDQ, tmp_path_factory.mktemp("gdq") / "store")


@pytest.fixture(scope="module")
def book(store: Store) -> FactBook:
    return compute_facts(store)


def test_anonymous_donations_are_unknown_and_never_one_user(book: FactBook) -> None:
    unnamed = book.fact("anonymous_gift_share")
    assert unnamed.n == 218_307
    assert unnamed.value == pytest.approx(0.208, abs=5e-4)
    assert book.fact("size_users").value == 71_274
    assert book.fact("size_gifts").value == 218_307 - 45_455


def test_a_donor_gives_much_what_was_given_before(book: FactBook) -> None:
    alike = book.fact("amount_spearman_previous_next")
    assert alike.n == 101_578
    assert alike.value == pytest.approx(0.476, abs=5e-4)


def test_named_donors_are_uneven(book: FactBook) -> None:
    gini, top = book.fact("user_gini"), book.fact("user_top1_share")
    assert gini.n == top.n == 71_274
    assert gini.value == pytest.approx(0.712, abs=5e-4)
    assert top.value == pytest.approx(0.320, abs=5e-4)


def test_runs_without_a_length_are_reported_by_line(store: Store, book: FactBook) -> None:
    """All runs of sgdq2011 and 41 of agdq2012 start when they end: no gift is placed in them."""
    lines = (GDQ / "runs.csv").read_text(encoding="utf-8").splitlines()
    rejects = str(store.folder / "rejects" / "room.parquet")
    with duckdb.connect() as con:  # the default connection is shared by all that this process runs
        rows = con.execute("FROM read_parquet(?)", [rejects]).fetchall()
    events = Counter(lines[line - 1].split(",")[0] for _, line, *_ in rows)
    every = sum(line.startswith("sgdq2011,") for line in lines)
    assert events == {"sgdq2011": every, "agdq2012": 41, "agdq2013": 1, "sgdq2013": 3}
    found = [f for f in book.findings if f.name.startswith("rejects.room.")]
    assert [(f.severity, f.value) for f in found] == [("defect", 95.0)]
    assert 0.05 < (book.fact("unplaced_gift_share").value or 0.0) < 0.15


def test_tails_name_their_threshold(book: FactBook) -> None:
    index, shape = book.fact("amount_tail_index"), book.fact("amount_tail_shape_gpd")
    assert index.n == shape.n == 218
    assert "above 100,000" in index.population
    assert 0.9 < (index.value or 0.0) < 1.3
    assert index.reason
    assert shape.reason


def test_amounts_of_real_donations(book: FactBook) -> None:
    assert book.fact("amount_p50").value == 2_000
    assert book.fact("amount_p50").unit == "US cent"
    assert (book.fact("amount_max").value or 0) > 8_000_000
    assert book.fact("amount_p50").has_interval  # it counts rows, however large they are
    assert book.fact("amount_share_le_20").has_interval


def test_money_is_concentrated_more_than_anything_that_was_measured(book: FactBook) -> None:
    for name in ("user_gini", "streamer_gini", "amount_mean", "user_top1_share"):
        fact = book.fact(name)
        assert not fact.has_interval, name
        assert "no tail that was measured" in fact.reason
    for name in ("user_gini", "streamer_gini"):
        assert 0.3 < (book.fact(name).value or 0.0) < 0.99


def test_what_donations_cannot_say(book: FactBook) -> None:
    assert book.fact("gift_rows_per_click").status == "undefined"
    assert book.delay.identifiable is None
    anonymous = book.finding("anonymous_gifts")
    assert anonymous is not None
    assert 0.0 < (anonymous.value or 0.0) < 0.5
