"""Counts wrong addresses and wrong passphrases, so that nobody can try many.

Kept in the memory of the process, where a restart forgives what one window holds; several processes count together, see
`cluster.shared_guesses`.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string

WINDOW_S = 60.0
MOST_ADDRESSES = 20_000
# People choose passphrases. So many wrong ones of a link within so long, from one address and from all together;
# of the address itself there are too many to guess, so a limit over all addresses would only shut readers out.
PASSPHRASE_WINDOW_S = 900.0
MOST_PASSPHRASES = 10
MOST_PASSPHRASES_OF_LINK = 100


class GuessLimit:
    """Counts the guesses of the last `window_s`, by whatever they count against. `clock` gives seconds and never goes
    back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, window_s: float = WINDOW_S) -> None:
        self._clock = clock
        self._window_s = window_s
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def are_used_up(self, address: str, most: int) -> bool:
        """Have `most` wrong ones come from the address within the window?"""
        with self._lock:
            return len(self._recent(address)) >= most

    def count(self, address: str, most: int = 0) -> None:
        """`most` is for those who count together, see `cluster.shared_guesses`."""
        with self._lock:
            recent = self._recent(address)
            recent.append(self._clock())
            self._wrong[address] = recent
            self._wrong.move_to_end(address)
            while len(self._wrong) > MOST_ADDRESSES:
                self._wrong.popitem(last=False)

    def forget_all(self) -> None:
        with self._lock:
            self._wrong.clear()

    def _recent(self, address: str) -> deque[float]:
        recent = self._wrong.get(address, deque())
        while recent and recent[0] <= self._clock() - self._window_s:
            recent.popleft()
        return recent


def _limit(name: str, window_s: float) -> GuessLimit:
    alone = GuessLimit(window_s=window_s)
    if not settings.REDIS_URL:
        return alone
    shared: GuessLimit = import_string("playground.cluster.shared_guesses.SharedGuesses")(name, window_s, alone)
    return shared


guesses = _limit("addresses", WINDOW_S)
_passphrases = _limit("passphrases", PASSPHRASE_WINDOW_S)


def may_try_passphrase(link: str, address: str) -> bool:
    from_here = _passphrases.are_used_up(f"{link} {address}", MOST_PASSPHRASES)
    return not from_here and not _passphrases.are_used_up(link, MOST_PASSPHRASES_OF_LINK)


def count_wrong_passphrase(link: str, address: str) -> None:
    _passphrases.count(f"{link} {address}", MOST_PASSPHRASES)
    _passphrases.count(link, MOST_PASSPHRASES_OF_LINK)


def forget_all() -> None:
    guesses.forget_all()
    _passphrases.forget_all()
