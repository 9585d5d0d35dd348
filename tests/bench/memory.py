"""The memory of the server with its recorder: at rest, per stream, and with a reader that stopped reading.

python -m tests.bench.memory [--streams 200] [--runs 3000 --idle 330]
"""

from __future__ import annotations

import argparse
import asyncio
import time

from tests.bench.load import Reader, Seen, body, http_crowd
from tests.bench.processes import Rig, all_memory_mb, pin, rig, settle, table

AT_ONCE = 50
LONG = 400_000  # deltas of about 150 bytes: nearly the 64 MiB that a run may take


async def held_by_streams(bench: Rig, streams: int) -> float:
    """How much memory grew while so many streams were open, in megabytes."""
    before = all_memory_mb(bench.pid)
    crowd = asyncio.ensure_future(http_crowd(bench.port, bench.key, streams, 500, 50, 2))
    await asyncio.sleep(9)
    held = all_memory_mb(bench.pid) - before
    await crowd
    return held


async def long_stream(bench: Rig, *, is_read: bool) -> float:
    """How much memory grew by one long stream, whose reader reads it or stops after the first bytes."""
    before, seen = all_memory_mb(bench.pid), Seen()
    asked = body(LONG, 0)
    lines = ["POST /v1/messages HTTP/1.1", "host: h", f"x-api-key: {bench.key}", f"content-length: {len(asked)}"]
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + asked
    loop = asyncio.get_running_loop()
    transport, reader = await loop.create_connection(
        lambda: Reader(request, seen, b"message_stop"), "127.0.0.1", bench.port
    )
    if not is_read:
        while reader.first:
            await asyncio.sleep(0.01)
        transport.pause_reading()
        await asyncio.sleep(40)
    else:
        await reader.done
    held = all_memory_mb(bench.pid) - before
    transport.abort()
    return held


def after_runs(bench: Rig, runs: int, idle_s: float) -> list[list[str]]:
    """How much memory grew over so many short runs, at once and after a while without any."""
    before, rows = all_memory_mb(bench.pid), []
    for _ in range(runs // AT_ONCE):
        asyncio.run(http_crowd(bench.port, bench.key, AT_ONCE, 40, 1000, 0.5))
    for name, wait_s in (("at once", 2.0), ("a minute later", min(60.0, idle_s)), ("in the end", idle_s - 60)):
        settle(max(0.0, wait_s))
        rows.append([f"{runs} runs, {name}", f"+{all_memory_mb(bench.pid) - before:.0f} MB"])
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--runs", type=int, default=0, help="measure what so many short runs leave behind instead")
    parser.add_argument("--idle", type=float, default=330.0, help="seconds to wait after them")
    options = parser.parse_args()
    pin(1)
    rows = []
    if options.runs:
        with rig() as bench:
            asyncio.run(http_crowd(bench.port, bench.key, 5, 20, 50, 0))
            settle(2)
            table("Memory", ["", ""], after_runs(bench, options.runs, options.idle))
        return
    with rig() as bench:
        asyncio.run(http_crowd(bench.port, bench.key, 5, 20, 50, 0))
        settle(2)
        rows.append(["at rest, after a few requests", f"{all_memory_mb(bench.pid):.0f} MB"])
        held = asyncio.run(held_by_streams(bench, options.streams))
        rows.append(
            [f"{options.streams} streams, after about 400 deltas each", f"{held * 1000 / options.streams:.0f} KB each"]
        )
    for name, is_read in (("one stream of 60 MB, read", True), ("one stream of 60 MB, reader stopped", False)):
        with rig() as bench:
            asyncio.run(http_crowd(bench.port, bench.key, 5, 20, 50, 0))
            settle(2)
            began = time.monotonic()
            held = asyncio.run(long_stream(bench, is_read=is_read))
            rows.append([name, f"+{held:.0f} MB ({time.monotonic() - began:.0f} s)"])
    table("Memory", ["", ""], rows)


if __name__ == "__main__":
    main()
