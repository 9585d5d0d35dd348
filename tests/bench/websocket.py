"""The page's websocket measured: CPU per delta against a naive consumer that stores and checks nothing.

    python -m tests.bench.websocket [--streams 20 100] [--seconds 6]
    python -m tests.bench.websocket --burst --streams 500 1000

Each stream is a run sent from the page's own address and followed over its own socket. Sending is not part of the
figures: they are taken over `--seconds`, when all streams are open. With `--burst` the requests were all sent before;
their answers begin, and their sockets open, within one second, and the figures begin with it.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import re
import sys
import time
from collections.abc import Awaitable, Callable

import httpx

from tests.bench.load import Reader, Seen, body, percentile
from tests.bench.processes import Rig, cpu_s, pin, rig, running, settle, table
from tests.bench.relay import PER_S
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


async def burst(bench: Rig, streams: int, seconds: float, *, is_direct: bool) -> tuple[Seen, list[float]]:
    """What was seen from the second on in which all streams begin, and the delay of each stream's first delta."""
    seen, firsts, loop = Seen(), [], asyncio.get_running_loop()
    cookies = f"sessionid={bench.session}; csrftoken={TOKEN}"
    begin = time.monotonic() + (2 if is_direct else 2 + streams * 0.05)
    begins = [begin + number / streams for number in range(streams)]
    bodies = [body(int(seconds * PER_S), PER_S, begin_at) for begin_at in begins]
    made: list[asyncio.Protocol] = []
    if is_direct:
        for sent in bodies:
            head = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(sent)
            reader = Reader(head + sent, seen, b"message_stop")
            await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", bench.upstream_port)
            made.append(reader)
    else:
        paths = await sent_from_the_page(bench, bodies)
        print(f"sent after {time.monotonic() - begin:.1f} s", file=sys.stderr)
        for begin_at, path in zip(begins, paths, strict=True):
            await asyncio.sleep(max(0.0, begin_at - time.monotonic()))
            reader = SocketReader(path, cookies, b"", seen, is_ours=True)
            made.append(reader)
            loop.create_task(loop.create_connection(lambda reader=reader: reader, "127.0.0.1", bench.port))
    await asyncio.sleep(max(0.0, begin + seconds - time.monotonic()))
    seen.took_s = seconds
    told = dataclasses.replace(seen, delays_ms=list(seen.delays_ms))
    for reader in made:
        if reader.first_delay_ms is not None:
            firsts.append(reader.first_delay_ms)
    told.errors = len(made) - len(firsts)
    for reader in made:
        if reader.transport is not None:
            reader.transport.abort()
    return told, firsts


async def sent_from_the_page(bench: Rig, bodies: list[bytes]) -> list[str]:
    """The sockets' paths."""
    cookies = f"sessionid={bench.session}; csrftoken={TOKEN}"
    headers = {"cookie": cookies, "x-csrftoken": TOKEN, "hx-request": "true"}
    paths = []
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        for sent in bodies:
            answer = await client.post(f"{bench.url}/send", data={":json": sent.decode(), ":overwrite": "1"})
            found = re.search(r'data-socket="(/ws/runs/[^"]+)"', answer.text)
            assert found, f"no run was started: {answer.status_code} {answer.text[:300]}"
            paths.append(found[1])
    return paths


def compared_bursts(streams: int, seconds: float) -> list[list[str]]:
    rows = []
    with rig() as bench:
        direct, direct_firsts = asyncio.run(burst(bench, streams, seconds, is_direct=True))
        settle()
        ours, firsts = asyncio.run(burst(bench, streams, seconds, is_direct=False))
    for name, seen, first in (("direct", direct, direct_firsts), ("ours", ours, firsts)):
        share = seen.deltas / direct.deltas
        delays = f"{percentile(first, 50):.0f} / {percentile(first, 99):.0f}"
        rows.append([f"{streams}, {name}", f"{seen.per_s:,.0f}", f"{share:.2f}", delays, str(seen.errors)])
    return rows


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
    parser.add_argument("--burst", action="store_true", help="all streams and sockets begin within one second")
    options = parser.parse_args()
    pin(1)
    if options.burst:
        rows = [line for streams in options.streams for line in compared_bursts(streams, options.seconds)]
        columns = ["streams", "deltas/s", "of direct", "first delta p50 / p99 ms", "no delta"]
        table(f"Streams and sockets that begin within one second, {PER_S} deltas/s", columns, rows)
        return
    rows = [line for streams in options.streams for line in compared(streams, options.seconds)]
    columns = ["streams", "deltas/s", "of what was sent", "p50 / p99 ms", "CPU ms per 1,000 deltas", "errors"]
    table(f"Websockets at {PER_S} deltas/s", columns, rows)


if __name__ == "__main__":
    main()
