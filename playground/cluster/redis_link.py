"""Ways to Redis: of one event loop, and of threads and commands; and whether Redis answers.

While it is known to be away nobody waits for it: the first failure is noted, and the heartbeat notes its return.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import redis
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as ThreadRetry

from playground.cluster import keys
from playground.cluster.process_id import process_id

logger = logging.getLogger(__name__)

ANSWERS_WITHIN_S: Final = 1.0
_MOST_NEWS: Final = 10_000  # a process that was away for more than so many looks for itself
BLOCK_S: Final = 2.0  # how long one read waits for news

# What a failed command raises: RedisError is all of the library's, OSError a socket's own.
AWAY: Final = (RedisError, OSError, TimeoutError)


class RedisLink:
    """One event loop's."""

    def __init__(self, url: str) -> None:
        # One retry, at once: a pooled connection may have been closed long before Redis is asked again.
        options: dict[str, Any] = {
            "socket_connect_timeout": ANSWERS_WITHIN_S,
            "retry": Retry(NoBackoff(), 1),
            "protocol": 2,
        }
        # Answers are bytes; the library's types say bytes or text, whichever a client was made for.
        self.commands: Any = Redis.from_url(url, socket_timeout=ANSWERS_WITHIN_S, **options)
        self.reader: Any = Redis.from_url(url, socket_timeout=BLOCK_S + ANSWERS_WITHIN_S, **options)
        self.is_away = False

    def note(self, *, away: bool) -> None:
        """Note whether the last command got through."""
        if away != self.is_away:
            self.is_away = away
            words = "Redis is away: runs of other processes wait" if away else "Redis answers again"
            logger.log(logging.ERROR if away else logging.WARNING, words)

    async def aclose(self) -> None:
        await self.commands.aclose()
        await self.reader.aclose()


@lru_cache(maxsize=4)
def thread_client(url: str | None = None) -> redis.Redis:
    """Make a client for threads, and for commands that have no event loop. Threads may share it."""
    return redis.Redis.from_url(
        url or settings.REDIS_URL,
        socket_timeout=ANSWERS_WITHIN_S,
        socket_connect_timeout=ANSWERS_WITHIN_S,
        retry=ThreadRetry(NoBackoff(), 1),
        protocol=2,
    )


def announce(kind: str, details: Mapping[str, Any]) -> None:
    """Hand an announcement on; `announcements.tell` calls this."""
    entry: Any = {"kind": kind, "details": json.dumps(details), "from": process_id()}
    try:
        thread_client().xadd(keys.ANNOUNCEMENTS, entry, maxlen=_MOST_NEWS, approximate=True)
    except AWAY as problem:
        logger.error("%s cannot be announced: %s", kind, type(problem).__name__)
