"""One drawing of a live run, shared by all sockets that follow it, made off the event loop when there is much to do."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async

from playground.answer.folding import folded
from playground.answer.run_view import blank
from playground.engine.events import Streamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from playground.engine.events import RunEvent
    from playground.engine.live_run import LiveRun

Made = TypeVar("Made")
# So much is drawn on the loop, where a thread would cost more: characters beside what a delta has around its text.
INLINE = 2_000
INLINE_EVENTS = 200
AROUND = 100


class SharedDrawing:
    """`epoch` names this drawing: revisions of another one mean nothing here."""

    def __init__(self, run: LiveRun) -> None:
        self.epoch = secrets.token_hex(4)
        self.run = run
        self.drawing = blank(run, None)
        self.followers = 0
        self._position = 0
        self._lock = asyncio.Lock()

    @property
    def is_current(self) -> bool:
        """Whether every event so far has been drawn."""
        return self._position == len(self.run.events) and self.drawing.redraw_in_s is None

    async def advance(self) -> int:
        """Draw what has come; return the revision to ask patches with."""
        async with self._lock:
            events = self.run.events[self._position :]
            if not events and self.drawing.redraw_in_s is None:
                return self.drawing.revision
            self._position += len(events)
            size = sum(len(event.event.data) - AROUND for event in events if isinstance(event, Streamed))
            if size <= INLINE and len(events) <= INLINE_EVENTS and not self.run.is_over:
                self._draw(events)
            else:
                await asyncio.to_thread(self._draw, events)
            return self.drawing.revision

    def _draw(self, events: list[RunEvent]) -> None:
        self.drawing.take_all(folded(events))
        self.drawing.draw()

    async def patches(self, since: int) -> tuple[list[dict[str, Any]], int]:
        """Return the patches that a page at revision `since` lacks, and the revision it has with them."""
        async with self._lock:
            revision = self.drawing.revision
            if since == 0 and revision > 1:
                return await _in_thread(lambda: self.drawing.patches(since)), revision
            return self.drawing.patches(since), revision

    async def digest(self) -> str:
        async with self._lock:
            return await _in_thread(lambda: self.drawing.digest)


async def _in_thread(make: Callable[[], Made]) -> Made:
    """Make what one reader is told: in the reader's time zone, which `asyncio.to_thread` leaves behind."""
    return await sync_to_async(make, thread_sensitive=False)()


_shared: dict[UUID, SharedDrawing] = {}


@contextmanager
def share(run: LiveRun) -> Iterator[SharedDrawing]:
    """The run's drawing, for as long as somebody follows it."""
    shared = _shared.setdefault(run.id, SharedDrawing(run)) if run.id not in _shared else _shared[run.id]
    shared.followers += 1
    try:
        yield shared
    finally:
        shared.followers -= 1
        if not shared.followers:
            _shared.pop(run.id, None)
