"""Messages between the server and a worker: pickled, each behind its length, over a Unix socket.

Both ends are this program's own processes. From the server: limits and the request's scope, the pieces of its body, an
empty piece; later the answers to questions. From the worker: what it sends as an ASGI application, and questions.
"""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_LENGTH = struct.Struct("!Q")
_IN_A_FILE: Final = 256 * 1024  # bytes, from here on
WORKER: Final = b"w"  # what the template is told to fork
SENT: Final = "sent"  # an ASGI message
ASKED: Final = "asked"  # a question: name, args, kwargs
NOT_HERE: Final = "not here"  # the server has to answer this request itself
TOO_MUCH_MEMORY: Final = "too much memory"


@dataclass(frozen=True)
class Limits:
    """The most that one request may take: seconds of processor, seconds in all (waiting for the database included), and
    bytes of memory beyond what the template has."""

    cpu_s: int = 15
    wall_s: float = 60.0
    memory_bytes: int = 1024 * 2**20


def pack(message: object) -> bytes:
    data = pickle.dumps(message, protocol=5)
    return _LENGTH.pack(len(data)) + data


class _Pickler(pickle.Pickler):
    """Leaves large bytes in files in memory, which the server reads from there: through a socket and a pickle it would
    hold them three times."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.files: list[int] = []

    def persistent_id(self, value: object) -> tuple[str, int] | None:
        if type(value) is not bytes or len(value) < _IN_A_FILE or not hasattr(os, "memfd_create"):
            return None
        file = os.memfd_create("playground", os.MFD_CLOEXEC)
        self.files.append(file)
        left = memoryview(value)
        while left:
            left = left[os.write(file, left) :]
        return f"/proc/{os.getpid()}/fd/{file}", len(value)


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, kept: tuple[str, int]) -> bytes:
        name, size = kept
        with Path(name).open("rb", buffering=0) as file:
            value = file.read(size)
        if value is None or len(value) != size:
            raise EOFError
        return value


class Channel:
    """The worker's end, blocking."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")

    def send(self, message: object) -> None:
        self._connection.sendall(pack(message))

    def ask(self, message: object) -> Any:
        """Send a message that may hold large bytes, and receive what is answered."""
        file = io.BytesIO()
        pickler = _Pickler(file)
        try:
            pickler.dump(message)
            self._connection.sendall(_LENGTH.pack(file.tell()) + file.getvalue())
            return self.receive()
        finally:
            for descriptor in pickler.files:
                os.close(descriptor)

    def receive(self) -> Any:
        """The next message. Raises EOFError when the server has hung up."""
        head = self._file.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise EOFError
        (length,) = _LENGTH.unpack(head)
        return pickle.loads(self._file.read(length))  # noqa: S301 - our own process


async def receive(reader: asyncio.StreamReader) -> Any:
    """The next message at the server's end. Raises `asyncio.IncompleteReadError` when the worker is gone."""
    return (await receive_sized(reader))[1]


async def receive_sized(reader: asyncio.StreamReader) -> tuple[int, Any]:
    """Receive a message, with the number of bytes that it took."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return length, _Unpickler(io.BytesIO(await reader.readexactly(length))).load()
