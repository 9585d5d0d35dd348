"""The runs of a site that several processes serve, as one of them sees them.

A run stays in the process that took it, like any run of `LiveRuns`. What is added: limits and double clicks count over
all processes; others can find it; and runs of others are found as replicas. What cannot be asked while Redis is away
is decided by this process alone, so that requests are taken all the same.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from playground.cluster import announcements, keys
from playground.cluster.codec import about_from_json, about_to_json
from playground.cluster.follower import Entry, Follower
from playground.cluster.heartbeat import Heartbeat
from playground.cluster.inbox import post
from playground.cluster.process_id import process_id
from playground.cluster.publisher import Publisher
from playground.cluster.quotas import SharedQuotas
from playground.cluster.redis_link import AWAY, RedisLink, thread_client
from playground.engine.live import LiveRuns, Stopping
from playground.engine.run_registry import RunReference

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from playground.cluster.replica import Replica
    from playground.engine.live_run import LiveRun, StopReason
    from playground.engine.rate_limit import Quota
    from playground.engine.run_spec import RunSpec

logger = logging.getLogger(__name__)

_KEY_WAITS_S: Final = 1.0  # for the process that has a key to say which run it started
_LOOK_EVERY_S: Final = 0.02
_THREAD_WAITS_S: Final = 5.0
_MOST_OF_OWNER: Final = 200
_STOP_AGAIN_S: Final = 0.5


class SharedRuns(LiveRuns):
    """One process's. `open` before anything else; all but `find_from_thread` and `references_of` on its event loop.

    It has many methods because it is what others ask and what the publisher, the follower and the heartbeat meet in.
    """

    def __init__(self, *, url: str | None = None, process: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.url, self.process = url or settings.REDIS_URL, process or process_id()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._held: dict[UUID, list[str]] = {}  # whose limits a run counts against
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Join the other processes."""
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        self.link = RedisLink(self.url)
        self.quotas = SharedQuotas(self.link.commands, self.url)
        self.publisher = Publisher(self.link)
        self.follower = Follower(self.link, self.process, hear=self._hear, announce=self._announced, log=self._hear_log)
        self.follower.on_open = self._adopt
        self.heartbeat = Heartbeat(self)
        await self.heartbeat.beat()
        for work in (
            self.publisher.publish_for_ever(),
            self.follower.read_for_ever(),
            self.heartbeat.beat_for_ever(),
        ):
            self._tasks.add(self._loop.create_task(work))

    async def close(self) -> None:
        """Tell what is left to tell, and that nothing more comes of this process."""
        if self._loop is None:
            return
        await self.publisher.flush_all()
        await _end(self._tasks)
        with suppress(*AWAY):
            await self.heartbeat.depart()
        await self.link.aclose()

    @property
    def problem(self) -> str | None:
        return "Redis does not answer" if self._loop is not None and self.link.is_away else None

    # --- Starting

    async def astart(self, spec: RunSpec) -> LiveRun:
        await self.open()
        if self._is_stopping:
            raise Stopping
        run_id = uuid7()
        known = await self._admit(run_id, spec)
        if known is not None:
            return known

        def begin(run: LiveRun) -> None:
            self._begin(run)
            if spec.on_start is not None:
                spec.on_start(run)

        about = replace(spec.about, home=self.process)
        try:
            run = self.start(replace(spec, about=about, on_start=begin), run_id)
        except Exception:
            self._held[run_id] = [whose for whose, _ in spec.quotas]
            self._release(run_id, spec.owner, about.idempotency_key)
            raise
        if run.id == run_id:
            self._held[run_id] = [whose for whose, quota in spec.quotas if quota.at_once is not None]
        await self._register(run)
        return run

    async def _admit(self, run_id: UUID, spec: RunSpec) -> LiveRun | None:
        """The run that the key has started already, or None when a new one may start. Raises RateLimited."""
        owner, key = spec.owner, spec.about.idempotency_key
        if key and (known := self._by_idempotency_key.get((owner, key))) is not None:
            return known
        if self.link.is_away:
            return None
        try:
            if key and (known := await self._run_of_key(run_id, owner, key)) is not None:
                return known
            try:
                await self.quotas.take(spec.quotas, spec.noun, str(run_id))
            except Exception:
                if key:
                    await self.link.commands.delete(keys.started_with(owner, key))
                raise
        except AWAY:
            self.link.note(away=True)
        return None

    async def _run_of_key(self, run_id: UUID, owner: str, key: str) -> LiveRun | None:
        name = keys.started_with(owner, key)
        until = time.monotonic() + _KEY_WAITS_S
        while not await self.link.commands.set(name, str(run_id), nx=True, ex=keys.KEEP_S):
            other = await self.link.commands.get(name)
            if other is None:
                continue  # it was refused, so this one may try
            if other.decode() == str(run_id):
                return None
            if (known := await self.afind(UUID(other.decode()), owner)) is not None:
                return known
            if time.monotonic() > until:  # its process died between the two
                await self.link.commands.set(name, str(run_id), ex=keys.KEEP_S)
                return None
            await asyncio.sleep(_LOOK_EVERY_S)
        return None

    def _begin(self, run: LiveRun) -> None:
        """Before its first event."""
        tell = run.changed

        def changed(run: LiveRun) -> None:
            tell(run)
            self._tell_others(run)

        run.changed = changed
        if run.about.user_id is None:  # nothing else keeps it when this process ends
            self.publisher.share(run, is_kept=True)

    async def _register(self, run: LiveRun) -> None:
        """Before anybody is told of the run, so that its next request finds it wherever it goes."""
        pipe = self.link.commands.pipeline(transaction=False)
        self.add_registration(pipe, run)
        self.add_to_log(pipe, run)
        if self.link.is_away:
            return
        try:
            await pipe.execute()
        except AWAY:
            self.link.note(away=True)

    def add_registration(self, pipe: Any, run: LiveRun) -> None:
        fields = {
            "owner": run.owner,
            "about": about_to_json(run.about),
            "started_at": run.started_at.isoformat(),
        }
        pipe.hset(keys.run(run.id), mapping=fields)
        pipe.expire(keys.run(run.id), keys.RUN_S)
        pipe.zadd(keys.runs_of(run.owner), {str(run.id): run.started_at.timestamp()})
        pipe.zremrangebyrank(keys.runs_of(run.owner), 0, -_MOST_OF_OWNER - 1)
        pipe.expire(keys.runs_of(run.owner), keys.RUN_S)

    def add_to_log(self, pipe: Any, run: LiveRun) -> None:
        fields: Any = {"run": str(run.id), "home": self.process}
        pipe.xadd(keys.log_of(run.owner), fields, maxlen=_MOST_OF_OWNER, approximate=True)
        pipe.expire(keys.log_of(run.owner), keys.RUN_S)

    def _tell_others(self, run: LiveRun) -> None:
        self.publisher.add(lambda pipe: self.add_to_log(pipe, run))
        if run.is_over:
            self.publisher.add(lambda pipe: pipe.expire(keys.run(run.id), keys.KEEP_S))
            self._release(run.id, run.owner, None)

    def _release(self, run_id: UUID, owner: str, key: str | None) -> None:
        for slot in [keys.slots(whose) for whose in self._held.pop(run_id, [])]:
            self.publisher.add(partial(_remove, slot, str(run_id)))
        if key:
            self.publisher.add(lambda pipe: pipe.delete(keys.started_with(owner, key)))

    @asynccontextmanager
    async def admitted(self, quotas: Sequence[tuple[str, Quota]], noun: str) -> AsyncIterator[None]:
        await self.open()
        member = str(uuid7())
        async with super().admitted(quotas, noun):
            if not self.link.is_away:
                try:
                    await self.quotas.take(quotas, noun, member)
                except AWAY:
                    self.link.note(away=True)
            try:
                yield
            finally:
                self._held[uuid := UUID(member)] = [whose for whose, _ in quotas]
                self._release(uuid, "", None)

    # --- Finding

    async def afind(self, run_id: UUID, owner: str) -> LiveRun | None:
        if (run := self.find(run_id, owner)) is not None:
            return run
        await self.open()
        if run_id in self._runs or self.link.is_away:
            return None
        try:
            return await self.follower.open(run_id, owner)
        except AWAY:
            self.link.note(away=True)
            return None

    def find(self, run_id: UUID, owner: str) -> LiveRun | None:
        if (run := super().find(run_id, owner)) is not None or self._loop is None:
            return run
        replica = self.follower.replicas.get(run_id)
        return replica if replica is not None and replica.owner == owner and replica.is_caught_up.is_set() else None

    def find_from_thread(self, run_id: UUID, owner: str) -> LiveRun | None:
        if (run := super().find(run_id, owner)) is not None or self._loop is None:
            return run
        return asyncio.run_coroutine_threadsafe(self.afind(run_id, owner), self._loop).result(_THREAD_WAITS_S)

    def references_of(self, owner: str) -> list[RunReference]:
        here = super().references_of(owner)
        if self._loop is None or self.link.is_away:
            return here
        try:
            elsewhere = self._references_elsewhere(owner, {reference.id for reference in here})
        except AWAY as problem:
            logger.warning("the runs of other processes cannot be listed: %s", type(problem).__name__)
            return here
        return sorted(here + elsewhere, key=lambda reference: reference.id, reverse=True)

    def _references_elsewhere(self, owner: str, here: set[UUID]) -> list[RunReference]:
        client: Any = thread_client(self.url)
        ids = [UUID(each.decode()) for each in client.zrevrange(keys.runs_of(owner), 0, _MOST_OF_OWNER)]
        ids = [each for each in ids if each not in here]
        if not ids:
            return []
        pipe = client.pipeline(transaction=False)
        for each in ids:
            pipe.hget(keys.run(each), "about")
        references = []
        for run_id, text in zip(ids, pipe.execute(), strict=True):
            about = text and about_from_json(text, b"")
            if about and about.home != self.process:
                references.append(RunReference(run_id, about.source, about.idempotency_key))
        return references

    def forget(self, run_id: UUID) -> None:
        announcements.tell("run_forgotten", run_id=str(run_id))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._forget_here, run_id)

    def _forget_here(self, run_id: UUID) -> None:
        super().forget(run_id)
        self.follower.let_go(run_id)
        self.publisher.forget(run_id)
        self.publisher.add(lambda pipe: pipe.delete(keys.run(run_id), keys.events(run_id), keys.body(run_id)))

    # --- An owner's log

    async def follow_owner(self, owner: str) -> AsyncGenerator[LiveRun, None]:
        await self.open()
        with suppress(*AWAY):
            await self.follower.watch(owner)
        async with aclosing(super().follow_owner(owner)) as changes:
            try:
                async for run in changes:
                    yield run
            finally:
                if len(self._watchers.get(owner, ())) <= 1:
                    self.follower.unwatch(owner)

    def _hear_log(self, owner: str, entry: Entry) -> None:
        run_id, home = UUID(entry[b"run"].decode()), entry[b"home"].decode()
        if home != self.process and run_id not in self.follower.replicas:  # a replica tells its own changes
            self._soon(self._open_and_tell(run_id, owner))

    async def _open_and_tell(self, run_id: UUID, owner: str) -> None:
        if (run := await self.afind(run_id, owner)) is not None:
            self._tell(run)

    # --- What others want, and what they tell

    def _adopt(self, replica: Replica) -> None:
        replica.changed = self._tell
        replica.ask_to_stop = lambda run, reason: self._soon(self._stop_elsewhere(run, reason))

    async def _stop_elsewhere(self, run: Replica, reason: StopReason) -> None:
        """Ask again until the run has ended: Redis may be away, or have lost the request to stop."""
        while not run.is_over:
            pipe = self.link.commands.pipeline(transaction=False)
            post(pipe, run.home, "stop", run=str(run.id), reason=reason)
            with suppress(*AWAY):
                await pipe.execute()
            await asyncio.sleep(_STOP_AGAIN_S)

    def _hear(self, entry: Entry) -> None:
        kind = entry[b"kind"]
        if kind == b"wake":
            return
        run_id = UUID(entry[b"run"].decode())
        if kind == b"caught-up":
            if (replica := self.follower.replicas.get(run_id)) is not None:
                replica.wait_for(int(entry[b"count"]))
        elif kind == b"gone":
            self.follower.let_go(run_id)
        elif (run := self._runs.get(run_id)) is None:
            if kind == b"share":
                asker = entry[b"asker"].decode()
                self.publisher.add(lambda pipe: post(pipe, asker, "gone", run=str(run_id)))
        elif kind == b"share":
            self.publisher.share(run, entry[b"asker"].decode(), anew=entry[b"anew"] == b"1")
        elif kind == b"stop":
            run.stop(_REASONS.get(entry[b"reason"].decode(), "stopped"))

    def _announced(self, entry: Entry) -> None:
        if entry[b"kind"] == b"run_forgotten" and entry[b"from"].decode() != self.process:
            self._forget_here(UUID(announcements.details_of(entry)["run_id"]))
        announcements.hear(entry, self.process)

    def _soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- For the heartbeat

    def all_here(self) -> list[LiveRun]:
        return list(self._runs.values())

    def followed_owners(self) -> list[str]:
        return list(self._watchers)

    def held_slots(self) -> list[tuple[str, list[str]]]:
        return [(str(run_id), whose) for run_id, whose in self._held.items() if whose]


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel them until they have ended: before Python 3.12, `asyncio.wait_for`, which redis-py sends with, forgets a
    cancellation that comes in the moment in which it is done."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.1)


_REASONS: Final[dict[str, StopReason]] = {"client_left": "client_left", "account_ended": "account_ended"}


def _remove(slot: str, member: str, pipe: Any) -> None:
    pipe.zrem(slot, member)
