"""Reads what the other processes send to this one: its inbox, announcements, logs of owners, and the events of their
runs.

One task reads all of it, so that a window of everything is one round trip.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

from playground.cluster import keys
from playground.cluster.codec import about_from_json
from playground.cluster.inbox import post
from playground.cluster.redis_link import AWAY, BLOCK_S
from playground.cluster.replica import Replica

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playground.cluster.redis_link import RedisLink

logger = logging.getLogger(__name__)

GATHER_S: Final = 0.008  # between two reads
HELD_S: Final = 30.0  # what nobody follows any more stays so long for the next request of the same page
OPENED_WITHIN_S: Final = 2.0
RETRY_S: Final = 0.25
_DRAWN_S: Final = 10  # before a page's socket is there, about
_ENTRIES: Final = 100  # of one stream in one read
Entry = dict[bytes, bytes]


class Follower:
    """Belongs to one event loop. `hear` gets the messages of this process's inbox, `announce` the news for all, `log`
    the entries of an owner's log."""

    def __init__(
        self,
        link: RedisLink,
        process: str,
        *,
        hear: Callable[[Entry], None],
        announce: Callable[[Entry], None],
        log: Callable[[str, Entry], None],
    ) -> None:
        self._link, self._process = link, process
        self._hear, self._announce, self._log = hear, announce, log
        self.replicas: WeakValueDictionary[UUID, Replica] = WeakValueDictionary()
        self._held: dict[UUID, tuple[Replica, float]] = {}
        self._opening: dict[UUID, asyncio.Task[Replica | None]] = {}
        self._logs: dict[str, bytes | str] = {}  # owner to the last entry read
        self._inbox_id: bytes | str = "0"
        self._news_id: bytes | str | None = None
        self.on_open: Callable[[Replica], None] = lambda _: None

    # --- Runs of other processes

    async def open(self, run_id: UUID, owner: str) -> Replica | None:
        """The owner's run of another process, with all that it had told when this was called. Raises what Redis raises
        when it is away."""
        replica = self.replicas.get(run_id)
        if replica is None:
            task = self._opening.get(run_id)
            if task is None:
                task = asyncio.get_running_loop().create_task(self._open(run_id), context=contextvars.Context())
                self._opening[run_id] = task
                task.add_done_callback(lambda _: self._opening.pop(run_id, None))
            replica = await asyncio.shield(task)
        if replica is None or replica.owner != owner:
            return None
        self.hold(replica)
        return replica

    def hold(self, run: Replica) -> None:
        self._held[run.id] = run, time.monotonic() + HELD_S

    async def _open(self, run_id: UUID) -> Replica | None:
        fields: Mapping[bytes, bytes] = await self._link.commands.hgetall(keys.run(run_id))
        if not fields:
            return None
        about = about_from_json(fields[b"about"], b"")
        if (home := about.home or "") == self._process:
            return None
        started_at = datetime.fromisoformat(fields[b"started_at"].decode())
        run = Replica(run_id, fields[b"owner"].decode(), about, started_at)
        has_departed = await self._link.commands.exists(keys.departed(home))
        self.on_open(run)
        if has_departed:
            await self._load(run)
        else:
            self.replicas[run_id] = run
            self.hold(run)
            await self.ask_for([run])
            with suppress(TimeoutError):
                async with asyncio.timeout(OPENED_WITHIN_S):
                    await run.is_caught_up.wait()
            if run_id not in self.replicas:  # its process has let go of it
                return None
        body = await self._link.commands.get(keys.body(run_id))
        run.about = replace(run.about, request_body=body or b"")
        self.replicas[run_id] = run
        return run

    async def _load(self, run: Replica) -> None:
        """Read all that the stream will ever have: its run has ended."""
        for entry_id, entry in await self._link.commands.xrange(keys.events(run.id)):
            run.take(entry_id, entry)
        if not run.is_over:
            run.lose()

    async def ask_for(self, runs: list[Replica]) -> None:
        """Have their processes publish them, and this one read them from now on."""
        pipe = self._link.commands.pipeline(transaction=False)
        for run in runs:
            post(pipe, run.home, "share", run=str(run.id), asker=self._process, anew=int(run.is_behind))
        self._wake(pipe)
        await pipe.execute()

    def _wake(self, pipe: Any) -> None:
        """The read that waits does not know of what is wanted since."""
        post(pipe, self._process, "wake")

    def let_go(self, run_id: UUID) -> None:
        run = self.replicas.pop(run_id, None)
        self._held.pop(run_id, None)
        if run is not None:
            run.is_caught_up.set()

    def let_go_of_unused(self) -> None:
        now = time.monotonic()
        for run_id, (run, until) in list(self._held.items()):
            if until < now and (run.is_over or not self._is_watched(run)):
                del self._held[run_id]

    def _is_watched(self, run: Replica) -> bool:
        return run.owner in self._logs

    @property
    def unfinished(self) -> list[Replica]:
        return [run for run in self.replicas.values() if not run.is_over]

    # --- Logs of owners

    async def watch(self, owner: str) -> None:
        """Tell the owner's log from now on, and what it told a moment ago: the page was drawn then."""
        if owner not in self._logs:
            seconds, _ = await self._link.commands.time()
            self._logs[owner] = f"{(seconds - _DRAWN_S) * 1000}-0"
            pipe = self._link.commands.pipeline(transaction=False)
            self._wake(pipe)
            await pipe.execute()

    def unwatch(self, owner: str) -> None:
        self._logs.pop(owner, None)

    async def _last_id(self, key: str) -> bytes | str:
        last = await self._link.commands.xrevrange(key, count=1)
        return last[0][0] if last else "0"

    # --- Reading

    async def read_for_ever(self) -> None:
        while True:
            try:
                await self._read()
            except AWAY:
                self._link.note(away=True)
                await asyncio.sleep(RETRY_S)
            else:
                await asyncio.sleep(GATHER_S)

    async def _read(self) -> None:
        if self._news_id is None:
            self._news_id = await self._last_id(keys.ANNOUNCEMENTS)
        runs = {keys.events(run.id).encode(): run for run in self.unfinished}
        logs = {keys.log_of(owner).encode(): owner for owner in self._logs}
        places: dict[Any, Any] = {key: run.last_id for key, run in runs.items()}
        places |= {key: self._logs[owner] for key, owner in logs.items()}
        places |= {keys.inbox(self._process): self._inbox_id, keys.ANNOUNCEMENTS: self._news_id}
        for key, entries in await self._link.reader.xread(places, count=_ENTRIES, block=int(BLOCK_S * 1000)) or ():
            for entry_id, entry in entries:
                self._take(key, entry_id, entry, runs.get(key), logs.get(key))

    def _take(self, key: bytes, entry_id: bytes, entry: Entry, run: Replica | None, owner: str | None) -> None:
        """One entry. What is wrong with it must not end the reading for all others."""
        try:
            if run is not None:
                run.take(entry_id, entry)
            elif owner is not None:
                if owner in self._logs:
                    self._logs[owner] = entry_id
                self._log(owner, entry)
            elif key == keys.ANNOUNCEMENTS.encode():
                self._news_id = entry_id
                self._announce(entry)
            else:
                self._inbox_id = entry_id
                self._hear(entry)
        except Exception as fault:
            logger.error("an entry of %s cannot be read: %s", key.decode(), type(fault).__name__)
            if run is not None:
                run.lose()
