"""One data folder and one database have one server."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

LONG = {
    "model": "sandbox-slow",
    "max_tokens": 4000,
    "stream": True,
    "messages": [{"role": "user", "content": "Explain server-sent events, with a table."}],
}
# It goes on until its client leaves.
ENDLESS = {"PLAYGROUND_SANDBOX_SPEED": "0.05", "PLAYGROUND_DRAIN": "600"}
STATES = "SELECT state FROM playground_run"


@contextmanager
def running(serving: Any) -> Iterator[None]:
    """A request that has begun to be answered. Its client leaves at the end."""
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    with httpx.stream("POST", f"{url}v1/messages", json=LONG, headers=headers, timeout=60) as answer:
        chunks = answer.iter_text()  # kept: a forgotten iterator hangs up
        next(chunks)
        yield


@pytest.mark.slow
def test_a_second_start_beside_a_serving_one_refuses_and_touches_nothing(serve: Any) -> None:
    first = serve(**ENDLESS)
    with running(first):
        second = serve()
        told, _ = second.process.communicate(timeout=100)
        assert states_in(first.data) == ["running"]
    assert second.process.returncode == 1
    assert f"is in use by another playground (process {first.process.pid}" in told
    assert "PLAYGROUND_DATA" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_a_second_start_waits_while_the_first_drains(serve: Any) -> None:
    first = serve(**ENDLESS)
    with running(first):
        first.process.send_signal(signal.SIGTERM)
        second = serve()
        second.until("Waiting")
        assert states_in(first.data) == ["running"]
    second.url()
    assert states_in(first.data) == ["cancelled"]


@pytest.mark.slow
def test_two_data_folders_on_one_postgresql_are_one_site(postgres: str, serve: Any, tmp_path: Path) -> None:
    first = serve(data=tmp_path / "one", PLAYGROUND_DATABASE_URL=postgres, **ENDLESS)
    with running(first):
        other = serve(data=tmp_path / "two", PLAYGROUND_DATABASE_URL=postgres)
        told, _ = other.process.communicate(timeout=100)
        assert f"The database is in use by another playground (process {first.process.pid}" in told
        first.process.send_signal(signal.SIGTERM)
        waiting = serve(data=tmp_path / "three", PLAYGROUND_DATABASE_URL=postgres)
        waiting.until("Waiting")
    waiting.url()
    with psycopg.connect(postgres) as database:
        assert database.execute(STATES).fetchall() == [("cancelled",)]


def states_in(data: Path) -> list[str]:
    with sqlite3.connect(data / "playground.sqlite3") as database:
        return [state for (state,) in database.execute(STATES)]
