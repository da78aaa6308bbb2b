"""What a model folder that is not as it was saved does: one sentence, never another model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.models.delay.test_models_delay_trained import known
from tests.models.few_trees import with_trees

from giftlive.errors import InputError
from giftlive.models.delay.trained import train
from giftlive.models.folder import digest_of, load, save
from giftlive.models.ridge import Ridge
from giftlive.models.trees import TreeSettings
from giftlive.tables.features.array_folder import digest_of_file
from giftlive.testing import make_sample

TREES = TreeSettings(rounds=3, leaves=4, rows_per_leaf=20, threads=1)
FILES = ("model.json", "card.json", "part_0/model.json", "part_1/model.json", "part_1/card.json")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model of two others, one of them of trees."""
    rows = make_sample()
    folder = tmp_path_factory.mktemp("models") / "staged"
    fitted = with_trees("recall_rerank", TREES).fit(rows.X, rows.y, rows.user, names=rows.names)
    save(fitted, folder)
    assert np.array_equal(load(folder).predict(rows.X), fitted.predict(rows.X))
    return folder


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def changed(data: bytes) -> bytes:
    """Change the last digit: the file stays what it is, and says something else."""
    at = max(data.rfind(digit) for digit in (b"1", b"2", b"3", b"5", b"7"))
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def emptied(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("spoil", [cut, changed, emptied])
def test_a_file_that_was_changed_is_named(
    spoil: Callable[[bytes], bytes], saved: Path, tmp_path: Path
) -> None:
    trees = sorted(str(file.relative_to(saved)) for file in saved.rglob("*.txt"))
    assert trees
    for name in (*FILES, *trees[:2]):
        shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
        (tmp_path / name).write_bytes(spoil((saved / name).read_bytes()))
        with pytest.raises(InputError, match="Hint: ") as refusal:
            load(tmp_path)
        assert str(tmp_path / name) in str(refusal.value)


def test_a_file_that_is_missing_is_named(saved: Path, tmp_path: Path) -> None:
    for name in (*FILES, *(str(f.relative_to(saved)) for f in saved.rglob("*.txt"))):
        shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
        (tmp_path / name).unlink()
        with pytest.raises(InputError, match=r"no file|No such file"):
            load(tmp_path)


def test_a_part_of_another_model_is_refused(saved: Path, tmp_path: Path) -> None:
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    rows = make_sample()
    save(Ridge().fit(rows.X, rows.y, names=rows.names), tmp_path / "part_1")
    load(tmp_path / "part_1")
    with pytest.raises(InputError, match=r"part_1.*not as it was saved"):
        load(tmp_path)


def test_the_layout_of_the_json_is_nobodys_business(saved: Path, tmp_path: Path) -> None:
    rows = make_sample()
    model = tmp_path / "model"
    save(Ridge().fit(rows.X, rows.y, names=rows.names), model)
    body = json.loads((model / "model.json").read_text())
    before = load(model).predict(rows.X)
    (model / "model.json").write_text(json.dumps(dict(reversed(body.items()))))
    assert np.array_equal(load(model).predict(rows.X), before)


def resealed(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what ``model.json`` says, under a digest that agrees with it."""
    body = json.loads((folder / "model.json").read_text())
    body.pop("digest")
    change(body)
    (folder / "model.json").write_text(json.dumps(body | {"digest": digest_of(body)}))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["numbers"].pop("card"),
        lambda body: body.update(numbers=[]),
        lambda body: body.update(kind=["ridge"]),
        lambda body: body.update(kind="builtins.eval"),
        lambda body: body.update(parts="two"),
        lambda body: body.update(forests={"trees": 1}),
        lambda body: body["numbers"]["card"].update(mood="good"),
    ],
)
def test_a_sealed_folder_of_no_model_is_refused(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    rows = make_sample()
    save(Ridge().fit(rows.X, rows.y, names=rows.names), tmp_path)
    resealed(tmp_path, change)
    with pytest.raises(InputError, match="not a saved model"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "7", '"ridge"', "{", "null"])
def test_any_other_json_is_no_model(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(InputError, match="not a saved model"):
        load(tmp_path)


class Runs:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, where: Path) -> None:
        self.where = where

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.where,)


def test_an_array_that_would_run_code_is_not_read(tmp_path: Path) -> None:
    model, trace = tmp_path / "model", tmp_path / "it ran"
    save(train("naive", known(), ["x"]), model)
    names = json.loads((model / "model.json").read_text())["arrays"]
    planted = np.empty(1, dtype=object)
    planted[0] = Runs(trace)
    np.savez(model / "arrays.npz", allow_pickle=True, **dict.fromkeys(names, planted))
    digest = digest_of_file(model / "arrays.npz")
    resealed(model, lambda body: body["files"].update({"arrays.npz": digest}))
    with pytest.raises(InputError, match="not a saved model"):
        load(model)
    assert not trace.exists()
