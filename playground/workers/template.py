"""The template process and the workers that are forked from it.

The template has the application loaded and does nothing but fork: it has one thread, no event loop and no database
connection, so its forks begin clean. It ends, with all its workers, when the server closes its end of the socket.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import resource
import signal
import socket
import sys
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.signals import got_request_exception
from django.template import TemplateSyntaxError
from django.template.loader import get_template
from django.urls import get_resolver

from playground.workers import calls, messages
from playground.workers.form_bodies import WorkerHandler
from playground.workers.messages import Channel, Limits

_application: Any = None


def run_template(control: socket.socket) -> None:
    """Fork a worker, or another service, for each socket that comes over `control`. Never returns."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server ends it, when it has drained
    load_application()
    make_application()
    load_templates()
    gc.collect()
    gc.freeze()  # pages that the collector does not touch stay shared
    workers: set[int] = set()
    services: set[int] = set()  # these end by themselves, when they have done what they were told
    while True:
        try:
            reply, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        except InterruptedError:
            continue
        if not reply:
            break
        workers, services = _running(workers), _running(services)
        child = os.fork()
        if child == 0:
            control.close()
            os.nice(settings.WORKERS_NICENESS)  # streams go first, where there is not a core for each
            run = run_worker if reply == messages.WORKER else calls.services[reply]
            run(socket.socket(fileno=descriptors[0]))
            os._exit(0)
        (workers if reply == messages.WORKER else services).add(child)
        os.close(descriptors[0])
    for worker in workers:
        if not os.waitpid(worker, os.WNOHANG)[0]:
            os.kill(worker, signal.SIGKILL)
    os._exit(0)


def _running(children: set[int]) -> set[int]:
    return {child for child in children if not os.waitpid(child, os.WNOHANG)[0]}


def load_application() -> None:
    """The modules that the server and its workers share."""
    _ = get_resolver().url_patterns


def make_application() -> None:
    """Make the application that a worker answers with. Static files, which may not be collected yet, never come
    to one."""
    global _application
    settings.WHITENOISE_USE_FINDERS = False
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No directory at")
        django.setup(set_prefix=False)
        _application = WorkerHandler()


def load_templates() -> None:
    """Load the templates that a worker would otherwise compile for each request."""
    root = Path(settings.ASSETS_DIR) / "templates"
    for path in sorted(root.rglob("*.html")):
        with suppress(TemplateSyntaxError):  # a part that is never loaded by itself
            get_template(str(path.relative_to(root)))


def run_worker(connection: socket.socket) -> None:
    """Answer one request and end."""
    os.nice(settings.WORKERS_NICENESS)  # once more: after the recorder too
    channel = Channel(connection)
    code = 0
    try:
        limits, scope = channel.receive()
        _limit(limits)
        body: deque[bytes] = deque()
        while piece := channel.receive():
            body.append(piece)
        asyncio.run(_answer(channel, scope, body))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody waits for the answer any more
    except MemoryError:
        channel.send((messages.TOO_MUCH_MEMORY,))
    except BaseException as problem:
        sys.stderr.write(f"a worker failed: {type(problem).__name__}\n")
        code = 1
    os._exit(code)


def _limit(limits: Limits) -> None:
    """The system itself ends this process at its limits, whatever it is doing: a pattern that is being tried too."""
    for number in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where the system does not tell, there is no limit of memory
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + limits.memory_bytes,) * 2)


async def _answer(channel: Channel, scope: dict[str, Any], body: deque[bytes]) -> None:
    """Run the application on the request."""
    calls.become_worker(_asker(channel))
    here = calls.Handling(may_hand_over=False)
    calls.handling.set(here)
    faults: list[type[BaseException] | None] = []

    def note(**_: Any) -> None:
        faults.append(sys.exc_info()[0])

    got_request_exception.connect(note)

    async def receive() -> dict[str, Any]:
        if body:
            piece = body.popleft()
            return {"type": "http.request", "body": piece, "more_body": bool(body)}
        await asyncio.Event().wait()  # the server cancels nothing: a worker's time is limited anyway
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        if here.is_handed_over:
            reply: tuple[Any, ...] = (messages.NOT_HERE,)
        elif MemoryError in faults:
            reply = (messages.TOO_MUCH_MEMORY,)
        else:
            reply = (messages.SENT, message)
        channel.send(reply)

    if not body:
        body.append(b"")
    assert _application is not None
    await _application(scope, receive, send)


def _asker(channel: Channel) -> Callable[[str, tuple[Any, ...], dict[str, Any]], Any]:
    def ask(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result, problem = channel.ask((messages.ASKED, name, args, kwargs))
        if problem is not None:
            raise problem
        return result

    return ask


def main() -> None:
    """Started as a program of its own: where the server could not fork early, in tests for one."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    for name, value in pickle.load(sys.stdin.buffer).items():  # noqa: S301 - our own process
        setattr(settings, name, value)
    django.setup()
    run_template(control)


if __name__ == "__main__":
    main()
