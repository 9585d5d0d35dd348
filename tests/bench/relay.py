"""The relay measured: added time to the first byte, throughput and CPU, against going straight to the upstream, against
a naive relay that stores and checks nothing, and against nginx where it is installed.

python -m tests.bench.relay [--streams 100 500] [--seconds 6]
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.load import Seen, first_byte_times, http_crowd
from tests.bench.processes import Rig, cpu_s, pin, rig, running, settle, table

PER_S = 50
NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:%d backlog=2048;
    location / { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 600s; }
  }
}
"""


def measured(pid: int, port: int, key: str, streams: int, seconds: float) -> tuple[Seen, float]:
    """One crowd, and the server's CPU milliseconds per 1,000 deltas."""
    before = cpu_s(pid)
    seen = asyncio.run(http_crowd(port, key, streams, int(seconds * PER_S), PER_S))
    settle()
    used = (cpu_s(pid) - before) * 1000
    return seen, used / max(1, seen.deltas) * 1000


@dataclass(frozen=True)
class Side:
    """One way from the load to the upstream."""

    name: str
    pid: int
    port: int
    key: str = ""


def first_bytes(bench: Rig, sides: list[Side]) -> list[list[str]]:
    """Medians of many requests, one after the other."""
    times = 200
    asyncio.run(first_byte_times(bench.port, bench.key, 20))  # warm up
    direct = median(asyncio.run(first_byte_times(bench.upstream_port, bench.key, times)))
    rows = [["direct", f"{direct:.2f}", ""]]
    for side in sides:
        took = median(asyncio.run(first_byte_times(side.port, side.key, times)))
        rows.append([side.name, f"{took:.2f}", f"{took - direct:+.2f}"])
    return rows


@contextmanager
def all_sides(bench: Rig) -> Iterator[list[Side]]:
    """Ours, and the others, started for the time of the comparison."""
    sides = [
        Side("relay, stored", bench.pid, bench.port, bench.key),
        Side("relay, figures only", bench.pid, bench.port, bench.figures_key),
    ]
    with ExitStack() as stack:
        naive = stack.enter_context(running([sys.executable, "-m", "tests.bench.naive", str(bench.upstream_port)], 0))
        sides.append(Side("naive", naive.pid, int(naive.stdout.readline())))
        if shutil.which("nginx"):
            folder = Path(stack.enter_context(TemporaryDirectory()))
            port = free_port()
            (folder / "nginx.conf").write_text(NGINX % (port, bench.upstream_port))
            command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
            sides.append(Side("nginx", stack.enter_context(running(command, 0)).pid, port))
            time.sleep(0.5)
        yield sides


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def streams_at_once(bench: Rig, sides: list[Side], streams: int, seconds: float) -> list[list[str]]:
    direct, _ = measured(bench.pid, bench.upstream_port, bench.key, streams, seconds)
    rows = [
        [f"{streams}, direct", f"{direct.per_s:,.0f}", "", f"{direct.delay(50):.2f} / {direct.delay(99):.1f}", "", "0"]
    ]
    for side in sides:
        seen, cpu = measured(side.pid, side.port, side.key, streams, seconds)
        share, delay = seen.per_s / direct.per_s, f"{seen.delay(50):.2f} / {seen.delay(99):.1f}"
        name, per_s = f"{streams}, {side.name}", f"{seen.per_s:,.0f}"
        rows.append([name, per_s, f"{share:.3f}", delay, f"{cpu:.0f}", str(seen.errors)])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 100, 500])
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    pin(1)
    with rig() as bench, all_sides(bench) as sides:
        title = "First delta of one request (median; the upstream sends it after 1 ms)"
        table(title, ["", "ms", "added"], first_bytes(bench, sides))
        rows = []
        for streams in options.streams:
            rows += streams_at_once(bench, sides, streams, options.seconds)
        columns = ["streams", "deltas/s", "of direct", "p50 / p99 ms", "CPU ms per 1,000 deltas", "errors"]
        table(f"Streams at {PER_S} deltas/s", columns, rows)


if __name__ == "__main__":
    main()
