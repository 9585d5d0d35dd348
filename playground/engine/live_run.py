"""One run in progress: all it has told so far, and whoever follows it.

A run belongs to a task of its own, not to the page or the client that asked for it. Every event is appended to the
run's list and whoever follows reads that list, so a late, slow or returning reader misses nothing and gets nothing
twice.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from array import array
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from uuid_utils.compat import uuid7

from playground.engine.event_log import EventLog
from playground.engine.events import Answered, Ended, Failure, Received, Streamed
from playground.engine.exchange import Limits, run_in_batches
from playground.sandbox.address import is_sandbox_url

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Sequence
    from uuid import UUID

    import httpx

    from playground.engine.events import Pairs, RunEvent
    from playground.engine.response import Expected
    from playground.engine.upstream import Outgoing
    from playground.protocol.endpoints import Endpoint

GATHERED_AT_ONCE: Final = 500

logger = logging.getLogger(__name__)

State = Literal["queued", "running", "completed", "failed", "interrupted", "cancelled"]
StopReason = Literal["stopped", "client_left", "account_ended", "key_ended", "server_stopping"]

Pause = Callable[[bool], "Awaitable[None] | None"]

RUNNING_STATES = frozenset({"queued", "running"})


@dataclass(frozen=True, slots=True)
class RunMetadata:
    """The facts about a run that are known before it starts. Plain values: rows are named by their keys."""

    model: str = ""
    source: Literal["playground", "relay", "check"] = "playground"
    endpoint: Endpoint = "messages"
    stream: bool = False
    connection_id: UUID | None = None  # None: the sandbox, or a key typed for this visit only
    connection_name: str = "sandbox"
    base_url: str = ""
    query: str = ""  # of the address, masked
    user_agent: str = ""
    client_address: str = ""
    request_body: bytes = field(default=b"", repr=False)
    request_headers: Pairs = ()  # masked
    version: str = ""
    betas: tuple[str, ...] = ()
    user_id: int | None = None
    access_key_id: int | None = None
    access_key_name: str = ""
    keep_content: bool = True
    idempotency_key: str | None = None
    home: str | None = None  # the process it belongs to, where a site has several

    @property
    def is_sandbox(self) -> bool:
        return is_sandbox_url(self.base_url)


_STOPS: Final[dict[StopReason, tuple[Literal["cancelled", "interrupted"], Failure]]] = {
    "stopped": ("cancelled", Failure("stopped", "Stopped.")),
    "client_left": ("cancelled", Failure("stopped", "The client closed the connection.")),
    "account_ended": ("cancelled", Failure("stopped", "The account of this access key was deactivated.")),
    "key_ended": ("cancelled", Failure("stopped", "The access key of this request was revoked.")),
    "server_stopping": ("interrupted", Failure("server_stopping", "The server was stopped before the response ended.")),
}


class LiveRun:
    """One run and all it has told so far."""

    is_elsewhere = False  # it belongs to another process
    is_waiting = False  # for a way to the process it belongs to

    def __init__(self, owner: str, about: RunMetadata, outgoing: Outgoing | None, run_id: UUID | None = None) -> None:
        self.id: UUID = run_id or uuid7()
        self.owner = owner
        self.about = about
        self.started_at = datetime.now(UTC)
        self.events = EventLog()
        self.state: State = "queued"
        self.failure: Failure | None = None
        self.status: int | None = None  # HTTP
        self.received_size = 0
        self.event_count = 0
        self.is_stored = False  # to its end, by whoever stores runs
        self.usage: dict[str, Any] = {}  # as the answer told it so far
        self.duration_ms: float | None = None
        self._began = time.monotonic()
        self._outgoing = outgoing
        self._positions = array("I")  # of the Streamed events, by number, in `events`
        self._waiting: list[asyncio.Future[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # asking for it costs a system call
        self.task: asyncio.Task[None] | None = None
        self._stopping: StopReason | None = None
        self.changed: Callable[[LiveRun], None] = lambda _: None  # told of starts, answers and ends

    @property
    def is_over(self) -> bool:
        return self.state not in RUNNING_STATES

    def stop(self, reason: StopReason = "stopped") -> None:
        """End the run now: the upstream is closed, what came is kept. Does nothing when it has ended already."""
        if not self.is_over and self._stopping is None:
            self._stopping = reason
            if self.task is not None:
                self.task.cancel()

    async def follow(self, after: int = 0) -> AsyncGenerator[RunEvent, None]:
        """Every event after the server-sent event of that number, old ones first, until `Ended`; 0: from the start."""
        async with aclosing(self.gather(after)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    async def gather(self, after: int = 0) -> AsyncGenerator[Sequence[RunEvent], None]:
        """Yield the events in lists: each holds what has come since the last one was taken, up to a limit. A reader
        that was away for long would otherwise get all at once, which takes many times the memory of the bytes."""
        await self.reach(after)
        position = self.position_after(after)
        while True:
            if position < len(self.events):
                batch = self.events[position : position + GATHERED_AT_ONCE]
                position += len(batch)
                yield batch
            elif self.is_over:
                return
            else:
                await self.wait()

    async def reach(self, number: int) -> None:
        """Wait until the event that a reader has seen elsewhere is known here too. In its own process it is."""

    def position_after(self, number: int) -> int:
        """Return the index in `events` at which a reader goes on who has seen the event of this number; at most the
        end."""
        number = min(number, len(self._positions))
        return self._positions[number - 1] + 1 if number > 0 else 0

    async def wait(self) -> None:
        """Wait for the next event, whoever follows on its own."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append(future)
        await future

    async def ended(self) -> Ended:
        """Wait for the end."""
        while not self.is_over:
            await self.wait()
        last = self.events[-1]
        assert isinstance(last, Ended)
        return last

    def body(self) -> bytes:
        """All bytes of the answer's body so far."""
        return self.events.body()

    def headers(self) -> dict[str, str]:
        """The answer's headers that are kept; empty before it."""
        return next((dict(event.headers) for event in self.events if isinstance(event, Answered)), {})

    def publish(self, batch: Sequence[RunEvent]) -> None:
        """Take the next events and wake all who wait. Final states never change: after `Ended` nothing is taken."""
        if self.is_over:
            return
        noteworthy = False
        position = len(self.events)
        self.events.extend(batch)
        for place, event in enumerate(batch, position):
            if isinstance(event, Streamed):
                self._positions.append(place)
                if '"usage"' in event.event.data:
                    self._take_usage(event)
            elif isinstance(event, Received):
                self.received_size += len(event.data)
            else:
                noteworthy = True
                self._take_step(event)
        self.event_count = len(self._positions)
        self._wake()
        if noteworthy:
            self.changed(self)

    def _take_usage(self, event: Streamed) -> None:
        value, _ = event.event.json()
        if not isinstance(value, dict):
            return
        message = value.get("message")
        for holder in (message, value):
            usage = holder.get("usage") if isinstance(holder, dict) else None
            if isinstance(usage, dict):
                self.usage |= {name: count for name, count in usage.items() if count is not None}

    def _take_step(self, event: RunEvent) -> None:
        if isinstance(event, Answered):
            self.status = event.status
        elif isinstance(event, Ended):
            self.state, self.failure, self.duration_ms = event.state, event.failure, event.at_ms
            self._outgoing = None  # with the credential
            self.usage |= event.usage or {}
        else:
            self.state = "running"

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _end(self, state: Literal["failed", "interrupted", "cancelled"], failure: Failure) -> None:
        self.publish([Ended((time.monotonic() - self._began) * 1000, state, failure, is_cut=True)])

    def begin(
        self, client: httpx.AsyncClient, limits: Limits, pause: Pause | None, settled: Callable[[], None]
    ) -> None:
        """Start the run's own task. `settled` is called when the run has ended."""

        def settle(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                task.exception()
            self._settle()
            settled()

        # A fresh context: the task outlives the request, whose database thread it must not inherit.
        self.task = asyncio.get_running_loop().create_task(
            self._drive(client, limits, pause), name=f"run {self.id}", context=contextvars.Context()
        )
        self.task.add_done_callback(settle)

    async def _drive(self, client: httpx.AsyncClient, limits: Limits, pause: Pause | None) -> None:
        """The run's own task."""
        assert self._outgoing is not None
        expected: Expected = "token_count" if self.about.endpoint == "count_tokens" else "message"
        try:
            async with aclosing(run_in_batches(self._outgoing, client, limits, pause, expected=expected)) as batches:
                async for batch in batches:
                    self.publish(batch)
        except asyncio.CancelledError:
            if self._stopping is None:  # not by us: the loop is being closed
                self._stopping = "server_stopping"
                raise
        except Exception as error:
            # Only the kind: the text of an HTTP client's error can hold the key.
            logger.error("run %s broke off: %s", self.id, type(error).__name__)

    def _settle(self) -> None:
        """The task is over, one way or another; a run never stays open behind it."""
        if self._stopping is not None:
            self._end(*_STOPS[self._stopping])
        else:
            self._end("failed", Failure("internal", "The request failed because of an error in this server."))
