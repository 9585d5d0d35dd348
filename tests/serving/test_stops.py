"""Stopping and killing the real server while an upstream is still talking."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serving.rig import Serving
from tests.support.upstream import KEY, Handler, Upstream, text_events

PARTS = [f"piece-{number} " for number in range(20)]


@pytest.fixture
def upstream() -> Iterator[tuple[Upstream, threading.Event]]:
    """Says 20 pieces and then nothing more, until the test ends."""
    end = threading.Event()

    def answer(handler: Handler) -> None:
        handler.send_events(text_events(*PARTS)[:-3])
        end.wait(60)

    server = Upstream(answer)
    yield server, end
    end.set()
    server.close()


def key_for(serving: Serving, url: str) -> str:
    """An access key for a connection to this address. Both are the user's of the data folder."""
    code = (
        "from accounts.models import AccessKey, Connection, User; "
        "u = User.objects.get(); "
        f"c = Connection(owner=u, name='raw', base_url='{url}'); c.set_credential('{KEY}'); c.save(); "
        "print(AccessKey.objects.issue(owner=u, name='k', connection=c)[1])"
    )
    return serving.manage("shell", "--no-imports", "-c", code).split()[-1]


def query(serving: Serving, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(serving.data / "playground.sqlite3") as database:
        rows = database.execute(sql).fetchall()
    database.close()
    return rows


def kept(serving: Serving) -> str:
    rows = query(serving, "SELECT data FROM playground_runbatch ORDER BY start")
    return b"".join(row[0] for row in rows).decode()


def follow(url: str, key: str, said: list[str]) -> threading.Thread:
    """A client of the relay that reads to the end, however it comes."""

    def read() -> None:
        try:
            with httpx.stream(
                "POST", f"{url}v1/messages", json={"model": "m", "stream": True}, headers={"x-api-key": key}, timeout=90
            ) as answer:
                for text in answer.iter_text():
                    said.append(text)
        except httpx.HTTPError as error:
            said.append(f"cut: {type(error).__name__}")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def until(condition: Any) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@pytest.mark.slow
def test_sigterm_waits_a_while_then_interrupts_stores_everything_and_tells_the_client(
    serve: Any, upstream: tuple[Upstream, threading.Event]
) -> None:
    serving = serve("--port", "0", PLAYGROUND_DRAIN="0.5")
    url, said = serving.url(), []
    reading = follow(url, key_for(serving, upstream[0].url), said)
    until(lambda: "piece-19" in "".join(said))
    serving.process.send_signal(signal.SIGTERM)
    serving.process.communicate(timeout=90)
    reading.join(60)
    assert serving.process.returncode == 0
    assert "event: error" in "".join(said)
    assert query(serving, "SELECT state, failure_kind FROM playground_run") == [("interrupted", "server_stopping")]
    assert "piece-19" in kept(serving)


@pytest.mark.slow
def test_sigterm_lets_a_run_finish_that_finishes_in_time(serve: Any) -> None:
    slow = Upstream(lambda handler: handler.send_events(text_events(*PARTS), pause_s=0.05))
    serving = serve("--port", "0", PLAYGROUND_DRAIN="20")
    url, said = serving.url(), []
    reading = follow(url, key_for(serving, slow.url), said)
    until(lambda: "piece-0" in "".join(said))
    serving.process.send_signal(signal.SIGTERM)
    serving.process.communicate(timeout=90)
    reading.join(60)
    slow.close()
    assert "message_stop" in "".join(said)
    assert query(serving, "SELECT state FROM playground_run") == [("completed",)]
    assert "message_stop" in kept(serving)


@pytest.mark.slow
def test_after_sigkill_the_next_start_shows_what_had_been_stored(
    serve: Any, upstream: tuple[Upstream, threading.Event]
) -> None:
    serving = serve("--port", "0")
    url, said = serving.url(), []
    key = key_for(serving, upstream[0].url)
    reading = follow(url, key, said)
    until(lambda: "piece-19" in kept(serving))
    serving.process.kill()
    serving.process.wait()
    reading.join(60)
    assert said[-1].startswith("cut")
    assert query(serving, "SELECT state FROM playground_run") == [("running",)]
    again = serve("--port", "0")
    again.url()
    joined = "playground_run JOIN playground_runcontent ON run_id = playground_run.id"
    [(state, kind, message)] = query(again, f"SELECT state, failure_kind, message FROM {joined}")
    assert (state, kind) == ("interrupted", "server_stopped")
    assert "piece-0 piece-1" in message
    assert "piece-19" in message
