"""A sealed run folder tells which of its files was edited, lost or added."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from giftlive.errors import IdentityError, InputError
from giftlive.run.digests import NAME, changes, resealed, seal, sealed_digests
from giftlive.run.verify.folder import edits

FILES = {
    "config.toml": "seed = 1",
    "manifest.json": '{"label": "calibrated world"}',
    "log.jsonl": "{}",
    "models/value/model.json": "{}",
    "results/baseline.json": '{"unit": "share", "reason": "not enough data", "text": "0.5"}',
    "tables/attribution.json": "{}",
    "figures/one.svg": "<svg/>",
    "report.html": "<p>0.5</p>",
    "report.md": "0.5",
}
REPORT = ("figures/one.svg", "report.html", "report.md")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    seal(tmp_path)
    return tmp_path


def edit(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("5", "6") + " ", encoding="utf-8")


def wrong(run: Path) -> list[str]:
    return [str(difference) for _, difference in edits(run) if difference]


def test_an_untouched_folder_is_as_it_was_sealed(run: Path) -> None:
    assert [name for name, _ in edits(run)] == sorted(FILES)
    assert wrong(run) == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("spoil", "words"), [(edit, "has changed"), (Path.unlink, "is missing")])
def test_every_file_is_under_the_seal(
    run: Path, name: str, spoil: Callable[[Path], None], words: str
) -> None:
    sealed = sealed_digests(run)[name]
    spoil(run / name)
    [found] = wrong(run)
    assert found.startswith(f"the digest of {name}, which {words}, is {sealed}, computed again")


@pytest.mark.parametrize("name", ["results/second.json", "figures/two.svg", "notes.txt"])
def test_a_file_that_no_run_wrote_is_named(run: Path, name: str) -> None:
    (run / name).write_text("new", encoding="utf-8")
    [found] = wrong(run)
    assert f"{name}, which is not of this run, is none" in found


def test_a_lost_or_damaged_seal_is_named(run: Path) -> None:
    for text in ("no JSON", "[]", '{"report.md": 1}'):
        (run / NAME).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=NAME):
            list(changes(run))
    (run / NAME).unlink()
    assert wrong(run) == [f"{NAME} is absent, computed again the digest of every file of the run"]


@pytest.mark.parametrize("name", REPORT)
def test_a_report_written_again_is_sealed_again(run: Path, name: str) -> None:
    (run / name).unlink()
    with resealed(run):
        (run / name).write_text("in another language", encoding="utf-8")
    assert wrong(run) == []
    assert set(json.loads((run / NAME).read_text(encoding="utf-8"))) == set(FILES)


@pytest.mark.parametrize(
    "name", [*sorted(set(FILES) - set(REPORT)), "notes.txt", "figures/two.svg"]
)
def test_a_new_report_does_not_bless_an_edited_folder(run: Path, name: str) -> None:
    before = (run / NAME).read_bytes()
    (run / name).write_text("edited", encoding="utf-8")
    with pytest.raises(IdentityError, match=name), resealed(run):
        pytest.fail("nothing may be written")
    assert (run / NAME).read_bytes() == before


def test_a_folder_without_a_seal_gets_none(run: Path) -> None:
    (run / NAME).unlink()
    with resealed(run):
        edit(run / "report.md")
    assert not (run / NAME).exists()
