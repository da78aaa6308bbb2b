"""Decision-level sets: their rows, their weights, their bytes, and what is estimated from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from giftlive.errors import InputError, MissingCapabilityError, UsageError
from giftlive.tables.candidates import (
    CandidateOptions,
    DecisionSets,
    build_decisions,
    candidates_at,
    decision_batches,
    live_total,
    load_decisions,
    place_of_choice,
    recall_of,
    share_below_choice,
    stream,
)
from giftlive.tables.candidates.decisions import DecisionFacts

from .conftest import Log, Written

Write = Callable[[Log], Written]
Evening = Callable[..., Log]

SMALL = CandidateOptions(
    gifted=1, entered=1, popular=2, category=1, newcomers=1, uniform=4, negatives=2
)


def build(written: Written, file: Path, options: CandidateOptions = SMALL) -> DecisionFacts:
    return build_decisions(written.store, written.folder, file, options)


def plain_live(log: Log, t: int) -> set[int]:
    last = log.end() + 1
    return {v for v, _, a, b, _ in log.room if a <= t < (max(a, last) if b is None else b)}


def by_sample(file: Path) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in pq.read_table(file).to_pylist():
        found.setdefault(row["sample_id"], []).append(row)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_candidates_and_what_was_shown(
    seed: int, write: Write, evening: Evening, tmp_path: Path
) -> None:
    log, file = evening(seed), tmp_path / "decisions.parquet"
    written = write(log)
    facts = build(written, file)
    retrieved = candidates_at(
        written.store, [r[1] for r in log.sample], [r[4] for r in log.sample], SMALL
    )
    sets = by_sample(file)
    assert [rows[0]["decision_id"] for rows in sets.values()] == list(range(len(log.sample)))
    skips = away = 0
    for query, (sample, user, live, _, ts, amount) in enumerate(log.sample):
        rows, on_air = sets[sample], plain_live(log, ts)
        ids = [r["live_id"] for r in rows]
        assert ids == sorted(set(ids))
        assert {r["live_id"] for r in rows if r["why"]} == set(retrieved.of(query).tolist())
        (chosen,) = [r for r in rows if r["shown"] == "chosen"]
        assert (chosen["live_id"], chosen["label_amount"]) == (live, amount)
        assert chosen["live"] == (live in on_air)
        assert {(r["user_id"], r["ts"]) for r in rows} == {(user, ts)}
        assert set(ids) - {live} <= on_air
        assert sum(r["label_amount"] for r in rows) == amount
        assert sum(r["weight"] for r in rows if r["live"]) == pytest.approx(len(on_air))
        assert {r["live_count"] for r in rows} == {len(on_air)}
        skips += sum(r["shown"] == "negative" for r in rows)
        away += live not in on_air
    assert (facts.decisions, facts.rows) == (len(log.sample), sum(map(len, sets.values())))
    assert (facts.negatives, facts.chosen_not_live) == (skips, away)
    assert skips > 10
    assert away > 10
    joined = facts.negatives + facts.negatives_not_live + facts.negatives_over
    assert joined + facts.negatives_unjoined == len(log.negative)
    assert facts.clicks.inside == sum(r[1] in plain_live(log, r[3]) for r in log.click)


def test_equal_inputs_give_equal_bytes(write: Write, evening: Evening, tmp_path: Path) -> None:
    log = evening(1)
    shuffled = replace(log, room=log.room[::-1], click=log.click[::-1], sample=log.sample[::-1])
    for name, one in (("a", log), ("b", shuffled)):
        build(write(one), tmp_path / name, replace(SMALL, threads=1 if name == "a" else 2))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_chunks_change_nothing(
    write: Write, evening: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = 86_400_000  # the same evening on three days, the last one after a pause
    log = evening(4)
    late = [tuple((*r[:3], r[3] + k * days) for r in log.click) for k in (1, 5)]
    samples = [
        (k * 1_000 + r[0], *r[1:4], r[4] + k * days, r[5]) for k in (1, 5) for r in log.sample
    ]
    rooms = [
        (v, s, a + k * days, (b or a) + k * days, c) for k in (1, 5) for v, s, a, b, c in log.room
    ]
    log = replace(
        log,
        click=(*log.click, *late[0], *late[1]),
        room=(*log.room, *rooms),
        sample=(*log.sample, *samples),
    )
    written = write(log)
    whole = build(written, tmp_path / "whole")
    monkeypatch.setattr(stream, "_CELLS", 50)
    parts = build(written, tmp_path / "parts")
    assert parts == whole
    assert pq.ParquetFile(tmp_path / "parts").num_row_groups > 50
    assert pq.read_table(tmp_path / "parts").equals(pq.read_table(tmp_path / "whole"))
    one, two = (load_decisions(tmp_path / name) for name in ("whole", "parts"))
    assert one.live_id.tolist() == two.live_id.tolist()
    assert one.weight.tolist() == two.weight.tolist()
    assert sum(len(sets) for sets in decision_batches(tmp_path / "parts")) == len(one)


def test_a_share_keeps_whole_decisions(write: Write, evening: Evening, tmp_path: Path) -> None:
    written = write(evening(1, clicks=400))
    build(written, tmp_path / "all")
    facts = build(written, tmp_path / "some", replace(SMALL, share=0.3))
    everything, some = by_sample(tmp_path / "all"), by_sample(tmp_path / "some")
    assert facts.decisions_of == len(everything)
    assert abs(len(some) / len(everything) - 0.3) < 0.1
    for sample, rows in some.items():
        for one, two in zip(rows, everything[sample], strict=True):
            assert one | {"decision_id": 0} == two | {"decision_id": 0}


def test_recall_of_the_file_is_that_of_the_build(
    write: Write, evening: Evening, tmp_path: Path
) -> None:
    facts = build(write(evening(2)), tmp_path / "d")
    sets = load_decisions(tmp_path / "d")
    chosen = sets.shown == 2
    assert recall_of(sets.why[chosen], sets.value[chosen].astype(np.int64)) == facts.recall
    assert 0.2 < (facts.recall.click_share or 0.0) < 1.0


def ordered_place(log: Log, sample: tuple[int, ...], score: Callable[[int], float]) -> float:
    live = plain_live(log, sample[4]) - {sample[2]}
    mine = score(sample[2])
    return 1.0 + sum((score(v) > mine) + 0.5 * (score(v) == mine) for v in live)


def scores(sets: DecisionSets) -> Any:
    return sets.live_id % 11


def test_estimates_are_exact_when_every_room_is_there(
    write: Write, evening: Evening, tmp_path: Path
) -> None:
    log = evening(6, rooms=80)
    build(write(log), tmp_path / "d", replace(SMALL, uniform=None))
    sets = load_decisions(tmp_path / "d")
    assert set(np.unique(sets.weight)) <= {0.0, 1.0}
    place = place_of_choice(sets, scores(sets))
    assert place.tolist() == [ordered_place(log, r, lambda v: v % 11) for r in log.sample]
    strict = load_decisions(tmp_path / "d", trust_clicks=False)
    on_air = np.array([r[2] in plain_live(log, r[4]) for r in log.sample])
    assert np.isfinite(place_of_choice(strict, scores(strict))).tolist() == on_air.tolist()
    counts = live_total(strict, np.ones(strict.weight.shape))
    assert counts.tolist() == [len(plain_live(log, r[4])) for r in log.sample]


@pytest.mark.slow
def test_estimates_are_unbiased_over_the_draw(
    write: Write, evening: Evening, tmp_path: Path
) -> None:
    log, draws = evening(7, rooms=90, clicks=25), 70
    written, found = write(log), []
    for seed in range(draws):
        build(written, tmp_path / "d", replace(SMALL, seed=seed))
        sets = load_decisions(tmp_path / "d")
        s = scores(sets)
        found.append(np.stack([place_of_choice(sets, s), live_total(sets, s)]))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(draws)
    place = [ordered_place(log, r, lambda v: v % 11) for r in log.sample]
    own = [0 if r[2] in plain_live(log, r[4]) else r[2] % 11 for r in log.sample]
    total = [sum(v % 11 for v in plain_live(log, r[4])) for r in log.sample] + np.array(own)
    truth = np.array([place, total])
    known = error < 1e-9
    assert mean[known] == pytest.approx(truth[known])
    z = (mean[~known] - truth[~known]) / error[~known]
    assert np.abs(z).max() < 4.5
    assert abs(z.mean()) < 0.5
    assert (~known).sum() > 20


def test_share_below_is_half_without_information(
    write: Write, evening: Evening, tmp_path: Path
) -> None:
    build(write(evening(1)), tmp_path / "d")
    sets = load_decisions(tmp_path / "d")
    flat = share_below_choice(sets, np.zeros(sets.weight.shape))
    assert flat[np.isfinite(flat)] == pytest.approx(0.5)
    best = share_below_choice(sets, sets.shown == 2)
    assert best[np.isfinite(best)] == pytest.approx(1.0)
    with pytest.raises(UsageError, match="shape"):
        live_total(sets, np.zeros(3))


def test_huge_ids_no_decisions_and_other_samples(
    write: Write, evening: Evening, huge: Callable[[Log], Log], tmp_path: Path
) -> None:
    log = huge(evening(1))
    build(write(log), tmp_path / "huge")
    sets = load_decisions(tmp_path / "huge")
    assert sets.live_id[sets.shown == 2].tolist() == [r[2] for r in log.sample]
    facts = build(write(replace(log, sample=())), tmp_path / "none")
    assert (facts.decisions, facts.rows, facts.recall.click_share) == (0, 0, None)
    assert len(load_decisions(tmp_path / "none")) == 0
    with pytest.raises(UsageError, match="gifts"):
        build(write(replace(log, unit="gift")), tmp_path / "no")


def test_what_is_missing_is_named(write: Write, evening: Evening, tmp_path: Path) -> None:
    log = evening(1)
    with pytest.raises(MissingCapabilityError, match="needs negative"):
        build(write(replace(log, negative=())), tmp_path / "no")
    with pytest.raises(MissingCapabilityError, match="needs room"):
        build(write(replace(log, room=())), tmp_path / "no")
    facts = build(write(replace(log, negative=())), tmp_path / "d", replace(SMALL, negatives=0))
    assert facts.negatives == facts.negatives_unjoined == 0
    with pytest.raises(InputError, match="no decision-level sets"):
        load_decisions(tmp_path / "no")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other")
    with pytest.raises(InputError, match="other columns"):
        load_decisions(tmp_path / "other")
