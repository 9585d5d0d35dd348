"""A database of SQLite with all its tables, kept from one run of the tests to the next: applying the migrations takes
longer than most files of tests do."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


def kept() -> Path:
    """Where it is: under another name as soon as a migration, or the lock of the libraries, is another."""
    read = [*sorted(ROOT.glob("*/migrations/*.py")), ROOT / "requirements.lock"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()
    return Path(settings.DATA_DIR) / f"test-tables-{digest[:16]}.sqlite3"


def begin_with_kept() -> None:
    """Put a copy in the place of the database that is about to be made; what it has already is not made again."""
    name = connection.settings_dict["TEST"]["NAME"]
    _unlink(name)  # with the journal of a run that was broken off, which would be taken for the copy's
    with suppress(FileNotFoundError):
        shutil.copyfile(kept(), name)


def keep() -> None:
    """Keep a copy of the database as it has just been made, unless there is one."""
    if (path := kept()).exists():
        return
    written = path.with_suffix(f".{os.getpid()}")
    connection.ensure_connection()
    with closing(sqlite3.connect(written)) as copy:
        connection.connection.backup(copy)
    for older in path.parent.glob("test-tables-*.sqlite3"):
        older.unlink(missing_ok=True)
    written.replace(path)


def delete() -> None:
    """Delete the database of this process, which nobody uses any more."""
    name = connection.settings_dict["NAME"]
    connection.close()
    _unlink(name)


def _unlink(name: str) -> None:
    for path in (name, f"{name}-wal", f"{name}-shm"):
        with suppress(OSError):  # it is gone, or on Windows still open
            os.unlink(path)
