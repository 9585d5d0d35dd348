"""What this process has one of: the live runs, the recorder, the HTTP client. Made from the settings on first use.

One set per event loop, since a client's connections belong to the loop they were made in. A server has one loop; only
tests have several.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync
from django.conf import settings

from playground.engine.guard import Rules
from playground.engine.live import LiveRuns
from playground.engine.pacing import Pacer
from playground.engine.run import Limits
from playground.engine.upstream import make_client
from playground.records import Recorder
from playground.sandbox.transport import SandboxTransport

if TYPE_CHECKING:
    import httpx


# What an application sends when its answer broke off: a message of our own server's. To any other it is an error, on
# which it ends the connection too.
CUT = "playground.cut"


@dataclass
class Process:
    live: LiveRuns = field(default_factory=LiveRuns)
    recorder: Recorder = field(default_factory=Recorder)
    pacer: Pacer = field(default_factory=Pacer)
    _clients: dict[tuple[Rules, float], httpx.AsyncClient] = field(default_factory=dict)

    def client(self) -> httpx.AsyncClient:
        """The shared client. Another one only when the settings it was made from have changed, which only tests do."""
        rules, speed = (
            _rules(tuple(settings.ALLOWED_UPSTREAMS), settings.ALLOW_LOOPBACK_UPSTREAMS),
            settings.SANDBOX_SPEED,
        )
        if (rules, speed) not in self._clients:
            client = make_client(rules, connect_s=settings.CONNECT_TIMEOUT_S, sandbox=SandboxTransport(speed=speed))
            self._clients[rules, speed] = client
        return self._clients[rules, speed]

    async def forget_runs(self) -> None:
        """Stop every run, wait until what they told is stored, and begin again with none."""
        runs = self.live.running
        for run in runs:
            run.stop()
        for run in runs:
            await run.ended()
        await self.recorder.settle()
        self.live = LiveRuns()

    async def close(self) -> None:
        """Close what is open to upstreams. Runs must have ended before, and what they told be stored."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Process] = WeakKeyDictionary()
_without_loop = Process()


def current() -> Process:
    """This event loop's set. From a synchronous view: that of the loop that called the view."""
    loop = _loop()
    if loop is None:
        return _without_loop
    if loop not in _by_loop:
        _by_loop[loop] = Process()
    return _by_loop[loop]


def limits() -> Limits:
    return Limits(
        connect_s=settings.CONNECT_TIMEOUT_S,
        first_byte_s=settings.FIRST_BYTE_TIMEOUT_S,
        silence_s=settings.SILENCE_TIMEOUT_S,
        total_s=settings.RUN_TIMEOUT_S,
        response_bytes=settings.MAX_RESPONSE_BYTES,
        event_bytes=settings.MAX_EVENT_BYTES,
    )


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        loop: asyncio.AbstractEventLoop | None = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
        return loop


@lru_cache(maxsize=8)
def _rules(entries: tuple[str, ...], allow_loopback: bool) -> Rules:
    return Rules.parse(entries, allow_loopback=allow_loopback)
