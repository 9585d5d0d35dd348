"""`serve --processes N`: a parent that holds the port and keeps N processes serving it.

The processes share one listening socket, so a connection that waits while one of them stops is taken by another. The
parent serves nothing itself. It starts one that has died again, passes SIGTERM and SIGINT on, and replaces all, one
after the other, at SIGHUP. Each process holds one end of a socket pair: over it says that it serves, and at its end it
learns that the parent is gone.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

BACKLOG: Final = 2048  # connections that may wait to be taken; one more is tried again only after a second
LISTENING_ON, PARENT = "--listening-on", "--parent"  # options that only the parent gives
_READY: Final = b"r"
_LONGEST_WAIT_S: Final = 5.0  # before one that dies again and again is started again
_STEADY_S: Final = 10.0


def listen(host: str, port: int) -> socket.socket:
    """Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host.strip("[]"), port))
    listening.listen(BACKLOG)
    return listening


def tell_parent(parent: int) -> None:
    """This process serves now."""
    os.write(parent, _READY)


async def stop_with_parent(parent: int) -> None:
    """Stop in order when the parent is gone, however it ended."""
    loop = asyncio.get_running_loop()
    with socket.socket(fileno=os.dup(parent)) as ours:
        ours.setblocking(False)
        await loop.sock_recv(ours, 1)
    os.kill(os.getpid(), signal.SIGTERM)


class Child:
    """One of the processes."""

    def __init__(self, listening: socket.socket) -> None:
        self.started_at = time.monotonic()
        self.is_stopping = self.is_ready = False
        self.ours, theirs = socket.socketpair()
        with theirs:
            shared = (listening.fileno(), theirs.fileno())
            options = [LISTENING_ON, str(shared[0]), PARENT, str(shared[1])]
            # A session of its own: Ctrl-C in a terminal reaches the parent alone, which passes it on.
            self.process = subprocess.Popen(  # noqa: S603 - this program, as it was started
                [sys.executable, *sys.orig_argv[1:], *options], pass_fds=shared, start_new_session=True
            )

    def stop(self, number: int) -> None:
        self.is_stopping = True
        self.process.send_signal(number)

    def hear(self) -> bool:
        """Call it when there is something to read. False at its end, which is told by a signal as well."""
        has_message = bool(self.ours.recv(16))
        self.is_ready = self.is_ready or has_message
        return has_message


class Supervisor:
    """`say` is for the operator; `on_ready` is called once, when the first process serves."""

    def __init__(
        self, listening: socket.socket, count: int, *, say: Callable[[str], None], on_ready: Callable[[], None]
    ) -> None:
        self._listening, self._count, self._say, self._on_ready = listening, count, say, on_ready
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []
        self._replacing: list[Child] = []  # still to be replaced
        self._is_stopping = self._has_served = False
        self._wait_s = 0.0
        self._start_at: list[float] = []  # when to start another one
        self._code = 0

    def run(self) -> int:
        """Run until all have ended. Returns the exit status."""
        wake, waker = socket.socketpair()
        for each in (wake, waker):
            each.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        self._selector.register(wake, selectors.EVENT_READ, None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._replace_all)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # it wakes
        self._start_those_missing()
        while self._children or self._start_at:
            for key, _ in self._selector.select(self._sleep_s()):
                if key.data is None:
                    wake.recv(64)
                elif not key.data.hear():
                    self._selector.unregister(key.fileobj)
                elif not self._has_served:
                    self._has_served = True
                    self._on_ready()
            for child in [child for child in self._children if child.process.poll() is not None]:
                self._note_end(child)
            if not self._is_stopping:
                self._start_those_missing()
                self._stop_one_to_be_replaced()
        return self._code

    def _start(self) -> None:
        child = Child(self._listening)
        self._children.append(child)
        self._selector.register(child.ours, selectors.EVENT_READ, child)

    def _note_end(self, child: Child) -> None:
        self._children.remove(child)
        if child.ours in {key.fileobj for key in self._selector.get_map().values()}:
            self._selector.unregister(child.ours)
        child.ours.close()
        status = child.process.returncode
        if self._is_stopping:
            return
        if not self._has_served:  # what is wrong with one is wrong with all, and it has said so
            self._code = status or 1
            self._stop(signal.SIGTERM, None)
        elif child in self._replacing or not child.is_stopping:
            if child in self._replacing:
                self._replacing.remove(child)
            self._say(f"Process {child.process.pid} ended ({status}); another one is started.")
            is_steady = time.monotonic() - child.started_at > _STEADY_S
            self._wait_s = 0.0 if is_steady else min(_LONGEST_WAIT_S, 2 * self._wait_s + 0.1)
            self._start_at.append(time.monotonic() + self._wait_s)

    def _sleep_s(self) -> float | None:
        return max(0.0, min(self._start_at) - time.monotonic()) if self._start_at else None

    def _start_those_missing(self) -> None:
        """Start the processes whose time has come, and one more than serve otherwise while there are some to be
        replaced."""
        for at in [at for at in self._start_at if at <= time.monotonic()]:
            self._start_at.remove(at)
            self._start()
        while len(self._children) + len(self._start_at) < self._count + bool(self._replacing):
            self._start()

    def _stop_one_to_be_replaced(self) -> None:
        """Stop an old process when there are enough without it."""
        ready = [child for child in self._children if child.is_ready and not child.is_stopping]
        if self._replacing and len(ready) > self._count:
            self._replacing.pop(0).stop(signal.SIGTERM)

    def _stop(self, number: int, _frame: Any) -> None:
        self._is_stopping = True
        self._start_at.clear()
        for child in self._children:
            child.stop(number)

    def _replace_all(self, _number: int, _frame: Any) -> None:
        if not self._is_stopping and not self._replacing:
            self._replacing = list(self._children)
