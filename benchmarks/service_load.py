"""A load on an HTTP server over plain sockets: little work per request, to time the server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class Load:
    """What a load met.

    Attributes
    ----------
    latencies : seconds of every request. wall : of all. refused : answers that were not 200.
    by_model : answers that the full model valued.
    """

    latencies: list[float]
    wall: float
    refused: int
    by_model: int


def http_request(path: str, body: bytes) -> bytes:
    """Return the bytes of one POST."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def run(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send all requests over ``connections`` kept open, each waiting for its answer."""
    return asyncio.run(_run(port, requests, connections))


async def _run(port: int, requests: Sequence[bytes], connections: int) -> Load:
    waiting = iter(requests)
    latencies: list[float] = []
    refused, by_model = [0], [0]

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            began = perf_counter()
            writer.write(request)
            status, body = await _answer(reader)
            latencies.append(perf_counter() - began)
            refused[0] += status != 200
            by_model[0] += b'"valued_by":"model"' in body
        writer.close()

    began = perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return Load(latencies, perf_counter() - began, refused[0], by_model[0])


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length")
    )
    body = await reader.readexactly(length)
    return int(lines[0].split()[1]), body
