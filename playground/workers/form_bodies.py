"""Large forms in a worker, read as they come: Django's own reading holds a form nine times at once."""

from __future__ import annotations

import io
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 64 * 1024


class Pieces(io.RawIOBase):
    """A file to read once: what has been read is let go."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: deque[memoryview] = deque()

    def append(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(memoryview(piece))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._pieces:
            return 0
        piece = self._pieces.popleft()
        size = min(len(piece), len(buffer))
        buffer[:size] = piece[:size]
        if size < len(piece):
            self._pieces.appendleft(piece[size:])
        return size


class _Request(ASGIRequest):
    def _load_post_and_files(self) -> None:
        is_form = self.method == "POST" and self.content_type == "application/x-www-form-urlencoded"
        if is_form and not self.__dict__["_read_started"] and (self.encoding or "utf-8").lower() == "utf-8":
            self._post = _read_form(self)
            self._files: MultiValueDict[str, Any] = MultiValueDict()
        else:
            super()._load_post_and_files()


class WorkerHandler(ASGIHandler):
    """Django's handler, with bodies that are held once. It has the whole body at hand: there is no client to wait
    for."""

    request_class = _Request

    async def read_body(self, receive: Any) -> Any:
        body = Pieces()
        while True:
            message = await receive()
            body.append(message.get("body", b""))
            if not message.get("more_body", False):
                return io.BufferedReader(body)


def _read_form(request: Any) -> QueryDict:
    """Return what `QueryDict` makes of the same body in UTF-8. Raises TooManyFieldsSent."""
    request._check_data_too_big(int(request.META.get("CONTENT_LENGTH") or 0))
    form = QueryDict(mutable=True, encoding="utf-8")
    for number, (name, value) in enumerate(_pairs(_chunks(request))):
        if number >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
            raise TooManyFieldsSent(
                "The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS."
            )
        form.appendlist(name, value)
    form._mutable = False
    return form


def _chunks(request: Any) -> Iterator[bytes]:
    """The body in pieces that do not cut an escape in two."""
    held = b""
    while piece := request.read(_PIECE):
        piece = held + piece
        cut = piece.rfind(b"%", max(0, len(piece) - 2))
        held = piece[cut:] if cut >= 0 else b""
        yield piece[: len(piece) - len(held)]
    yield held


def _pairs(chunks: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    name: list[bytes] = []
    value: list[bytes] | None = None  # None: the name has not ended yet
    for chunk in chunks:
        for place, part in enumerate(chunk.split(b"&")):
            if place:  # an ampersand before it
                if name or value is not None:
                    yield _text(name), _text(value or [])
                name, value = [], None
            if value is None:
                before, equals, part = part.partition(b"=")
                name += [_plain(before)] if before else []
                if not equals:
                    continue
                value = []
            value.append(_plain(part))
    if name or value is not None:
        yield _text(name), _text(value or [])


def _plain(part: bytes) -> bytes:
    return unquote_to_bytes(part.replace(b"+", b" "))


def _text(parts: list[bytes]) -> str:
    joined = b"".join(parts)
    parts.clear()
    return joined.decode("utf-8", "replace")
