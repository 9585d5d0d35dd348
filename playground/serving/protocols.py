"""Daphne's HTTP request and websocket, with limits on what comes in and patience on the way out."""

from __future__ import annotations

from playground.serving.loop import reactor  # isort: skip # it installs the reactor, so it comes first

import json
from io import BytesIO
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings

from playground.protocol.errors import error_body, type_of_status
from playground.serving import bodies
from playground.serving.flow import Flow
from playground.serving.transport import Connection

MOST_FRAME_BYTES = 64 * 1024  # that a browser may send; what it has to say is short
_LINGER_S = 2.0  # a refused sender gets to read the answer before the connection goes
_REASONS = {413: "Content Too Large", 503: "Service Unavailable"}


class Request(WebRequest):
    """One HTTP request. Too large a body is answered as soon as that is known and never kept."""

    # Twisted would parse forms a second time, in memory, before the application sees them.
    _parsePOSTFormSubmission = False  # noqa: N815

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow = Flow()
        self._received = 0
        self._most = 0
        self._is_refused = False
        self._has_place = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """The head has been read; the body has not."""
        # A path with stray bytes is refused later; here it is only looked up.
        self._path = self.channel._path.partition(b"?")[0].decode("latin-1")
        self._most = settings.MAX_BODY_BYTES if not length or length <= settings.MAX_BODY_BYTES else self._most_bytes()
        if length is not None and length > self._most:
            self._refuse(413)
        elif length is not None and length > settings.MAX_BODY_BYTES:
            self._take_place()
        if self._is_refused:
            self.content = BytesIO()
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self._is_refused:
            return
        self._received += len(data)
        if self._received > settings.MAX_BODY_BYTES and not self._has_place:  # without a declared length
            self._most = self._most_bytes()
            if self._received <= self._most:
                self._take_place()
        if self._received > self._most:
            self._refuse(413)
        if not self._is_refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        if not self._is_refused:
            super().requestReceived(command, path, version)

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._give_place_back()
            if self.channel is not None and not self.finished and self.producer is None:
                self.registerProducer(self.flow, True)
        super().handle_reply(message)

    def finish(self) -> None:
        if self.producer is not None:
            self.unregisterProducer()
        self._give_place_back()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.flow.stopProducing()
        self._give_place_back()
        super().connectionLost(reason)

    @property
    def connection(self) -> Connection | None:
        return _connection(self.channel.transport if self.channel is not None else None)

    def cut(self) -> None:
        """End the connection without waiting for anything."""
        if self.channel is not None:
            self.channel.abortConnection()

    def _most_bytes(self) -> int:
        return bodies.most_bytes(self._path)

    def _take_place(self) -> None:
        self._has_place = self.server.places.take()
        if not self._has_place:
            self._refuse(503)

    def _give_place_back(self) -> None:
        if self._has_place:
            self._has_place = False
            self.server.places.give_back()

    def _refuse(self, status: int) -> None:
        """Answer now. What is still on its way is read and dropped: closing at once would lose the answer too."""
        self._is_refused = True
        self._give_place_back()
        self.requestHeaders.removeHeader(b"expect")  # or Twisted would ask for the body now
        if self.content is not None:
            self.content.close()
        if status == 413:
            text = f"The request is larger than {self._most:,} bytes, the most that is taken here."
        else:
            text = "Too many large requests at once. Try again in a moment."
        body, content_type = text.encode() + b"\n", "text/plain; charset=utf-8"
        if self._path.startswith(bodies.RELAY_PREFIX):
            body, content_type = json.dumps(error_body(type_of_status(status), text)).encode(), "application/json"
        head = [f"HTTP/1.1 {status} {_REASONS[status]}", f"Content-Type: {content_type}", "Connection: close"]
        head += [f"Content-Length: {len(body)}", *(["Retry-After: 5"] if status == 503 else [])]
        self.channel.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        self.channel.persistent = False
        channel = self.channel
        reactor.callLater(_LINGER_S, lambda: channel.transport and channel.loseConnection())


class Socket(WebSocketProtocol):
    """One websocket."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = Flow()

    def onOpen(self) -> None:  # noqa: N802
        # The HTTP channel that this connection began as would stay the one that is told of a full buffer.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.flow, True)
        super().onOpen()

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802
        """Autobahn's own limit counts in both directions, and what we send may be larger."""
        super().onMessageFrameBegin(length)
        if self.message_data_total_length > MOST_FRAME_BYTES and not self.failedByMe:
            self.wasMaxMessagePayloadSizeExceeded = True
            self._max_message_size_exceeded(self.message_data_total_length, MOST_FRAME_BYTES, "message is too large")

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802, N803
        self.flow.stopProducing()
        super().onClose(wasClean, code, reason)

    @property
    def connection(self) -> Connection | None:
        return _connection(self.transport)

    def cut(self) -> None:
        self.transport.abortConnection()


def _connection(transport: Any) -> Connection | None:
    return transport if isinstance(transport, Connection) else None


class HttpFactory(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class SocketFactory(WebSocketFactory):
    protocol = Socket
