"""``giftlive keys``, ``serve`` and ``replay`` as commands: what they print, and how they refuse."""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.cli.conftest import Cli
from tests.service import planted

from giftlive.errors import ConfigError
from giftlive.service import server
from giftlive.service.engine import Origin
from giftlive.service.local import LocalService
from giftlive.service.settings import DecisiveSettings, ServiceSettings
from giftlive.service.store import open_store
from giftlive.tables.online import OnlineFeatures

Starts = Callable[..., CompletedProcess[str]]


def _db(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'log.db'}"


def test_keys_are_made_listed_and_revoked(cli: Cli, tmp_path: Path) -> None:
    db = _db(tmp_path)
    made = cli("keys", "create", "--scope", "decide", "--name", "shop", "--db", db)
    key = made.stdout.strip()
    assert key.startswith("gl_")
    listed = cli("keys", "list", "--db", db, "--json")
    (row,) = json.loads(listed.stdout)["keys"]
    assert (row["name"], row["scopes"], row["revoked"]) == ("shop", "decide", "")
    assert key.split("_")[2] not in listed.stdout
    assert key.split("_")[2] not in (tmp_path / "log.db").read_bytes().decode("latin-1")
    assert "revoked" in cli("keys", "revoke", key, "--db", db).stdout
    assert cli("keys", "revoke", row["key_id"], "--db", db).returncode == 2
    refused = cli("keys", "create", "--scope", "everything", "--db", db)
    assert refused.returncode == 2
    assert "decide, ingest, admin" in refused.stderr


def test_verify_replays_a_log_and_sees_a_changed_one(cli: Cli, tmp_path: Path) -> None:
    db = _db(tmp_path)
    store = open_store(db)
    service = LocalService.open(store, Origin(DecisiveSettings(), planted.values()), planted.T0)
    service.hear(planted.rooms(5), planted.T0)
    for call, what, ts in planted.day(1, 20):
        if call == "decide":
            service.decide(what, ts)
        else:
            service.hear(what, ts)
    store.close()
    found = json.loads(cli("serve", "--db", db, "--verify").stdout)
    assert (found["decisions"], found["untaken"]) == (20, 0)
    assert found["digest"] == service.state.digest()

    con = sqlite3.connect(tmp_path / "log.db")
    (seq, body), *_ = con.execute(
        "select seq, body from log where kind = 'decision' order by seq desc limit 1"
    ).fetchall()
    changed = body[:-1] + bytes([body[-1] ^ 1])
    con.execute("update log set body = ? where seq = ?", (changed, seq))
    con.commit()
    con.close()
    broken = cli("serve", "--db", db, "--verify")
    assert broken.returncode == 1
    assert "differ when taken again" in broken.stderr


def test_settings_that_a_log_does_not_have_are_refused(cli: Cli, tmp_path: Path) -> None:
    db = _db(tmp_path)
    store = open_store(db)
    LocalService.open(store, Origin(DecisiveSettings(tick_ms=500)), planted.T0)
    store.close()
    asked = ["--set", 'decisive.policy={name = "softmax"}', "--set", "decisive.tick_ms=500"]
    asked += ["--set", "decisive.join.hold_seconds=9", "--set", "clock=requests"]
    done = cli("serve", "--db", db, "--no-keys", "--port", "0", *asked)
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    for words in (
        'decisive.policy is asked to be {"name":"softmax"} and is {"name":"random_bucket"',
        "decisive.join.hold_seconds is asked to be 9.0 and is 30.0",
        "log.db",
        "another --db",
        "PUT /v1/policy",
    ):
        assert words in said
    assert "tick_ms" not in said  # asked for, and so it is
    assert "Traceback" not in said


@pytest.fixture
def starts(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starts:
    """Start on a log with ``--run planted-K``, whose values are the planted ones of seed K."""
    reads = lambda run, **_: planted.values(int(run.name[-1]))  # noqa: E731
    monkeypatch.setattr(server, "read_values", reads)
    monkeypatch.setattr(server, "_run", lambda *_: None)

    def start(run: str, *more: str) -> CompletedProcess[str]:
        usual = ["--db", _db(tmp_path), "--no-keys", "--port", "0", "--run", run]
        return cli("serve", *usual, *more)

    return start


@pytest.mark.parametrize("began", [0, None])
def test_values_that_do_not_decide_in_a_log_are_refused(
    starts: Starts, tmp_path: Path, began: int | None
) -> None:
    store = open_store(_db(tmp_path))
    values = None if began is None else planted.values(began)
    service = LocalService.open(store, Origin(DecisiveSettings(), values), planted.T0)
    own = "those of popularity" if began is None else "planted 0"
    refused = starts("planted-1")
    assert refused.returncode == 2
    assert f"holds the values planted 1, and {own} decide in this log" in refused.stderr
    assert "PUT /v1/model" in refused.stderr
    assert "listening" not in refused.stderr
    service.swap(planted.values(1))
    assert "PUT /v1/model" not in starts("planted-1").stderr  # in force now
    service.swap(planted.values(2))
    gone_on = starts("planted-1")
    assert gone_on.returncode == 0
    (said,) = [json.loads(line) for line in gone_on.stderr.splitlines() if "--run" in line]
    assert said["level"] == "warning"
    assert "planted 2 decide in this log: they were put in force" in said["message"]
    store.close()


def test_the_values_of_a_log_start_without_a_word(starts: Starts, tmp_path: Path) -> None:
    assert starts("planted-0").returncode == 0
    again = starts("planted-0")
    assert again.returncode == 0
    assert '"warning"' not in again.stderr


def test_tables_that_a_log_does_not_go_on_from_are_refused(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Online:
        def __init__(self, folder: Path, _: object) -> None:
            self.folder, self.features = folder, None

        def digest(self) -> bytes:
            return (self.folder / "state").read_bytes()

    monkeypatch.setattr(OnlineFeatures, "from_tables", Online)
    for name, state in (("a", "1"), ("copy", "1"), ("b", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state").write_text(state)

    def hold(asked: str, kept: Path | None) -> None:
        serving = server.Serving(ServiceSettings(), "sqlite:///x", tables=tmp_path / asked)
        server._require_tables(serving, Origin(DecisiveSettings(), tables=kept))

    hold("a", tmp_path / "a")
    hold("copy", tmp_path / "a")
    with pytest.raises(ConfigError, match="went on from"):
        hold("b", tmp_path / "a")
    with pytest.raises(ConfigError, match="began with nobody known"):
        hold("a", None)
    store = open_store(_db(tmp_path))
    LocalService.open(store, Origin(DecisiveSettings()), planted.T0)
    store.close()
    usual = ["--db", _db(tmp_path), "--no-keys", "--port", "0"]
    monkeypatch.setattr(server, "_run", lambda *_: None)
    refused = cli("serve", *usual, "--tables", str(tmp_path / "a"))
    assert refused.returncode == 2
    assert "this log began with nobody known" in " ".join(refused.stderr.split())


def test_an_address_that_is_taken_is_said(cli: Cli, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = cli("serve", "--db", _db(tmp_path), "--no-keys", "--port", port)
    assert done.returncode == 2
    assert "in use" in done.stderr
    assert not (tmp_path / "log.db").exists()


def test_mistakes_are_one_paragraph(cli: Cli, tmp_path: Path) -> None:
    for arguments, words in (
        (["serve", "--db", _db(tmp_path), "--verify"], "there is no such database"),
        (["serve", "--db", _db(tmp_path), "--snapshot"], "there is no such database"),
        (["keys", "list", "--db", _db(tmp_path)], "there is no such database"),
        (["keys", "revoke", "1", "--db", _db(tmp_path)], "there is no such database"),
        (["serve", "--no-keys", "--host", "0.0.0.0"], "anybody could decide"),
        (["serve", "--db", "mysql://x"], "sqlite:///PATH"),
        (["serve", "--db", _db(tmp_path), "--run", str(tmp_path)], "not a run folder"),
        (["serve", "--db", _db(tmp_path), "--run", str(tmp_path / "NOPE")], "no such folder"),
        (["serve", "--set", "decisive.tick_ms=0"], "tick_ms"),
        (["replay", "--source", str(tmp_path / "no"), "--url", "http://127.0.0.1:9"], "no such"),
    ):
        done = cli(*arguments)
        assert done.returncode == 2, arguments
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "log.db").exists()
    cli("keys", "create", "--scope", "decide", "--db", _db(tmp_path))
    assert "an empty log" in cli("serve", "--db", _db(tmp_path), "--verify").stderr


@pytest.mark.parametrize(
    ("command", "package", "ours"),
    [("serve", "fastapi", "giftlive.service.api"), ("replay", "httpx", "giftlive.client")],
)
def test_without_the_extra_it_says_how_to_get_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str, package: str, ours: str
) -> None:
    for module in [m for m in sys.modules if m == ours or m.startswith(f"{ours}.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    arguments = {"serve": ["--no-keys"], "replay": ["--source", "X", "--url", "http://127.0.0.1:9"]}
    refused = cli(command, *arguments[command])
    assert refused.returncode == 2
    assert f"giftlive {command}: {package} is not installed" in refused.stderr
    assert "scripts/setup service" in refused.stderr
