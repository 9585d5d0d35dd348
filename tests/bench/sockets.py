"""Websocket clients for the load: they read frames, and say which they have seen as the page does."""

from __future__ import annotations

import asyncio
import json
import re
import time

from tests.bench.load import Seen

# As the page does.
SEEN_EVERY_S = 1.0
SEEN_EVERY_UNDER_LOAD_S = 0.12
MUCH = 16_000
STAMP = re.compile(r"@(\d+)@")


class SocketReader(asyncio.Protocol):
    """One websocket. `first` is said once it is open; `is_ours` frames hold lists of events, others one event each."""

    def __init__(self, path: str, cookies: str, first: bytes, seen: Seen, *, is_ours: bool) -> None:
        self.path, self.cookies, self.first, self.seen, self.is_ours = path, cookies, first, seen, is_ours
        self.buffer = bytearray()
        self.is_open = self.is_whole = False
        self.frame = 0
        self.first_delay_ms: float | None = None
        self.transport: asyncio.BaseTransport | None = None  # until the server has taken the connection
        self.unsaid = 0
        self.acknowledging: asyncio.TimerHandle | None = None
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"host: {host}:{port}",
            f"origin: http://{host}:{port}",
            "upgrade: websocket",
            "connection: upgrade",
            "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
            "sec-websocket-version: 13",
            f"cookie: {self.cookies}",
        ]
        transport.write("\r\n".join(lines).encode() + b"\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.buffer += data
        if not self.is_open:
            head, found, rest = bytes(self.buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.transport.close()
                return
            self.is_open, self.buffer = True, bytearray(rest)
            self.opened.set_result(None)
            if self.first:
                self.say(self.first)
        while (frame := self.take()) is not None:
            self.read(*frame, now)

    def take(self) -> tuple[int, bytes] | None:
        """The next whole frame: its kind and what it holds. Servers do not mask."""
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        length, begin = buffer[1] & 127, 2
        if length >= 126:
            begin = 4 if length == 126 else 10
            if len(buffer) < begin:
                return None
            length = int.from_bytes(buffer[2:begin], "big")
        if len(buffer) < begin + length:
            return None
        kind, payload = buffer[0] & 15, bytes(buffer[begin : begin + length])
        del buffer[: begin + length]
        return kind, payload

    def say(self, text: bytes, kind: int = 1) -> None:
        """Masked with zeros, which leaves the bytes as they are."""
        length = len(text)
        size = bytes([128 | length]) if length < 126 else bytes([128 | 126]) + length.to_bytes(2, "big")
        self.transport.write(bytes([128 | kind]) + size + b"\0\0\0\0" + text)

    def read(self, kind: int, payload: bytes, now: int) -> None:
        if kind == 9:
            self.say(payload, 10)
        if kind == 8:
            self.transport.close()
        if kind != 1:
            return
        text = payload.decode()
        if self.is_ours:
            frame = json.loads(text)
            text = " ".join(entry[3] for entry in frame.get("events", ()))
            self.is_whole = self.is_whole or frame["type"] == "ended"
            self.frame = frame["frame"]
            self.unsaid += len(payload)
            if self.acknowledging is None:
                every_s = SEEN_EVERY_S if self.unsaid < MUCH else SEEN_EVERY_UNDER_LOAD_S
                self.acknowledging = asyncio.get_running_loop().call_later(every_s, self.acknowledge)
        else:
            self.is_whole = self.is_whole or "message_stop" in text
        for stamp in STAMP.findall(text):
            self.seen.deltas += 1
            self.seen.delays_ms.append((now - int(stamp)) / 1e6)
            if self.first_delay_ms is None:
                self.first_delay_ms = self.seen.delays_ms[-1]

    def acknowledge(self) -> None:
        self.acknowledging, self.unsaid = None, 0
        if not self.transport.is_closing():
            self.say(b'{"type":"seen","frame":%d}' % self.frame)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.is_whole:
            self.seen.errors += 1
        for future in (self.opened, self.done):
            if not future.done():
                future.set_result(None)
