"""Mistakes at the keyboard: the nearest right word, exit code 2, and nothing overwritten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import pytest

from giftlive import world
from giftlive.cli import _Stop
from giftlive.run import pipeline, steps

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]

WRONG = {
    "run --demo --set arena.sedes=3": "key arena.sedes: unknown key; expected a key of the "
    "configuration. Hint: did you mean seeds?",
    "run --demo --set sed=3": "Hint: did you mean seed?",
    "run --demo --set arena.seeds=many": "key arena.seeds: 'many' is not valid",
    "run --demo --set arena.seeds": "'arena.seeds' is not a setting; expected key=value",
    "run --demo --set arena.preset=scarse": "unknown preset 'scarse'; expected a preset or a "
    ".toml file. Hint: did you mean scarce?",
    "run --demo --set world.seats.lod=3": "key seats.lod: unknown key; expected a key of the "
    "scenario. Hint: did you mean load?",
    'run --demo --set models.names=["ridg"]': "there is no model 'ridg'; expected value models. "
    "Hint: did you mean ridge?",
    'run --demo --set models.names=["ridge"]': "0 trivial rankers among 1 models",
    'run --demo --set models.names=["user_past_spend"]': "1 trivial rankers among 1 models",
    "run --demo --scale enormous": "unknown scale 'enormous'; expected a name or a number. "
    "Hint: valid scales: full, medium, small, tiny",
    "run --source . --scale tiny": "--scale: it sizes the built-in world",
    "run --demo --master local[2]": "--master: only Spark has a master; expected --engine spark",
    "run --demo --engine abacus": "key tables.engine: 'abacus' is not valid; expected 'duckdb' or",
    "run --demo --set tables.dwell_seconds=4": "key tables.dwell_seconds: 4 is not valid",
    "run --demo --set tables.dwell_seconds=5 --set tables.as_of=day": "a decision 5 s after the "
    "entry, known as of the day's start",
    "run": "--source / --demo: none of them given; expected exactly one",
    "run --demo --source .": "--source / --demo: both of them given; expected exactly one",
    "run --demo --config none.toml": "none.toml: no such file; expected a TOML file",
    "run --demo --seed -1": "key seed: -1 is not valid",
    "study exploration": "--source / --demo: none of them given",
    "study explore --demo": "'explore': no such study; expected the name of a study. "
    "Hint: did you mean exploration?",
    "audit --source . --set tables.folds=2": "key tables.folds: 2 is not valid",
    "world generate --out W --set gift.wealht=1": "key gift.wealht: unknown key; expected a key "
    "of the scenario. Hint: did you mean wealth?",
    "world generate --out W --set gift.wealth=rich": "key gift.wealth: 'rich' is not valid",
    "world generate --out W --preset kuailiv": "unknown preset 'kuailiv'; expected a preset or a "
    ".toml file. Hint: did you mean kuailive?",
    "world generate --out W --preset v1": "--preset: 'v1' plays in rounds, without a clock: no "
    "platform could log it; expected a clocked scenario, such as kuailive or scarce. Hint: play it "
    "from Python, with make_arena or play_oracle_greedy (docs/world.md)",
    "run --demo --set arena.preset=v2": "key arena.preset: 'v2' plays in rounds",
    "run --demo --set demo.preset=v1": "key demo.preset: 'v1' plays in rounds",
    "world generate --out W --set gift.base": "Hint: for example --set recorder.orphans=0",
    "world generate --out W --preset xyzzy": "Hint: valid presets: churny, cold_start,",
    "world generate --out W --set load=0.8": "key load: unknown key; expected a key of the "
    "scenario. Hint: did you mean seats.load?",
    "world generate --out W --scale huge": "unknown scale 'huge'",
    "world generate --out W --scale 0": "key scale: 0.0 is not valid",
    "world generate --out W --scale nan": "key scale: nan is not valid",
    "roadmap nowhere": "nowhere: not a run folder; expected a folder with manifest.json and "
    "results/. Hint: make one with `giftlive run`",
    "report nowhere": "nowhere: not a run folder",
}

HELPLESS = {
    "run --bogus": "No such option: --bogus",
    "frobnicate": "No such command 'frobnicate'",
    "audit": "Missing option '--source'",
    "world generate": "Missing option '--out'",
    "world generate --out W --format xml": "'csv', 'parquet'",
    "run --demo --seed soon": "Invalid value for '--seed'",
    "ingest --source . --max-reject-share 2": "Invalid value for '--max-reject-share'",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_word_is_answered_with_the_right_one(refused: Refused, words: str) -> None:
    assert WRONG[words] in refused(*words.split())


@pytest.mark.parametrize("words", HELPLESS)
def test_an_unknown_option_or_command_names_itself(cli: Cli, words: str, tmp_path: Path) -> None:
    done = cli(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert HELPLESS[words] in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "cwd").iterdir()) == []


@pytest.mark.parametrize("words", ["", "world"])
def test_without_arguments_there_is_help(cli: Cli, words: str) -> None:
    done = cli(*words.split())
    assert done.returncode == 2
    assert "Usage: giftlive" in done.stderr
    assert "Commands:" in done.stderr


def test_help_lists_every_command(cli: Cli) -> None:
    done = cli("--help")
    assert (done.returncode, done.stderr) == (0, "")
    commands = ["run", "ingest", "audit", "study", "roadmap", "report", "doctor", "world"]
    assert [name for name in commands if f"\n  {name} " not in done.stdout] == []


@pytest.mark.parametrize(
    "command", ["run --demo", "study exploration --demo", "world generate", "ingest --source ."]
)
@pytest.mark.parametrize("flag", ["", "--overwrite"])
def test_a_folder_of_another_kind_is_never_replaced(
    refused: Refused, command: str, flag: str
) -> None:
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("years of work", encoding="utf-8")
    message = refused(*command.split(), "--out", "thesis", *flag.split())
    assert message.startswith("thesis: the target exists and is not a ")
    assert Path("thesis/chapter.txt").read_text(encoding="utf-8") == "years of work"


@pytest.mark.parametrize(
    ("command", "marker"),
    [
        ("run --demo", "manifest.json"),
        ("study exploration --demo", "manifest.json"),
        ("world generate", "world.json"),
        ("ingest --source .", "source.json"),
    ],
)
def test_an_older_folder_is_replaced_only_with_overwrite(
    refused: Refused, command: str, marker: str
) -> None:
    Path("OLD").mkdir()
    Path("OLD", marker).write_text("{}", encoding="utf-8")
    assert "Hint: add --overwrite" in refused(*command.split(), "--out", "OLD")


def test_with_json_a_mistake_is_an_object(cli: Cli) -> None:
    done = cli("run", "--demo", "--set", "arena.sedes=3", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert json.loads(done.stderr) == {
        "error": "ConfigError",
        "what": "unknown key",
        "where": "configuration, key arena.sedes",
        "expected": "a key of the configuration",
        "hint": "did you mean seeds?",
    }


@pytest.mark.parametrize("text", ["not json", "[1]", '{"study": "baseline"}'])
def test_a_damaged_results_file_is_named(refused: Refused, text: str) -> None:
    Path("RUN/results").mkdir(parents=True)
    Path("RUN/manifest.json").write_text("{}", encoding="utf-8")
    Path("RUN/results/baseline.json").write_text(text, encoding="utf-8")
    for command in ("roadmap", "report"):
        assert "baseline.json" in refused(command, "RUN")


@pytest.mark.parametrize("where", ["build_tables", "ingest", "find_leaks"])
def test_an_interrupt_leaves_nothing_and_says_so(
    refused: Refused, twin: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, where, interrupt)
    command = ("study", "exploration", "--source", twin, "--out", "deep/RUN")
    message = refused(*command, code=130)
    assert "interrupted" in message
    assert message.endswith("run the same command again; finished steps are kept")


def test_an_interrupted_command_without_steps_promises_none(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world, "build_world", interrupt)
    message = refused("world", "generate", "--scale", "0.001", "--out", "W", code=130)
    assert message.endswith("nothing half-written is left. Hint: run the same command again")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_program_cleanly(twin: Path, tmp_path: Path, name: str) -> None:
    program = (
        "import os, signal; from giftlive.cli import main; from giftlive.run import steps; "
        f"steps.build_tables = lambda *_: os.kill(os.getpid(), signal.{name}); main()"
    )
    command = [sys.executable, "-c", program, "audit", "--source", str(twin)]
    command += ["--cache", str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("giftlive: interrupted; ")
    assert [p.name for p in (tmp_path / "cache").iterdir() if not p.name.startswith("store-")] == []


IMPATIENT = """
import atexit, os, pathlib, signal, sys
from giftlive import cli

def signalled():
    os.kill(os.getpid(), signal.SIGINT)

def obey():
    part = pathlib.Path("half-written")
    part.touch()
    try:
        signalled()
    finally:
        signalled()
        signalled()
        part.unlink()

cli._obey = obey
atexit.register(signalled)
cli._PATIENCE_SECONDS = float(sys.argv.pop())
cli.main()
"""


@pytest.mark.parametrize(
    ("patience", "words", "left"),
    [
        ("60", "giftlive: interrupted; nothing half-written is left.", False),
        ("-1", "giftlive: ended at once; parts of files may be left", True),
    ],
)
def test_more_signals_do_not_disturb_the_clearing_away_before_its_time_is_up(
    tmp_path: Path, patience: str, words: str, left: bool
) -> None:
    command = [sys.executable, "-c", IMPATIENT, "audit", patience]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith(words)
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "half-written").exists() == left


def test_a_signal_after_one_that_was_swallowed_interrupts() -> None:
    stop = _Stop()
    for _ in range(2):  # the first as in a callback from C, which cannot raise
        with pytest.raises(KeyboardInterrupt):
            stop(signal.SIGINT, None)
    assert stop.explains(RuntimeError("Query interrupted"))


def test_an_interrupt_that_a_library_renames_is_still_one(
    refused: Refused, twin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def query(*_: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None  # as DuckDB does

    monkeypatch.setattr(steps, "build_tables", query)
    assert "interrupted" in refused("audit", "--source", twin, code=130)


def test_an_interrupt_while_the_report_is_drawn_leaves_no_run(
    refused: Refused, twin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "render", interrupt)
    message = refused("study", "exploration", "--source", twin, "--out", "deep/RUN", code=130)
    assert "interrupted" in message
    assert not list(Path("deep").rglob("*"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError("Unable to allocate 3.70 PiB"), "Unable to allocate 3.70 PiB"),
        (MemoryError(), "no memory left"),
        (duckdb.OutOfMemoryException("failed to allocate\n\nPossible solutions:"), "failed to"),
        (OSError(28, "No space left on device", "gift.parquet"), "gift.parquet: No space left"),
    ],
)
def test_a_machine_that_is_too_small_is_no_traceback(
    refused: Refused, twin: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(steps, "build_tables", fail)
    message = refused("audit", "--source", twin)
    assert words in message
    assert "Hint: " in message


def test_a_world_beyond_any_memory_is_no_traceback(refused: Refused) -> None:
    message = refused("world", "generate", "--scale", "1e9", "--out", "W")
    assert "Unable to allocate" in message
    assert "smaller scale" in message


def test_a_defect_of_the_program_is_not_hidden(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "audit_source", fail)
    with pytest.raises(ZeroDivisionError):
        cli("audit", "--source", ".")


def test_the_shell_sees_the_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "giftlive", "audit", "--source", "nowhere"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("giftlive: nowhere: there is no such file or folder; expected ")
    assert done.stderr.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == []
