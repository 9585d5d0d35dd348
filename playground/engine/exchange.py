"""One run: send a request, read the answer, tell each step as a run event. Nothing is stored here.

`run` never raises for what an upstream does: every fault ends in an `Ended` event. It is ended from outside by closing
the iterator, which closes the upstream at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from playground.engine import faults
from playground.engine.byte_budget import ByteBudget
from playground.engine.events import Answered, Ended, Received, Requested
from playground.engine.read_timeout import IdleTimeout, IdleTimer
from playground.engine.redaction import Redaction
from playground.engine.response import Answer
from playground.engine.upstream import READ, SOCKET
from playground.protocol.headers import kept_response_headers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from playground.engine.events import Failure, RunEvent
    from playground.engine.response import Expected
    from playground.engine.upstream import Outgoing

_LARGE = 256 * 1024
_PIECE = 8 * 1024  # of a stream that is handled at once
_LONGEST_TURN_S = 0.005
_MUCH = 4 * 1024  # bytes that one read brings
Read = Callable[[], Awaitable[bytes]]

__all__ = ["Limits", "run", "run_in_batches"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a run may take. Seconds and bytes."""

    connect_s: float = 10.0
    first_byte_s: float = 600.0
    silence_s: float = 120.0
    total_s: float = 3600.0
    response_bytes: int = 64 * 2**20
    event_bytes: int = 16 * 2**20
    events: int = 1_000_000
    lines: int = 5_000_000  # of a stream, blank ones and comments included
    together: ByteBudget | None = None  # shared with the other runs in progress
    compressed_bytes: int = 16 * 2**20  # kept of an answer that we refuse to decompress
    after_end_s: float = 5.0  # how long an upstream may hold the connection once its message is complete


async def run(
    outgoing: Outgoing, client: httpx.AsyncClient, limits: Limits | None = None
) -> AsyncGenerator[RunEvent, None]:
    """Tell one run event by event. The last one is always `Ended`."""
    async with aclosing(run_in_batches(outgoing, client, limits)) as batches:
        async for batch in batches:
            for event in batch:
                yield event


async def run_in_batches(
    outgoing: Outgoing,
    client: httpx.AsyncClient,
    limits: Limits | None = None,
    pause: Callable[[bool], Awaitable[None] | None] | None = None,
    *,
    expected: Expected = "message",
) -> AsyncGenerator[list[RunEvent], None]:
    """Yield the events of a run, all that one read brought in one list: half the work for callers that take lists
    anyway.

    `pause` is asked before a further read where more can gather meanwhile, and told if what was read is urgent (the
    beginning or the end of a block, an error): it may return something to wait for. `expected`: what a good answer is.
    """
    limits = limits or Limits()
    reading = _Reading(outgoing, client, limits, expected=expected)
    yield [Requested(0.0, outgoing.method, outgoing.masked_url(), outgoing.masked_headers(), len(outgoing.body))]
    response = await reading.send()
    if isinstance(response, httpx.Response):
        try:
            yield [reading.answered(response)]
            async with aclosing(reading.read(response, pause)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            if limits.together is not None:
                limits.together.give_back(reading.size)
            with suppress(httpx.HTTPError, OSError):
                await response.aclose()
        yield [await reading.ended()]
    else:
        yield [Ended(reading.now_ms(), "failed", response)]


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))


def _reader(response: httpx.Response) -> Read:
    """Reading as a function, for transports that have none of their own."""
    chunks = aiter(response.stream)  # type: ignore[arg-type]  # an async client's streams are async

    async def read() -> bytes:
        async for chunk in chunks:
            if chunk:
                return bytes(chunk)
        return b""

    return read


async def _in_chunks(body: bytes) -> AsyncGenerator[bytes, None]:
    """A body of unknown length: HTTP/1.1 sends it chunk by chunk."""
    half = len(body) // 2
    for part in (body[:half], body[half:]):
        if part:
            yield part


async def _leave_in_socket(socket: asyncio.ReadTransport, waiting: Awaitable[None]) -> None:
    """Wait, and let what comes meanwhile gather in the system's buffer: there it costs nothing."""
    if socket.is_closing():
        await waiting
        return
    socket.pause_reading()
    try:
        await waiting
    finally:
        if not socket.is_closing():
            socket.resume_reading()


class _Reading:
    """The state of one run between its events."""

    def __init__(self, outgoing: Outgoing, client: httpx.AsyncClient, limits: Limits, *, expected: Expected) -> None:
        self.expected = expected
        self.outgoing = outgoing
        self.client = client
        self.limits = limits
        self.began = time.monotonic()
        self.size = 0
        self.is_over_budget = False
        self.turn_began = time.perf_counter()
        self.redaction = Redaction(outgoing.secrets)
        self.answer: Answer | None = None
        self.failure: Failure | None = None  # what ended the reading, if not the end of the body

    def now_ms(self) -> float:
        return (time.monotonic() - self.began) * 1000

    async def send(self) -> httpx.Response | Failure:
        """Send and wait for the status line. All ways to fail before it are values."""
        wait_s = min(self.limits.first_byte_s, self.limits.total_s)
        outgoing = self.outgoing
        try:
            request = httpx.Request(
                outgoing.method,
                outgoing.url,
                headers=[(name.encode(), value.encode("latin-1")) for name, value in outgoing.headers],
                content=_in_chunks(outgoing.body) if outgoing.is_chunked else outgoing.body or None,
                extensions={"timeout": self.client.timeout.as_dict()},
            )
            async with asyncio.timeout(wait_s):
                return await self.client.send(request, stream=True)
        except TimeoutError as error:
            if isinstance(error.__cause__, asyncio.CancelledError):
                return faults.first_byte(outgoing.url, wait_s)
            return faults.before_answer(error, outgoing.url, connect_s=self.limits.connect_s)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return faults.before_answer(error, outgoing.url, connect_s=self.limits.connect_s)
        except Exception as error:
            # aiohttp's own errors are no httpx errors where its transport has no name for them.
            if not type(error).__module__.startswith("aiohttp"):
                raise
            return faults.before_answer(error, outgoing.url, connect_s=self.limits.connect_s)

    def answered(self, response: httpx.Response) -> RunEvent:
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
        kept = kept_response_headers(
            pairs, is_for_owner=not self.outgoing.is_shared, besides=self.outgoing.kept_headers
        )
        headers = [(name.lower(), self.outgoing.redact(value)) for name, value in kept]
        self.answer = Answer(response, self.limits.event_bytes, expected=self.expected)
        return Answered(self.now_ms(), response.status_code, tuple(headers))

    async def read(
        self, response: httpx.Response, pause: Callable[[bool], Awaitable[None] | None] | None
    ) -> AsyncGenerator[list[RunEvent], None]:
        answer = self.answer
        assert answer is not None
        if answer.is_redirect:
            return
        read = response.extensions.get(READ) or _reader(response)
        socket: asyncio.ReadTransport | None = response.extensions.get(SOCKET)
        idle_timer = IdleTimer()
        try:
            while data := await self.next_chunk(read, idle_timer):
                for piece in _pieces(data) if answer.may_stream else (data,):
                    batch = self.take(answer, piece)
                    if batch:
                        yield batch
                    if self.failure:
                        return
                    if len(data) >= _MUCH:
                        await self.let_others_run()
                # Waiting is of use where more can gather meanwhile, and where that is not much already.
                if pause is None or socket is None or len(data) >= _MUCH:
                    continue
                if (waiting := pause(answer.is_urgent)) is not None:
                    await _leave_in_socket(socket, waiting)
        finally:
            idle_timer.end()
        if rest := self.pass_on(answer, self.redaction.finish()):
            yield rest
        if last := answer.finish(self.now_ms()):
            yield last

    async def let_others_run(self) -> None:
        """A stream of tiny events costs most per byte, and its next bytes are often here already: without this, no
        other run would get a turn in between."""
        if time.perf_counter() - self.turn_began >= _LONGEST_TURN_S:
            await asyncio.sleep(0)
            self.turn_began = time.perf_counter()

    def take(self, answer: Answer, data: bytes) -> list[RunEvent]:
        """Return the events that one read has brought, up to the limits."""
        room = self.room_left(answer)
        redacted = self.redaction.feed(data if len(data) <= room else data[:room], is_stream=answer.may_stream)
        batch = self.pass_on(answer, redacted)
        if len(data) > room:
            self.failure = faults.too_large(self.limits.response_bytes)
        elif answer.is_event_too_large:
            self.failure = faults.too_large(self.limits.event_bytes, event=True)
        elif answer.count > self.limits.events:
            self.failure = faults.too_many(self.limits.events, "events")
        elif answer.lines > self.limits.lines:
            self.failure = faults.too_many(self.limits.lines, "lines")
        elif self.is_over_budget:
            self.failure = faults.too_large_together(self.limits.together.total if self.limits.together else 0)
        return batch

    def pass_on(self, answer: Answer, data: bytes) -> list[RunEvent]:
        if not data:
            return []
        self.size += len(data)
        if self.limits.together is not None and not self.limits.together.take(len(data), self.size):
            self.is_over_budget = True
        now_ms = self.now_ms()
        return [Received(now_ms, data), *answer.feed(data, now_ms)]

    def room_left(self, answer: Answer) -> int:
        limits = self.limits
        return (limits.compressed_bytes if answer.encoding else limits.response_bytes) - self.size

    async def next_chunk(self, read: Read, idle_timer: IdleTimer) -> bytes:
        """The next bytes; none when there are no more, with `failure` set unless the body ended as it should."""
        assert self.answer is not None
        is_over = self.answer.is_over
        silence_s = self.limits.after_end_s if is_over else self.limits.silence_s
        left_s = self.limits.total_s - (time.monotonic() - self.began)
        failure = None
        try:
            return await idle_timer.wait(read(), min(silence_s, left_s))
        except TimeoutError as error:
            if isinstance(error, IdleTimeout):
                limits = self.limits
                is_idle = silence_s <= left_s
                failure = faults.idle(limits.silence_s) if is_idle else faults.duration(limits.total_s)
            else:
                failure = faults.truncated()
        except (httpx.HTTPError, OSError):
            failure = faults.truncated()
        except Exception as error:
            if not type(error).__module__.startswith("aiohttp"):
                raise
            failure = faults.truncated()
        self.failure = None if is_over else failure
        return b""

    async def ended(self) -> Ended:
        assert self.answer is not None
        if self.size < _LARGE or self.answer.streams:
            state, failure = self.answer.verdict(self.failure)
        else:  # parsing that much JSON would hold up all other runs
            state, failure = await asyncio.to_thread(self.answer.verdict, self.failure)
        self.answer.forget_body()
        if failure is not None:
            failure = self.redacted(failure)
        return Ended(self.now_ms(), state, failure, is_cut=self.failure is not None, usage=self.answer.usage)

    def redacted(self, failure: Failure) -> Failure:
        """An upstream's own words may repeat the key they were sent."""
        detail = {
            name: self.outgoing.redact(value) if isinstance(value, str) else value
            for name, value in failure.detail.items()
        }
        return type(failure)(failure.kind, self.outgoing.redact(failure.message), detail)
