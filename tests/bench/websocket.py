"""The page's websocket measured: CPU per delta against a naive consumer that stores and checks nothing.

    python -m tests.bench.websocket [--streams 20 100] [--seconds 6]

Each stream is a run sent from the page's own address and followed over its own socket. Sending is not part of the
figures: they are taken over `--seconds`, when all streams are open.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Awaitable, Callable

import httpx

from tests.bench.load import Seen, body
from tests.bench.relay import PER_S
from tests.bench.rig import Rig, cpu_s, pin, rig, running, settle, table
from tests.bench.sockets import SocketReader

TOKEN = "b" * 32
START_S = 1.5  # at most, to send one run from the page, also on a busy machine


async def open_ours(bench: Rig, streams: int, seconds: float, seen: Seen) -> list[SocketReader]:
    """Send runs from the page one after the other, and follow each."""
    cookies = f"sessionid={bench.session}; csrftoken={TOKEN}"
    lasts_s = seconds + streams * START_S + 3
    posted = {":json": body(int(lasts_s * PER_S), PER_S).decode(), ":overwrite": "1"}
    headers = {"cookie": cookies, "x-csrftoken": TOKEN, "hx-request": "true"}
    readers = []
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        for _ in range(streams):
            answer = await client.post(f"{bench.url}/send", data=posted)
            found = re.search(r'data-socket="(/ws/runs/[^"]+)"', answer.text)
            assert found, f"no run was started: {answer.status_code} {answer.text[:300]}"
            path = found[1]
            _, reader = await loop.create_connection(
                lambda path=path: SocketReader(path, cookies, b"", seen, is_ours=True), "127.0.0.1", bench.port
            )
            readers.append(reader)
    return readers


async def open_naive(port: int, streams: int, seconds: float, seen: Seen) -> list[SocketReader]:
    first = body(int((seconds + 4) * PER_S), PER_S)
    loop = asyncio.get_running_loop()
    made = [
        loop.create_connection(lambda: SocketReader("/", "", first, seen, is_ours=False), "127.0.0.1", port)
        for _ in range(streams)
    ]
    return [reader for _, reader in await asyncio.gather(*made)]


async def measured(
    opening: Callable[[Seen], Awaitable[list[SocketReader]]], pid: int, seconds: float
) -> tuple[Seen, float]:
    """What was seen while all streams were open, and CPU milliseconds per 1,000 deltas."""
    seen = Seen()
    readers = await opening(seen)
    await asyncio.gather(*(reader.opened for reader in readers))
    await asyncio.sleep(1.5)
    seen.deltas, seen.delays_ms = 0, []
    before = cpu_s(pid)
    await asyncio.sleep(seconds)
    used, deltas, delays = (cpu_s(pid) - before) * 1000, seen.deltas, seen.delays_ms
    for reader in readers:
        reader.transport.abort()
    seen = Seen(deltas, seen.errors, [], delays, seconds)
    return seen, used / max(1, deltas) * 1000


def row(name: str, streams: int, seen: Seen, cpu: float) -> list[str]:
    share = seen.per_s / (streams * PER_S)
    return [
        name,
        f"{seen.per_s:,.0f}",
        f"{share:.3f}",
        f"{seen.delay(50):.1f} / {seen.delay(99):.0f}",
        f"{cpu:.0f}",
        str(seen.errors),
    ]


def compared(streams: int, seconds: float) -> list[list[str]]:
    """Both servers with the same number of streams, one after the other."""
    with rig() as bench:
        ours, cpu = asyncio.run(measured(lambda seen: open_ours(bench, streams, seconds, seen), bench.pid, seconds))
        settle()
        with running([sys.executable, "-m", "tests.bench.naive", str(bench.upstream_port)], 0) as naive:
            port = int(naive.stdout.readline())
            theirs, naive_cpu = asyncio.run(
                measured(lambda seen: open_naive(port, streams, seconds, seen), naive.pid, seconds)
            )
    return [
        row(f"{streams}, ours", streams, ours, cpu),
        row(f"{streams}, naive", streams, theirs, naive_cpu),
        [f"{streams}, ours / naive", "", "", "", f"{cpu / naive_cpu:.2f}", ""],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    pin(1)
    rows = [line for streams in options.streams for line in compared(streams, options.seconds)]
    columns = ["streams", "deltas/s", "of what was sent", "p50 / p99 ms", "CPU ms per 1,000 deltas", "errors"]
    table(f"Websockets at {PER_S} deltas/s", columns, rows)


if __name__ == "__main__":
    main()
