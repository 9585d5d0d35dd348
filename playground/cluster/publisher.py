"""Publishes the events of this process's runs to the others: gathered, one entry per run and window, all in one round
trip.

A run's events are published while another process follows, or when nothing but Redis would keep them (a visitor's). The
run's own log is the buffer: while Redis is away the place in it stays where it was, and nothing piles up.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from playground.cluster import keys
from playground.cluster.codec import entries
from playground.cluster.inbox import post
from playground.cluster.redis_link import AWAY
from playground.engine.events import Received

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from playground.cluster.redis_link import RedisLink
    from playground.engine.live_run import LiveRun

WINDOW_S: Final = 0.016
WANTED_S: Final = 30.0  # a follower asks again before this is over
_STEP: Final = 200  # events looked at together
_BYTES: Final = 2**20  # of one run in one window


@dataclass(eq=False)
class Shared:
    """A run that is being published: up to where, and for whom."""

    run: LiveRun
    is_kept: bool  # even if nobody asks
    asked_at: float = field(default_factory=time.monotonic)
    position: int = 0
    is_new: bool = True  # the stream has to begin anew
    askers: list[str] = field(default_factory=list)  # processes that wait until they have all there is
    times_begun: int = 0

    def begin_anew(self) -> None:
        self.is_new, self.position = True, 0
        self.times_begun += 1

    @property
    def is_wanted(self) -> bool:
        return self.is_kept or time.monotonic() - self.asked_at < WANTED_S

    @property
    def is_done(self) -> bool:
        return self.run.is_over and self.position == len(self.run.events) and not self.askers and not self.is_new


class Publisher:
    """Belongs to one event loop."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._commands: list[Callable[[Any], object]] = []
        self._shared: dict[UUID, Shared] = {}
        self._active: set[Shared] = set()
        self._wanted = asyncio.Event()
        self._flushing = asyncio.Lock()

    def add(self, command: Callable[[Any], object]) -> None:
        """Call this with the pipeline of the next window. Lost while Redis is away."""
        self._commands.append(command)
        self._wanted.set()

    def share(self, run: LiveRun, asker: str | None = None, *, is_kept: bool = False, anew: bool = False) -> None:
        """Publish this run's events from its first one; tell `asker` when all there are have been."""
        shared = self._shared.setdefault(run.id, Shared(run, is_kept))
        shared.asked_at = time.monotonic()
        if asker is not None:
            shared.askers.append(asker)
        if anew:
            shared.begin_anew()
        self._active.add(shared)
        self._wanted.set()

    def begin_anew(self) -> None:
        """Redis may have lost everything."""
        for shared in self._shared.values():
            shared.begin_anew()
            if shared.is_wanted:
                self._active.add(shared)
        self._wanted.set()

    def forget(self, run_id: UUID) -> None:
        shared = self._shared.pop(run_id, None)
        if shared is not None:
            self._active.discard(shared)

    async def publish_for_ever(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.flush()
            await asyncio.sleep(WINDOW_S)
            if self._active or self._commands:
                self._wanted.set()

    async def flush_all(self) -> None:
        """Flush until nothing waits. All runs have ended."""
        while (self._active or self._commands) and not self._link.is_away:
            await self.flush()

    async def flush(self) -> None:
        """Everything that waits, in one round trip."""
        async with self._flushing:
            commands, self._commands = self._commands, []
            if self._link.is_away:
                return  # all is told again when it is back
            pipe = self._link.commands.pipeline(transaction=False)
            for command in commands:
                command(pipe)
            published = [
                (shared, shared.times_begun, len(shared.askers), self._add_events(pipe, shared))
                for shared in self._active
            ]
            if len(pipe):
                try:
                    await pipe.execute()
                except AWAY:
                    self._link.note(away=True)
                    return
            for shared, times_begun, askers, position in published:
                if times_begun == shared.times_begun:  # not to begin anew since
                    self._note_published(shared, askers, position)

    def _add_events(self, pipe: Any, shared: Shared) -> int:
        """Returns the place behind what was added."""
        run, position, size = shared.run, shared.position, 0
        key = keys.events(run.id)
        if shared.is_new:
            pipe.delete(key)
            pipe.set(keys.body(run.id), run.about.request_body, ex=keys.RUN_S)
        while position < len(run.events) and size < _BYTES:
            some = run.events[position : position + _STEP]
            size += sum(len(event.data) for event in some if isinstance(event, Received))
            for entry in entries(position, some):
                pipe.xadd(key, entry)
            position += len(some)
        if position != shared.position:
            pipe.expire(key, keys.RUN_S)
        if position == len(run.events):
            for asker in shared.askers:
                post(pipe, asker, "caught-up", run=str(run.id), count=position)
        return position

    def _note_published(self, shared: Shared, askers: int, position: int) -> None:
        shared.is_new, shared.position = False, position
        if position == len(shared.run.events):
            del shared.askers[:askers]
        if shared.is_done:
            self._active.discard(shared)
        elif not shared.is_wanted:
            self._active.discard(shared)
            shared.begin_anew()  # who asks later gets it from the start
