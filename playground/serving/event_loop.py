"""Twisted's reactor on a fast event loop: uvloop's where there is one, at 0.8 of the CPU.

Import this before anything else of Twisted or Daphne: the first import of the reactor installs it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any


def _install_reactor() -> None:
    """Daphne makes the loop and the reactor while it is imported. Only that loop: the process's policy stays."""
    if "daphne.server" in sys.modules:
        return
    try:
        import uvloop
    except ImportError:  # Windows, PyPy
        return
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        import daphne.server  # noqa: F401
    finally:
        asyncio.set_event_loop_policy(before)


_install_reactor()

from daphne.server import twisted_loop as event_loop  # noqa: E402
from twisted.internet import reactor as _reactor  # noqa: E402

reactor: Any = _reactor  # it has several interfaces at once, which its type does not say

__all__ = ["event_loop", "reactor"]
