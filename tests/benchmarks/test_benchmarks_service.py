"""The benchmark of the service: a real server, a small load, and what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import service as bench
from benchmarks import service_load, service_memory


def test_requests_are_whole_and_of_the_size_asked_for() -> None:
    load = bench.requests("x", 3, 5)
    assert len({*load}) == 3
    head, body = load[0].split(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.count(b",") == 6
    assert service_load.http_request("/p", b"{}").startswith(b"POST /p HTTP/1.1\r\n")


def test_the_disk_is_timed(tmp_path: Path) -> None:
    found = bench.sync_seconds(tmp_path, times=5)
    assert len(found) == 5
    assert (found > 0.0).all()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_table_has_a_line_for_every_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--decisions", "60", "--candidates", "20", "--connections", "1,4"]
    assert bench.main([*asked, "--folder", str(tmp_path), "--port", "18790"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:28].strip() for line in lines[2:]] == (
        ["bare FastAPI"] * 2 + ["popularity, durable"] * 2
    )
    assert all(float(line.split()[-9].replace(",", "")) > 0.0 for line in lines[2:])


@pytest.mark.slow
def test_memory_has_a_line_for_every_sixth_of_the_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--minutes", "1", "--rate", "2", "--folder", str(tmp_path), "--port", "18795"]
    assert bench.main(asked) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[1]) for line in lines[1:7]] == [20, 40, 60, 80, 100, 120]
    assert all(float(line.split()[2]) > 20.0 for line in lines[1:7])
    monkeypatch.setattr(service_memory, "ALLOWED", 0.5)
    assert bench.main(asked) == 1
