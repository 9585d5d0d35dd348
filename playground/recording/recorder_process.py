"""The recorder in a process of its own, as the server sees it.

The server hands over the bytes of its runs five times a second. Reading them, the figures and the database cost it
nothing then, and no thread holds the interpreter's lock while streams wait. All that was handed over stays here until
the recorder says that the run is stored: if its process dies, the next one is told everything again.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from playground.recording.recorder import RETRY_S, STALLED_S, start_again
from playground.recording.recorder_child import (
    BODY,
    FRAME_BYTES,
    RUN,
    SERVICE,
    SETTLE,
    SETTLED,
    STATE,
    TOLD,
    State,
)
from playground.workers import messages
from playground.workers.pool import workers

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from uuid import UUID

    from playground.engine.live_run import LiveRun

logger = logging.getLogger(__name__)

EVERY_S: Final = 0.2
_LONGEST_TURN_S: Final = 0.005  # of the event loop
_OF_ONE_RUN: Final = 1024 * 1024  # bytes in a row, before the others get their turn
_LONGEST_STOP: Final = 6  # times that a stop waits without progress
_AWAY_S: Final = 5.0  # without its process the recorder does not run


@dataclass
class _Following:
    live: LiveRun
    number: int
    position: int = 0
    is_known: bool = False  # to the process that there is now
    was_known: bool = False  # to one before it


class RecorderProcess:
    """Hands live runs to the recorder's process. `attach` a run before its first event."""

    def __init__(self, *, every_s: float = EVERY_S, connect: Callable[[], socket.socket] | None = None) -> None:
        self._every_s = every_s
        self._connect = connect or (lambda: workers.begin(SERVICE))
        self._runs: dict[UUID, _Following] = {}
        self._by_number: dict[int, _Following] = {}
        self._numbers = count(1)
        self._state = State()
        self._heard_at = self._there_at = time.monotonic()
        self._writer: asyncio.StreamWriter | None = None
        self._wanted = asyncio.Event()  # there is something to do
        self._hurried = asyncio.Event()  # somebody waits for it
        self._asked: dict[int, asyncio.Future[None]] = {}  # settling, by token; those in `_unsent` not asked yet
        self._unsent: list[int] = []
        self._task: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._turn_began = 0.0

    @property
    def failing(self) -> bool:
        return self._state.failing

    def attach(self, live: LiveRun) -> None:
        """Store this run from its first event on. A visitor's run is never stored."""
        if live.about.user_id is None:
            return
        if not self._runs:
            self._heard_at = self._there_at = time.monotonic()
        following = _Following(live, next(self._numbers))
        self._runs[live.id] = self._by_number[following.number] = following
        live.events.keep_from(0)
        self._start()

    def is_storing(self, run_id: UUID) -> bool:
        """Return whether this run, or its end, is still on its way into the database."""
        return run_id in self._runs

    @property
    def backlog(self) -> int:
        """Events that runs have told and that are not taken yet."""
        here = sum(len(following.live.events) - following.position for following in list(self._runs.values()))
        return here + self._state.backlog

    @property
    def problem(self) -> str | None:
        """Why runs are not being stored; None while they are, and while there is none to store."""
        if self.failing or (self._state.problem and self._runs):
            return self._state.problem or "the database does not take runs"
        if not self._runs:
            return None
        now = time.monotonic()
        if (self._task is not None and self._task.done()) or (self._writer is None and now - self._there_at > _AWAY_S):
            return "the recorder does not run"
        return "the recorder hangs" if now - self._heard_at > STALLED_S else None

    async def settle(self) -> None:
        """Wait until all that has been told so far is written, or could not be."""
        if not self._runs or self._task is None or self._task.done():
            return
        token = next(self._numbers)
        self._asked[token] = asyncio.get_running_loop().create_future()
        self._unsent.append(token)
        self._wanted.set()
        self._hurried.set()
        await self._asked[token]

    async def stop(self, within_s: float = 5.0) -> None:
        """Have what is left written, as long as it gets less within this time, and end the process."""
        await self._write_what_is_left(within_s)
        if self._runs:
            logger.error("%d runs could not be stored in time", len(self._runs))
        if self._task is not None:
            self._task.cancel()
        if self._writer is not None:
            self._writer.write_eof()
            with suppress(TimeoutError, ConnectionError):  # it closes its end when it has left the database
                await asyncio.wait_for(asyncio.shield(self._ended()), within_s)
            self._hang_up()

    async def _write_what_is_left(self, within_s: float) -> None:
        began = progressed = time.monotonic()
        writing, left = asyncio.ensure_future(self._settle_all()), (0, 0)
        while not writing.done():
            await asyncio.wait([writing], timeout=self._every_s)
            now = time.monotonic()
            if (now_left := (len(self._runs), self.backlog)) != left:
                left, progressed = now_left, now
            if now - progressed > within_s or now - began > within_s * _LONGEST_STOP:
                break
        writing.cancel()

    async def _settle_all(self) -> None:
        while self._runs:
            await self.settle()
            if self._runs:
                await asyncio.sleep(self._every_s)

    async def _ended(self) -> None:
        if self._listening is not None:
            await asyncio.wait([self._listening])

    def _start(self) -> None:
        """The task serves every user, so it begins again should it end; in a context of its own, not a request's."""
        self._wanted.set()
        if self._task is None or self._task.done():
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._hand_on(), name="recorder", context=contextvars.Context())
            self._task.add_done_callback(partial(start_again, self._start))

    async def _hand_on(self) -> None:
        while True:
            if not self._runs and not self._unsent:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                writer = self._writer or await self._open()
                tokens, self._unsent = self._unsent, []
                self._hurried.clear()
                is_behind = await self._pass(writer)
                if is_behind:
                    self._unsent = tokens + self._unsent
                else:
                    for token in tokens:
                        writer.write(messages.pack((SETTLE, token)))
            except (OSError, RuntimeError) as problem:
                logger.error("the recorder's process is away: %s", type(problem).__name__)
                self._hang_up()
                await asyncio.sleep(RETRY_S)
                continue
            if not is_behind:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):
                        await self._hurried.wait()

    async def _open(self) -> asyncio.StreamWriter:
        """A new process. What the last one was told is told again."""
        for following in self._runs.values():
            following.was_known = following.was_known or following.is_known
            following.is_known, following.position = False, 0
        reader, writer = await asyncio.open_unix_connection(sock=self._connect())
        self._writer, self._state = writer, State()
        self._heard_at = self._there_at = time.monotonic()
        self._unsent = sorted(self._asked)
        self._listening = asyncio.get_running_loop().create_task(self._listen(reader, writer))
        return writer

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer, self._there_at = None, time.monotonic()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                match await messages.receive(reader):
                    case (kind, state) if kind == STATE:
                        self._note(state)
                    case (kind, token) if kind == SETTLED:
                        waiter = self._asked.pop(token, None)
                        if waiter is not None and not waiter.done():  # who asked may have given up
                            waiter.set_result(None)
        except (asyncio.IncompleteReadError, ConnectionError):
            if self._writer is writer:
                self._hang_up()
                self._wanted.set()

    def _note(self, state: State) -> None:
        self._heard_at, self._state = time.monotonic(), dataclasses.replace(state, over=())
        for number, is_stored in state.over:
            if (following := self._by_number.pop(number, None)) is not None:
                following.live.is_stored = is_stored
                del self._runs[following.live.id]

    # --- Handing over ---

    async def _pass(self, writer: asyncio.StreamWriter) -> bool:
        """Hand over what is new; whether there is more."""
        self._turn_began = time.perf_counter()
        is_behind = False
        frame: list[tuple[int, list[Any]]] = []
        size = 0
        for following in list(self._runs.values()):
            if not following.is_known:
                await self._introduce(following, writer)
            of_run = 0
            while following.position < len(following.live.events) and of_run < _OF_ONE_RUN:
                pieces, following.position = following.live.events.pieces(following.position, FRAME_BYTES)
                following.live.events.keep_from(following.position)
                frame.append((following.number, pieces))
                taken = sum(len(piece[1]) if isinstance(piece, tuple) else 0 for piece in pieces) + 64 * len(pieces)
                of_run, size = of_run + taken, size + taken
                if size >= FRAME_BYTES:
                    await self._send(writer, (TOLD, frame))
                    frame, size = [], 0
            is_behind = is_behind or following.position < len(following.live.events)
            if time.perf_counter() - self._turn_began > _LONGEST_TURN_S:
                await self._let_others_run()
        if frame:
            await self._send(writer, (TOLD, frame))
        return is_behind

    async def _introduce(self, following: _Following, writer: asyncio.StreamWriter) -> None:
        about, number = following.live.about, following.number
        body = memoryview(about.request_body)
        for begin in range(0, len(body), FRAME_BYTES):
            await self._send(writer, (BODY, number, bytes(body[begin : begin + FRAME_BYTES])))
        rest = dataclasses.replace(about, request_body=b"")
        await self._send(writer, (RUN, number, following.live.id, rest, following.was_known))
        following.is_known = True

    async def _send(self, writer: asyncio.StreamWriter, message: tuple[Any, ...]) -> None:
        if writer is not self._writer:
            raise ConnectionResetError
        writer.write(messages.pack(message))
        await writer.drain()
        if time.perf_counter() - self._turn_began > _LONGEST_TURN_S:
            await self._let_others_run()

    async def _let_others_run(self) -> None:
        await asyncio.sleep(0)
        self._turn_began = time.perf_counter()
