"""SQLite. When another process holds the write lock for longer than the time-out, later writers are told at once."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from playground.databases.availability import Availability

if TYPE_CHECKING:
    from collections.abc import Callable

_READING = ("SELECT", "WITH", "EXPLAIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")
_WAITED_S = 3.0  # of the time-out in the settings: so long nobody of ours holds the lock
writing = Availability("the database is locked by another program: nothing can be stored")


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._execute)

    def _execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if writing.is_known_away and not self.in_atomic_block and not str(sql).lstrip().startswith(_READING):
            raise OperationalError("database is locked")
        began = time.monotonic()
        try:
            return execute(sql, params, many, context)
        except OperationalError as problem:
            # Our own threads can meet for a moment too, and then SQLite does not wait.
            if "locked" in str(problem) and time.monotonic() - began > _WAITED_S:
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
