"""Limits of runs: so many a minute, so many at once."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from playground.exceptions import PlaygroundError

_MINUTE_S: Final = 60.0
RUNS: Final = "requests"


@dataclass(frozen=True, slots=True)
class Quota:
    """None means no limit."""

    per_minute: int | None = 60
    at_once: int | None = 8


class RateLimited(PlaygroundError):
    """A quota is used up. `retry_after_s` is None when a run of one's own must end first."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


def too_many_at_once(most: int, noun: str) -> RateLimited:
    advice = "Wait until one has finished, or stop one." if noun == RUNS else "Try again in a moment."
    return RateLimited(f"At most {most} {noun} at once. {advice}")


def too_many_a_minute(most: int, noun: str, wait_s: float) -> RateLimited:
    return RateLimited(f"At most {most} {noun} per minute. Try again in {wait_s:.0f} s.", wait_s)


class Usage:
    """What one holder of a quota has used: starts within the last minute, and running runs."""

    def __init__(self) -> None:
        self.running = 0
        self._starts: deque[float] = deque()

    @property
    def is_idle(self) -> bool:
        self._forget(time.monotonic())
        return not self.running and not self._starts

    def check(self, quota: Quota, noun: str = RUNS) -> None:
        """Raises RateLimited when one more would be one too many."""
        now = time.monotonic()
        self._forget(now)
        if quota.at_once is not None and self.running >= quota.at_once:
            raise too_many_at_once(quota.at_once, noun)
        if quota.per_minute is not None and len(self._starts) >= quota.per_minute:
            wait_s = max(1.0, self._starts[len(self._starts) - quota.per_minute] + _MINUTE_S - now)
            raise too_many_a_minute(quota.per_minute, noun, wait_s)

    def take(self) -> None:
        self.running += 1
        self._starts.append(time.monotonic())

    def give_back(self) -> None:
        """A run has ended. Its start still counts for the rest of the minute."""
        self.running -= 1

    def _forget(self, now: float) -> None:
        while self._starts and self._starts[0] < now - _MINUTE_S:
            self._starts.popleft()
