"""HTTP and websockets by hand: what a well-behaved client library would not send, or not leave unread."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit


def connect(url: str, receive_buffer: int | None = None) -> socket.socket:
    parts = urlsplit(url)
    opened = socket.socket()
    if receive_buffer:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    opened.settimeout(60)  # a busy machine is no fault
    opened.connect((parts.hostname, parts.port))
    return opened


def ask(opened: socket.socket, method: str, path: str, *lines: str) -> None:
    """Send a request's head."""
    opened.sendall("\r\n".join([f"{method} {path} HTTP/1.1", "host: localhost", *lines]).encode() + b"\r\n\r\n")


def head_of(opened: socket.socket) -> str:
    """Read an answer's head, and what came with it."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (data := opened.recv(65536)):
            break
        head += data
    return head.decode()


def whole_answer(url: str, method: str, path: str, *lines: str, body: bytes = b"") -> tuple[str, dict[str, str], bytes]:
    """Status line, headers by their names in lower case, and the body as it stands on the wire."""
    with connect(url) as opened:
        ask(opened, method, path, "connection: close", *([f"content-length: {len(body)}"] if body else []), *lines)
        opened.sendall(body)
        data = b""
        while chunk := opened.recv(65536):
            data += chunk
    head, _, told = data.partition(b"\r\n\r\n")
    first, *named = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in named)
    return first, {name.lower(): value.strip() for name, _, value in pairs}, told
