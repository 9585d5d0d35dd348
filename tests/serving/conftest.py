"""Servers that a test starts, ended after it; and databases of PostgreSQL of their own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.serving.rig import Serving, get

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests start whole processes, up to three one after the other, beside all others."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(600))


class UsedFolder(NamedTuple):
    path: Path
    key: str
    modes: dict[str, int]  # while the first server was running, which had an open umask: see test_file_modes.py


@pytest.fixture(scope="session")
def used_folder(tmp_path_factory: pytest.TempPathFactory) -> UsedFolder:
    """A data folder that a server has used, with one user, and that user's access key.

    The first start in a folder makes the tables and packs the static files, which takes longer than most tests do.
    """
    ours = tmp_path_factory.getbasetemp()
    folder = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours  # which the workers share
    data, note = folder / "used", folder / "used.json"
    with (folder / "used.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            note.write_text(json.dumps(first_start(data)))
    return UsedFolder(data, **json.loads(note.read_text()))


def first_start(data: Path) -> dict[str, Any]:
    serving = Serving(data, umask=0)
    try:
        get(serving.url())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.rglob("*"))}
        key = serving.new_key()
        serving.end()
    finally:
        serving.kill()
    return {"key": key, "modes": modes}


@contextmanager
def servers(usual: Path, used_folder: UsedFolder) -> Iterator[Any]:
    started: list[Serving] = []

    def start(*arguments: str, data: Path | None = None, **settings: str) -> Serving:
        folder = data or usual
        if not folder.exists():
            shutil.copytree(used_folder.path, folder)
        started.append(Serving(folder, *arguments, **settings))
        started[-1].key = "" if "PLAYGROUND_DATABASE_URL" in settings else used_folder.key
        return started[-1]

    try:
        yield start
    finally:
        for serving in started:
            serving.kill()


@pytest.fixture
def serve(tmp_path: Path, used_folder: UsedFolder) -> Iterator[Any]:
    """Start a server: `serve("--port", "0", PLAYGROUND_DRAIN="1")`; `data` for another folder than the test's one.

    The folder is one that was used before.
    """
    with servers(tmp_path / "var", used_folder) as start:
        yield start


@pytest.fixture(scope="module")
def serve_all(tmp_path_factory: pytest.TempPathFactory, used_folder: UsedFolder) -> Iterator[Any]:
    """Likewise, for a server that the tests of a module share."""
    with servers(tmp_path_factory.mktemp("shared") / "var", used_folder) as start:
        yield start


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
