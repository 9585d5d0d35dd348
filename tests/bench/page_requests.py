"""The page's own requests measured: CPU of each, and the time from Try It! to the first delta.

    python -m tests.bench.page_requests [--times 100]

One after the other, by turns, so that a noisy minute is everybody's. CPU is the serving process's, with all its
threads, and beside it that of the recorder and the workers. `GET /` is measured with a new draft, and with one that
shows its last answer; `GET /requests/` has a full page to show. The first delta
is one that the upstream sends at once, read by the socket that the answer to POST /send names; direct is the same
request to the upstream itself.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import Awaitable, Callable

import httpx

from tests.bench.load import Reader, Seen, body, percentile
from tests.bench.processes import Rig, cpu_s, pin, processes_of, rig, settle, table
from tests.bench.sockets import SocketReader
from tests.bench.websocket import TOKEN

LONG = 60  # runs in the log before anything is measured: more than its page holds
LASTING = 50  # deltas: a run that is over has no socket to follow it
WARM = 5
ROUND = 20  # requests of one kind at a time: the clock of CPU counts in hundredths of a second


class Page:
    """A browser that is logged in, as far as the server sees."""

    def __init__(self, bench: Rig) -> None:
        self.bench = bench
        self.cookies = f"sessionid={bench.session}; csrftoken={TOKEN}"
        headers = {"cookie": self.cookies, "x-csrftoken": TOKEN}
        self.client = httpx.AsyncClient(base_url=bench.url, headers=headers, timeout=60)
        self.version = "0"  # of the draft, as the page would have it
        self.first_ms: list[float] = []
        self.direct_ms: list[float] = []

    async def get(self, path: str) -> httpx.Response:
        answer = await self.client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer

    async def visit(self) -> None:
        """Come for the first time."""
        async with httpx.AsyncClient(base_url=self.bench.url, timeout=60) as client:
            assert (await client.get("/")).status_code == 200

    async def send(self) -> str:
        """Press Try It!; the path of the socket that follows the run."""
        posted = {":version": self.version, ":json": body(LASTING, 50).decode(), ":overwrite": "1"}
        answer = await self.client.post("/send", data=posted, headers={"hx-request": "true"})
        self.version = re.search(r'data-version="(\d+)"', answer.text)[1]
        found = re.search(r'data-socket="(/ws/runs/[^"]+)"', answer.text)
        assert found, f"no run was started: {answer.status_code} {answer.text[:300]}"
        return found[1]

    async def send_and_follow(self) -> None:
        began = time.monotonic()
        reader = SocketReader(await self.send(), self.cookies, b"", Seen(), is_ours=True)
        await self._connect(reader, self.bench.port)
        while reader.first_delay_ms is None and not reader.done.done():
            await asyncio.sleep(0)
        assert reader.first_delay_ms is not None
        self.first_ms.append((time.monotonic() - began) * 1000)
        reader.transport.abort()

    async def direct(self) -> None:
        sent = body(LASTING, 50)
        head = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(sent)
        reader = Reader(head + sent, Seen(), b"message_stop")
        await self._connect(reader, self.bench.upstream_port)
        while not reader.seen.first_ms and not reader.done.done():
            await asyncio.sleep(0)
        self.direct_ms += reader.seen.first_ms
        reader.transport.abort()

    async def _connect(self, reader: asyncio.Protocol, port: int) -> None:
        await asyncio.get_running_loop().create_connection(lambda: reader, "127.0.0.1", port)


async def measure(bench: Rig, times: int) -> None:
    page = Page(bench)
    asset = re.search(r'"(/static/[^"]+\.js)"', (await page.get("/")).text)
    assert asset
    costs: dict[str, list[tuple[float, float]]] = {}
    walls: dict[str, list[float]] = {}
    for _ in range(WARM):
        await page.get("/")
    for _ in range(max(1, times // ROUND)):
        await measure_round(bench, "GET / of a new draft", lambda: page.get("/"), costs, walls)
    for _ in range(LONG):
        await page.send()
    kinds: dict[str, Callable[[], Awaitable[object]]] = {
        "GET / with an answer": lambda: page.get("/"),
        "GET / of a visitor": page.visit,
        "GET /requests/": lambda: page.get("/requests/"),
        "POST /send": page.send,
        "GET /healthz": lambda: page.get("/healthz"),
        "a script": lambda: page.get(asset[1]),
    }
    for request in kinds.values():
        for _ in range(WARM):
            await request()
    for _ in range(max(1, times // ROUND)):
        for kind, request in kinds.items():
            await measure_round(bench, kind, request, costs, walls)
    for _ in range(times):
        await page.send_and_follow()
        await page.direct()
    print_all(costs, walls, page)


async def measure_round(
    bench: Rig,
    kind: str,
    request: Callable[[], Awaitable[object]],
    costs: dict[str, list[tuple[float, float]]],
    walls: dict[str, list[float]],
) -> None:
    """Make so many requests of one kind; note their CPU seconds and how many milliseconds each took."""
    await asyncio.sleep(0.5)  # what is still stored is no part of it
    before = cpu_of(bench.pid)
    for _ in range(ROUND):
        began = time.monotonic()
        await request()
        walls.setdefault(kind, []).append((time.monotonic() - began) * 1000)
    await asyncio.sleep(0.5)
    after = cpu_of(bench.pid)
    costs.setdefault(kind, []).append((after[0] - before[0], after[1] - before[1]))


def cpu_of(pid: int) -> tuple[float, float]:
    """CPU seconds of the serving process, and of those it started."""
    own, *others = (cpu_s(each) for each in processes_of(pid))
    return own, sum(others)


def print_all(costs: dict[str, list[tuple[float, float]]], walls: dict[str, list[float]], page: Page) -> None:
    rows = []
    for kind, rounds in costs.items():
        served, beside = (sum(part) / len(rounds) / ROUND * 1000 for part in zip(*rounds, strict=True))
        took = f"{percentile(walls[kind], 50):.1f} / {percentile(walls[kind], 99):.1f}"
        rows.append([kind, f"{served:.1f}", f"{beside:.1f}", took])
    table("What a request costs", ["request", "CPU ms", "beside it", "took p50 / p99 ms"], rows)
    rows = [
        [name, f"{percentile(values, 50):.1f}", f"{percentile(values, 99):.1f}"]
        for name, values in (("POST /send, then its socket", page.first_ms), ("direct", page.direct_ms))
    ]
    table("From the request to the first delta", ["", "p50 ms", "p99 ms"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    chosen = parser.parse_args()
    pin(1)
    with rig() as bench:
        settle()
        asyncio.run(measure(bench, chosen.times))


if __name__ == "__main__":
    main()
