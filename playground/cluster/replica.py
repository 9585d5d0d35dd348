"""A run of another process, as it is known here: fed from the stream of its events, read like any live run."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from playground.cluster.codec import EventReader
from playground.engine.events import Ended, Failure
from playground.engine.live_run import LiveRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from playground.engine.live_run import RunMetadata, StopReason


_REACHED_WITHIN_S: Final = 2.0


class Replica(LiveRun):
    """`last_id` is of the last entry read from its stream."""

    is_elsewhere = True

    def __init__(self, run_id: UUID, owner: str, about: RunMetadata, started_at: datetime) -> None:
        super().__init__(owner, about, None)
        self.id, self.started_at = run_id, started_at
        self.last_id: bytes | str = "0"
        self.is_caught_up = asyncio.Event()  # with what had been told when it was asked for
        self.ask_to_stop: Callable[[Replica, StopReason], None] = lambda _run, _reason: None
        self._reader = EventReader()
        self._wanted: int | None = None

    @property
    def home(self) -> str:
        """The process that the run belongs to."""
        return self.about.home or ""

    @property
    def is_behind(self) -> bool:
        """Entries are missing: its process has to send the run again from its start."""
        return self._reader.is_behind

    def take(self, entry_id: bytes, entry: Mapping[bytes, bytes]) -> None:
        self.last_id = entry_id
        if events := self._reader.read(entry):
            self.publish(events)
            self._check_caught_up()

    def wait_for(self, count: int) -> None:
        """Wait until the replica has as many events as its process had told when it was asked."""
        self._wanted = count
        self._check_caught_up()

    async def reach(self, number: int) -> None:
        """The reader may have been ahead, in the run's own process. A number that never comes is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_REACHED_WITHIN_S):
                while self.event_count < number and not self.is_over:
                    await self.wait()

    def _check_caught_up(self) -> None:
        if self.is_over or (self._wanted is not None and len(self.events) >= self._wanted):
            self.is_caught_up.set()

    def stop(self, reason: StopReason = "stopped") -> None:
        """Ask its process to end the run."""
        if not self.is_over:
            self.ask_to_stop(self, reason)

    def note_waiting(self, is_waiting: bool) -> None:
        """Redis is away, or answers again: followers look, so that they can say so."""
        if is_waiting != self.is_waiting:
            self.is_waiting = is_waiting
            self._wake()

    def lose(self) -> None:
        """Its process is gone; what it had told is all there is."""
        at_ms = self.events[-1].at_ms if len(self.events) else 0.0
        failure = Failure("server_stopped", "The server stopped before the answer ended.")
        self.publish([Ended(at_ms, "interrupted", failure, is_cut=True)])
        self.is_caught_up.set()
