"""A time-out for many short waits of one task.

`asyncio.timeout` sets and cancels a timer for each wait. Of a stream's reads nearly none runs out, so here one timer
stays set and looks, when it fires, whether the wait that is going on then has taken too long.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from playground.exceptions import PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Awaitable

Result = TypeVar("Result")


class IdleTimeout(PlaygroundError, TimeoutError):
    """The wait took longer than it might."""


class IdleTimer:
    """Times the waits of the task that makes it, one after the other. Call `end` when there are no more."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._set_for = 0.0
        self._deadline = 0.0
        self._is_waiting = False
        self._has_run_out = False

    async def wait(self, awaitable: Awaitable[Result], most_s: float) -> Result:
        """Wait for it; raises IdleTimeout after `most_s`. A cancellation from elsewhere stays one."""
        self._deadline = self._loop.time() + most_s
        if self._timer is None or self._set_for > self._deadline:
            self._set()
        task = self._task
        assert task is not None
        cancelled_before = task.cancelling()
        self._is_waiting = True
        try:
            return await awaitable
        except asyncio.CancelledError:
            if self._has_run_out and task.uncancel() <= cancelled_before:
                raise IdleTimeout from None
            raise
        finally:
            self._is_waiting = self._has_run_out = False

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        self.end()
        self._set_for = self._deadline
        self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._is_waiting:
            return  # the next wait sets it again
        if self._loop.time() < self._deadline:
            self._set()
        elif self._task is not None:
            self._has_run_out = True
            self._task.cancel()
