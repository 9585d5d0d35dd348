"""Limits that count over all processes: so many a minute by the library `limits`, so many at once in a sorted set."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from playground.cluster import keys
from playground.engine.rate_limit import too_many_a_minute, too_many_at_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from playground.engine.rate_limit import Quota

SLOT_S: Final = 30.0  # what a process that was killed has taken is free again after so long


class SharedQuotas:
    """Belongs to one event loop. All methods raise what Redis raises when it is away."""

    def __init__(self, redis: Any, url: str) -> None:
        self._redis = redis
        storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix=f"{keys.PREFIX}limits",
            connection_pool=redis.connection_pool,
        )
        self._per_minute = MovingWindowRateLimiter(storage)

    async def take(self, quotas: Sequence[tuple[str, Quota]], noun: str, member: str) -> None:
        """Count `member` against all of these, or raise RateLimited and count it against none."""
        limited = [whose for whose, quota in quotas if quota.at_once is not None]
        taken = await self._take_slots(limited, member)
        try:
            for whose, quota in quotas:
                if quota.at_once is not None and taken[whose] > quota.at_once:
                    raise too_many_at_once(quota.at_once, noun)
            await self._count_starts(quotas, noun)
        except Exception:
            await self.give_back(limited, member)
            raise

    async def _take_slots(self, limited: list[str], member: str) -> dict[str, int]:
        """Take a slot of each limit; return how many are taken. A slot is taken before it is counted, so two members
        never both fit into the last one."""
        if not limited:
            return {}
        now = time.time()
        async with self._redis.pipeline(transaction=True) as pipe:
            for whose in limited:
                key = keys.slots(whose)
                pipe.zremrangebyscore(key, "-inf", now)
                pipe.zadd(key, {member: now + SLOT_S})
                pipe.zcard(key)
                pipe.expire(key, int(2 * SLOT_S))
            answers = await pipe.execute()
        return dict(zip(limited, answers[2::4], strict=True))

    async def _count_starts(self, quotas: Sequence[tuple[str, Quota]], noun: str) -> None:
        items = [
            (RateLimitItemPerMinute(quota.per_minute), whose, quota.per_minute)
            for whose, quota in quotas
            if quota.per_minute is not None
        ]
        for count in (self._per_minute.test, self._per_minute.hit) if len(items) > 1 else (self._per_minute.hit,):
            for item, whose, per_minute in items:
                if not await count(item, whose):
                    reset_at, _ = await self._per_minute.get_window_stats(item, whose)
                    raise too_many_a_minute(per_minute, noun, max(1.0, reset_at - time.time()))

    async def give_back(self, whose: Iterable[str], member: str) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for each in whose:
                pipe.zrem(keys.slots(each), member)
            if len(pipe):
                await pipe.execute()

    async def refresh(self, held: Iterable[tuple[str, list[str]]]) -> None:
        """These members still count against these limits."""
        until = time.time() + SLOT_S
        async with self._redis.pipeline(transaction=False) as pipe:
            for member, whose in held:
                for each in whose:
                    pipe.zadd(keys.slots(each), {member: until})
                    pipe.expire(keys.slots(each), int(2 * SLOT_S))
            if len(pipe):
                await pipe.execute()
