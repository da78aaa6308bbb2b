"""Units, sessions, files and matrices: what is written, and what must not change it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from giftlive.errors import IdentityError, InputError, UsageError
from giftlive.logs import Store, ingest
from giftlive.tables import TableOptions, build_tables, load_matrix
from giftlive.tables.features import seam

MakeStore = Callable[..., Store]
ReadSamples = Callable[[Path], list[dict[str, Any]]]
HOUR, DAY = 3_600_000, 86_400_000

VISITS = [(1, 10, 5, 0, 5), (1, 10, 5, 10_000, 5), (2, 10, 5, 12_000, 5), (1, 10, 5, 90_000, 5)]
GIFTS = [(1, 10, 5, 0, 3), (1, 10, 5, 90_000, 4), (1, 10, 5, 10_000, 8)]


def crowd(make_store: MakeStore, **options: Any) -> Store:
    rng = np.random.default_rng(0)
    n = 400
    who = zip(
        rng.integers(0, 9, n).tolist(),
        rng.integers(0, 7, n).tolist(),
        (rng.integers(0, 9 * 48, n) * DAY // 48).tolist(),
        rng.integers(0, 10**7, n).tolist(),
        strict=True,
    )
    clicks = [(u, 100 * s + ts // DAY, s, ts, w) for u, s, ts, w in who]
    gifts = [(*c[:4], 1 + i) for i, c in enumerate(clicks[::7])]
    return make_store(clicks, gifts, last_ts=9 * DAY, **options)


@pytest.mark.parametrize(
    ("gap", "starts", "amounts"),
    [
        (None, [0, 12_000], [15, 0]),
        (80_000, [0, 12_000], [15, 0]),
        (79_999, [0, 12_000, 90_000], [11, 0, 4]),
        (9_999, [0, 10_000, 12_000, 90_000], [3, 8, 0, 4]),
    ],
)
def test_sessions(
    make_store: MakeStore,
    tmp_path: Path,
    samples: ReadSamples,
    gap: int | None,
    starts: list[int],
    amounts: list[int],
) -> None:
    build_tables(make_store(VISITS, GIFTS), tmp_path, TableOptions(session_gap_ms=gap))
    rows = samples(tmp_path)
    assert [row["ts"] for row in rows] == starts
    assert [row["label_amount"] for row in rows] == amounts


def test_clocks_put_back_over_midnight(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    """St John's, 2010-11-07: at 00:01, or 02:31 UTC, the evening of the sixth comes back."""
    quarter, start = 900_000, 1_289_088_000_000
    clicks = [(1, 10 + k, 5, start + k * quarter, 5) for k in range(24)]
    build_tables(make_store(clicks, tz="America/St_Johns"), tmp_path)
    rows = samples(tmp_path)
    midnight = 1_289_100_600_000  # 03:30 UTC
    assert [row["day"] - rows[0]["day"] for row in rows] == [r["ts"] >= midnight for r in rows]
    assert {row["day_start_ts"] for row in rows} == {midnight - 25 * HOUR, midnight}
    hours = [21] * 2 + [22] * 4 + [23] * 8 + [0] * 4 + [1] * 4 + [2] * 2
    assert [row["hour"] for row in rows] == hours


def test_a_session_never_sees_its_own_viewing(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    build_tables(make_store(VISITS, GIFTS), tmp_path)
    first = samples(tmp_path)[0]
    assert first["label_amount"] == 15
    assert all(first[f"{group}_click_count"] == 0 for group in ("pair", "user", "streamer"))
    assert all(first[f"{group}_gift_sum"] == 0 for group in ("pair", "user", "streamer"))


def test_every_unit_carries_the_same_money(make_store: MakeStore, tmp_path: Path) -> None:
    store = crowd(make_store)
    totals = set()
    for unit in ("click", "session", "gift"):
        tables = build_tables(store, tmp_path / unit, TableOptions(unit=unit))
        m = load_matrix(tmp_path / unit, matured_only=False)
        assert (len(m), m.unit) == (tables.rows, unit)
        assert tables.positives == np.count_nonzero(m.y)
        totals.add(m.y.sum())
    assert len(totals) == 1


def test_files_do_not_depend_on_threads_or_file_order(
    make_store: MakeStore, tmp_path: Path
) -> None:
    one = replace(TableOptions(), threads=1)
    build_tables(crowd(make_store), tmp_path / "a")
    build_tables(crowd(make_store, reverse_files=True), tmp_path / "b", one)
    parts = "samples/part-0000.parquet"
    for name in ("labels.parquet", parts, "attribution.json", "dictionary.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def write_csv(folder: Path, rng: np.random.Generator) -> None:
    """Write KuaiLive's files with the same rows in another order."""
    folder.mkdir()
    clicks = [f"{u},{10 + s},{s},{1_746_374_400_500 + 900 * u},{700 * s}" for u, s in PAIRS]
    gifts = [f"{u},{10 + s},{s},{1_746_374_400_500 + 900 * u},{u + s}" for u, s in PAIRS[::3]]
    who = "user_id,live_id,streamer_id,timestamp"
    rooms = [f"2025-05-05,{10 + s},{s},1,1746374400000,1746374900000,Pop,0" for s in range(1, 5)]
    room = "p_date,live_id,streamer_id,live_type,start_timestamp,end_timestamp"
    files = {
        "room.csv": (f"{room},live_content_category,live_name_id", rooms),
        "click.csv": (f"{who},watch_live_time", clicks),
        "gift.csv": (f"{who},gift_price", gifts),
    }
    for name, (head, rows) in files.items():
        shuffled = rng.permutation(rows).tolist()
        (folder / name).write_text("\n".join([head, *shuffled]) + "\n")


PAIRS = [(user, streamer) for user in range(1, 9) for streamer in range(1, 5)]


def test_lines_of_a_file_in_any_order_give_the_same_samples(tmp_path: Path) -> None:
    written = set()
    for seed in (0, 1):
        write_csv(tmp_path / f"csv{seed}", np.random.default_rng(seed))
        store = ingest(tmp_path / f"csv{seed}", tmp_path / f"store{seed}")
        build_tables(store, tmp_path / f"tables{seed}")
        written.add((tmp_path / f"tables{seed}" / "samples" / "part-0000.parquet").read_bytes())
    assert len(written) == 1


def test_dictionary_describes_every_column(
    make_store: MakeStore, tmp_path: Path, samples: ReadSamples
) -> None:
    steps: list[tuple[int, int]] = []
    tables = build_tables(
        crowd(make_store), tmp_path, progress=lambda done, total: steps.append((done, total))
    )
    dictionary = json.loads((tmp_path / "dictionary.json").read_text())
    described = [column["name"] for column in dictionary["columns"]]
    described += [f["name"] for f in dictionary["features"] if f["name"] not in described]
    assert list(samples(tmp_path)[0]) == described
    assert dictionary["rows"] == tables.rows
    shares = [done / total for done, total in steps]
    assert shares == sorted(shares)
    assert {0.25, 0.5, 0.75, 1.0} <= set(shares)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "attribution.json",
        "dictionary.json",
        "labels.parquet",
        "parts.json",
        "samples",
        "state",
    ]


def test_balance_file(
    make_store: MakeStore, tmp_path: Path, balance: Callable[[Path], dict[str, Any]]
) -> None:
    build_tables(make_store(VISITS, [*GIFTS, (7, 7, 7, 0, 5)]), tmp_path)
    plain = balance(tmp_path)
    assert plain["labels"] == {"count": 3, "amount": 15}
    assert plain["no_click"] == {"count": 1, "amount": 5}
    assert plain["coverage"][0] == {"minutes": 0, "count_share": 0.75, "amount_share": 0.75}


def test_nothing_half_written_when_rows_go_missing(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = seam.stage_features
    monkeypatch.setattr(
        seam,
        "stage_features",
        lambda *asked: f"select * from ({whole(*asked)}) f where sample_id > 0",
    )
    with pytest.raises(IdentityError, match=r"1 feature rows .* expected 2 samples"):
        build_tables(make_store(VISITS, GIFTS), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_matrix_selects_names_days_and_matured_rows(make_store: MakeStore, tmp_path: Path) -> None:
    build_tables(crowd(make_store), tmp_path)
    full = load_matrix(tmp_path)
    names = ("weekday", "pair_gift_sum")
    part = load_matrix(tmp_path, names, (2, 4))
    keep = full.rows((2, 4))
    assert 0 < len(part) == keep.sum() < len(full)
    assert part.names == names
    np.testing.assert_array_equal(part.column("weekday"), full.column("weekday")[keep])
    np.testing.assert_array_equal(part.y, full.y[keep])
    assert np.all(np.diff(full.ts) >= 0)
    assert np.isfinite(full.X).all()


def test_matrix_errors_say_what_to_do(make_store: MakeStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data dictionary"):
        load_matrix(tmp_path)
    build_tables(make_store(VISITS, GIFTS), tmp_path)
    with pytest.raises(UsageError, match="did you mean pair_gift_sum"):
        load_matrix(tmp_path, ("pair_gift_summ",))
