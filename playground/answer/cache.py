"""A cache of what is costly to make, in this process, bounded in number, weight and age.

Who asks is checked before anything is taken from here, on every request; the owner is part of each key.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from playground.exceptions import PlaygroundError

MOST: Final = 64  # entries
MOST_WEIGHT: Final = 64 * 2**20  # bytes, about
REST_S: Final = 600.0  # what nobody asked for this long is let go
MOST_WAITING: Final = 16
LONGEST_WAIT_S: Final = 30.0


class WeightedCache:
    """The entries asked for last. Safe for several threads."""

    def __init__(self, most: int = MOST, most_weight: int = MOST_WEIGHT, rest_s: float = REST_S) -> None:
        self.most, self.most_weight, self.rest_s = most, most_weight, rest_s
        self._entries: OrderedDict[Hashable, tuple[Any, int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            self._sweep()
            return key in self._entries

    @property
    def weight(self) -> int:
        return sum(weight for _, weight, _ in self._entries.values())

    def get(self, key: Hashable) -> Any:
        with self._lock:
            self._sweep()
            if key not in self._entries:
                return None
            value, weight, _ = self._entries.pop(key)
            self._entries[key] = value, weight, time.monotonic()
            return value

    def put(self, key: Hashable, value: Any, weight: int) -> None:
        """Keep this, or keep it on with another weight. What is too heavy by itself is not kept."""
        with self._lock:
            self._entries.pop(key, None)
            if weight <= self.most_weight:
                self._entries[key] = value, weight, time.monotonic()
            self._sweep()

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def _sweep(self) -> None:
        oldest = time.monotonic() - self.rest_s
        while self._entries and (
            len(self._entries) > self.most
            or self.weight > self.most_weight
            or next(iter(self._entries.values()))[2] < oldest
        ):
            self._entries.popitem(last=False)


class TooBusy(PlaygroundError):
    """Too many of this owner's requests wait already."""


class OwnerLocks:
    """One at a time for each owner, so that nobody keeps the whole server busy. Others of the same owner wait."""

    def __init__(self, most_waiting: int = MOST_WAITING, wait_s: float = LONGEST_WAIT_S) -> None:
        self.most_waiting, self.wait_s = most_waiting, wait_s
        self._lock = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}  # with how many hold it or wait for it

    @contextmanager
    def of(self, owner: str) -> Iterator[None]:
        with self._lock:
            lock, count = self._locks.get(owner, (threading.Lock(), 0))
            if count > self.most_waiting:
                raise TooBusy
            self._locks[owner] = lock, count + 1
        try:
            if not lock.acquire(timeout=self.wait_s):
                raise TooBusy
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._lock:
                count = self._locks[owner][1] - 1
                if count:
                    self._locks[owner] = lock, count
                else:
                    del self._locks[owner]


drawings = WeightedCache()
owner_locks = OwnerLocks()


def kept(key: Hashable, make: Callable[[], Any], weigh: Callable[[Any], int]) -> Any:
    """Return the cached value of this key, made now if there is none."""
    drawing = drawings.get(key)
    if drawing is None:
        drawing = make()
        drawings.put(key, drawing, weigh(drawing))
    return drawing
