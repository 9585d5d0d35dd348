"""The processes of a measurement: the server on one core, the upstream and the load on another."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CORES = sorted(os.sched_getaffinity(0))  # before anything is pinned: what is started inherits where its parent may run
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SET_UP = """
from accounts.models import AccessKey, Connection, User
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playground.models import Draft
user = User.objects.create_user('bench')
connection = Connection(owner=user, name='bench', base_url='http://127.0.0.1:%d')
connection.set_credential('a-key-for-the-bench'); connection.save()
Draft.objects.create(user=user, connection=connection, body=b'{}')
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = 'django.contrib.auth.backends.ModelBackend'
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print('SET-UP', AccessKey.objects.issue(owner=user, connection=connection, name='bench')[1],
      AccessKey.objects.issue(owner=user, connection=connection, name='figures only', keep_content=False)[1],
      connection.pk, session.session_key)
"""


def pin(core: int) -> None:
    """Keep this process on one core, where the machine has several."""
    os.sched_setaffinity(0, {CORES[core % len(CORES)]})


def cpu_s(pid: int) -> float:
    """CPU seconds a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mb(pid: int) -> float:
    """Resident memory now, in megabytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1000


def processes_of(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            for child in (task / "children").read_text().split():
                yield from processes_of(int(child))
        except OSError:
            continue


def together_mb(*pids: int) -> float:
    """Memory of these processes, what they share counted once, in megabytes."""
    total = 0
    for each in pids:
        try:
            text = Path(f"/proc/{each}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"Pss:\s+(\d+)", text)[1])
    return total / 1000


def all_memory_mb(pid: int) -> float:
    """Of a server with its recorder and its workers. The server itself is asked for what is resident only: counting
    what it shares holds up a process for as long as the reader is kept waiting."""
    _, *others = processes_of(pid)
    return memory_mb(pid) + together_mb(*others)


@dataclass
class Rig:
    """A running upstream and a running playground that knows it."""

    upstream_port: int
    port: int
    pid: int
    key: str
    figures_key: str
    connection: str
    session: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(command: list[str], core: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(core),
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def rig(*, upstream_port: int = 0, command: Sequence[str] | None = None, **settings: str) -> Iterator[Rig]:
    """`upstream_port`: of an upstream that runs already; `command`: what is served by, if not `manage.py serve`."""
    serve = [sys.executable, *(command or ["manage.py", "serve"]), "--port", "0"]
    data = tempfile.mkdtemp(prefix="playground-bench-")
    environment = {
        "PLAYGROUND_NO_VENV": "1",
        "PLAYGROUND_DATA": data,
        "PLAYGROUND_RUNS_AT_ONCE": "0",
        "PLAYGROUND_RUNS_PER_MINUTE": "0",
        "PLAYGROUND_SOCKETS_PER_USER": "100000",
        "PLAYGROUND_DRAIN": "0",
        **settings,
    }
    try:
        with running([sys.executable, "-m", "tests.bench.fast_upstream"], 1) as upstream:
            upstream_port = upstream_port or int(upstream.stdout.readline())
            with running(serve, 0, **environment) as server:
                port = int(re.search(r":(\d+)/", server.stdout.readline())[1])
                command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SET_UP % upstream_port]
                said = subprocess.run(
                    command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True
                ).stdout
                yield Rig(upstream_port, port, server.pid, *said.rpartition("SET-UP")[2].split())
    finally:
        shutil.rmtree(data, ignore_errors=True)


def settle(seconds: float = 1.0) -> None:
    """Let what is still written or closed come to its end before the next measurement."""
    time.sleep(seconds)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    widths = [max(len(row[place]) for row in [columns, *rows]) for place in range(len(columns))]
    print(f"\n{title}")
    for row in [columns, ["-" * width for width in widths], *rows]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    sys.stdout.flush()
