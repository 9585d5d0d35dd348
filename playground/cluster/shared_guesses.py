"""Wrong guesses, counted over all processes by the library `limits`; while Redis is away each process counts alone."""

from __future__ import annotations

from typing import Protocol

from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from playground.cluster import keys
from playground.cluster.redis_link import AWAY, thread_client


class CountsAlone(Protocol):
    """The limit of one process, as `sharing.guess_limits` has it."""

    def are_used_up(self, address: str, most: int) -> bool: ...
    def count(self, address: str, most: int) -> None: ...
    def forget_all(self) -> None: ...


class SharedGuesses:
    """The same limit over several processes. `alone` counts as well, for when Redis is away."""

    def __init__(self, name: str, window_s: float, alone: CountsAlone) -> None:
        pool = thread_client().connection_pool
        storage = RedisStorage(settings.REDIS_URL, connection_pool=pool, key_prefix=f"{keys.PREFIX}guesses:{name}")
        self._limiter = MovingWindowRateLimiter(storage)
        self._window_s, self._alone = round(window_s), alone

    def are_used_up(self, address: str, most: int) -> bool:
        try:
            return not self._limiter.test(self._item(most), address)
        except AWAY:
            return self._alone.are_used_up(address, most)

    def count(self, address: str, most: int) -> None:
        self._alone.count(address, most)
        try:
            self._limiter.hit(self._item(most), address)
        except AWAY:
            return

    def forget_all(self) -> None:
        self._alone.forget_all()

    def _item(self, most: int) -> RateLimitItemPerSecond:
        return RateLimitItemPerSecond(most, self._window_s)
