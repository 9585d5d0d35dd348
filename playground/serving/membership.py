"""This process among those that serve the site: it says that it lives, closes what dead ones have left, and leads.

All of it in PostgreSQL, on the connection of the site lock and in that one's thread: a busy event loop is not taken for
a dead process. The one that leads does what is done once for the site, such as sweeping.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from uuid import UUID

import psycopg
from channels.db import database_sync_to_async
from django.db import close_old_connections

from playground.cluster.process_id import process_id
from playground.cluster.secret import has_the_sites_secret
from playground.models.server_process import GONE_AFTER
from playground.recording.recovery import close_lost
from playground.serving.site_lock import ADVISORY_KEY, DatabaseGuard, SiteLock, SiteTakenError, about_this_process

logger = logging.getLogger(__name__)

LEADER_KEY: Final = ADVISORY_KEY + 1
MIGRATION_KEY: Final = ADVISORY_KEY + 2
_LOOK_EVERY_S: Final = 5.0
_SWEEP_EVERY_S: Final = 3600.0
_BEAT: Final = (
    "INSERT INTO playground_serverprocess (id, host, pid, started_at, beat_at) VALUES (%s, %s, %s, now(), now()) "
    "ON CONFLICT (id) DO UPDATE SET beat_at = now()"
)


class MemberGuard(DatabaseGuard):
    """A shared lock on the database, and this process's signs of life."""

    lock = "SELECT pg_try_advisory_lock_shared(%s)"

    def __init__(self) -> None:
        super().__init__()
        self.is_leader = False
        self._is_member = False
        self._beating_since: float | None = None  # without a gap
        self._closing: threading.Thread | None = None

    def connect(self) -> psycopg.Connection[Any]:
        self.is_leader = False  # that lock went with the connection before
        self._beating_since = None
        made = super().connect()
        with suppress(psycopg.Error):  # before PostgreSQL 14
            # A machine that vanishes without a word must not lead on for hours.
            made.execute("SET idle_session_timeout = '15s'")
        return made

    def join(self) -> None:
        """Register this process as alive. Call it when the tables are there."""
        self._is_member = True
        self.look()

    def leave(self) -> None:
        """Leave in order: all runs of this process have ended and are stored. Others close what is not."""
        self._is_member = False
        self._ask("DELETE FROM playground_serverprocess WHERE id = %s", [UUID(process_id())])

    def look(self) -> bool:
        if not self._is_member:
            return super().look()
        about = about_this_process()
        if self._ask(_BEAT, [UUID(process_id()), about["host"], about["pid"]]) is None:
            self._beating_since, self.is_leader = None, False
            return False
        if not self.is_leader:
            self.is_leader = self._ask("SELECT pg_try_advisory_lock(%s)", [LEADER_KEY]) == (True,)
        self._beating_since = self._beating_since or time.monotonic()
        if time.monotonic() - self._beating_since > GONE_AFTER.total_seconds():
            self._close_in_a_thread()
        return True

    def _close_in_a_thread(self) -> None:
        """Close runs of dead processes in a thread: they may be large, and this process must go on saying that it
        lives."""
        if self._closing is None or not self._closing.is_alive():
            self._closing = threading.Thread(
                target=self._close_what_dead_ones_left, name="close runs of dead processes", daemon=True
            )
            self._closing.start()

    def _close_what_dead_ones_left(self) -> None:
        """Only who has lived by itself for so long may judge: after an absence of PostgreSQL everybody looks dead."""
        close_old_connections()
        try:
            close_lost()
        except Exception as fault:  # what watches for everybody never ends
            logger.error("runs of processes that ended cannot be closed: %s", type(fault).__name__)
        finally:
            close_old_connections()

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """One process at a time; those that wait find the work done."""
        with super().connect() as alone:
            alone.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_KEY])
            yield


class SharedSiteLock(SiteLock):
    """Held together with the other processes of the site."""

    def database_guard(self) -> MemberGuard:
        self.member = MemberGuard()
        return self.member

    def take_database(self, say: Callable[[str], None]) -> None:
        """Raises SiteTakenError also when the others sign cookies with another secret: nobody's session would hold."""
        super().take_database(say)
        if not has_the_sites_secret():
            raise SiteTakenError(
                "The other processes of this site have another PLAYGROUND_SECRET_KEY. Set the same one, and the same "
                "PLAYGROUND_VAULT_KEYS, on all machines."
            )

    def drain(self) -> None:
        """Others may start at any time."""

    @contextmanager
    def migrating(self) -> Iterator[None]:
        with self.member.migrating():
            yield

    def join(self) -> None:
        """Join the others, and close in the watching thread what dead processes leave, now and from now on."""
        self.member.join()

    def leave(self) -> None:
        self.member.leave()

    async def sweep(self, what: Callable[[], object]) -> None:
        """While this process is the one that does so."""
        swept_at = -_SWEEP_EVERY_S
        while True:
            if self.member.is_leader and time.monotonic() - swept_at >= _SWEEP_EVERY_S:
                swept_at = time.monotonic()
                try:
                    await database_sync_to_async(what, thread_sensitive=False)()
                except Exception:
                    logger.exception("a sweep broke off")
            await asyncio.sleep(_LOOK_EVERY_S)
