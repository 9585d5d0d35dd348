"""Django's cache in Redis, for counts that hold over all processes; while Redis is away each process counts alone."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from playground.cluster.redis_link import ANSWERS_WITHIN_S, AWAY


class SharedCache(RedisCache):
    """Holds small plain values; only the methods that are overridden here may be used."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": ANSWERS_WITHIN_S, "socket_connect_timeout": ANSWERS_WITHIN_S}
        super().__init__(server, params | {"OPTIONS": options})
        self._alone = LocMemCache("shared", params)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except AWAY:
            return self._alone.get(key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._alone.set(key, value, timeout, version)
        try:
            super().set(key, value, timeout, version)
        except AWAY:
            return
