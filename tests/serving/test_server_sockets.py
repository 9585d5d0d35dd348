"""Websockets at the server: what is too large, who reads too slowly, and what they hear when the server stops."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from accounts.models import User
from playground import dispatch
from playground.engine.live_run import LiveRun
from playground.serving.protocols import Socket
from tests.support import socket_clients as sockets


class WebSocket:
    """A websocket by hand."""

    def __init__(self, url: str, path: str, cookie: str, receive_buffer: int | None = None) -> None:
        self.socket = sockets.connect(url, receive_buffer)
        origin = url.rstrip("/")
        lines = [
            f"host: {origin.removeprefix('http://')}",
            f"origin: {origin}",
            "upgrade: websocket",
            "connection: upgrade",
            "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
            "sec-websocket-version: 13",
            f"cookie: sessionid={cookie}",
        ]
        self.socket.sendall("\r\n".join([f"GET {path} HTTP/1.1", *lines]).encode() + b"\r\n\r\n")
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(4096)
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])

    def say(self, text: bytes) -> None:
        length = len(text).to_bytes(8, "big")
        self.socket.sendall(bytes([0x81, 0xFF]) + length + b"\0\0\0\0" + text)

    def read(self) -> tuple[int, bytes]:
        """The next frame: its kind, and what it holds."""
        first, length = self._take(2)
        if length >= 126:
            length = int.from_bytes(self._take(2 if length == 126 else 8), "big")
        return first & 15, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self.rest) < count:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self.rest += data
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def close_code(self) -> int | None:
        """Read to the end; the code of the close frame, None if there was none."""
        try:
            while True:
                kind, payload = self.read()
                if kind == 8:
                    return int.from_bytes(payload[:2], "big")
        except (ConnectionError, TimeoutError):
            return None


@pytest.fixture
def start(served: Any, live_url: str, owner: User, client: Any, settings: Any) -> Any:
    """Start a run of the owner's in the server, and open a socket that follows it."""
    settings.SANDBOX_SPEED = 1.0
    client.force_login(owner)
    opened: list[WebSocket] = []

    def start(model: str = "sandbox-slow", content: str = "Hello", **options: Any) -> tuple[LiveRun, WebSocket]:
        body = {
            "model": model,
            "max_tokens": 64_000,
            "stream": True,
            "messages": [{"role": "user", "content": content}],
        }
        run = served.server.call(
            lambda: dispatch.start(
                dispatch.RunRequest(body=json.dumps(body).encode(), owner=f"user:{owner.pk}", user=owner)
            )
        )
        opened.append(WebSocket(live_url, f"/ws/runs/{run.id}/", client.cookies["sessionid"].value, **options))
        return run, opened[-1]

    yield start
    for each in opened:
        each.socket.close()


def test_a_message_that_is_too_large_ends_the_socket_and_not_the_run(start: Any, served: Any) -> None:
    run, opened = start()
    opened.say(b" " * 65_537)
    assert opened.close_code() == 1009
    assert not run.is_over
    served.server.call(run.stop)


def test_when_the_server_stops_sockets_are_told_to_come_back(start: Any, served: Any) -> None:
    run, opened = start()
    opened.read()
    served.server.call(lambda: [each.serverClose(code=4012) for each in served.server.connections if is_open(each)])
    assert opened.close_code() == 4012
    served.server.call(run.stop)


def is_open(protocol: Any) -> bool:
    return isinstance(protocol, Socket) and protocol.state == Socket.STATE_OPEN


def test_a_page_that_stops_reading_does_not_fill_memory(start: Any, served: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = float("inf")
    run, opened = start(model="sandbox-echo", content="word " * 12_000, receive_buffer=4096)
    served.server.call(run.ended)
    served.server.call(lambda: asyncio.sleep(0.5))
    waiting = served.server.call(lambda: [bytes_waiting(each) for each in served.server.connections if is_open(each)])
    assert run.received_size > 1_000_000
    assert all(size < 2**19 for size in waiting)
    assert opened.status == 101


def bytes_waiting(protocol: Any) -> int:
    return len(protocol.transport.dataBuffer) + protocol.transport._tempDataLen
