"""The server and its database: how many connections it takes, and what it says while the database is away."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.serving.proxy import Proxy
from tests.serving.rig import get, post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUESTION = {"model": "sandbox-echo", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
CONNECTIONS = 6
A_PERSON = """
from accounts.models import Connection, User
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playground.models import Draft
user = User.objects.create_user("patient")
connection = Connection(owner=user, name="silent", base_url="%s")
connection.set_credential("a-key-for-the-test"); connection.save()
Draft.objects.create(user=user, connection=connection, body=b'{"model": "m", "messages": []}')
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key, connection.pk)
"""


def connections(address: str) -> int:
    with psycopg.connect(address) as database:
        row = database.execute(COUNT).fetchone()
    assert row is not None
    return int(row[0])


def at_once(url: str, requests: list[tuple[str, str, dict[str, Any]]]) -> list[int]:
    """The statuses of all these requests, begun together."""

    async def ask_all() -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=100, limits=limits) as client:
            asked = (client.request(method, path, **more) for method, path, more in requests)
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    return asyncio.run(ask_all())


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that within a minute")


@pytest.mark.slow
def test_many_pages_at_once_wait_for_a_bounded_number_of_connections(postgres: str, serve: Any) -> None:
    more = {"PLAYGROUND_DATABASE_CONNECTIONS": str(CONNECTIONS), "PLAYGROUND_RUNS_PER_MINUTE": "1000"}
    serving = serve(PLAYGROUND_DATABASE_URL=postgres, PLAYGROUND_RUNS_AT_ONCE="1000", **more)
    url, key = serving.url(), serving.new_key()
    pages: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/accounts/login/" if n % 3 else "/", {}) for n in range(300)
    ]
    assert set(at_once(url, pages)) == {200}
    assert connections(postgres) <= CONNECTIONS + 1  # and the one that holds the lock
    headers = {"headers": {"x-api-key": key}}
    mixed = [
        (("POST", "/v1/messages", {"json": QUESTION} | headers), ("GET", "/", {}), ("GET", "/v1/models", headers),
         ("GET", "/readyz", {}), ("GET", "/requests/", {"follow_redirects": True}))[n % 5]
        for n in range(500)
    ]  # fmt: skip
    assert set(at_once(url, mixed)) == {200}
    assert connections(postgres) <= CONNECTIONS + 1 + 2  # and those of the recorder, which is at work now
    with psycopg.connect(postgres) as database:
        until(
            lambda: (
                database.execute("SELECT count(*) FROM playground_run WHERE state = 'completed'").fetchone() == (100,)
            )
        )


def test_nobody_holds_a_connection_while_an_upstream_thinks(postgres: str, serve: Any) -> None:
    serving = serve(PLAYGROUND_DATABASE_URL=postgres, PLAYGROUND_DATABASE_CONNECTIONS="2")
    url = serving.url()
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:  # takes connections, and never answers
        code = A_PERSON % f"http://127.0.0.1:{silent.getsockname()[1]}"
        session, connection = serving.manage("shell", "--no-imports", "-c", code).split()[-2:]
        headers = {
            "cookie": f"sessionid={session}; csrftoken={'b' * 32}",
            "x-csrftoken": "b" * 32,
            "hx-request": "true",
        }
        paths = ["draft/models", "draft/tokens", f"connections/{connection}/test/"]
        assert asyncio.run(statuses_while_waiting(url, paths, headers, silent)) == [200, 200, 200]


async def statuses_while_waiting(
    url: str, paths: list[str], headers: dict[str, str], silent: socket.socket
) -> list[int]:
    """What another visitor gets while each of these paths waits for the upstream."""
    silent.setblocking(False)
    taken = []
    async with httpx.AsyncClient(base_url=url, timeout=100) as client:
        waiting = [asyncio.ensure_future(client.post(path, headers=headers, data={":refresh": ""})) for path in paths]
        for _ in paths:
            taken.append((await asyncio.get_running_loop().sock_accept(silent))[0])
        statuses = [(await client.get("accounts/login/")).status_code for _ in range(3)]
        assert not any(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    for each in taken:
        each.close()
    return statuses


@pytest.fixture
def proxy(postgres: str) -> Iterator[Proxy]:
    parts = urlsplit(postgres)
    made = Proxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    yield made
    made.close()


@pytest.mark.parametrize("how", ["refusing", "silent"])
def test_postgresql_away_is_said_in_503_and_comes_back_by_itself(
    serve: Any, postgres: str, proxy: Proxy, how: str
) -> None:
    parts = urlsplit(postgres)
    through = parts._replace(netloc=f"{parts.username}@127.0.0.1:{proxy.port}").geturl()
    serving = serve(PLAYGROUND_DATABASE_URL=through)
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    assert get(url).status_code == 200
    proxy.cut(how)
    away = get(url)
    assert away.status_code == 503
    assert "Temporarily unavailable" in away.text
    assert away.headers["retry-after"]
    relayed = post(f"{url}v1/messages", json=QUESTION, headers=headers)
    assert (relayed.status_code, relayed.json()["type"]) == (503, "error")
    assert relayed.headers["retry-after"]
    assert get(f"{url}healthz").status_code == 200
    assert get(f"{url}readyz").status_code == 503
    proxy.state = "open"
    until(lambda: get(url).status_code == 200)
    assert post(f"{url}v1/messages", json=QUESTION, headers=headers).status_code == 200
    printed = serving.end()
    assert "Traceback" not in printed


@pytest.mark.slow
def test_a_locked_sqlite_is_said_in_503_and_comes_back_by_itself(serve: Any) -> None:
    serving = serve()
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    locking = sqlite3.connect(serving.data / "playground.sqlite3", isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    for _ in range(2):  # the first waits for SQLite's own time-out; from then on it is known
        relayed = post(f"{url}v1/messages", json=QUESTION, headers=headers)
        assert (relayed.status_code, relayed.json()["type"]) == (503, "error")
        assert relayed.headers["retry-after"]
    assert get(f"{url}accounts/login/").status_code == 200  # what only reads goes on
    locking.execute("ROLLBACK")
    ask = lambda: post(f"{url}v1/messages", json=QUESTION, headers=headers).status_code  # noqa: E731
    until(lambda: ask() == 200)
    assert "Traceback" not in serving.end()


def test_once_a_lock_is_known_nobody_waits_for_it(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError, connection

    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    from playground.databases.sqlite3.base import writing

    monkeypatch.setattr(writing, "is_known_away", True)
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT 1")
            with pytest.raises(OperationalError, match="locked"):
                cursor.execute("BEGIN IMMEDIATE")
    finally:
        own.close()
