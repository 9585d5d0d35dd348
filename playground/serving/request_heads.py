"""The head of a request: what is too long or no HTTP is answered in words before the connection ends.

Twisted ends such connections with an empty answer or none at all. Its limits stay: 16 KiB for a line and for the whole
head, 500 headers.
"""

from __future__ import annotations

from playground.serving.event_loop import reactor  # isort: skip # it installs the reactor, so it comes first

import json
from html import escape
from http import HTTPStatus
from typing import Any

from twisted.web.http import HTTPChannel

from playground.protocol.errors import error_body, type_of_status
from playground.relay.endpoint_paths import is_relays
from playground.serving.public_path import local_path

LINGER_S = 2.0  # a refused sender gets to read the answer before the connection goes
MOST_HEAD_BYTES = HTTPChannel.totalHeadersSize
_TEXTS = {
    400: "This is not a request that can be read.",
    414: f"The address is too long: a request's first line has at most {MOST_HEAD_BYTES:,} bytes.",
    431: f"The headers are too long: {MOST_HEAD_BYTES:,} bytes together, and 500 headers, are the most.",
}
# Beside those that Python's standard library knows.
_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    418: "I'm a Teapot",
    422: "Unprocessable Content",
    498: "Invalid Token",
    499: "Client Closed Request",
    509: "Bandwidth Limit Exceeded",
    520: "Web Server Returned an Unknown Error",
    521: "Web Server Is Down",
    522: "Connection Timed Out",
    523: "Origin Is Unreachable",
    524: "A Timeout Occurred",
    525: "SSL Handshake Failed",
    526: "Invalid SSL Certificate",
    529: "Overloaded",
    530: "Site Frozen",
}
_CLASSES = {1: "Informational", 2: "Success", 3: "Redirection", 4: "Client Error", 5: "Server Error"}


def reason_phrase(status: int) -> str:
    """Return the words behind the number in a status line."""
    if status in _PHRASES:
        return _PHRASES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return _CLASSES.get(status // 100, "Unknown")


def plain_answer(path: str, status: int, text: str, method: bytes = b"") -> bytes:
    """A whole answer, after which the connection ends: in the API's shape to its clients, else a page."""
    if is_relays(local_path(path)):
        body, content_type = json.dumps(error_body(type_of_status(status), text)).encode(), "application/json"
    else:
        title = f"{status} {reason_phrase(status)}"
        page = f'<!doctype html><html lang="en"><title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(text)}'
        body, content_type = page.encode() + b"\n", "text/html; charset=utf-8"
    head = [
        f"HTTP/1.1 {status} {reason_phrase(status)}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Content-Security-Policy: default-src 'none'",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "Connection: close",
        *(["Retry-After: 5"] if status in {429, 503} else []),
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + (b"" if method == b"HEAD" else body)


class Channel(HTTPChannel):
    """One connection's requests."""

    is_kept_open = True  # after an answer; of all together
    _is_refusing = False
    _has_answered = False
    _path: Any
    _command: Any
    transport: Any

    @property
    def is_idle(self) -> bool:
        """Between two requests: one has been answered, and nothing of the next has come."""
        return self._has_answered and not self.requests

    def requestDone(self, request: Any) -> None:  # noqa: N802
        self._has_answered = True
        super().requestDone(request)

    def checkPersistence(self, request: Any, version: bytes) -> bool:  # noqa: N802
        return bool(super().checkPersistence(request, version)) and self.is_kept_open

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if not self._is_refusing:  # what a refused sender goes on to send is dropped
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        if self._is_refusing:
            return
        if self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            self._receivedHeaderSize += len(line)
            self.lineLengthExceeded(line)
        else:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        is_first_line = bool(getattr(self, "_HTTPChannel__first_line"))  # noqa: B009 - Twisted's own, under its mangled name
        if is_first_line:
            self._command, self._path = [*line.split(b" ", 2), b"", b""][:2]
        self._refuse(414 if is_first_line else 431)

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        self._refuse(431 if self._receivedHeaderCount > self.maxHeaders else 400)

    def _refuse(self, status: int) -> None:
        if self._is_refusing or self.transport is None:
            return
        self._is_refusing = True
        path: Any = getattr(self, "_path", None) or b""
        method: Any = getattr(self, "_command", None) or b""
        self.setTimeout(None)
        address = path.partition(b"?")[0].decode("latin-1")
        self.transport.write(plain_answer(address, status, _TEXTS[status], method))
        reactor.callLater(LINGER_S, lambda: self.transport and self.loseConnection())
