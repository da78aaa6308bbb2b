"""``giftlive doctor`` finds what is broken, says it on one line, and says what to do."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from giftlive.cli import doctor
from giftlive.cli.doctor import Finding

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the machine of the tests large enough, whatever it is."""
    monkeypatch.setattr(doctor, "_memory", lambda: Finding("memory", "ok", "enough"))
    monkeypatch.setattr(doctor, "FREE_GIB", 0)


@pytest.mark.usefixtures("fit")
def test_every_check_is_one_line_and_one_object(cli: Cli) -> None:
    done = cli("doctor", "--json")
    assert done.returncode == 0
    checks = json.loads(done.stdout)["checks"]
    names = {check["name"] for check in checks}
    assert {"python", "duckdb", "extra spark", "java", "time zones", "memory", "cache"} <= names
    lines = [line for line in cli("doctor").stdout.splitlines() if line[:5] != "     "]
    assert [line[5:21].strip() for line in lines] == [check["name"] for check in checks]
    assert all(check["ok"] for check in checks)


@pytest.mark.usefixtures("fit")
def test_what_is_in_the_way_comes_with_its_remedy(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Finding("memory", "BAD", "1.0 GiB", "take less")
    monkeypatch.setattr(doctor, "_memory", lambda: small)
    done = cli("doctor")
    assert (done.returncode, done.stderr) == (2, "")
    lines = done.stdout.splitlines()
    (bad,) = [k for k, line in enumerate(lines) if line.startswith("BAD")]
    assert lines[bad].split() == ["BAD", "memory", "1.0", "GiB"]
    assert lines[bad + 1] == "     Hint: take less"


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10), "BAD"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "BAD")]
)
def test_only_supported_pythons_are_fit(version: tuple[int, int], state: str) -> None:
    found = doctor._python(version)
    assert found.state == state
    assert "3.11, 3.12 or 3.13" in found.hint


def test_a_package_that_is_absent_or_does_not_load_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert doctor._package("duckdb", "absent").found == "not installed"

    def broken(name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file\nmore")

    monkeypatch.setattr("importlib.import_module", broken)
    found = doctor._package("lightgbm", "4.7.0")
    assert found.state == "BAD"
    assert found.found == (
        "4.7.0, but it does not load: libgomp.so.1: cannot open shared object file"
    )
    assert "libgomp1" in found.hint


def test_a_missing_extra_is_no_defect_and_says_who_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "_absent", lambda name: name == "uvicorn")
    found = doctor._extra("service")
    assert found.state == "--"
    assert found.found == "without uvicorn; giftlive serve needs it: run `scripts/setup service`"
    assert "pip install torch" in doctor._how_to_get("neural")
    assert doctor._extra("neural").state == "ok"


def test_spark_without_java_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_absent", lambda name: False)
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    assert "no Java runtime" in doctor._java().found
    monkeypatch.setattr(doctor, "_absent", lambda name: True)
    assert "not looked for" in doctor._java().found


@pytest.mark.parametrize(("said", "version"), [('"11.0.2"', 11), ('"1.8.0_302"', 8), ('"21"', 21)])
def test_the_version_of_java_is_read(said: str, version: int) -> None:
    assert doctor._java_version(f"openjdk version {said} 2024") == version
    assert doctor._java_version("command not found") == 0


@pytest.mark.usefixtures("fit")
def test_the_folder_a_cache_would_be_made_in_is_tried_and_left_alone(cli: Cli) -> None:
    done = cli("doctor", "--cache", "not/yet/there", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}["cache"]
    assert found["found"].startswith("not/yet/there, ")
    assert not Path("not").exists()
    assert list(Path().iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    found = doctor._disk(tmp_path / "file" / "cache")
    assert found.state == "BAD"
    assert "is a file" in found.found

    def refuse(dir: Path) -> None:  # noqa: A002
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    found = doctor._disk(tmp_path / "cache")
    assert found.state == "BAD"
    assert "cannot be written" in found.found
    assert "GIFTLIVE_CACHE" in found.hint


def test_every_extra_of_the_project_but_those_for_developers_is_looked_for() -> None:
    import tomllib

    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    extras = set(tomllib.loads(text)["project"]["optional-dependencies"])
    assert set(doctor.EXTRAS) == extras - {"dev", "docs", "browser"}
    assert importlib.util.find_spec("duckdb") is not None
