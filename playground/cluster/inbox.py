"""Messages from one process to another."""

from __future__ import annotations

from typing import Any, Final

from playground.cluster import keys

MOST: Final = 10_000


def post(pipe: Any, process: str, kind: str, **told: str | int) -> None:
    """Put this into the process's inbox. One that is gone reads nothing; what it was sent expires."""
    pipe.xadd(keys.inbox(process), {"kind": kind, **told}, maxlen=MOST, approximate=True)
    pipe.expire(keys.inbox(process), keys.RUN_S)
