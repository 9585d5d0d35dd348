"""Tells Redis every second that this process lives, and tells it everything again when it has lost what it was told.

The lease in Redis tells followers whether more of a run can come. Whether the rows of a process are to be closed is
for PostgreSQL to say (`membership`): Redis may be emptied at any time.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from playground.cluster import keys
from playground.cluster.redis_link import AWAY
from playground.cluster.secret import fingerprint

if TYPE_CHECKING:
    from playground.cluster.replica import Replica
    from playground.cluster.shared_runs import SharedRuns

EVERY_S: Final = 1.0
LEASE_S: Final = 6
GONE_AFTER_S: Final = 6.0  # without a lease, while Redis answers
_ASK_EVERY_S: Final = 8.0  # a follower says that it still follows; well within publisher.WANTED_S
_HOLD_EVERY_S: Final = 10.0  # well within quotas.SLOT_S
_REGISTER_EVERY_S: Final = 120.0
_DEPARTED_S: Final = 900


class Heartbeat:
    """The heartbeat of one process and its runs."""

    def __init__(self, runs: SharedRuns) -> None:
        self._runs = runs
        self._seen: dict[str, float] = {}  # when a process that replicas come from was last known to live
        self._asked_at = self._registered_at = self._held_at = time.monotonic()

    async def beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.beat()

    async def beat(self) -> None:
        runs = self._runs
        was_away = runs.link.is_away
        try:
            is_known = await self._say()
            if was_away or not is_known:
                await self._register_all(changed=True)
            runs.link.note(away=False)
            if was_away or not is_known:
                runs.publisher.begin_anew()
                self._seen.clear()
            await self._look_after_limits(is_new=was_away or not is_known)
            for owner in runs.followed_owners():
                await runs.follower.watch(owner)
            await self._look_after_replicas()
        except AWAY:
            runs.link.note(away=True)
        for replica in runs.follower.unfinished:
            replica.note_waiting(runs.link.is_away)

    async def _say(self) -> bool:
        """Renew the lease. Returns whether Redis still knew this process."""
        redis, process = self._runs.link.commands, self._runs.process
        pipe = redis.pipeline(transaction=False)
        pipe.set(keys.lease(process), 1, ex=LEASE_S, get=True)
        pipe.set(keys.SECRET, fingerprint(), ex=LEASE_S)
        pipe.expire(keys.inbox(process), keys.RUN_S)
        pipe.expire(keys.ANNOUNCEMENTS, keys.RUN_S)
        answers = await pipe.execute()
        return answers[0] is not None

    async def _register_all(self, *, changed: bool) -> None:
        """All runs that are here, also those that are over: somebody may follow one to its end. `changed`: who follows
        an owner may have missed what happened to them."""
        pipe: Any = self._runs.link.commands.pipeline(transaction=False)
        for run in self._runs.all_here():
            self._runs.add_registration(pipe, run)
            if changed:
                self._runs.add_to_log(pipe, run)
        if len(pipe):
            await pipe.execute()
        self._registered_at = time.monotonic()

    async def _look_after_limits(self, *, is_new: bool) -> None:
        now = time.monotonic()
        if is_new or now - self._held_at > _HOLD_EVERY_S:
            self._held_at = now
            await self._runs.quotas.refresh(self._runs.held_slots())

    async def _look_after_replicas(self) -> None:
        runs, now = self._runs, time.monotonic()
        runs.follower.let_go_of_unused()
        unfinished = runs.follower.unfinished
        if now - self._registered_at > _REGISTER_EVERY_S:
            await self._register_all(changed=False)
        if now - self._asked_at > _ASK_EVERY_S or any(
            run.is_behind or not run.is_caught_up.is_set() for run in unfinished
        ):
            self._asked_at = now
            if unfinished:
                await runs.follower.ask_for(unfinished)
        await self._find_lost(unfinished, now)

    async def _find_lost(self, unfinished: list[Replica], now: float) -> None:
        homes = {run.home for run in unfinished}
        self._seen = {home: self._seen.get(home, now) for home in homes}
        if not homes:
            return
        pipe = self._runs.link.commands.pipeline(transaction=False)
        for home in homes:
            pipe.exists(keys.lease(home))
            pipe.exists(keys.departed(home))
        answers = await pipe.execute()
        gone = set()
        for home, lives, has_departed in zip(homes, answers[::2], answers[1::2], strict=True):
            if lives:
                self._seen[home] = now
            elif has_departed or now - self._seen[home] > GONE_AFTER_S:
                gone.add(home)
        for run in unfinished:
            if run.home in gone and not run.is_over:
                run.lose()

    async def depart(self) -> None:
        process = self._runs.process
        pipe = self._runs.link.commands.pipeline(transaction=False)
        pipe.set(keys.departed(process), 1, ex=_DEPARTED_S)
        pipe.delete(keys.lease(process), keys.inbox(process))
        await pipe.execute()
