"""Decides how often a socket gets a frame: at once while the process is idle, gathered when it is not."""

from __future__ import annotations

import asyncio
import time

SHORTEST_S = 0.016  # a page draws no faster
LONGEST_S = 0.4  # when the loop is late
CROWD_LONGEST_S = 0.1  # when it is not, however many follow
FEW = 8  # sockets that cost nothing worth sparing
CROWDED_S = 0.05  # twenty times a second still reads as a stream
_SAMPLE_S = 0.05
_RISE, _FALL = 0.5, 0.05  # quick to gather, slow to believe that the load is over


class LoopLag:
    """Measures how late the event loop runs what is due, in seconds, smoothed; only while somebody needs it."""

    def __init__(self) -> None:
        self.lag_s = 0.0
        self._users = 0
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> LoopLag:
        self._users += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._measure(), name="loop lag")
        return self

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _measure(self) -> None:
        while True:
            due = time.monotonic() + _SAMPLE_S
            await asyncio.sleep(_SAMPLE_S)
            self.note(max(0.0, time.monotonic() - due))

    def note(self, late_s: float) -> None:
        weight = _RISE if late_s > self.lag_s else _FALL
        self.lag_s += weight * (late_s - self.lag_s)

    @property
    def window_s(self) -> float:
        """How long to gather: no time while few follow and the lag is below 2 ms; else four times the lag, or by how
        many follow, whichever is longer."""
        by_lag = 0.0 if self.lag_s < 0.002 else 4 * self.lag_s
        by_crowd = 0.0 if self._users <= FEW else max(CROWDED_S, min(CROWD_LONGEST_S, self._users * 0.001))
        return min(LONGEST_S, max(by_lag, by_crowd))


loop_lag = LoopLag()
