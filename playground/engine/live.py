"""Runs in progress in this process: start, follow from a number, stop, follow an owner.

A run stays here for some minutes after its end, for late readers; a visitor's run is nowhere else.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from playground.engine.live_run import LiveRun, Pause, RunAbout, State, StopReason
from playground.engine.quota import Quota, TooMany, Usage
from playground.engine.run import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
    from uuid import UUID

    import httpx

    from playground.engine.upstream import Outgoing

KEEP_S: Final = 300.0
KEEP_BYTES: Final = 256 * 2**20  # of all runs that have ended, together
PACKED_AFTER_S: Final = 3.0
_MANY_USAGES: Final = 1000

__all__ = ["LiveRun", "LiveRuns", "Pause", "Quota", "RunAbout", "State", "StopReason", "Stopping", "TooMany"]


class Stopping(RuntimeError):  # noqa: N818 - reads as what it is
    """The server is stopping and takes no new runs."""


class LiveRuns:
    """All live runs of this process."""

    def __init__(self, *, keep_s: float = KEEP_S, keep_bytes: int = KEEP_BYTES) -> None:
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._runs: dict[UUID, LiveRun] = {}
        self._over: OrderedDict[UUID, int] = OrderedDict()  # oldest end first, with the bytes held
        self._by_client_id: dict[tuple[str, str], LiveRun] = {}
        self._watchers: dict[str, set[_Watcher]] = {}
        self._quotas: dict[str, Usage] = {}
        self._many = _MANY_USAGES
        self._is_stopping = False

    def start(
        self,
        outgoing: Outgoing,
        client: httpx.AsyncClient,
        *,
        owner: str,
        about: RunAbout,
        limits: Limits | None = None,
        quotas: Sequence[tuple[str, Quota]] = (),
        pause: Pause | None = None,
        on_start: Callable[[LiveRun], None] | None = None,
    ) -> LiveRun:
        """Start a run, or return the owner's run of the same `about.client_id` (a double click, a resend).

        `quotas` are (whose, how much) pairs; all must have room. `on_start` sees the run before its first event.
        Raises TooMany or Stopping, and then nothing was sent. Does not wait for anything.
        """
        known = self._by_client_id.get((owner, about.client_id)) if about.client_id else None
        if known is not None:
            return known
        if self._is_stopping:
            raise Stopping
        usages = self._usages(quotas)
        for usage, quota in usages:
            usage.check(quota)
        run = LiveRun(owner, about, outgoing)
        self._runs[run.id] = run
        if about.client_id:
            self._by_client_id[owner, about.client_id] = run
        for usage, _ in usages:
            usage.take()
        run.changed = self._tell
        if on_start is not None:
            on_start(run)
        run.begin(client, limits or Limits(), pause, lambda: self._settle(run, [usage for usage, _ in usages]))
        self._tell(run)
        return run

    @contextmanager
    def admitted(self, quotas: Sequence[tuple[str, Quota]], what: str) -> Iterator[None]:
        """Count something short that is no run against quotas. `what` is its name in the words of TooMany, raised
        when one of them has no room."""
        usages = self._usages(quotas)
        for usage, quota in usages:
            usage.check(quota, what)
        for usage, _ in usages:
            usage.take()
        try:
            yield
        finally:
            for usage, _ in usages:
                usage.give_back()

    def _usages(self, quotas: Sequence[tuple[str, Quota]]) -> list[tuple[Usage, Quota]]:
        """What has been used of each. Those of whom nothing is to be known any more are dropped now and then."""
        if len(self._quotas) > self._many:
            self._quotas = {whose: usage for whose, usage in self._quotas.items() if not usage.is_idle}
            self._many = max(_MANY_USAGES, 2 * len(self._quotas))  # else a crowd would be looked through for each
        return [(self._quotas.setdefault(whose, Usage()), quota) for whose, quota in quotas]

    def find(self, run_id: UUID, owner: str) -> LiveRun | None:
        """The run, if it is here and this owner's."""
        run = self._runs.get(run_id)
        return run if run is not None and run.owner == owner else None

    def is_live(self, run_id: UUID) -> bool:
        """Is this run going on in this process, whoever owns it?"""
        run = self._runs.get(run_id)
        return run is not None and not run.is_over

    def of_owner(self, owner: str) -> list[LiveRun]:
        """The owner's runs that are here, newest first."""
        return [run for run in reversed(self._runs.values()) if run.owner == owner]

    async def follow_owner(self, owner: str) -> AsyncGenerator[LiveRun, None]:
        """The owner's runs, one each time it starts, is answered or ends. Changes that nobody took yet are one."""
        watcher = _Watcher()
        self._watchers.setdefault(owner, set()).add(watcher)
        try:
            while True:
                yield await watcher.next()
        finally:
            watching = self._watchers.get(owner, set())
            watching.discard(watcher)
            if not watching:
                self._watchers.pop(owner, None)

    @property
    def running(self) -> list[LiveRun]:
        return [run for run in self._runs.values() if not run.is_over]

    async def drain(self, within_s: float) -> None:
        """Take no more runs; let those under way finish for this long, then interrupt them. All have ended after it."""
        self._is_stopping = True
        tasks = [run.task for run in self.running if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
        for run in self.running:
            run.stop("server_stopping")
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        await asyncio.sleep(0)  # the tasks' own callbacks tell the end

    def _settle(self, run: LiveRun, usages: list[Usage]) -> None:
        for usage in usages:
            usage.give_back()
        self._over[run.id] = run.received_size * 2 + len(run.about.request_body)
        loop = asyncio.get_running_loop()
        loop.call_later(PACKED_AFTER_S, run.events.pack_all)
        loop.call_later(self._keep_s, self._drop, run.id)
        while len(self._over) > 1 and sum(self._over.values()) > self._keep_bytes:
            self._drop(next(iter(self._over)))

    def forget(self, run_id: UUID) -> None:
        """Let go of a run that is over before its time here is up: its owner has deleted it."""
        if run_id in self._over:
            self._drop(run_id)

    def _drop(self, run_id: UUID) -> None:
        self._over.pop(run_id, None)
        run = self._runs.pop(run_id, None)
        if run is not None and run.about.client_id:
            self._by_client_id.pop((run.owner, run.about.client_id), None)

    def _tell(self, run: LiveRun) -> None:
        for watcher in self._watchers.get(run.owner, ()):
            watcher.put(run)


class _Watcher:
    """What one follower of an owner has not taken yet: each run once, however often it changed."""

    def __init__(self) -> None:
        self._changed: OrderedDict[UUID, LiveRun] = OrderedDict()
        self._event = asyncio.Event()

    def put(self, run: LiveRun) -> None:
        self._changed[run.id] = run
        self._event.set()

    async def next(self) -> LiveRun:
        await self._event.wait()
        _, run = self._changed.popitem(last=False)
        if not self._changed:
            self._event.clear()
        return run
