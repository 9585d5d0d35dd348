"""Counts wrong addresses and wrong passphrases per client address, so that nobody can try many.

Kept in the memory of the process: there is one, and a restart forgives a minute at most.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

WINDOW_S = 60.0
MOST_ADDRESSES = 20_000


class Guesses:
    """`clock` gives seconds and never goes back."""

    def __init__(self, clock: object = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def are_used_up(self, address: str, most: int) -> bool:
        """Have `most` wrong ones come from the address within the last minute?"""
        with self._lock:
            return len(self._recent(address)) >= most

    def count(self, address: str) -> None:
        with self._lock:
            recent = self._recent(address)
            recent.append(self._now())
            self._wrong[address] = recent
            self._wrong.move_to_end(address)
            while len(self._wrong) > MOST_ADDRESSES:
                self._wrong.popitem(last=False)

    def forget_all(self) -> None:
        with self._lock:
            self._wrong.clear()

    def _recent(self, address: str) -> deque[float]:
        recent = self._wrong.get(address, deque())
        while recent and recent[0] <= self._now() - WINDOW_S:
            recent.popleft()
        return recent

    def _now(self) -> float:
        return self._clock()  # type: ignore[operator,no-any-return]


guesses = Guesses()
