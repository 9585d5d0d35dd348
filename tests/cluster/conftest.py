"""Redis, and processes that share it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest

from playground.cluster.shared_runs import SharedRuns
from tests.cluster.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def registry(redis_server: RedisServer) -> AsyncIterator[Any]:
    """Another process's view of the site's runs, each time it is called."""
    opened: list[SharedRuns] = []
    redis_server.ask("flushall")

    async def open_one(**options: Any) -> SharedRuns:
        runs = SharedRuns(url=redis_server.url, process=f"process-{len(opened)}", **options)
        await runs.open()
        opened.append(runs)
        return runs

    yield open_one
    for runs in opened:
        await runs.drain(0)
        await runs.close()


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database of the module's own."""
    server = os.environ.get("PLAYGROUND_TEST_DATABASE_URL", "")
    if not server.startswith("postgres"):
        pytest.skip("needs PostgreSQL: PLAYGROUND_TEST_DATABASE_URL")
    parts, name = urlsplit(server), f"cluster_{os.getpid()}_{request.module.__name__.rpartition('.')[2]}"
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield parts._replace(path=f"/{name}").geturl()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
