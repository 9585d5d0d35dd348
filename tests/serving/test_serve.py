"""The start command: what it says, what it refuses, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving.rig import get

ROOT = Path(__file__).resolve().parent.parent.parent


class Serving:
    """`manage.py serve` in a process and a data folder of its own."""

    def __init__(self, data: Path, *arguments: str, **environment: str) -> None:
        self.data = data
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
        own = {"PLAYGROUND_NO_VENV": "1", "PLAYGROUND_DATA": str(data), **environment}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", *arguments],
            cwd=ROOT,
            env=kept | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.first_line = ""

    def url(self) -> str:
        """The address it prints; waits for it."""
        while not (found := re.search(r"https?://[^\s,]+", self.first_line)):
            self.first_line = self.process.stdout.readline()
            assert self.first_line or self.process.poll() is None, "the server ended without a word"
        return found[0]

    def manage(self, *arguments: str) -> str:
        """What another command prints, in the same data folder."""
        environment = os.environ | {"PLAYGROUND_NO_VENV": "1", "PLAYGROUND_DATA": str(self.data)}
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    def end(self) -> str:
        """Ask it to stop; return the rest of what it said."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=90)[0]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    started: list[Serving] = []

    def start(*arguments: str, **environment: str) -> Serving:
        started.append(Serving(tmp_path / "var", *arguments, **environment))
        return started[-1]

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.process.kill()
        serving.process.communicate()


def test_it_prints_where_it_is_and_how_to_stop_it_and_stops(serve: Any) -> None:
    serving = serve("--port", "0")
    assert get(f"{serving.url()}healthz").status_code == 200
    assert "Ctrl-C" in serving.first_line
    serving.end()
    assert serving.process.returncode == 0


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


def test_an_address_that_others_can_reach_needs_allowed_hosts(serve: Any) -> None:
    serving = serve("--host", "0.0.0.0", "--port", "0")
    said, _ = serving.process.communicate(timeout=90)
    assert "PLAYGROUND_ALLOWED_HOSTS" in said
    assert serving.process.returncode == 1


def test_with_allowed_hosts_it_listens_there(serve: Any) -> None:
    serving = serve("--host", "0.0.0.0", "--port", "0", PLAYGROUND_ALLOWED_HOSTS="play.example")
    assert serving.url().startswith("http://play.example:")  # an address that can be opened, not 0.0.0.0
    url = serving.url().replace("play.example", "127.0.0.1")
    assert get(f"{url}accounts/login/", headers={"host": "play.example"}).status_code == 200
    assert get(f"{url}accounts/login/", headers={"host": "other.example"}).status_code == 400


LONG = {
    "model": "sandbox-slow",
    "max_tokens": 4000,
    "stream": True,
    "messages": [{"role": "user", "content": "Explain server-sent events, with a table."}],
}


def key_of_a_new_user(serving: Serving) -> str:
    code = (
        "from accounts.models import AccessKey, User; "
        "print(AccessKey.objects.issue(owner=User.objects.create_user('u'), name='k')[1])"
    )
    return serving.manage("shell", "--no-imports", "-c", code).split()[-1]


def rows(serving: Serving) -> list[tuple[Any, ...]]:
    with sqlite3.connect(serving.data / "playground.sqlite3") as database:
        return database.execute("SELECT state, failure_kind, event_count FROM playground_run").fetchall()


def test_sigterm_lets_runs_finish_for_a_while_then_interrupts_and_stores_them(serve: Any) -> None:
    serving = serve("--port", "0", PLAYGROUND_DRAIN="0.5")
    url = serving.url()
    headers = {"x-api-key": key_of_a_new_user(serving)}
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


def test_after_a_crash_the_next_start_says_which_runs_were_cut_off(serve: Any) -> None:
    serving = serve("--port", "0")
    url = serving.url()
    headers = {"x-api-key": key_of_a_new_user(serving)}
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
