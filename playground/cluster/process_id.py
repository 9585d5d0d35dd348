"""The id by which the processes of a site know this one."""

from __future__ import annotations

import os
import uuid
from functools import lru_cache


def process_id() -> str:
    """32 hex digits, another one after each start and in each fork."""
    return _of(os.getpid())


@lru_cache(maxsize=1)
def _of(_pid: int) -> str:
    return uuid.uuid4().hex
