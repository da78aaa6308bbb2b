"""A PostgreSQL server of the test's own, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def programs() -> Path | None:
    """Return the folder of ``initdb`` and ``pg_ctl``, None where there is none."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else _PLACES
    return next((p for p in places if (p / "initdb").is_file() and (p / "pg_ctl").is_file()), None)


def user() -> dict[str, Any]:
    """Return how to start a program: the server refuses to be root."""
    if os.geteuid() != 0:
        return {}
    try:
        return {"user": pwd.getpwnam("nobody").pw_uid}
    except KeyError:
        return {}


@dataclass(frozen=True)
class Server:
    """A server that can be stopped and started again."""

    bin: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://giftlive@127.0.0.1:{self.port}/postgres"

    def control(self, *arguments: str) -> None:
        command = [str(self.bin / "pg_ctl"), "-D", str(self.folder / "data"), "-w", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **user())

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self.control("-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")


@contextmanager
def running() -> Iterator[Server]:
    """Yield a fresh server on a free port; nothing is left of it."""
    bin_folder = programs()
    assert bin_folder is not None
    folder = Path(tempfile.mkdtemp(prefix="giftlive-pg-"))
    owner = user().get("user")
    if owner is not None:
        os.chown(folder, owner, -1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(bin_folder, folder, port)
    try:
        command = [str(bin_folder / "initdb"), "-D", str(folder / "data"), "-U", "giftlive"]
        command += ["-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **user())
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
