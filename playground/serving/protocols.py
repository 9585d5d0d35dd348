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
from playground.serving.bodies import Place
from playground.serving.flow import Flow
from playground.serving.transport import Connection
from playground.visitors import counted_address

MOST_FRAME_BYTES = 64 * 1024  # that a browser may send; what it has to say is short
_PACE_EVERY_S = 1.0  # so often a slow body is looked at again
_LINGER_S = 2.0  # a refused sender gets to read the answer before the connection goes
_REASONS = {
    408: "Request Timeout",
    413: "Content Too Large",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
_TEXTS = {
    408: "The request came in too slowly to be waited for.",
    429: "Too many large requests at once from this address. Try again in a moment.",
    503: "Too many large requests at once. Try again in a moment.",
}


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
        self._place: Place | None = None
        self._began_at = 0.0
        self._pace_check: Any = None

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
            if length != 0:
                self._began_at = reactor.seconds()
                self._pace_check = reactor.callLater(bodies.GRACE_S, self._check_pace)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self._is_refused:
            return
        self._received += len(data)
        if self._received > settings.MAX_BODY_BYTES and self._place is None:  # without a declared length
            self._most = self._most_bytes()
            if self._received <= self._most:
                self._take_place()
        if self._received > self._most:
            self._refuse(413)
        if not self._is_refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        self._stop_checking_pace()
        if self._is_refused:
            return
        if self._place is not None:
            self._place.arrived()
        super().requestReceived(command, path, version)
        if self._path.startswith(bodies.RELAY_PREFIX):
            self._give_place_back()  # the relay has it; the answer may take minutes, and its runs are counted there

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._give_place_back()
            if self.channel is not None and not self.finished and self.producer is None:
                self.registerProducer(self.flow, True)
        super().handle_reply(message)

    def handle_exception(self, exception: BaseException) -> None:
        """The application has failed. What has begun is cut: it must not look whole, and no other answer can follow."""
        if self._response_started:
            self.cut()
        else:
            super().handle_exception(exception)

    def finish(self) -> None:
        if self.producer is not None:
            self.unregisterProducer()
        self._give_place_back()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.flow.stopProducing()
        self._stop_checking_pace()
        self._give_place_back()
        super().connectionLost(reason)

    @property
    def connection(self) -> Connection | None:
        return _connection(self.channel.transport if self.channel is not None else None)

    def cut(self) -> None:
        """End the connection without waiting for anything."""
        if self.channel is not None:
            self.channel.transport.abortConnection()

    def _most_bytes(self) -> int:
        return bodies.most_bytes(self._path)

    def _take_place(self) -> None:
        taken = self.server.places.take(self._address())
        if isinstance(taken, Place):
            self._place = taken
        else:
            self._refuse(taken)

    def _address(self) -> str:
        """Whom the place counts for: as for all limits, with what the operator's own proxies say."""
        headers = self.requestHeaders.getAllRawHeaders()
        pairs = [(name.lower(), value) for name, values in headers for value in values]
        return counted_address({"client": [getattr(self.channel.getPeer(), "host", "")], "headers": pairs})

    def _give_place_back(self) -> None:
        if self._place is not None:
            self._place.give_back()

    def _check_pace(self) -> None:
        self._pace_check = None
        if self._received < bodies.LEAST_BYTES_PER_S * (reactor.seconds() - self._began_at):
            self._refuse(408)
        else:
            self._pace_check = reactor.callLater(_PACE_EVERY_S, self._check_pace)

    def _stop_checking_pace(self) -> None:
        if self._pace_check is not None:
            self._pace_check.cancel()
            self._pace_check = None

    def _refuse(self, status: int) -> None:
        """Answer now. What is still on its way is read and dropped: closing at once would lose the answer too."""
        self._is_refused = True
        self._stop_checking_pace()
        self._give_place_back()
        self.requestHeaders.removeHeader(b"expect")  # or Twisted would ask for the body now
        if self.content is not None:
            self.content.close()
        if status == 413:
            text = f"The request is larger than {self._most:,} bytes, the most that is taken here."
        else:
            text = _TEXTS[status]
        body, content_type = text.encode() + b"\n", "text/plain; charset=utf-8"
        if self._path.startswith(bodies.RELAY_PREFIX):
            body, content_type = json.dumps(error_body(type_of_status(status), text)).encode(), "application/json"
        head = [f"HTTP/1.1 {status} {_REASONS[status]}", f"Content-Type: {content_type}", "Connection: close"]
        head += [f"Content-Length: {len(body)}", *(["Retry-After: 5"] if status in {429, 503} else [])]
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
