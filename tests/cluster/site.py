"""A site of three real processes, as on three machines, over PostgreSQL and Redis; and a browser that changes between
them as behind a balancer."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import psycopg

from tests.bench.processes import SET_UP
from tests.serving.rig import ROOT, Serving, manage

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "b" * 32
SEEN_EVERY_S = 0.12  # as the page does
SECRETS = {"PLAYGROUND_SECRET_KEY": "s" * 50, "PLAYGROUND_VAULT_KEYS": "v" * 43 + "="}


def body(deltas: int, per_s: float, *, is_held: bool = False) -> str:
    """What `tests.bench.fast_upstream` answers with so many deltas, so many a second; it makes five events more."""
    asked = {"deltas": deltas, "per_s": per_s, "is_held": is_held}
    message = {"role": "user", "content": "go"}
    return json.dumps({"model": "m", "max_tokens": 9, "stream": True, "messages": [message], "metadata": asked})


def events_of(deltas: int) -> int:
    return deltas + 5


class Site:
    """`processes` by number; each has a port of its own."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder, self.database_url = folder, database_url
        self.settings = SECRETS | {
            "PLAYGROUND_DATABASE_URL": database_url,
            "PLAYGROUND_REDIS_URL": redis_url,
            "PLAYGROUND_DATABASE_CONNECTIONS": "4",
            "PLAYGROUND_RUNS_AT_ONCE": "0",
            "PLAYGROUND_RUNS_PER_MINUTE": "0",
            "PLAYGROUND_SOCKETS_PER_USER": "1000",
            "PLAYGROUND_SHARE_GUESSES_PER_MINUTE": "4",
            "PLAYGROUND_WORKERS": "0",
        }
        self.processes: dict[int, Serving] = {}
        self.urls: dict[int, str] = {}
        self.upstream = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.fast_upstream"],
            cwd=ROOT,
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.upstream.stdout is not None
        self.upstream_port = int(self.upstream.stdout.readline())

    def begin(self, number: int, **settings: str) -> None:
        """Start one, without waiting. Two machines have a folder of their own; a third process shares one."""
        folder = self.folder / ("one" if number < 2 else "other")
        if number >= 2 and not folder.exists():  # collecting them takes long
            shutil.copytree(self.folder / "one" / "static", folder / "static")
        self.processes[number] = Serving(folder, **self.settings | settings)

    def started(self, number: int) -> str:
        self.urls[number] = self.processes[number].url().rstrip("/")
        return self.urls[number]

    def start(self, *numbers: int, **settings: str) -> None:
        for number in numbers:
            self.begin(number, **settings)
        for number in numbers:
            self.started(number)

    def make_user(self) -> None:
        said = self.manage("shell", "--no-imports", "-c", SET_UP % self.upstream_port)
        self.key, _, self.connection, self.session = said.rpartition("SET-UP")[2].split()

    def make_session(self) -> None:
        """Log the user in once more: pages that are opened from now on have the new session."""
        code = SET_UP.replace("User.objects.create_user('bench')", "User.objects.get()")
        code = code.partition("connection = ")[0] + code[code.index("session = ") :].partition("print")[0]
        said = self.manage("shell", "--no-imports", "-c", f"{code}\nprint('SET-UP', session.session_key)")
        self.session = said.split()[-1]

    def new_key(self) -> str:
        code = (
            "from accounts.models import AccessKey as K, Connection as C, User as U; "
            "print(K.objects.issue(owner=U.objects.get(), connection=C.objects.get(), name='new')[1])"
        )
        return self.manage("shell", "--no-imports", "-c", code).split()[-1]

    def manage(self, *arguments: str) -> str:
        return manage(self.folder / "one", *arguments, **self.settings).stdout

    def let_go(self) -> None:
        """Let the answers that are held after their first events go on."""
        self.upstream.send_signal(signal.SIGUSR1)

    def any(self) -> str:
        return random.choice(list(self.urls.values()))

    def kill(self, number: int) -> None:
        self.urls.pop(number)
        self.processes.pop(number).kill()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def state_of(self, run: str) -> str:
        rows = self.rows("SELECT state FROM playground_run WHERE id = %s", run)
        return str(rows[0][0]) if rows else ""

    def stop(self) -> None:
        for number, serving in self.processes.items():
            serving.process.kill()
            print(f"process {number}: {serving.process.communicate()[0]}")  # what a failure is looked for in
        self.upstream.kill()
        self.upstream.communicate()


@dataclass
class Followed:
    """What a page has seen of a run: numbers of events in the order they came, and how it ended."""

    numbers: list[int] = field(default_factory=list)
    drawn: str = ""
    state: str = ""
    waiting: list[bool] = field(default_factory=list)
    code: int | None = None

    @property
    def last(self) -> int:
        return self.numbers[-1] if self.numbers else 0


class Browser:
    """Somebody who is signed in. Each request may go to another process."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookies = {"sessionid": site.session, "csrftoken": TOKEN}

    async def __aenter__(self) -> Browser:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.headers = {"cookie": cookie}
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def send(self, url: str, deltas: int, per_s: float, *, key: str = "", is_held: bool = False) -> str:
        """Press Send; the run's id."""
        posted = {":json": body(deltas, per_s, is_held=is_held), ":overwrite": "1", ":idempotency-key": key}
        headers = self.headers | {"x-csrftoken": TOKEN, "hx-request": "true", "connection": "close"}
        async with self.http.post(f"{url}/send", data=posted, headers=headers) as answer:
            text = await answer.text()
            found = re.search(r'data-socket="/ws/runs/([^"/]+)', text)
            assert found, f"no run was started: {answer.status} {text[:300]}"
            return found[1]

    async def get(self, url: str) -> tuple[int, str]:
        async with self.http.get(url, headers=self.headers | {"connection": "close"}) as answer:
            return answer.status, await answer.text()

    async def follow(
        self, url: str, run: str, seen: Followed, *, until: int | None = None, stop: bool = False
    ) -> Followed:
        """As the page does it: from where it is, and saying how far it has come. Ends at event `until`, if given."""
        address = f"{url}/ws/runs/{run}/?after={seen.last}&drawn={seen.drawn}"
        seen.code, said_at = None, 0.0
        async with self.http.ws_connect(address, headers=self.headers | {"origin": url}) as socket:
            if stop:
                await socket.send_json({"type": "stop"})
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                frame = message.json()
                seen.numbers += [entry[0] for entry in frame.get("events", ())]
                seen.drawn = frame.get("drawn", seen.drawn)
                if frame.get("stored"):
                    seen.numbers += range(seen.last + 1, await self.count_stored(url, run) + 1)
                if frame["type"] == "ended":
                    seen.state = frame["state"]
                if frame["type"] == "waiting":
                    seen.waiting.append(frame["is_waiting"])
                if time.monotonic() - said_at > SEEN_EVERY_S or frame["type"] == "ended":
                    said_at = time.monotonic()
                    await socket.send_json({"type": "seen", "frame": frame["frame"]})
                if until is not None and seen.last >= until:
                    break
            seen.code = socket.close_code
        return seen

    async def count_stored(self, url: str, run: str) -> int:
        """The events of the stored answer, which a page fetches when the run was over before it came."""
        status, answer = await self.get(f"{url}/requests/{run}/download/sse/")
        assert status == 200
        return answer.count("event: ")

    async def follow_to_the_end(self, run: str, seen: Followed | None = None, *, first: str = "") -> Followed:
        """Reconnects, to any process, as often as it takes."""
        seen = seen or Followed()
        url = first
        while not seen.state:
            try:
                await self.follow(url or self.site.any(), run, seen)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.2)
            url = ""
        return seen


async def relay(url: str, key: str, deltas: int, per_s: float) -> list[int]:
    """A client of the relay: its answer's deltas, each once. Raises what `httpx` raises."""
    headers = {"x-api-key": key, "connection": "close"}
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("POST", f"{url}/v1/messages", content=body(deltas, per_s), headers=headers) as answer,
    ):
        answer.raise_for_status()
        text = "".join([piece async for piece in answer.aiter_text()])
    if "event: error" in text or "message_stop" not in text:
        raise httpx.ReadError("the stream ended early")
    return [int(stamp) for stamp in re.findall(r"@(\d+)@", text)]
