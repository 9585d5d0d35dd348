"""Connections that somebody has closed, kept open for whoever needs one next.

Each request opens one of its own. A new one reads the whole schema and prepares every statement anew, which was a good
part of what a page costs. Only a few are kept, and not for long: more would only cost memory, and one that stayed open
would see neither new statistics nor that another file has been put in the database's place.
"""

from __future__ import annotations

import atexit
import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

MOST_IDLE: Final = 2
LONGEST_S: Final = 30.0  # from its opening; an older one is closed, and a new one opened


@dataclass(frozen=True)
class Opened:
    """A connection to the file that had this name, and had this number in its file system, when it was opened."""

    connection: sqlite3.Connection
    name: str
    file: tuple[int, int] | None
    opened_at: float

    @classmethod
    def just_now(cls, name: str, connection: sqlite3.Connection) -> Opened:
        return cls(connection, name, _file_of(name), time.monotonic())

    def is_fresh(self) -> bool:
        is_young = time.monotonic() - self.opened_at < LONGEST_S
        return is_young and self.file is not None and self.file == _file_of(self.name)


class IdleConnections:
    """Can be used from any thread. A connection is in the hands of one thread at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[Opened] = []
        self._of_parent: list[Opened] = []

    def take(self, name: str) -> Opened | None:
        while (opened := self._pop()) is not None:
            if opened.name == name and opened.is_fresh():
                return opened
            opened.connection.close()
        return None

    def keep(self, opened: Opened) -> bool:
        """False: nothing was done with it, there are enough."""
        with self._lock:
            is_kept = len(self._idle) < MOST_IDLE
            if is_kept:
                self._idle.append(opened)
        return is_kept

    def close_all(self) -> None:
        while (opened := self._pop()) is not None:
            opened.connection.close()

    def after_fork(self) -> None:
        """In the new process: SQLite's connections must not be used there, nor closed."""
        self._lock = Lock()
        self._of_parent, self._idle = self._idle, []

    def _pop(self) -> Opened | None:
        with self._lock:
            return self._idle.pop() if self._idle else None


def _file_of(name: str) -> tuple[int, int] | None:
    try:
        status = Path(name).stat()
    except OSError:  # it was removed, or the database is in memory
        return None
    return status.st_dev, status.st_ino


idle = IdleConnections()
atexit.register(idle.close_all)
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=idle.after_fork)
