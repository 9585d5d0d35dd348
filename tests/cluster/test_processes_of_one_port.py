"""`serve --processes`: one port, a parent that serves nothing and keeps its processes alive."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.serving.rig import Serving, get, manage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.redis_server import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def serving(tmp_path_factory: pytest.TempPathFactory, database: str, redis_server: RedisServer) -> Iterator[Serving]:
    serving = Serving(
        tmp_path_factory.getbasetemp() / "one-port",  # of all these tests: its static files are collected once
        *("--port", "0", "--processes", "2"),
        PLAYGROUND_DATABASE_URL=database,
        PLAYGROUND_REDIS_URL=redis_server.url,
        PLAYGROUND_DATABASE_CONNECTIONS="4",
        PLAYGROUND_WORKERS="0",
    )
    yield serving
    serving.process.terminate()
    serving.process.communicate(timeout=60)


def members(serving: Serving, but: set[int] = frozenset()) -> set[int]:  # type: ignore[assignment]
    """The processes that serve, once there are two that are none of these."""
    with psycopg.connect(serving.settings["PLAYGROUND_DATABASE_URL"], autocommit=True) as connection:
        for _ in range(600):
            query = "SELECT pid FROM playground_serverprocess WHERE beat_at > now() - interval '5 s'"
            found = {pid for (pid,) in connection.execute(query)}
            if len(found) == 2 and not found & but:
                return found
            time.sleep(0.1)
    raise AssertionError(f"two processes should serve, but these do: {found}")


def test_a_process_that_dies_is_started_again_and_the_port_never_closes(serving: Serving) -> None:
    url = serving.url()
    first = members(serving)
    assert serving.process.pid not in first
    os.kill(victim := min(first), signal.SIGKILL)
    for _ in range(20):
        assert get(f"{url}healthz").status_code == 200
    assert f"Process {victim} ended (-9); another one is started." in serving.until("ended")
    assert len(members(serving, {victim}) - first) == 1


def test_a_hang_up_replaces_all_processes_one_after_the_other(serving: Serving) -> None:
    url = serving.url()
    first = members(serving)
    serving.process.send_signal(signal.SIGHUP)
    members(serving, first)
    assert get(f"{url}readyz").text == "ok\n"
    assert serving.process.poll() is None


def test_the_processes_stop_with_their_parent_however_it_ends(serving: Serving) -> None:
    serving.url()
    pids = members(serving)
    serving.process.kill()
    for _ in range(300):
        if not any(os.path.exists(f"/proc/{pid}") for pid in pids):
            return
        time.sleep(0.1)
    raise AssertionError("they go on")


@pytest.mark.parametrize("later_s", [0, 0.1, 3])
def test_sigterm_ends_all_also_in_the_moment_in_which_they_begin(serving: Serving, later_s: float) -> None:
    pids = members(serving)
    time.sleep(later_s)
    told = serving.end()
    assert serving.process.returncode in ({0} if later_s > 1 else {0, -signal.SIGTERM})
    assert "Traceback" not in told
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


@pytest.mark.parametrize(
    ("has", "missing"),
    [
        ({}, "PLAYGROUND_DATABASE_URL=postgres://… and PLAYGROUND_REDIS_URL=redis://…"),
        ({"PLAYGROUND_DATABASE_URL": "postgres://127.0.0.1/none"}, "PLAYGROUND_REDIS_URL=redis://…"),
    ],
)
def test_what_several_processes_need_is_said_in_a_sentence(tmp_path: Path, has: dict[str, str], missing: str) -> None:
    refused = manage(tmp_path / "var", "serve", "--port", "0", "--processes", "2", check=False, **has)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"CommandError: Several processes share a site through PostgreSQL and Redis: set {missing}.\n"
    )


def test_redis_without_postgresql_is_said_in_a_sentence(tmp_path: Path) -> None:
    refused = manage(tmp_path / "var", "serve", check=False, PLAYGROUND_REDIS_URL="redis://127.0.0.1")
    assert refused.stderr == "PLAYGROUND_REDIS_URL needs PLAYGROUND_DATABASE_URL=postgres://… beside it.\n"


def test_one_process_loads_nothing_of_redis(tmp_path: Path) -> None:
    code = (
        "import sys, playground.asgi; from playground.dispatch import process; process.current(); "
        "print('redis' in sys.modules)"
    )
    assert manage(tmp_path / "var", "shell", "--no-imports", "-c", code).stdout.split()[-1] == "False"
