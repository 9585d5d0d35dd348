"""Servers that a test starts, ended after it; and databases of PostgreSQL of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.serving.rig import Serving

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests start whole processes, up to three one after the other, beside all others."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """Start a server: `serve("--port", "0", PLAYGROUND_DRAIN="1")`; `data` for another folder than the test's one."""
    started: list[Serving] = []

    def start(*arguments: str, data: Path | None = None, umask: int = -1, **settings: str) -> Serving:
        started.append(Serving(data or tmp_path / "var", *arguments, umask=umask, **settings))
        return started[-1]

    yield start
    for serving in started:
        serving.kill()


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database on the PostgreSQL that the tests are run with."""
    server = os.environ.get("PLAYGROUND_TEST_DATABASE_URL", "")
    if not server.startswith("postgres"):
        pytest.skip("needs PostgreSQL: PLAYGROUND_TEST_DATABASE_URL")
    parts = urlsplit(server)
    name = f"ops_{os.getpid()}_{abs(hash(request.node.name)) % 10**8}"
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield parts._replace(path=f"/{name}").geturl()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
