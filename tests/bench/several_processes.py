"""Two processes of one site against one, and a follower in another process against one in the run's own.

    python -m tests.bench.several_processes [--seconds 8] [--share 0.35]

Needs PostgreSQL (PLAYGROUND_TEST_DATABASE_URL), redis-server, and root: on two cores the load, the upstream and the
databases run beside the servers, so each server process is held to a share of one core (`cpu.cfs_quota_us` of a control
group of its own). What is compared is how much one such share carries and how much two do.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import redis

from playground.cluster.codec import EventReader, entries
from playground.engine.events import Received, Streamed
from playground.protocol.stream.sse import Decoder
from tests.bench.load import Seen, body, http_crowd
from tests.bench.processes import SET_UP, Rig, cpu_s, running, settle, table
from tests.bench.sockets import SocketReader
from tests.cluster.redis_server import RedisServer
from tests.serving.rig import manage

GROUPS = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 20_000
PER_S = 50
TOKEN = "b" * 32
QUERY = "SELECT pid FROM playground_serverprocess WHERE beat_at > now() - interval '4 s'"


class Site:
    """The databases, the upstream, and servers that come and go."""

    def __init__(self, stack: ExitStack, share: float) -> None:
        self.share = share
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="playground-bench-")))
        server = urlsplit(os.environ["PLAYGROUND_TEST_DATABASE_URL"])
        name = f"bench_{os.getpid()}"
        admin = stack.enter_context(psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True))
        admin.execute(f'CREATE DATABASE "{name}"')
        stack.callback(admin.execute, f'DROP DATABASE "{name}" WITH (FORCE)')
        redis_server = RedisServer(self.folder)
        redis_server.start()
        stack.callback(redis_server.stop)
        self.database_url = server._replace(path=f"/{name}").geturl()
        self.settings = {
            "PLAYGROUND_NO_VENV": "1",
            "PLAYGROUND_DATA": str(self.folder / "var"),
            "PLAYGROUND_DATABASE_URL": self.database_url,
            "PLAYGROUND_REDIS_URL": redis_server.url,
            "PLAYGROUND_DATABASE_CONNECTIONS": "8",
            "PLAYGROUND_RUNS_AT_ONCE": "0",
            "PLAYGROUND_RUNS_PER_MINUTE": "0",
            "PLAYGROUND_SOCKETS_PER_USER": "100000",
            "PLAYGROUND_DRAIN": "0",
            "PLAYGROUND_WORKERS": "0",
        }
        upstream = stack.enter_context(running([sys.executable, "-m", "tests.bench.fast_upstream"], 1))
        self.upstream_port = int(upstream.stdout.readline())
        self.user: list[str] = []

    @contextmanager
    def served(self, *arguments: str) -> Iterator[Rig]:
        command = [sys.executable, "manage.py", "serve", "--port", "0", *arguments]
        with running(command, 0, **self.settings) as server:
            os.sched_setaffinity(server.pid, set(range(os.cpu_count() or 1)))
            port = int(re.search(r":(\d+)/", server.stdout.readline())[1])
            if not self.user:
                said = manage(
                    self.folder / "var", "shell", "--no-imports", "-c", SET_UP % self.upstream_port, **self.settings
                )
                self.user = said.stdout.rpartition("SET-UP")[2].split()
            yield Rig(self.upstream_port, port, server.pid, *self.user)

    @contextmanager
    def carried_by(self, processes: int) -> Iterator[tuple[Rig, list[int]]]:
        """A site of so many processes, each held to its share of a core; and their process ids."""
        with self.served("--processes", str(processes)) as bench, ExitStack() as stack:
            pids = self.members(processes)
            for pid in pids:
                stack.enter_context(held(pid, self.share))
            yield bench, pids

    def members(self, count: int) -> list[int]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            for _ in range(200):
                pids = [pid for (pid,) in connection.execute(QUERY)]
                if len(pids) == count:
                    return pids
                time.sleep(0.1)
        raise AssertionError(f"{count} processes should serve, but these do: {pids}")


@contextmanager
def held(pid: int, share: float) -> Iterator[None]:
    """On any core, but no more than this share of one."""
    group = GROUPS / f"playground-bench-{pid}"
    group.mkdir()
    (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
    (group / "cpu.cfs_quota_us").write_text(str(int(share * PERIOD_US)))
    (group / "cgroup.procs").write_text(str(pid))
    cores = set(range(os.cpu_count() or 1))
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
    try:
        yield
    finally:
        for each in (group / "cgroup.procs").read_text().split():
            (GROUPS / "cgroup.procs").write_text(each)
        group.rmdir()


async def relayed(bench: Rig, streams: int, seconds: float) -> float:
    """Deltas a second over the relay, of more than the servers can carry."""
    seen: Seen = await http_crowd(bench.port, bench.key, streams, int(seconds * PER_S), PER_S)
    return seen.deltas / seen.took_s


async def sent(bench: Rig, seconds: float, senders: int = 12) -> float:
    """Sends a second from the page, each with a short answer; one follows another at each of the senders."""
    headers = {"cookie": f"sessionid={bench.session}; csrftoken={TOKEN}", "x-csrftoken": TOKEN, "hx-request": "true"}
    posted = {":json": body(2, 1000).decode(), ":overwrite": "1"}
    done = 0
    until = time.monotonic() + seconds

    async def press() -> None:
        nonlocal done
        async with httpx.AsyncClient(headers=headers | {"connection": "close"}, timeout=60) as client:
            while time.monotonic() < until:
                answer = await client.post(f"{bench.url}/send", data=posted)
                assert "data-run=" in answer.text, answer.status_code
                done += 1

    await asyncio.gather(*(press() for _ in range(senders)))
    return done / seconds


async def followed(home: Rig, at: Rig, pids: list[int], runs: int, seconds: float) -> tuple[Seen, float]:
    """Runs of `home`, each followed at `at`: what was seen, and CPU milliseconds per 1,000 deltas of all `pids`."""
    seen, readers, loop = Seen(), [], asyncio.get_running_loop()
    cookies = f"sessionid={home.session}; csrftoken={TOKEN}"
    posted = {":json": body(int((seconds + runs * 0.3 + 6) * PER_S), PER_S).decode(), ":overwrite": "1"}
    headers = {"cookie": cookies, "x-csrftoken": TOKEN, "hx-request": "true"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        for _ in range(runs):
            answer = await client.post(f"{home.url}/send", data=posted)
            path = re.search(r'data-socket="(/ws/runs/[^"]+)"', answer.text)[1]
            _, reader = await loop.create_connection(
                lambda path=path: SocketReader(path, cookies, b"", seen, is_ours=True), "127.0.0.1", at.port
            )
            readers.append(reader)
    await asyncio.sleep(2)
    seen.deltas, seen.delays_ms = 0, []
    before = sum(cpu_s(pid) for pid in pids)
    await asyncio.sleep(seconds)
    used = (sum(cpu_s(pid) for pid in pids) - before) * 1000
    told = Seen(seen.deltas, seen.errors, [], list(seen.delays_ms), seconds)
    for reader in readers:
        reader.transport.abort()
    return told, used / max(1, told.deltas) * 1000


def compare_counts(site: Site, seconds: float) -> list[list[str]]:
    found = []
    for processes in (1, 2):
        with site.carried_by(processes) as (bench, _):
            asyncio.run(sent(bench, 2))
            sends = asyncio.run(sent(bench, seconds))
            settle()
            found.append((sends, asyncio.run(relayed(bench, 500, seconds))))
    rows = [[str(number), f"{sends:.1f}", f"{deltas:,.0f}"] for number, (sends, deltas) in enumerate(found, 1)]
    (one_sends, one_deltas), (two_sends, two_deltas) = found
    return [*rows, ["two / one", f"{two_sends / one_sends:.2f}", f"{two_deltas / one_deltas:.2f}"]]


def compare_followers(site: Site, seconds: float, runs: int) -> list[list[str]]:
    rows = []
    with site.served() as home, site.served() as away:
        pids = site.members(2)
        asyncio.run(followed(home, home, pids, 2, 1))
        settle(2)
        here, here_cpu = asyncio.run(followed(home, home, pids, runs, seconds))
        settle(3)
        there, there_cpu = asyncio.run(followed(home, away, pids, runs, seconds))
    for name, seen, cpu in (("in its process", here, here_cpu), ("elsewhere", there, there_cpu)):
        rows.append([name, f"{seen.delay(50):.1f}", f"{seen.delay(99):.1f}", f"{cpu:.0f}", str(seen.errors)])
    added = f"{there.delay(50) - here.delay(50):+.1f}"
    return [*rows, ["added", added, f"{there.delay(99) - here.delay(99):+.1f}", f"x{there_cpu / here_cpu:.2f}", ""]]


def entry_costs(redis_url: str) -> list[list[str]]:
    """Microseconds for ten deltas that another process follows: here and in Redis."""
    count, together = 3_000, 50
    deltas = [
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"some"}}\n\n'
    ] * 10
    data = b"".join(deltas)
    decoder = Decoder()
    windows = []
    for number in range(count):
        events = [Received(number * 20.0, data)]
        for nth, event in enumerate(decoder.feed(data), number * 10 + 1):
            events.append(Streamed(number * 20.0, nth, event, event.end))
        windows.append((number * 11, events))
    client = redis.Redis.from_url(redis_url, protocol=2)
    client.config_resetstat()
    began = time.process_time()
    for first in range(0, count, together):
        pipe = client.pipeline(transaction=False)
        for at, events in windows[first : first + together]:
            for entry in entries(at, events):
                pipe.xadd("bench", entry)
        pipe.execute()
    wrote = time.process_time() - began
    reader, last = EventReader(), "0"
    began = time.process_time()
    while found := client.xread({"bench": last}, count=together):
        for last, entry in found[0][1]:  # noqa: B007 - where to read on
            reader.read(entry)
    read = time.process_time() - began
    stats = client.info("commandstats")
    client.delete("bench")
    client.close()
    micro = 1e6 / count
    return [
        ["written", f"{wrote * micro:.0f}", f"{stats['cmdstat_xadd']['usec_per_call']:.1f}"],
        ["read", f"{read * micro:.0f}", f"{stats['cmdstat_xread']['usec'] / count:.1f}"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--share", type=float, default=0.35, help="of a core, for each server process")
    parser.add_argument("--runs", type=int, default=20, help="followed at once")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        site = Site(stack, options.share)
        costs = entry_costs(site.settings["PLAYGROUND_REDIS_URL"])
        counts = compare_counts(site, options.seconds)
        followers = compare_followers(site, options.seconds, options.runs)
    share = f"{options.share:.0%} of a core each"
    table(f"Processes, {share}", ["processes", "page sends/s", "relay c500, deltas/s"], counts)
    table("An entry of ten deltas, CPU", ["", "process, us", "Redis, us"], costs)
    columns = ["a follower", "p50 ms", "p99 ms", "CPU ms per 1,000 deltas, both processes", "errors"]
    table(f"{options.runs} runs at {PER_S} deltas/s, followed", columns, followers)


if __name__ == "__main__":
    main()
