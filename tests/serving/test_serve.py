"""The start command: what it says, what it refuses, and how it stops."""

from __future__ import annotations

import signal
import socket
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving.rig import get

if TYPE_CHECKING:
    from tests.serving.rig import Serving


def test_it_prints_where_it_is_and_how_to_stop_it_and_stops(serve: Any) -> None:
    serving = serve("--port", "0")
    assert get(f"{serving.url()}healthz").status_code == 200
    assert "Ctrl-C" in serving.printed
    serving.end()
    assert serving.process.returncode == 0


@pytest.mark.slow
def test_the_data_folder_and_what_is_in_it_are_the_owners_alone(serve: Any) -> None:
    serving = serve("--port", "0")
    serving.url()
    assert serving.data.stat().st_mode & 0o777 == 0o700
    names = ("secret_key", "vault_key", "playground.sqlite3")
    assert all((serving.data / name).stat().st_mode & 0o777 == 0o600 for name in names)


def test_a_taken_port_is_said_and_what_to_do(serve: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said, _ = serve("--port", str(port)).process.communicate(timeout=90)
    assert f"Port {port} is taken" in said
    assert f"--port {port + 1}" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_an_address_that_others_can_reach_needs_allowed_hosts(serve: Any) -> None:
    serving = serve("--host", "0.0.0.0", "--port", "0")
    said, _ = serving.process.communicate(timeout=90)
    assert "PLAYGROUND_ALLOWED_HOSTS" in said
    assert serving.process.returncode == 1


@pytest.mark.slow
def test_with_allowed_hosts_it_listens_there(serve: Any) -> None:
    serving = serve("--host", "0.0.0.0", "--port", "0", PLAYGROUND_ALLOWED_HOSTS="play.example")
    url = serving.url()
    assert url.startswith("http://play.example:")  # an address that can be opened, not 0.0.0.0
    url = url.replace("play.example", "127.0.0.1")
    assert get(f"{url}accounts/login/", headers={"host": "play.example"}).status_code == 200
    assert get(f"{url}accounts/login/", headers={"host": "other.example"}).status_code == 400


LONG = {
    "model": "sandbox-slow",
    "max_tokens": 4000,
    "stream": True,
    "messages": [{"role": "user", "content": "Explain server-sent events, with a table."}],
}


def rows(serving: Serving) -> list[tuple[Any, ...]]:
    with sqlite3.connect(serving.data / "playground.sqlite3") as database:
        return database.execute("SELECT state, failure_kind, event_count FROM playground_run").fetchall()


@pytest.mark.slow
def test_sigterm_lets_runs_finish_for_a_while_then_interrupts_and_stores_them(serve: Any) -> None:
    serving = serve("--port", "0", PLAYGROUND_DRAIN="0.5")
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    with httpx.stream("POST", f"{url}v1/messages", json=LONG, headers=headers, timeout=90) as answer:
        chunks = answer.iter_text()
        text = next(chunks)
        serving.process.send_signal(signal.SIGTERM)
        text += "".join(chunks)
    assert text.rstrip().splitlines()[-2] == "event: error"
    serving.process.communicate(timeout=90)
    assert serving.process.returncode == 0
    [(state, kind, count)] = rows(serving)
    assert (state, kind) == ("interrupted", "server_stopping")
    assert count >= 1


@pytest.mark.slow
def test_after_a_crash_the_next_start_says_which_runs_were_cut_off(serve: Any) -> None:
    serving = serve("--port", "0")
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    with httpx.stream("POST", f"{url}v1/messages", json=LONG, headers=headers, timeout=90) as answer:
        chunks = answer.iter_text()  # kept: a forgotten iterator hangs up
        next(chunks)
        while not rows(serving):
            time.sleep(0.05)
        serving.process.kill()
        serving.process.wait()
    again = serve("--port", "0")
    again.url()
    assert [row[:2] for row in rows(again)] == [("interrupted", "server_stopped")]
