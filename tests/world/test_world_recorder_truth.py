"""The truth stays in its folder: no reader of logs opens it, and it gives nothing away."""

from __future__ import annotations

import ast
import hashlib
import shutil
import zipfile
from pathlib import Path

import pyarrow.parquet
import pytest

import giftlive
from giftlive.logs.ingest import ingest
from giftlive.world.twin import TwinSummary

SOURCE = Path(giftlive.__file__).parent


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.blake2b(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def clean(twin: TwinSummary, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The store of the logs alone, by file."""
    base = tmp_path_factory.mktemp("clean")
    shutil.copytree(twin.folder, base / "data", ignore=shutil.ignore_patterns("truth"))
    ingest(base / "data", base / "store")
    return digest(base / "store")


def poisoned(folder: Path, target: Path) -> Path:
    """Copy a twin; under ``truth/`` every table of the logs lies again, with other content."""
    shutil.copytree(folder, target)
    for path in folder.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines()
        (target / "truth" / path.name).write_text(
            "\n".join([lines[0], *lines[-1:0:-2]]) + "\n", encoding="utf-8"
        )
    for path in (target / "truth").glob("*.parquet"):
        path.write_bytes(b"not parquet")
    (target / "truth" / "world.json").write_text("{", encoding="utf-8")
    return target


def test_a_poisoned_truth_leaves_the_store_as_it_is(
    twin: TwinSummary, clean: dict[str, str], tmp_path: Path
) -> None:
    data = poisoned(twin.folder, tmp_path / "data")
    ingest(data, tmp_path / "store")
    assert digest(tmp_path / "store") == clean


def test_a_poisoned_truth_in_a_zip_leaves_the_tables_as_they_are(
    twin: TwinSummary, clean: dict[str, str], tmp_path: Path
) -> None:
    data = poisoned(twin.folder, tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in sorted(data.rglob("*"), key=lambda p: ("truth" in p.parts, p)):
            archive.write(path, Path("data") / path.relative_to(data))
    ingest(tmp_path / "data.zip", tmp_path / "store")
    found = digest(tmp_path / "store")
    assert {name: found[name] for name in found if name.endswith(".parquet")} == {
        name: clean[name] for name in clean if name.endswith(".parquet")
    }


def texts(path: Path) -> set[str]:
    """Return the string constants of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    return {
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in statements
    }


@pytest.mark.parametrize("layer", ["logs", "tables", "facts"])
def test_no_reader_names_the_truth(layer: str) -> None:
    named = [
        (path.name, text)
        for path in sorted((SOURCE / layer).rglob("*.py"))
        for text in texts(path)
        if "truth" in text.lower()
    ]
    # The one place that names it is the one that leaves it in its zip.
    assert named == ([("inputs.py", "truth")] if layer == "logs" else [])


def test_no_truth_lies_beside_the_logs(twin: TwinSummary) -> None:
    public = {p.name for p in twin.folder.iterdir() if p.is_file()}
    tables = {"click", "gift", "comment", "like", "negative", "room", "user", "streamer"}
    beside = {"title_embeddings.npy", "world.json", "scenario.toml"}
    assert public == {f"{t}.csv" for t in tables} | beside
    truth = {p.stem for p in (twin.folder / "truth").iterdir()}
    assert truth == {"gifts", "clicks", "negatives", "rooms", "users", "streamers"}
    users = pyarrow.parquet.read_schema(twin.folder / "truth" / "users.parquet").names
    assert {"wealth", "generosity", "taste_00", "homes_00"} <= set(users)
    streamers = pyarrow.parquet.read_schema(twin.folder / "truth" / "streamers.parquet").names
    assert {"quality", "skill", "popularity", "taste_15"} <= set(streamers)
