"""Runs in progress, in the memory of this process: start, follow from a number, stop, follow an owner.

A run stays here for some minutes after its end, for late readers; a visitor's run is nowhere else.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from playground.engine import memory
from playground.engine.live_run import LiveRun
from playground.engine.rate_limit import Quota, Usage
from playground.engine.run_registry import RunReference
from playground.exceptions import PlaygroundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence
    from uuid import UUID

    from playground.engine.run_spec import RunSpec

KEEP_S: Final = 300.0
KEEP_BYTES: Final = 64 * 2**20  # of all runs that have ended, together
LARGE_BYTES: Final = 4 * 2**20  # what a run holds that goes as soon as it is stored, but not before
LARGE_KEEP_S: Final = 15.0
PACKED_AFTER_S: Final = 3.0
PACK_EVERY_S: Final = 0.05
TRIM_AFTER_S: Final = 2.0
_MANY_USAGES: Final = 1000


class Stopping(PlaygroundError, RuntimeError):
    """The server is stopping and takes no new runs."""


class LiveRuns:
    """All live runs of this process."""

    def __init__(self, *, keep_s: float = KEEP_S, keep_bytes: int = KEEP_BYTES) -> None:
        self._keep_s = keep_s
        self._keep_bytes = keep_bytes
        self._runs: dict[UUID, LiveRun] = {}
        self._over: OrderedDict[UUID, int] = OrderedDict()  # oldest end first, with the bytes held
        self._held_bytes = 0
        self._dropping = threading.Lock()  # `forget` is called in other threads
        self._by_idempotency_key: dict[tuple[str, str], LiveRun] = {}
        self._watchers: dict[str, set[_Watcher]] = {}
        self._quotas: dict[str, Usage] = {}
        self._many = _MANY_USAGES
        self._is_stopping = False

    def start(self, spec: RunSpec, run_id: UUID | None = None) -> LiveRun:
        """Start a run, or return the owner's run of the same `about.idempotency_key` (a double click, a resend).

        Raises RateLimited or Stopping, and then nothing was sent. Does not wait for anything.
        """
        idempotency_key = spec.about.idempotency_key
        known = self._by_idempotency_key.get((spec.owner, idempotency_key)) if idempotency_key else None
        if known is not None:
            return known
        if self._is_stopping:
            raise Stopping
        usages = self._usages(spec.quotas)
        for usage, quota in usages:
            usage.check(quota, spec.noun)
        run = LiveRun(spec.owner, spec.about, spec.outgoing, run_id)
        self._runs[run.id] = run
        if idempotency_key:
            self._by_idempotency_key[spec.owner, idempotency_key] = run
        for usage, _ in usages:
            usage.take()
        run.changed = self._tell
        if spec.on_start is not None:
            spec.on_start(run)
        run.begin(spec.client, spec.limits, spec.pause, lambda: self._settle(run, [usage for usage, _ in usages]))
        self._tell(run)
        return run

    async def astart(self, spec: RunSpec) -> LiveRun:
        """`start`, for callers that may be given a registry of several processes."""
        return self.start(spec)

    @asynccontextmanager
    async def admitted(self, quotas: Sequence[tuple[str, Quota]], noun: str) -> AsyncIterator[None]:
        """Count something short that is no run against quotas. Raises RateLimited when one of them has no room; its
        words call the short thing `noun`."""
        usages = self._usages(quotas)
        for usage, quota in usages:
            usage.check(quota, noun)
        for usage, _ in usages:
            usage.take()
        try:
            yield
        finally:
            for usage, _ in usages:
                usage.give_back()

    def _usages(self, quotas: Sequence[tuple[str, Quota]]) -> list[tuple[Usage, Quota]]:
        """Return what has been used of each quota. Holders that no longer matter are dropped now and then."""
        if len(self._quotas) > self._many:
            self._quotas = {whose: usage for whose, usage in self._quotas.items() if not usage.is_idle}
            self._many = max(_MANY_USAGES, 2 * len(self._quotas))  # else a crowd would be looked through for each
        return [(self._quotas.setdefault(whose, Usage()), quota) for whose, quota in quotas]

    def find(self, run_id: UUID, owner: str) -> LiveRun | None:
        """The run, if it is here and this owner's."""
        run = self._runs.get(run_id)
        return run if run is not None and run.owner == owner else None

    async def afind(self, run_id: UUID, owner: str) -> LiveRun | None:
        return self.find(run_id, owner)

    def find_from_thread(self, run_id: UUID, owner: str) -> LiveRun | None:
        return self.find(run_id, owner)

    def is_live(self, run_id: UUID) -> bool:
        """Return whether this run goes on in this process, whoever owns it."""
        run = self._runs.get(run_id)
        return run is not None and not run.is_over

    def of_owner(self, owner: str) -> list[LiveRun]:
        """The owner's runs that are here, newest first."""
        return [run for run in reversed(list(self._runs.values())) if run.owner == owner]

    def references_of(self, owner: str) -> list[RunReference]:
        return [reference_to(run) for run in self.of_owner(owner)]

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
        return [run for run in list(self._runs.values()) if not run.is_over]

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

    async def open(self) -> None:
        """Do nothing: there is nobody to join."""

    async def close(self) -> None:
        """Do nothing: there is nobody to leave."""

    @property
    def problem(self) -> str | None:
        return None

    def _settle(self, run: LiveRun, usages: list[Usage]) -> None:
        for usage in usages:
            usage.give_back()
        held = run.received_size + len(run.about.request_body)
        loop = asyncio.get_running_loop()
        if held >= LARGE_BYTES:
            loop.call_later(LARGE_KEEP_S, self._drop_large, run)
        loop.call_later(PACKED_AFTER_S, self._pack, run)
        loop.call_later(self._keep_s, self._expire, run.id)
        with self._dropping:
            self._over[run.id] = held
            self._held_bytes += held
        while (oldest := self._oldest_too_many()) is not None:
            self._drop(oldest)

    def _oldest_too_many(self) -> UUID | None:
        """The run that ended first, while those that are over hold too much. The newest stays, whatever it holds."""
        with self._dropping:
            is_too_much = self._held_bytes > self._keep_bytes and len(self._over) > 1
            return next(iter(list(self._over))) if is_too_much else None

    def forget(self, run_id: UUID) -> None:
        """Let go of a run that is over before its time here is up: its owner has deleted it. Threads may call it."""
        if run_id in self._over:
            self._drop(run_id)

    def _pack(self, run: LiveRun) -> None:
        if run.id in self._runs and run.events.pack_some():
            asyncio.get_running_loop().call_later(PACK_EVERY_S, self._pack, run)

    def _drop_large(self, run: LiveRun) -> None:
        """Drop a large run that has ended: latecomers read it from the database, once it is there."""
        if run.id not in self._over:
            trim_soon()
        elif run.is_stored:
            self._drop(run.id)
            trim_soon()
        else:
            asyncio.get_running_loop().call_later(LARGE_KEEP_S, self._drop_large, run)

    def _expire(self, run_id: UUID) -> None:
        self._drop(run_id)
        if not self._runs:
            trim_soon()

    def _drop(self, run_id: UUID) -> None:
        with self._dropping:
            self._held_bytes -= self._over.pop(run_id, 0)
        run = self._runs.pop(run_id, None)
        if run is not None and run.about.idempotency_key:
            self._by_idempotency_key.pop((run.owner, run.about.idempotency_key), None)

    def _tell(self, run: LiveRun) -> None:
        for watcher in self._watchers.get(run.owner, ()):
            watcher.put(run)


def reference_to(run: LiveRun) -> RunReference:
    return RunReference(run.id, run.about.source, run.about.idempotency_key, run.event_count)


def trim_soon() -> None:
    """Once those who read the run have let go of it too."""
    loop = asyncio.get_running_loop()
    loop.call_later(TRIM_AFTER_S, loop.run_in_executor, None, memory.trim)


class _Watcher:
    """The changed runs that one follower of an owner has not taken yet: each once, however often it changed."""

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
