"""An upstream made to be measured against: `POST /v1/messages` answers with so many deltas at so many a second.

    python -m tests.bench.fast_upstream        prints its port

What it sends comes from the request's metadata: {"deltas": 100, "per_s": 50}; `per_s` 0 sends as fast as it can,
`begin_at` is when to begin, in seconds of the machine's monotonic clock. With `"is_held": true` the first delta waits
until the program gets SIGUSR1.
Each delta's text holds the moment it was written (`@<nanoseconds>@`, the machine's monotonic clock), which the load
reads to know how long a delta was on its way.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import ClassVar

START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    b'"model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}'
    b'\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
    b'{"type":"text","text":""}}\n\n'
)
DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
    b'"text":" some @%d@ words"}}\n\n'
)
STOP = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\nevent: message_delta\ndata: '
    b'{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":99}}'
    b'\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)
_BURST = 64 * 1024


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _metadata(body: bytes) -> dict:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    return asked.get("metadata", {}) if isinstance(asked, dict) else {}


class Upstream(asyncio.Protocol):
    held: ClassVar[list[Upstream]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.received, self.awaited = bytearray(), 0
        self.timer: asyncio.TimerHandle | None = None
        self.can_write = asyncio.Event()
        self.can_write.set()

    def connection_lost(self, _: Exception | None) -> None:
        if self.timer:
            self.timer.cancel()
        if self in self.held:
            self.held.remove(self)
        self.can_write.set()

    def pause_writing(self) -> None:
        self.can_write.clear()

    def resume_writing(self) -> None:
        self.can_write.set()

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) < self.awaited:  # a large body is looked at once, not with each of its pieces
            return
        head, found, body = bytes(self.received).partition(b"\r\n\r\n")
        if not found:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.awaited = len(head) + 4 + length
        if len(self.received) >= self.awaited:
            self.received, self.awaited = bytearray(), 0
            asked = _metadata(body)
            self.timer = asyncio.get_running_loop().call_later(
                max(0.0, asked.get("begin_at", 0) - time.monotonic()), self.answer, asked
            )

    def answer(self, asked: dict) -> None:
        self.left, self.per_s = asked.get("deltas", 100), asked.get("per_s", 50)
        self.transport.write(HEAD + chunk(START))
        if asked.get("is_held"):
            self.held.append(self)
        else:
            self.go_on()

    def go_on(self) -> None:
        loop = asyncio.get_running_loop()
        if self.per_s:
            self.every_s = 1 / self.per_s
            self.due = loop.time() + self.every_s
            self.timer = loop.call_at(self.due, self.tick, loop)
        else:
            self.task = loop.create_task(self.pour())

    def tick(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.left:
            self.left -= 1
            self.transport.write(chunk(DELTA % time.monotonic_ns()))
            self.due += self.every_s
            self.timer = loop.call_at(self.due, self.tick, loop)
        else:
            self.transport.write(chunk(STOP) + b"0\r\n\r\n")

    async def pour(self) -> None:
        while self.left and not self.transport.is_closing():
            await self.can_write.wait()
            delta = DELTA % time.monotonic_ns()
            count = min(self.left, _BURST // len(delta))
            self.left -= count
            self.transport.write(chunk(delta * count))
            await asyncio.sleep(0)
        self.transport.write(chunk(STOP) + b"0\r\n\r\n")


def let_go() -> None:
    while Upstream.held:
        Upstream.held.pop().go_on()


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, let_go)
    server = await loop.create_server(Upstream, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
