"""Decides how long to wait between two reads, so that many small pieces are handled together under load.

A read costs about as much whether it brings one event or ten. While there are few, nothing waits. When there are more
than READS_PER_S, or the event loop falls behind, the reads of each stream are spaced by a window of up to 0.1 s, which
a reader does not notice and which takes the load down to a third. A loop that is late all the same widens the window,
to 0.3 s for runs that only pages follow, to 0.2 s for those whose bytes go to a client: answers that come in steps are
better than answers that fall behind.
Beginnings, ends and errors never wait.

Waits end at common moments, a hundred a second: the streams whose wait ends together are read in one turn of the loop,
and what that makes leaves together, which wakes this process and the readers' once instead of once for each stream.
"""

from __future__ import annotations

import asyncio
from typing import Final

LONGEST_S: Final = 0.1
LONGEST_FOR_CLIENTS_S: Final = 0.2  # when the loop is late
LONGEST_FOR_PAGES_S: Final = 0.3  # likewise
MOMENT_S: Final = 0.01  # between two ends of waits
READS_PER_S: Final = 500.0  # of all streams together; about a twentieth of one core
_TICK_S: Final = 0.05
_LAG_IGNORED_S: Final = 0.002  # what timers are late by on an idle machine
_LATE_S: Final = 0.02  # from here on the loop has more to do than it can
_GROWTH: Final = 1.5
_DECAY: Final = 0.9  # slower than it grows, or the window would swing
_SMOOTHING: Final = 0.3  # of the rate: ticks are short, and streams come in bursts
_SLACK: Final = 0.7  # of the rate, below which the window shrinks again


class ReadBatcher:
    """One per event loop. Measures how late the loop's timers are and how many reads there are, while there are any."""

    def __init__(self) -> None:
        self.window_s = 0.0
        self._due = 0.0
        self._asked = 0
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}  # by the number of the moment at which they end
        self._reads_per_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def pause_for_pages(self, is_urgent: bool) -> asyncio.Future[None] | None:
        """`pause` for a run whose bytes go to no client."""
        return self.pause(is_urgent, LONGEST_FOR_PAGES_S)

    def pause(self, is_urgent: bool, longest_s: float = LONGEST_FOR_CLIENTS_S) -> asyncio.Future[None] | None:
        """Return a future to wait for before the next read; None: read at once."""
        self._asked += 1
        loop = self._loop = self._loop or asyncio.get_running_loop()
        if self._timer is None:
            self._watch(loop)
        if is_urgent or self.window_s < _LAG_IGNORED_S:
            return None
        future: asyncio.Future[None] = loop.create_future()
        moment = int((loop.time() + min(self.window_s, longest_s)) / MOMENT_S)
        if moment not in self._waiting:
            self._waiting[moment] = []
            loop.call_at(moment * MOMENT_S, self._wake, moment)
        self._waiting[moment].append(future)
        return future

    def _wake(self, moment: int) -> None:
        for future in self._waiting.pop(moment):
            if not future.done():
                future.set_result(None)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asked = 0
        self._due = loop.time() + _TICK_S
        self._timer = loop.call_at(self._due, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        lag_s = loop.time() - self._due
        reads = self._asked
        self._reads_per_s += _SMOOTHING * (reads / (_TICK_S + lag_s) - self._reads_per_s)
        self.note(lag_s, self._reads_per_s)
        if reads:
            self._watch(loop)
        else:
            self.window_s = self._reads_per_s = 0.0  # nobody reads: start afresh

    def note(self, lag_s: float, reads_per_s: float) -> None:
        """Widen or narrow the window by what one tick has shown."""
        if lag_s > _LAG_IGNORED_S or reads_per_s > READS_PER_S:
            longest_s = LONGEST_FOR_PAGES_S if lag_s > _LATE_S else max(LONGEST_S, self.window_s * _DECAY)
            self.window_s = min(longest_s, max(self.window_s * _GROWTH, lag_s * 4, _LAG_IGNORED_S))
        elif reads_per_s < READS_PER_S * _SLACK:
            self.window_s *= _DECAY
