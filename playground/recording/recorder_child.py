"""The recorder's own process: what it is told by the server, and what it tells.

It is forked from the workers' template, which has the application loaded. When the server is gone it writes what it
was told and ends.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from playground.engine import memory
from playground.recording.recorder import Recorder
from playground.recording.run_copy import Backlog, RunCopy
from playground.workers import messages, services

if TYPE_CHECKING:
    import socket

    from playground.engine.live_run import RunMetadata

SERVICE: Final = b"r"
# To the recorder: a run's body piece by piece, then what else is known of it; pieces of runs; a question.
BODY, RUN, TOLD, SETTLE = "body", "run", "told", "settle"
# From it.
STATE, SETTLED = "state", "settled"
FRAME_BYTES: Final = 256 * 1024  # about, of one message

_MOST_EVENTS: Final = 20_000  # that wait to be taken: more are left with the server
_MOST_BYTES: Final = 8 * 2**20
_TOLD_EVERY_S: Final = 0.1
_BEATS_EVERY: Final = 10  # times that nothing has changed
_LAST_WORDS_S: Final = 10.0  # to write what was told before the server was gone
_LARGE: Final = 4 * 2**20  # of what came since: then memory is given back when all is written


@dataclasses.dataclass(frozen=True)
class State:
    """The recorder's state. `over` are numbers of runs that it is done with, and whether they are stored."""

    failing: bool = False
    problem: str | None = None
    backlog: int = 0
    over: tuple[tuple[int, bool], ...] = ()


def run_recorder(connection: socket.socket) -> None:
    """Store what comes over the connection until it ends. Never returns."""
    memory.settle_malloc()
    with suppress(ConnectionError):
        asyncio.run(_Child().serve(connection))
    os._exit(0)


services[SERVICE] = run_recorder


class _Child:
    """The recorder behind a connection: takes what the server hands over, and says how far it is."""

    def __init__(self) -> None:
        self._recorder = Recorder()
        self._backlog = Backlog()
        self._runs: dict[int, RunCopy] = {}
        self._bodies: dict[int, list[bytes]] = {}
        self._received = 0  # bytes, since memory was given back
        self._settling: set[asyncio.Task[None]] = set()

    async def serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=4 * FRAME_BYTES)
        telling = asyncio.ensure_future(self._tell_on(writer))
        try:
            while True:
                size, message = await messages.receive_sized(reader)
                self._received += size
                self._take(message, writer)
                await self._catch_up()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        telling.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._recorder.settle(), _LAST_WORDS_S)
        if settings.TRACES:
            import_string("playground.recording.traces.flush")()

    async def _catch_up(self) -> None:
        """Leave the rest with the server until the recorder's thread has taken what is here."""
        while self._backlog.events > _MOST_EVENTS or self._backlog.size > _MOST_BYTES:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _take(self, message: tuple[Any, ...], writer: asyncio.StreamWriter) -> None:
        match message:
            case (kind, told) if kind == TOLD:
                for number, pieces in told:
                    self._runs[number].take(pieces)
            case (kind, number, body) if kind == BODY:
                self._bodies.setdefault(number, []).append(body)
            case (kind, number, run_id, about, is_again) if kind == RUN:
                self._begin(number, run_id, about, is_again=is_again)
            case (kind, token) if kind == SETTLE:
                task = asyncio.ensure_future(self._settle(token, writer))
                self._settling.add(task)
                task.add_done_callback(self._settling.discard)

    def _begin(self, number: int, run_id: Any, about: RunMetadata, *, is_again: bool) -> None:
        body = b"".join(self._bodies.pop(number, ()))
        run = RunCopy(run_id, dataclasses.replace(about, request_body=body), self._backlog)
        self._runs[number] = run
        self._recorder.attach(run, is_again=is_again)

    async def _settle(self, token: int, writer: asyncio.StreamWriter) -> None:
        await self._recorder.settle()
        writer.write(messages.pack((STATE, self._state())))
        writer.write(messages.pack((SETTLED, token)))

    async def _tell_on(self, writer: asyncio.StreamWriter) -> None:
        last, beats = State(), 0
        while True:
            state, beats = self._state(), beats + 1
            if state != last or beats >= _BEATS_EVERY:
                writer.write(messages.pack((STATE, state)))
                await writer.drain()
                last, beats = dataclasses.replace(state, over=()), 0
            if not self._runs and self._received > _LARGE:
                self._received = 0
                await asyncio.to_thread(memory.trim)
            await asyncio.sleep(_TOLD_EVERY_S)

    def _state(self) -> State:
        """Runs that are over are told once."""
        recorder = self._recorder
        over = [number for number, run in self._runs.items() if not recorder.is_storing(run.id)]
        ends = tuple((number, self._end(number)) for number in over)
        return State(recorder.failing, recorder.problem, self._backlog.events, ends)

    def _end(self, number: int) -> bool:
        run = self._runs.pop(number)
        run.events.left()
        return run.is_stored
