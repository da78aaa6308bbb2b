"""Real donations: the facts a source without clicks supports, on real rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from giftlive.facts import FactBook, compute_facts
from giftlive.logs.ingest import ingest

GDQ = Path(__file__).resolve().parents[3] / "shared" / "data" / "gdq"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not GDQ.is_dir(), reason="the shared data folder with gdq is not there"),
]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> FactBook:
    store = ingest(GDQ, tmp_path_factory.mktemp("gdq") / "store")
    return compute_facts(store)


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
