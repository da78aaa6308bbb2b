"""The process around the application: how it ends when it is told to, once and twice."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable

import pytest
from tests.service import planted
from tests.service.memory_store import MemoryStore
from tests.service.planted import T0

from giftlive.service import server
from giftlive.service.api.app import Service, make_app
from giftlive.service.engine import Origin, open_engine
from giftlive.service.record import DIGEST
from giftlive.service.settings import ServiceSettings
from giftlive.service.verification import verify_log

HALF = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"


class Ended:
    """What a caller saw who had sent half a request when the signals came."""

    def __init__(self, signals: int) -> None:
        self.answer, self.memory = b"", MemoryStore()
        how = ServiceSettings(clock="requests")
        engine = open_engine(self.memory, Origin(how.decisive, planted.values()), T0)
        app = make_app(Service(how, self.memory, engine, open_to_all=True))
        listening = server.bound("127.0.0.1", 0)
        self.address = listening.getsockname()
        thread = threading.Thread(target=self._signal, args=(signals,))
        thread.start()
        self.raised = False
        try:
            server._run(app, listening)
        except KeyboardInterrupt:
            self.raised = True
        thread.join(20.0)

    def _signal(self, signals: int) -> None:
        _until(self._healthy)
        with socket.create_connection(self.address) as caller:
            caller.sendall(HALF if signals > 1 else b"")
            _until(self._healthy)  # what was sent before is being read
            os.kill(os.getpid(), signal.SIGINT)
            _until(lambda: not self._healthy())
            if signals > 1:
                os.kill(os.getpid(), signal.SIGINT)
            caller.settimeout(15.0)
            self.answer = caller.recv(4096)

    def _healthy(self) -> bool:
        try:
            with socket.create_connection(self.address, 5.0) as line:
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return line.recv(4096).startswith(b"HTTP/1.1 200 ")
        except OSError:
            return False


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20.0
    while not true():
        assert time.monotonic() < deadline


@pytest.mark.parametrize("signals", [1, 2])
def test_signals_end_it_in_order(
    signals: int, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Once: all is answered. Twice: nobody is waited for, the log is closed all the same."""
    ended = Ended(signals)
    assert ended.raised == (signals == 2)
    if signals == 2:
        assert ended.answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in ended.answer.lower()
    *_, last = ended.memory.read(0, 1_000)
    assert last.record.kind == DIGEST
    assert verify_log(ended.memory).digests >= 1
    assert not [said for said in caplog.records if said.exc_info]
    assert "Traceback" not in capfd.readouterr().err
