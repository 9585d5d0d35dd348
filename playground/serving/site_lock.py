"""One data folder and one database have one server, or several processes of one site that know of each other.

A second one would take the first one's running requests for cut off and mark them so, for good. The folder is guarded
by a lock on a file, the PostgreSQL database by an advisory lock: both are given back by the system when their process
ends, however it ends. Processes that share a site (`PLAYGROUND_REDIS_URL`) take both locks in the shared way: the rest
is in `membership`.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from django.conf import settings
from django.db import connection

from playground.databases.postgresql.base import DatabaseWrapper, cut, is_there, note_away
from playground.exceptions import PlaygroundError
from playground.recording.recovery import close_interrupted
from playground.recording.retention import sweep_periodically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

ADVISORY_KEY = 0x6D70_6B31  # "mpk1"; advisory locks of one database share their numbers with its other users
SERVING, DRAINING = "serving", "draining"
_GRACE_S = 3.0  # a server that was asked to stop a moment ago may not have begun to
_LOOK_EVERY_S = 0.2
_PING_EVERY_S = 2.0
_NOTE_BYTES = 400


class SiteTakenError(PlaygroundError):
    """Another server has the folder or the database. The text says which, and what to do."""


class SiteLock:
    """Held from before the migrations until the process ends."""

    def __init__(self) -> None:
        self._guards: list[FolderGuard | DatabaseGuard] = [
            FolderGuard(Path(settings.DATA_DIR), is_shared=bool(settings.REDIS_URL))
        ]
        if connection.vendor == "postgresql":
            self._guards.append(self.database_guard())

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """While the tables are brought up to date."""
        yield

    def join(self) -> None:
        """Begin to serve: what a stop has cut off is closed."""
        close_interrupted()

    def leave(self) -> None:
        """The server has stopped in order."""

    async def sweep(self, what: Callable[[], object]) -> None:
        """A background task: do this now and then, once for the whole site."""
        await sweep_periodically(what=what)

    def database_guard(self) -> DatabaseGuard:
        return DatabaseGuard()

    def take_folder(self, say: Callable[[str], None]) -> None:
        """Wait while the other server finishes its running requests; raises SiteTakenError if it goes on serving.
        Starts no thread and opens no database connection: processes may be forked after it."""
        self._wait_for(self._guards[0], say)

    def take_database(self, say: Callable[[str], None]) -> None:
        """Lock the database as well, if others can reach it."""
        for guard in self._guards[1:]:
            self._wait_for(guard, say)

    def _wait_for(self, guard: FolderGuard | DatabaseGuard, say: Callable[[str], None]) -> None:
        began = time.monotonic()
        is_said = False
        while not guard.try_to_take():
            holder = guard.holder()
            if holder.get("state") != DRAINING and time.monotonic() - began > _GRACE_S:
                raise SiteTakenError(
                    f"{guard.what} is in use by another playground (process {holder.get('pid', 'unknown')}"
                    f"{' on ' + str(holder['host']) if holder.get('host') else ''}). Stop that one first, or give this "
                    f"one its own: {guard.setting}."
                )
            if not is_said:
                say(f"Another playground (process {holder.get('pid', 'unknown')}) still has {guard.what}. Waiting ...")
                is_said = True
            time.sleep(_LOOK_EVERY_S)

    def drain(self) -> None:
        """Tell a server that starts meanwhile that this one is about to end."""
        for guard in self._guards:
            guard.tell(DRAINING)


def about_this_process() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": socket.gethostname()}


class FolderGuard:
    """A lock of the POSIX kind, which no child process inherits: it goes with the process that took it."""

    setting = "PLAYGROUND_DATA"

    def __init__(self, folder: Path, *, is_shared: bool = False) -> None:
        self.what = f"The data folder {folder}"
        self._is_shared = is_shared
        self._path = folder / "server.lock"
        self._file: Any = None

    def try_to_take(self) -> bool:
        try:
            import fcntl
        except ImportError:  # Windows
            return True
        if self._file is None:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            self._file = os.fdopen(descriptor, "r+")
        try:
            fcntl.lockf(self._file, (fcntl.LOCK_SH if self._is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        self.tell(SERVING)
        return True

    def holder(self) -> dict[str, Any]:
        try:
            about = json.loads(os.pread(self._file.fileno(), _NOTE_BYTES, 0))
        except (ValueError, OSError):
            return {}
        return about if isinstance(about, dict) else {}

    def tell(self, state: str) -> None:
        if self._file is not None:
            note = (
                json.dumps(about_this_process() | {"state": state}).encode().ljust(_NOTE_BYTES)
            )  # one write, so that nobody reads half a note
            os.pwrite(self._file.fileno(), note, 0)


class DatabaseGuard:
    """An advisory lock on a connection of its own, which is also asked every two seconds whether PostgreSQL answers."""

    what = "The database"
    setting = "PLAYGROUND_DATABASE_URL"
    lock = "SELECT pg_try_advisory_lock(%s)"

    def __init__(self) -> None:
        wrapper = connection.copy()
        assert isinstance(wrapper, DatabaseWrapper)
        self._parameters = {
            name: value for name, value in wrapper.get_connection_params().items() if name not in _DJANGOS_OWN
        }
        self._connection: psycopg.Connection[Any] | None = None
        self._state = SERVING
        self._lock = threading.Lock()

    def try_to_take(self) -> bool:
        """Raises psycopg.OperationalError when there is no way to the database."""
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        taken = self._connection.execute(self.lock, [ADVISORY_KEY]).fetchone()
        if taken != (True,):
            return False
        self.tell(SERVING)
        threading.Thread(target=self._watch, name="database watch", daemon=True).start()
        return True

    def connect(self) -> psycopg.Connection[Any]:
        """Raises psycopg.OperationalError when there is no way to the database."""
        return psycopg.connect(**self._parameters, autocommit=True)

    def look(self) -> bool:
        """Return whether PostgreSQL answers. Called every two seconds, in a thread of its own."""
        return self._ask("SELECT 1", []) is not None

    def holder(self) -> dict[str, Any]:
        assert self._connection is not None
        row = self._connection.execute(_HOLDER, [ADVISORY_KEY]).fetchone()
        words = str(row[0]).split() if row else []
        return dict(zip(("host", "pid", "state"), words[1:], strict=False)) if len(words) == 4 else {}

    def tell(self, state: str) -> None:
        self._state = state
        self._name_connection()

    def _name_connection(self) -> None:
        about = about_this_process()
        name = f"playground {about['host'][:30]} {about['pid']} {self._state}"  # PostgreSQL keeps 63 characters
        self._ask("SELECT set_config('application_name', %s, false)", [name])

    def _ask(self, statement: str, values: list[Any]) -> tuple[Any, ...] | None:
        """The first row that PostgreSQL answers on the connection that holds the lock; empty without one. None if no
        answer comes within the time of a look."""
        with self._lock:
            held = self._connection
            if held is None or held.closed:
                return None
            deadline = threading.Timer(_PING_EVERY_S, cut, [held])
            deadline.daemon = True
            deadline.start()
            try:
                answer = held.execute(statement, values)
                return (answer.fetchone() or ()) if answer.description else ()
            except psycopg.Error:
                return None
            finally:
                deadline.cancel()

    def _watch(self) -> None:
        while True:
            time.sleep(_PING_EVERY_S)
            try:
                if self.look():
                    continue
                if not is_there(self._parameters):
                    note_away(self._parameters)
                self._take_again()
            except psycopg.OperationalError:
                continue  # still away
            except Exception:  # what watches for everybody never ends
                logger.exception("watching the database failed")

    def _take_again(self) -> None:
        """PostgreSQL was away, and the lock went with its connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = self.connect()
            taken = self._connection.execute(self.lock, [ADVISORY_KEY]).fetchone()
            if taken != (True,):
                self._connection.close()
                logger.critical("another playground has taken the database: stop one of the two")
        self._name_connection()


# What Django adds for its own cursors.
_DJANGOS_OWN = {"cursor_factory", "prepare_threshold", "context", "pool", "server_side_binding", "assume_role"}
_HOLDER = (
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND objid = %s AND granted AND pg_locks.database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)
