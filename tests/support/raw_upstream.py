"""A server on loopback that says exactly what a test tells it to, byte for byte."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from playground.engine.events import Ended, Failure, Received, RunEvent, Streamed
from playground.engine.exchange import Limits, run
from playground.engine.guard import Rules
from playground.engine.upstream import Outgoing, Upstream, build, make_client

SECRET = "sk-ant-a-secret-that-must-not-be-told"


@dataclass
class Exchange:
    """One connection as the server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes = b""
    body: bytes = b""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def stream(self, *events: bytes) -> None:
        """Head and events of a chunked stream, left open."""
        await self.say(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for event in events:
            await self.chunk(event)

    async def chunk(self, data: bytes) -> None:
        await self.say(b"%x\r\n%s\r\n" % (len(data), data))

    async def close_stream(self) -> None:
        await self.say(b"0\r\n\r\n")

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(1, 13, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_gone(self) -> None:
        """Wait until the client has closed its side."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.gone.set()


Script = Callable[[Exchange], Awaitable[None]]


@dataclass
class RawUpstream:
    port: int
    exchanges: list[Exchange]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def outgoing(self, body: bytes = b"{}", **options: object) -> Outgoing:
        return build(Upstream("test", self.url, credential=SECRET), "/v1/messages", body, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[RawUpstream]:
    exchanges: list[Exchange] = []
    tasks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange(reader, writer)
        exchanges.append(exchange)
        tasks.append(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            exchange.head = await reader.readuntil(b"\r\n\r\n")
            for line in exchange.head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    exchange.body = await reader.readexactly(int(line.partition(b":")[2]))
            await script(exchange)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield RawUpstream(server.sockets[0].getsockname()[1], exchanges)
    finally:
        server.close()
        for exchange in exchanges:
            # One that has closed behind its last byte has no loop any more, which `abort` asks for.
            if exchange.writer.get_extra_info("socket").fileno() >= 0:
                exchange.writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run_against(
    script: Script, limits: Limits | None = None, rules: Rules | None = None
) -> tuple[list[RunEvent], Ended]:
    """All events of one run against a server that follows the script, and its end."""
    async with serving(script) as upstream, make_client(rules or Rules(allow_loopback=True)) as client:
        events = [event async for event in run(upstream.outgoing(), client, limits)]
    last = events[-1]
    assert isinstance(last, Ended)
    return events, last


async def failure_of(script: Script, limits: Limits | None = None) -> tuple[str, Failure]:
    _, last = await run_against(script, limits)
    assert last.failure is not None
    return last.state, last.failure


def body_of(events: list[RunEvent]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Received))


def streamed(events: list[RunEvent]) -> list[Streamed]:
    return [event for event in events if isinstance(event, Streamed)]


def sse(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


START = sse("message_start", '{"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":1}}}')
TEXT = sse("content_block_start", '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}')
DELTA = sse("content_block_delta", '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}')
STOP = sse("message_stop", '{"type":"message_stop"}')
