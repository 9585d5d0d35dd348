"""PostgreSQL. While it is known to be away nobody waits for a connection; who waits for an answer is let go.

A server that has stopped in the middle of a statement (frozen, or behind a network that swallows everything) sends
nothing, not even an error. `SiteLock` looks every two seconds, and then such connections are ended from outside.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import psycopg
from django.db import InterfaceError, OperationalError
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

from playground.databases.availability import Availability

if TYPE_CHECKING:
    from collections.abc import Callable

reaching = Availability("the database is away: nothing can be read or stored")
_opened: WeakSet[psycopg.Connection[Any]] = WeakSet()
_lock = Lock()  # a copy of a weak set is made item by item, while other threads open connections
_PROBE_S = 2  # libpq's least


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._execute)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        while True:
            if reaching.is_known_away:
                raise psycopg.OperationalError("the database is away")  # Django wraps it
            try:
                connection = super().get_new_connection(conn_params)
            except psycopg.OperationalError:
                self._note_away_if_so(conn_params)
                raise
            with _lock:
                _opened.add(connection)
            if self.pool is None or _is_alive(connection):
                return connection
            connection._pool.putconn(connection)  # which discards it

    def _execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except (OperationalError, InterfaceError):
            if self.connection is None or self.connection.closed:
                self._note_away_if_so(self.get_connection_params())
            raise

    def _note_away_if_so(self, conn_params: dict[str, Any]) -> None:
        """An error can have other reasons: all connections taken, one connection ended by its server."""
        address = {name: conn_params[name] for name in _ADDRESS if name in conn_params}
        if not is_there(address):
            note_away(address)


def _is_alive(connection: psycopg.Connection[Any]) -> bool:
    """The pool's own check would not notice that the pool has been closed meanwhile, and wait on."""
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True


_ADDRESS = ("host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "service", "options")
_FULL = ("too many clients", "too many connections", "connection slots are reserved")


def is_there(address: dict[str, Any]) -> bool:
    """Return whether a server at this address is ready, or merely has no connection left."""
    try:
        probe(address)
    except psycopg.OperationalError as problem:
        return any(words in str(problem) for words in _FULL)
    return True


def probe(address: dict[str, Any]) -> None:
    """Raises psycopg.OperationalError while there is no way to the database."""
    psycopg.connect(**address | {"connect_timeout": _PROBE_S}).close()


def note_away(address: dict[str, Any]) -> None:
    def probe_again() -> None:
        _let_go()
        probe(address)

    reaching.note_away(probe_again, _let_go)


def cut(connection: psycopg.Connection[Any]) -> None:
    """End a connection from another thread: what waits for its answer fails."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)


def _let_go() -> None:
    """End all waits for an answer or a connection with an error. The next connection makes a new pool."""
    pools = base.DatabaseWrapper._connection_pools  # type: ignore[attr-defined]
    for alias in list(pools):
        if (pool := pools.pop(alias, None)) is not None:
            pool.close(timeout=0)
    with _lock:
        opened = list(_opened)
    for connection in opened:
        cut(connection)
