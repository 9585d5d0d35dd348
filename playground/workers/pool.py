"""The server's side: which requests go to a worker, and what is said when a worker did not come to an end."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import parse_cookie
from django.template.loader import render_to_string

from playground.identity.asgi_types import Application, Receive, Scope, Send
from playground.identity.theme import theme_of
from playground.protocol.whole_numbers import read_whole
from playground.workers import calls, messages
from playground.workers.calls import LARGE, Handling, handling

logger = logging.getLogger(__name__)

AT_ONCE = 2  # workers; more requests wait for their turn
_PIECE = 2**20
# Settings that `serve` and tests change after they were read from the environment.
_CHANGED = (
    "DATABASES",
    "ALLOW_LOOPBACK_UPSTREAMS",
    "ALLOWED_UPSTREAMS",
    "ALLOWED_HOSTS",
    "MEDIA_ROOT",
    "MAX_RUN_BODY_BYTES",
)


class Workers:
    """The template process, started when the first large request comes unless it was forked before."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.is_forked = False  # off this process, before it served
        self._places: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}
        self.limits = messages.Limits()
        self.answered = 0  # requests that workers have answered, since the start
        self.ended_early = 0  # workers that were stopped at a limit, since the start

    def fork_now(self) -> None:
        """Fork the template off this process, whose loaded modules it then shares. There must be no threads yet."""
        from playground.workers.template import run_template

        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            try:
                run_template(theirs)
            finally:
                os._exit(1)
        theirs.close()
        self._control = ours
        self.is_forked = True

    def start(self) -> None:
        """Start the template as a program of its own, which takes about a second to be ready."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "playground.workers.template", str(theirs.fileno())]
        root = Path(settings.BASE_DIR)
        changed = pickle.dumps({name: getattr(settings, name) for name in _CHANGED})
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=root, pass_fds=[theirs.fileno()], stdin=subprocess.PIPE
        )
        with theirs, self._process.stdin as stdin:  # type: ignore[union-attr]
            stdin.write(changed)
        self._control = ours

    def stop(self) -> None:
        """End the template and the workers."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process = None

    def begin(self, kind: bytes) -> socket.socket:
        """The socket of a new worker, or of another service (a letter, see `calls.services`)."""
        ours, theirs = socket.socketpair()
        with theirs:
            for _ in range(2):
                if self._control is None:
                    self.start()
                assert self._control is not None
                try:
                    socket.send_fds(self._control, [kind], [theirs.fileno()])
                    return ours
                except OSError:  # the template is gone: another one
                    self.stop()
        raise RuntimeError("the template of the workers does not start")

    async def answer(self, scope: Scope, body: list[bytes], send: Send) -> bool:
        """Have a worker answer. False: it said that the server has to; nothing was sent then."""
        loop = asyncio.get_running_loop()
        places = self._places.setdefault(loop, asyncio.Semaphore(AT_ONCE))
        async with places:
            reader, writer = await asyncio.open_unix_connection(sock=self.begin(messages.WORKER), limit=_PIECE)
            try:
                return await self._talk(reader, writer, scope, body, send)
            finally:
                writer.close()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scope: Scope, body: list[bytes], send: Send
    ) -> bool:
        ending = "It took longer than a request may take here."
        has_begun = is_whole = False
        try:
            await _write(writer, (self.limits, dict(scope)))
            for piece in body:
                await _write(writer, piece)
            await _write(writer, b"")
            while not is_whole:
                match await messages.receive(reader):
                    case (messages.SENT, message):
                        has_begun = True
                        is_whole = message["type"] == "http.response.body" and not message.get("more_body")
                        self.answered += is_whole
                        await send(message)
                    case (messages.ASKED, name, args, kwargs):
                        await _write(writer, await calls.answer_question(name, args, kwargs))
                    case (messages.NOT_HERE,):
                        return False
                    case (messages.TOO_MUCH_MEMORY,):
                        ending = "It needs more memory than a request may take here."
                        break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        if not is_whole:
            self.ended_early += 1
            logger.warning("a worker was ended at its limit: %s %s", scope["method"], scope["path"])
            if has_begun:
                raise ConnectionError("a worker ended in the middle of its answer")
            await _refuse(scope, ending, send)
        return True


workers = Workers()


async def _write(writer: asyncio.StreamWriter, message: object) -> None:
    writer.write(messages.pack(message))
    await writer.drain()


async def _refuse(scope: Scope, why: str, send: Send) -> None:
    """Say that this was too much, where the page shows it; what was typed is still in the page."""
    is_htmx = (b"hx-request", b"true") in scope["headers"]
    template = "playground/composer/_form_too_heavy.html" if is_htmx else "playground/too_heavy.html"
    cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    body = render_to_string(template, {"why": why, "theme": theme_of(cookies)}).encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store, private")]
    headers += [
        (b"content-security-policy", b"default-src 'none'; style-src 'self'"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _length(scope: Scope) -> int:
    length = read_whole(dict(scope["headers"]).get(b"content-length", b"0").decode("latin-1"), longest=15)
    return LARGE if length is None else length  # without a length it may be anything


def answer_large_apart(application: Application) -> Application:
    """The application, with its large requests answered by workers."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if not settings.WORKERS:
            await application(scope, receive, send)
            return
        if _length(scope) >= LARGE:
            body = await _read(receive)
            if body is not None and not await workers.answer(scope, body, send):
                await application(scope, _body_again(body, receive), send)
        else:
            await _answer_here_first(application, scope, receive, send)

    return answer


async def _answer_here_first(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """A small request. It is handed to a worker when what it is about turns out to be large."""
    here = Handling(may_hand_over=True)
    handling.set(here)
    body: list[bytes] = []

    async def receive_and_keep() -> dict[str, Any]:
        message = await receive()
        if message["type"] == "http.request":
            body.append(message.get("body", b""))
        return message

    async def send_own(message: dict[str, Any]) -> None:
        if not here.is_handed_over:
            await send(message)

    await application(scope, receive_and_keep, send_own)
    if here.is_handed_over and not await workers.answer(scope, list(filter(None, body)), send):
        here.is_handed_over = here.may_hand_over = False
        await application(scope, _body_again(body, receive), send)


def _body_again(body: list[bytes], receive: Receive) -> Receive:
    """A body that was received already, and then what comes after it."""
    left = list(body) or [b""]

    async def again() -> dict[str, Any]:
        if not left:
            return await receive()
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    return again


async def _read(receive: Receive) -> list[bytes] | None:
    """The body, in pieces; None when the client has left."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if message.get("body"):
            pieces.append(message["body"])
        if not message.get("more_body"):
            return pieces
