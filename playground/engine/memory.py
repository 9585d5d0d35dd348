"""Give memory back to the system. glibc keeps what was freed: of the buffers of large answers, hundreds of MiB.

Measured with answers of 64 MiB: nearly all that stays after they are gone is free inside malloc's arenas. Elsewhere
(macOS, musl) these calls do not exist and nothing is done.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
# From this size on, a buffer is a mapping of its own and is gone when it is freed. Set, it no longer grows by itself to
# the size of the largest buffer that was ever freed.
_MAPPED_BYTES: Final = 256 * 1024


def settle_malloc() -> bool:
    """Make malloc keep less. Called once, before there are threads; False where it cannot be told."""
    libc = _glibc()
    if libc is None:
        return False
    libc.mallopt(_M_ARENA_MAX, _ARENAS)
    libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
    return True


def trim() -> bool:
    """Return free pages to the system; whether there were any. Takes milliseconds, without Python's lock."""
    libc = _glibc()
    return libc is not None and bool(libc.malloc_trim(0))


@cache
def _glibc() -> Any:
    try:
        libc = ctypes.CDLL(None)
    except OSError:
        return None
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
