"""SQLite. When another process holds the write lock for longer than the time-out, later writers are told at once.

A connection that is closed may be kept for the next one who opens it: see `idle_connections`.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from django.db import DatabaseError, IntegrityError, OperationalError
from django.db.backends.sqlite3 import base

from playground.databases.availability import Availability
from playground.databases.sqlite3.idle_connections import Opened, idle

if TYPE_CHECKING:
    from collections.abc import Callable

_READING = ("SELECT", "WITH", "EXPLAIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")
_WAITED_S = 3.0  # of the time-out in the settings: so long nobody of ours holds the lock
writing = Availability("the database is locked by another program: nothing can be stored")


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._execute)
        self._opened: Opened | None = None
        self._has_failed = False  # it is closed for good then, whatever the reason was
        self._cursors: WeakSet[Any] = WeakSet()

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        name = str(self.settings_dict["NAME"])
        self._opened = idle.take(name) or Opened.just_now(name, super().get_new_connection(conn_params))
        self._has_failed = False
        return self._opened.connection

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        self._cursors.add(cursor)
        return cursor

    def close_pool(self) -> None:
        """What Django calls it where a back end has one: nothing stays open."""
        idle.close_all()

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        except DatabaseError:
            self._has_failed = True
            raise

    def _close(self) -> None:
        opened, self._opened = self._opened, None
        cursors, self._cursors = list(self._cursors), WeakSet()
        if opened is None or self._has_failed or opened.connection.in_transaction:
            super()._close()  # type: ignore[misc]
            return
        for cursor in cursors:  # one that was left in the middle would go on reading the database as it was
            cursor.close()
        if not idle.keep(opened):
            super()._close()  # type: ignore[misc]

    def _execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if writing.is_known_away and not self.in_atomic_block and not str(sql).lstrip().startswith(_READING):
            raise OperationalError("database is locked")
        began = time.monotonic()
        try:
            return execute(sql, params, many, context)
        except IntegrityError:
            raise
        except DatabaseError as problem:
            self._has_failed = True
            # Our own threads can meet for a moment too, and then SQLite does not wait.
            is_locked = isinstance(problem, OperationalError) and "locked" in str(problem)
            if is_locked and time.monotonic() - began > _WAITED_S:
                name = str(self.settings_dict["NAME"])
                writing.note_away(lambda: _take_write_lock(name))
            raise


def _take_write_lock(name: str) -> None:
    connection = sqlite3.connect(name, timeout=0.1, isolation_level=None, uri=name.startswith("file:"))
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    finally:
        connection.close()
