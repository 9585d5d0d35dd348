"""The relay measured: added time to the first byte, throughput and CPU, against going straight to the upstream and
against a naive relay that stores and checks nothing.

python -m tests.bench.relay [--streams 100 500] [--seconds 6]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from statistics import median

from tests.bench.load import Seen, first_byte_times, http_crowd
from tests.bench.rig import Rig, cpu_s, pin, rig, running, settle, table

PER_S = 50


def measured(pid: int, port: int, key: str, streams: int, seconds: float) -> tuple[Seen, float]:
    """One crowd, and the server's CPU milliseconds per 1,000 deltas."""
    before = cpu_s(pid)
    seen = asyncio.run(http_crowd(port, key, streams, int(seconds * PER_S), PER_S))
    settle()
    used = (cpu_s(pid) - before) * 1000
    return seen, used / max(1, seen.deltas) * 1000


def first_bytes(bench: Rig, naive_port: int) -> list[list[str]]:
    """Medians of many requests, one after the other."""
    times = 200
    asyncio.run(first_byte_times(bench.port, bench.key, 20))  # warm up
    direct = median(asyncio.run(first_byte_times(bench.upstream_port, bench.key, times)))
    rows = [["direct", f"{direct:.2f}", ""]]
    for name, port, key in sides(bench, naive_port):
        took = median(asyncio.run(first_byte_times(port, key, times)))
        rows.append([name, f"{took:.2f}", f"{took - direct:+.2f}"])
    return rows


def sides(bench: Rig, naive_port: int) -> list[tuple[str, int, str]]:
    return [
        ("relay, stored", bench.port, bench.key),
        ("relay, figures only", bench.port, bench.figures_key),
        ("naive", naive_port, ""),
    ]


def streams_at_once(bench: Rig, naive_port: int, naive_pid: int, streams: int, seconds: float) -> list[list[str]]:
    direct, _ = measured(bench.pid, bench.upstream_port, bench.key, streams, seconds)
    rows = [
        [f"{streams}, direct", f"{direct.per_s:,.0f}", "", f"{direct.delay(50):.2f} / {direct.delay(99):.1f}", "", "0"]
    ]
    for name, port, key in sides(bench, naive_port):
        seen, cpu = measured(naive_pid if port == naive_port else bench.pid, port, key, streams, seconds)
        share, delay = seen.per_s / direct.per_s, f"{seen.delay(50):.2f} / {seen.delay(99):.1f}"
        rows.append([f"{streams}, {name}", f"{seen.per_s:,.0f}", f"{share:.3f}", delay, f"{cpu:.0f}", str(seen.errors)])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 100, 500])
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    pin(1)
    with rig() as bench, running([sys.executable, "-m", "tests.bench.naive", str(bench.upstream_port)], 0) as naive:
        port = int(naive.stdout.readline())
        title = "First delta of one request (median; the upstream sends it after 1 ms)"
        table(title, ["", "ms", "added"], first_bytes(bench, port))
        rows = []
        for streams in options.streams:
            rows += streams_at_once(bench, port, naive.pid, streams, options.seconds)
        columns = ["streams", "deltas/s", "of direct", "p50 / p99 ms", "CPU ms per 1,000 deltas", "errors"]
        table(f"Streams at {PER_S} deltas/s", columns, rows)


if __name__ == "__main__":
    main()
