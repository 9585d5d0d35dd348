"""Ten minutes of mixed use, and what the server holds before, during and after: memory, threads, files, connections.

    python -m tests.bench.mixed_use [--minutes 10] [--at-once 6] [--database postgres://...]

Use is mixed by chance, with a fixed seed: pages, the log and one of its requests, sends from the page with a follower,
relayed streams read to the end or left in the middle, JSON, refused bodies, wrong keys. `--database` names an empty
database of PostgreSQL; without it, the server makes its SQLite file.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import time
from collections import Counter
from pathlib import Path

import httpx
import psycopg

from tests.bench.load import Seen, body
from tests.bench.processes import Rig, memory_mb, pin, rig, table
from tests.bench.sockets import SocketReader
from tests.bench.websocket import TOKEN

COUNT = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
PAGES = ["/", "/requests/", "/sessions/", "/conversations/", "/connections/", "/healthz", "/readyz", "/?example=tools"]
REST_S = 75


class User:
    """One person with a browser and an access key, who does one thing after the other."""

    def __init__(self, bench: Rig, seed: int, outcomes: Counter[str]) -> None:
        self.bench, self.chance, self.outcomes = bench, random.Random(seed), outcomes
        self.cookies = f"sessionid={bench.session}; csrftoken={TOKEN}"
        headers = {"cookie": self.cookies, "x-csrftoken": TOKEN}
        self.browser = httpx.AsyncClient(base_url=bench.url, headers=headers, timeout=120, follow_redirects=True)
        self.sdk = httpx.AsyncClient(base_url=bench.url, headers={"x-api-key": bench.key}, timeout=120)

    async def use(self, until: float) -> None:
        acts = [self.page, self.page, self.a_request, self.send, self.stream, self.leave, self.refused, self.wrong_key]
        async with self.browser, self.sdk:
            while time.monotonic() < until:
                act = self.chance.choice(acts)
                try:
                    status = await act()
                except httpx.HTTPError as error:
                    status = type(error).__name__
                self.outcomes[f"{act.__name__}: {status}"] += 1

    async def page(self) -> object:
        return (await self.browser.get(self.chance.choice(PAGES))).status_code

    async def a_request(self) -> object:
        listed = re.findall(r'href="(/requests/[0-9a-f-]{36}/)', (await self.browser.get("/requests/")).text)
        return (await self.browser.get(self.chance.choice(listed))).status_code if listed else "none yet"

    async def send(self) -> object:
        posted = {":json": body(40, 50).decode(), ":overwrite": "1"}
        answer = await self.browser.post("/send", data=posted, headers={"hx-request": "true"})
        if not (found := re.search(r'data-socket="(/ws/runs/[^"]+)"', answer.text)):
            return answer.status_code
        make = lambda: SocketReader(found[1], self.cookies, b"", Seen(), is_ours=True)  # noqa: E731
        transport, _ = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", self.bench.port)
        await asyncio.sleep(self.chance.random() * 2)
        transport.abort()
        return answer.status_code

    async def stream(self) -> object:
        return (await self.sdk.post("/v1/messages", content=body(self.chance.randrange(1, 200), 100))).status_code

    async def leave(self) -> object:
        async with self.sdk.stream("POST", "/v1/messages", content=body(500, 50)) as answer:
            async for _ in answer.aiter_raw():
                break
        return answer.status_code

    async def refused(self) -> object:
        return (await self.sdk.post("/v1/messages", content=b"[" * self.chance.randrange(1, 5000))).status_code

    async def wrong_key(self) -> object:
        headers = {"x-api-key": f"wrong{self.chance.random()}"}
        return (await self.sdk.post("/v1/messages", content=body(1, 0), headers=headers)).status_code


def held(bench: Rig, database: str, name: str) -> list[str]:
    process = Path(f"/proc/{bench.pid}")
    connections = ""
    if database:
        with psycopg.connect(database) as connection:
            connections = str(connection.execute(COUNT).fetchone()[0])
    threads, files = (len(list((process / kind).iterdir())) for kind in ("task", "fd"))
    return [name, f"{memory_mb(bench.pid):.0f}", str(threads), str(files), connections]


async def use(bench: Rig, options: argparse.Namespace, outcomes: Counter[str], minutes: float) -> None:
    until = time.monotonic() + minutes * 60
    users = [User(bench, seed, outcomes) for seed in range(options.at_once)]
    await asyncio.gather(*(user.use(until) for user in users))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=6)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    pin(1)
    outcomes: Counter[str] = Counter()
    settings = {"PLAYGROUND_DATABASE_URL": options.database} if options.database else {}
    with rig(**settings) as bench:
        asyncio.run(use(bench, options, Counter(), 0.5))
        time.sleep(5)
        rows = [held(bench, options.database, "after half a minute of use")]
        for minute in range(1, options.minutes + 1):
            asyncio.run(use(bench, options, outcomes, 1))
            rows.append(held(bench, options.database, f"minute {minute}"))
        time.sleep(REST_S)
        rows.append(held(bench, options.database, f"{REST_S} s of rest later"))
    table("Mixed use", ["", "memory, MB", "threads", "files", "connections"], rows)
    table("Outcomes", ["", "times"], [[name, str(count)] for name, count in sorted(outcomes.items())])


if __name__ == "__main__":
    main()
