"""Many clients at once, each reading one stream, and what they saw."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

STAMP = re.compile(rb"@(\d+)@")


@dataclass
class Seen:
    """What a crowd of clients saw. Delays and times in milliseconds."""

    deltas: int = 0
    errors: int = 0
    first_ms: list[float] = field(default_factory=list)
    delays_ms: list[float] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def per_s(self) -> float:
        return self.deltas / self.took_s

    def delay(self, percent: float) -> float:
        return percentile(self.delays_ms, percent)


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def body(deltas: int, per_s: float, begin_at: float = 0) -> bytes:
    asked = {"deltas": deltas, "per_s": per_s, "begin_at": begin_at}
    message = {"role": "user", "content": "Go"}
    return json.dumps(
        {"model": "bench", "max_tokens": 99, "stream": True, "messages": [message], "metadata": asked}
    ).encode()


class Reader(asyncio.Protocol):
    """Sends one request, reads the stream to its end."""

    def __init__(self, request: bytes, seen: Seen, end: bytes) -> None:
        self.request = request
        self.seen = seen
        self.end = end
        self.is_whole = False
        self.first = True
        self.first_delay_ms: float | None = None
        self.transport: asyncio.BaseTransport | None = None  # until the server has taken the connection
        self.tail = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.sent = time.monotonic_ns()
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if self.first and b"@" in data:
            self.first = False
            self.seen.first_ms.append((now - self.sent) / 1e6)
        data = self.tail + data
        for found in STAMP.finditer(data):
            self.seen.deltas += 1
            self.seen.delays_ms.append((now - int(found[1])) / 1e6)
            if self.first_delay_ms is None:
                self.first_delay_ms = self.seen.delays_ms[-1]
        cut = data.rfind(b"}")  # a stamp that is cut in two is read with the next piece
        self.tail = data[cut + 1 :] if cut >= 0 else data
        if self.end in data:
            self.is_whole = True
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.is_whole:
            self.seen.errors += 1
        if not self.done.done():
            self.done.set_result(None)


async def crowd(count: int, make: Callable[[Seen], Reader], port: int, ramp_s: float) -> Seen:
    """So many readers, started evenly over `ramp_s`."""
    seen, readers = Seen(), []
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + ramp_s * number / count - time.monotonic()))
        try:
            _, reader = await loop.create_connection(lambda: make(seen), "127.0.0.1", port)
            readers.append(reader)
        except OSError:
            seen.errors += 1
    await asyncio.gather(*(reader.done for reader in readers))
    seen.took_s = time.monotonic() - began
    return seen


async def http_crowd(port: int, key: str, count: int, deltas: int, per_s: float, ramp_s: float = 1.0) -> Seen:
    asked = body(deltas, per_s)
    lines = ["POST /v1/messages HTTP/1.1", "host: localhost", f"x-api-key: {key}", f"content-length: {len(asked)}"]
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + asked
    return await crowd(count, lambda seen: Reader(request, seen, b"message_stop"), port, ramp_s)


async def first_byte_times(port: int, key: str, times: int) -> list[float]:
    """Milliseconds from request to first delta, one request after the other."""
    found: list[float] = []
    for _ in range(times):
        seen = await http_crowd(port, key, 1, 1, 1000, 0)
        found += seen.first_ms
    return found
