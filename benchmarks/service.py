"""The decision service under load: durable decisions per second of one core, and their waits.

    giftlive bench service --run RUN --minutes 30      # memory: benchmarks/service_memory.py
    giftlive bench service --run RUN [--decisions 3000] [--candidates 200] [--connections 1,2,4,16]

The server runs in a process of its own on loopback, the load in another. Every decision values all
candidates, is written to the log and synced before it is answered. Beside it: a bare FastAPI call
that reads the same body and answers as much, and the disk's own sync. Each is timed by the wall and
by the server's processor seconds, which say what one core could do if the disk did not wait; beside
them, how many bare calls a decision costs, and the machine's load. ``--folder /dev/shm`` shows the
service without a disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks import service_load, service_memory
from benchmarks.service_load import Load

ROOMS_FROM, USERS = 1_000, 5_000
_TICKS = os.sysconf("SC_CLK_TCK")
BARE = """
import uvicorn, json, sys
from fastapi import FastAPI
from pydantic import BaseModel
app = FastAPI()
class Body(BaseModel):
    request_id: str
    user_id: int
    candidates: list[int]
@app.post("/v1/decisions")
async def echo(body: Body):
    return {"request_id": body.request_id, "user_id": body.user_id, "filler": "x" * 450}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)
"""


@contextmanager
def process(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a server process that answers on a port."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            _until_it_answers(port, server)
            yield server
        finally:
            server.terminate()
            server.wait(30)


def _until_it_answers(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(3_000):
        if server.poll() is not None:
            raise SystemExit(
                f"bench service: the server left with exit code {server.returncode};"
                " `giftlive serve` with the same --run says why"
            )
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not answer")


def processor_seconds(pid: int) -> float:
    """Return the processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def requests(name: str, decisions: int, candidates: int) -> list[bytes]:
    """Return decision requests of random users over the same rooms."""
    rng = np.random.default_rng(0)
    users = rng.integers(0, USERS, decisions).tolist()
    lives = list(range(ROOMS_FROM, ROOMS_FROM + candidates))
    bodies = (
        {"request_id": f"{name}-{k}", "user_id": user, "candidates": lives}
        for k, user in enumerate(users)
    )
    return [
        service_load.http_request("/v1/decisions", json.dumps(body).encode()) for body in bodies
    ]


def warm(port: int, candidates: int) -> None:
    """Open the rooms, let a crowd act, and wait until features have seen it."""
    now = time.time_ns() // 1_000_000
    rooms = [
        {
            "event_id": f"open-{k}",
            "type": "room_open",
            "ts": now,
            "live_id": ROOMS_FROM + k,
            "streamer_id": k,
            "seats": 100_000,
        }
        for k in range(candidates)
    ]
    rng = np.random.default_rng(1)
    users, lives = rng.integers(0, USERS, 4_000), rng.integers(0, candidates, 4_000)
    acts = [
        {
            "event_id": f"click-{k}",
            "type": "click",
            "ts": now,
            "user_id": int(user),
            "live_id": ROOMS_FROM + int(live),
        }
        for k, (user, live) in enumerate(zip(users, lives, strict=True))
    ]
    for start in range(0, len(acts), 500):
        batch = [*(rooms if start == 0 else ()), *acts[start : start + 500]]
        body = json.dumps({"events": batch}).encode()
        service_load.run(port, [service_load.http_request("/v1/events", body)], 1)
    time.sleep(2.5)
    service_load.run(port, requests("warm", 400, candidates), 8)
    time.sleep(1.5)


def sync_seconds(folder: Path, size: int = 8_192, times: int = 200) -> np.ndarray:
    """Return seconds of ``times`` appends of ``size`` bytes, each synced."""
    path, found = folder / "sync", []
    with path.open("wb") as file:
        for _ in range(times):
            file.write(b"x" * size)
            file.flush()
            began = perf_counter()
            os.fdatasync(file.fileno())
            found.append(perf_counter() - began)
    path.unlink()
    return np.array(found)


@dataclass(frozen=True)
class Measured:
    """One line of the table: ``cpu`` is the server's processor seconds per request."""

    cpu: float
    refused: int
    text: str


def measured(
    name: str, port: int, pid: int, load: list[bytes], connections: int, bare: float | None
) -> Measured:
    """Return one line of the table; ``bare`` is what a call without any work costs."""
    before = processor_seconds(pid)
    found: Load = service_load.run(port, load, connections)
    cpu = processor_seconds(pid) - before
    p50, p99 = np.percentile(found.latencies, [50, 99]) * 1e3
    n, own = len(load), max(cpu, 1.0 / _TICKS) / len(load)
    text = (
        f"{name:28s} {connections:5d} {n / found.wall:9,.0f} {1.0 / own:12,.0f}"
        f" {own * 1e3:8.3f} {own / (bare or own):7.1f} {p50:8.2f} {p99:8.2f}"
        f" {found.by_model / n:9.0%} {found.refused:8d} {os.getloadavg()[0]:6.1f}"
    )
    return Measured(own, found.refused, text)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit 1 when a request was refused."""
    parser = argparse.ArgumentParser(prog="giftlive bench service", description=__doc__)
    parser.add_argument("--run", type=Path, help="run folder whose values decide")
    parser.add_argument("--decisions", type=int, default=3_000)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--connections", default="1,2,4,16")
    parser.add_argument("--port", type=int, default=8_790)
    parser.add_argument("--folder", type=Path, help="where the log is written (its disk is timed)")
    parser.add_argument("--minutes", type=int, help="memory over so many minutes of requests' time")
    parser.add_argument("--rate", type=int, default=20, help="decisions a second of that time")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=asked.folder, prefix="giftlive-bench-") as scratch:
        if asked.minutes:
            db = f"sqlite:///{Path(scratch) / 'log.db'}"
            with process(service_memory.command(asked.port, db, asked.run), asked.port) as server:
                return service_memory.play(server.pid, asked.port, asked.minutes, asked.rate)
        return _print_table(asked, Path(scratch))


def _print_table(asked: argparse.Namespace, folder: Path) -> int:
    sync = sync_seconds(folder) * 1e3
    p50, p99 = np.percentile(sync, [50, 99])
    print(f"sync of 8 KiB on this disk: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    print(
        f"{'':28s} {'open':>5s} {'per s':>9s} {'per core s':>12s} {'cpu ms':>8s}"
        f" {'x bare':>7s} {'p50 ms':>8s} {'p99 ms':>8s} {'by model':>9s} {'refused':>8s}"
        f" {'load':>6s}"
    )
    many = [int(text) for text in asked.connections.split(",")]
    refused, port = 0, asked.port
    bare: dict[int, float] = {}

    def line(name: str, pid: int, connections: int) -> Measured:
        load = requests(f"{connections}", asked.decisions, asked.candidates)
        found = measured(name, port, pid, load, connections, bare.get(connections))
        print(found.text, flush=True)
        return found

    with process([sys.executable, "-c", BARE, str(port)], port) as server:
        service_load.run(port, requests("warm", 400, asked.candidates), 8)
        for connections in many:
            bare[connections] = line("bare FastAPI", server.pid, connections).cpu
    served = [sys.executable, "-m", "giftlive", "serve", "--no-keys", "--port"]
    run = ["--run", str(asked.run)] if asked.run else []
    kinds = {
        "Scorer, durable": [],
        "full model, durable": ["--set", "decisive.rerank=20", "--set", "limits.model_ms=1000.0"],
    }
    if not asked.run:
        kinds = {"popularity, durable": []}
    for name, settings in kinds.items():
        port += 1
        db = f"sqlite:///{folder / f'log-{port}.db'}"
        command = [*served, str(port), "--db", db, *run, *settings]
        with process(command, port) as server:
            warm(port, asked.candidates)
            refused += sum(line(name, server.pid, connections).refused for connections in many)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
