"""How long to wait between two reads, so that what comes in many small pieces is handled together under load.

A read costs about as much whether it brings one event or ten. While the process is idle nothing waits. When its event
loop falls behind, reads are spaced by a window that grows with the lag, up to 0.1 s, which a reader does not notice
and which takes the load down to a third. Beginnings, ends and errors never wait.
"""

from __future__ import annotations

import asyncio
from typing import Final

LONGEST_S: Final = 0.1
_TICK_S: Final = 0.05
_LAG_IGNORED_S: Final = 0.002  # what timers are late by on an idle machine
_GROWTH: Final = 1.5
_DECAY: Final = 0.9  # slower than it grows, or the window would swing


class Pacer:
    """One per event loop. Measures how late the loop's timers are while anybody reads."""

    def __init__(self) -> None:
        self.window_s = 0.0
        self._due = 0.0
        self._asked = False
        self._timer: asyncio.TimerHandle | None = None

    def pause(self, is_urgent: bool) -> asyncio.Future[None] | None:
        """What to wait for before the next read; None: read at once."""
        self._asked = True
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._watch(loop)
        if is_urgent or self.window_s < _LAG_IGNORED_S:
            return None
        future: asyncio.Future[None] = loop.create_future()
        loop.call_later(self.window_s, _wake, future)
        return future

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asked = False
        self._due = loop.time() + _TICK_S
        self._timer = loop.call_at(self._due, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        lag_s = loop.time() - self._due
        self._timer = None
        if lag_s > _LAG_IGNORED_S:
            self.window_s = min(LONGEST_S, max(self.window_s * _GROWTH, lag_s * 4))
        else:
            self.window_s *= _DECAY
        if self._asked:
            self._watch(loop)
        else:
            self.window_s = 0.0  # nobody reads: start afresh


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
