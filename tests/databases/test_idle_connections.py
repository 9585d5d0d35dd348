"""SQLite's connections that are closed and used again by who opens one next."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, IntegrityError
from django.db.utils import ConnectionHandler

from playground.databases.sqlite3 import idle_connections
from playground.databases.sqlite3.idle_connections import MOST_IDLE, idle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db  # a database of their own; this lets them reach any


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE words (word TEXT UNIQUE)")
        database.executemany("INSERT INTO words VALUES (?)", [("one",), ("two",)])
    return path


@pytest.fixture
def new_wrapper(file: Path) -> Iterator[Callable[[], Any]]:
    """What each thread has of its own."""
    idle.close_all()
    made = []

    def new() -> Any:
        wrapper = ConnectionHandler({"default": {"ENGINE": "playground.databases.sqlite3", "NAME": str(file)}})[
            "default"
        ]
        made.append(wrapper)
        return wrapper

    yield new
    for wrapper in made:
        wrapper.close()
    idle.close_all()


def opened(wrapper: Any) -> Any:
    """The connection itself, which has been used for a moment."""
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM words").fetchone()
    return wrapper.connection


def words(wrapper: Any) -> list[str]:
    with wrapper.cursor() as cursor:
        return [word for (word,) in cursor.execute("SELECT word FROM words ORDER BY word").fetchall()]


def test_who_opens_a_connection_gets_the_one_that_was_closed_before(new_wrapper: Callable[[], Any]) -> None:
    first, second = new_wrapper(), new_wrapper()
    connection = opened(first)
    assert opened(second) is not connection, "two threads must not have one at the same time"
    first.close()
    assert opened(new_wrapper()) is connection


def test_only_a_few_connections_are_kept(new_wrapper: Callable[[], Any]) -> None:
    wrappers = [new_wrapper() for _ in range(MOST_IDLE + 3)]
    connections = [opened(wrapper) for wrapper in wrappers]
    for wrapper in wrappers:
        wrapper.close()
    for connection in connections[MOST_IDLE:]:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    again = [opened(new_wrapper()) for _ in wrappers]
    assert sum(connection in connections for connection in again) == MOST_IDLE


def test_a_reader_that_was_left_in_the_middle_does_not_hide_what_is_written_later(
    new_wrapper: Callable[[], Any], file: Path
) -> None:
    wrapper = new_wrapper()
    cursor = wrapper.cursor()
    cursor.execute("SELECT word FROM words")
    assert cursor.fetchone() is not None
    wrapper.close()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO words VALUES ('three')")
    assert words(new_wrapper()) == ["one", "three", "two"]


def test_an_open_transaction_ends_with_its_connection(new_wrapper: Callable[[], Any]) -> None:
    wrapper = new_wrapper()
    connection = opened(wrapper)
    wrapper.set_autocommit(False)
    with wrapper.cursor() as cursor:
        cursor.execute("INSERT INTO words VALUES ('three')")
    wrapper.close()
    again = new_wrapper()
    assert opened(again) is not connection
    assert words(again) == ["one", "two"]


def test_a_connection_with_which_something_went_wrong_is_not_used_again(new_wrapper: Callable[[], Any]) -> None:
    wrapper = new_wrapper()
    connection = opened(wrapper)
    cursor = wrapper.cursor()
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT word FROM elsewhere")
    wrapper.close()
    assert opened(new_wrapper()) is not connection
    assert opened(wrapper) is not connection
    wrapper.close()  # the cursor of the first one is still there
    assert words(wrapper) == ["one", "two"]


def test_a_row_that_is_there_already_is_no_fault_of_the_connection(new_wrapper: Callable[[], Any]) -> None:
    wrapper = new_wrapper()
    connection = opened(wrapper)
    with pytest.raises(IntegrityError), wrapper.cursor() as cursor:
        cursor.execute("INSERT INTO words VALUES ('one')")
    wrapper.close()
    assert opened(new_wrapper()) is connection


def test_another_file_in_the_database_s_place_is_noticed(new_wrapper: Callable[[], Any], file: Path) -> None:
    wrapper = new_wrapper()
    opened(wrapper)
    wrapper.close()
    other = file.with_name("other.sqlite3")
    with closing(sqlite3.connect(other)) as database, database:
        database.execute("CREATE TABLE words (word TEXT)")
        database.execute("INSERT INTO words VALUES ('restored')")
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    other.replace(file)
    assert words(new_wrapper()) == ["restored"]


def test_a_connection_that_has_been_open_for_long_is_opened_anew(
    new_wrapper: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = new_wrapper()
    connection = opened(wrapper)
    wrapper.close()
    monkeypatch.setattr(idle_connections, "LONGEST_S", 0.0)
    assert opened(new_wrapper()) is not connection
