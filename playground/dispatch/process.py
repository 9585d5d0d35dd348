"""The objects that this process has one of: the live runs, the recorder, the HTTP client. Made from the settings on
first use.

One set per event loop, since a client's connections belong to the loop they were made in. A server has one loop; only
tests have several.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync
from django.conf import settings
from django.utils.module_loading import import_string

from playground.engine.byte_budget import ByteBudget
from playground.engine.exchange import Limits
from playground.engine.guard import Rules
from playground.engine.live_run import LiveRun
from playground.engine.read_batching import ReadBatcher
from playground.engine.run_registry import RunRegistry
from playground.engine.upstream import make_client
from playground.metrics import prometheus
from playground.recording.recorder import Recorder
from playground.recording.recorder_process import RecorderProcess
from playground.sandbox.transport import SandboxTransport
from playground.workers.pool import workers

if TYPE_CHECKING:
    import httpx

# What an application sends when its answer broke off: a message of our own server's. To any other it is an error, on
# which it ends the connection too.
CUT = "playground.cut"
_LINES_PER_EVENT = 5  # name, data, blank line, and a comment now and then


def _make_live() -> RunRegistry:
    """Make the registry for one process, or for one of several that serve a site."""
    live: RunRegistry = import_string(settings.LIVE_RUNS)()
    return live


def _make_recorder() -> Recorder | RecorderProcess:
    """Make a recorder in a process of its own, where a server has prepared for it."""
    return RecorderProcess() if workers.is_forked else Recorder()


@dataclass
class Process:
    """One event loop's live runs, recorder, read batcher and HTTP clients."""

    live: RunRegistry = field(default_factory=_make_live)
    recorder: Recorder | RecorderProcess = field(default_factory=_make_recorder)
    read_batcher: ReadBatcher = field(default_factory=ReadBatcher)
    _clients: dict[tuple[Rules, float, float], httpx.AsyncClient] = field(default_factory=dict)

    def client(self) -> httpx.AsyncClient:
        """The shared client. Another one only when the settings it was made from have changed, which only tests do."""
        rules = _rules(tuple(settings.ALLOWED_UPSTREAMS), settings.ALLOW_LOOPBACK_UPSTREAMS)
        connect_s, speed = settings.CONNECT_TIMEOUT_S, settings.SANDBOX_SPEED
        if (rules, connect_s, speed) not in self._clients:
            client = make_client(rules, connect_s=connect_s, sandbox=SandboxTransport(speed=speed))
            self._clients[rules, connect_s, speed] = client
        return self._clients[rules, connect_s, speed]

    def attach(self, run: LiveRun) -> None:
        """Have a run stored and counted, from before its first event."""
        self.recorder.attach(run)
        prometheus.watch(run)

    async def forget_runs(self) -> None:
        """Stop every run, wait until what they told is stored, and begin again with none."""
        runs = self.live.running
        for run in runs:
            run.stop()
        for run in runs:
            await run.ended()
        await self.recorder.settle()
        await self.live.close()
        self.live = _make_live()

    async def close(self) -> None:
        """Close what is open to upstreams and other processes. Runs must have ended before, and what they told be
        stored."""
        await self.live.close()
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Process] = WeakKeyDictionary()
_lock = Lock()
_without_loop = Process()


def current() -> Process:
    """This event loop's set. From a synchronous view: that of the loop that called the view."""
    loop = _loop()
    if loop is None:
        return _without_loop
    process = _by_loop.get(loop)
    if process is None:
        with _lock:  # the threads of two views may be the first to ask
            process = _by_loop.get(loop)
            if process is None:
                process = _by_loop[loop] = Process()
    return process


async def join_others() -> None:
    """The server's first task, where several processes serve the site."""
    await current().live.open()


def limits() -> Limits:
    """The limits of a run, as the settings have them."""
    return Limits(
        connect_s=settings.CONNECT_TIMEOUT_S,
        first_byte_s=settings.FIRST_BYTE_TIMEOUT_S,
        silence_s=settings.SILENCE_TIMEOUT_S,
        total_s=settings.RUN_TIMEOUT_S,
        response_bytes=settings.MAX_RESPONSE_BYTES,
        event_bytes=settings.MAX_EVENT_BYTES,
        events=settings.MAX_RESPONSE_EVENTS,
        lines=settings.MAX_RESPONSE_EVENTS * _LINES_PER_EVENT,
        together=_together(settings.MAX_RUNNING_BYTES),
    )


@lru_cache(maxsize=1)
def _together(total: int) -> ByteBudget:
    return ByteBudget(total)


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        loop: asyncio.AbstractEventLoop | None = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
        return loop


@lru_cache(maxsize=8)
def _rules(entries: tuple[str, ...], allow_loopback: bool) -> Rules:
    return Rules.parse(entries, allow_loopback=allow_loopback)
