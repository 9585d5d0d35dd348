"""Daphne's HTTP request and websocket, with limits on what comes in and patience on the way out."""

from __future__ import annotations

from playground.serving.event_loop import reactor  # isort: skip # it installs the reactor, so it comes first

import json
import time
from io import BytesIO
from typing import Any
from weakref import WeakSet

import autobahn.websocket.protocol
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings

from playground.identity.visitors import counted_address
from playground.protocol.errors import error_body, type_of_status
from playground.relay.endpoint_paths import is_relays
from playground.serving import body_limits, metrics_endpoint
from playground.serving.body_limits import BodySlot
from playground.serving.early_answers import early_answer
from playground.serving.flow_control import FlowControl
from playground.serving.public_path import local_path
from playground.serving.request_heads import LINGER_S, Channel, plain_answer, reason_phrase
from playground.serving.tcp_transport import Connection

# With each socket Autobahn pretty-prints its forty options for a debug message: an eighth of what opening it costs.
autobahn.websocket.protocol.pformat = repr  # type: ignore[attr-defined, assignment]
MOST_FRAME_BYTES = 64 * 1024  # that a browser may send; what it has to say is short
_PACE_EVERY_S = 1.0  # so often a slow body is looked at again
_TEXTS = {
    408: "The request came in too slowly to be waited for.",
    429: "Too many large requests at once from this address. Try again in a moment.",
    503: "Too many large requests at once. Try again in a moment.",
}


class Request(WebRequest):
    """One HTTP request. Too large a body is answered as soon as that is known and never kept."""

    _path = ""  # inside the site, once the head has been read

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Twisted would parse forms a second time, on the event loop and in memory: 25 MB stop every stream for seconds.
        self._parsePOSTFormSubmission = False
        self.flow = FlowControl()
        self._received = 0
        self._most = 0
        self._is_refused = False
        self._slot: BodySlot | None = None
        self._began_at = 0.0
        self._pace_check: Any = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """The head has been read; the body has not."""
        # A path with stray bytes is refused later; here it is only looked up.
        self._path = local_path(self.channel._path.partition(b"?")[0].decode("latin-1"))
        self._most = settings.MAX_BODY_BYTES if not length or length <= settings.MAX_BODY_BYTES else self._most_bytes()
        if length is not None and length > self._most:
            self._refuse(413)
        elif length is not None and length > settings.MAX_BODY_BYTES:
            self._take_slot()
        if self._is_refused:
            self.content = BytesIO()
        else:
            super().gotLength(length)
            if length != 0:
                self._began_at = reactor.seconds()
                self._pace_check = reactor.callLater(body_limits.GRACE_S, self._check_pace)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self._is_refused:
            return
        self._received += len(data)
        if self._received > settings.MAX_BODY_BYTES and self._slot is None:  # without a declared length
            self._most = self._most_bytes()
            if self._received <= self._most:
                self._take_slot()
        if self._received > self._most:
            self._refuse(413)
        if not self._is_refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        self._stop_checking_pace()
        if self._is_refused:
            return
        if self._slot is not None:
            self._slot.arrived()
        super().requestReceived(command, path, version)
        if self._path.startswith(body_limits.RELAY_PREFIX):
            self._give_slot_back()  # the relay has it; the answer may take minutes, and its runs are counted there

    def process(self) -> None:
        """The whole request is there: answer at once what needs no application, else have one made."""
        headers = self.requestHeaders
        scope = {"method": self.method.decode("latin-1"), "path": self._path, "headers": []}
        if not headers.hasHeader(b"upgrade"):
            scope["headers"] = [(name.lower(), values[0]) for name, values in headers.getAllRawHeaders()]
            answer = early_answer(scope)
            if answer is not None:
                self.request_start = time.time()  # Daphne's log wants it
                for message in answer:
                    self.handle_reply(message)
                return
        super().process()

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:  # noqa: N802
        """Twisted knows the phrases of the oldest statuses only."""
        super().setResponseCode(code, message or reason_phrase(code).encode("latin-1"))

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """An error of the server's own, before any application."""
        if is_relays(self._path):
            data, content_type = json.dumps(error_body(type_of_status(status), body)).encode(), b"application/json"
            start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type)]}
            self.handle_reply(start)
            self.handle_reply({"type": "http.response.body", "body": data})
        else:
            super().basic_error(status, status_text, body)

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._give_slot_back()
            if self.channel is not None and not self.finished and self.producer is None:
                self.registerProducer(self.flow, True)
        elif self.method == b"HEAD":
            # Twisted drops the first piece of a body only, as Daphne calls it: the others would stand on the wire
            # where the next answer begins.
            message = {**message, "body": b""}
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
        self._give_slot_back()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.flow.stopProducing()
        self._stop_checking_pace()
        self._give_slot_back()
        super().connectionLost(reason)

    @property
    def connection(self) -> Connection | None:
        return _connection(self.channel.transport if self.channel is not None else None)

    def cut(self) -> None:
        """End the connection without waiting for anything."""
        if self.channel is not None:
            self.channel.transport.abortConnection()

    def _most_bytes(self) -> int:
        return body_limits.most_bytes(self._path)

    def _take_slot(self) -> None:
        taken = self.server.body_slots.take(self._address())
        if isinstance(taken, BodySlot):
            self._slot = taken
        else:
            self._refuse(taken)

    def _address(self) -> str:
        """Return whom the slot counts for: as for all limits, with what the operator's own proxies say."""
        headers = self.requestHeaders.getAllRawHeaders()
        pairs = [(name.lower(), value) for name, values in headers for value in values]
        return counted_address({"client": [getattr(self.channel.getPeer(), "host", "")], "headers": pairs})

    def _give_slot_back(self) -> None:
        if self._slot is not None:
            self._slot.give_back()

    def _check_pace(self) -> None:
        self._pace_check = None
        if self._received < body_limits.LEAST_BYTES_PER_S * (reactor.seconds() - self._began_at):
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
        self._give_slot_back()
        self.requestHeaders.removeHeader(b"expect")  # or Twisted would ask for the body now
        if self.content is not None:
            self.content.close()
        if status == 413:
            text = f"The request is larger than {self._most:,} bytes, the most that is taken here."
        else:
            text = _TEXTS[status]
        self.channel.write(plain_answer(self._path, status, text))
        self.channel.persistent = False
        channel = self.channel
        reactor.callLater(LINGER_S, lambda: channel.transport and channel.loseConnection())


class Socket(WebSocketProtocol):
    """One websocket."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = FlowControl()
        self._is_counted = False

    def onOpen(self) -> None:  # noqa: N802
        # The HTTP channel that this connection began as would stay the one that is told of a full buffer.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.flow, True)
        metrics_endpoint.server.sockets += 1
        self._is_counted = True
        super().onOpen()

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """Autobahn colours three words of a debug message with each frame: a tenth of what a frame costs."""
        if sync or chopsize or self.send_queue:
            super().sendData(data, sync, chopsize)
        else:
            self.transport.write(data)

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802
        """Autobahn's own limit counts in both directions, and what we send may be larger."""
        super().onMessageFrameBegin(length)
        if self.message_data_total_length > MOST_FRAME_BYTES and not self.failedByMe:
            self.wasMaxMessagePayloadSizeExceeded = True
            self._max_message_size_exceeded(self.message_data_total_length, MOST_FRAME_BYTES, "message is too large")

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802, N803
        self.flow.stopProducing()
        if self._is_counted:
            self._is_counted = False
            metrics_endpoint.server.sockets -= 1
        super().onClose(wasClean, code, reason)

    @property
    def connection(self) -> Connection | None:
        return _connection(self.transport)

    def cut(self) -> None:
        self.transport.abortConnection()


def _connection(transport: Any) -> Connection | None:
    return transport if isinstance(transport, Connection) else None


class HttpFactory(HTTPFactory):
    protocol = Channel  # Twisted's own choice could speak HTTP/2 over TLS, which ends at the proxy

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._open: WeakSet[Any] = WeakSet()

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        self._open.add(protocol)
        return protocol

    def take_leave(self) -> None:
        """End each connection with its answer from now on, and at once those that wait for a next request: their
        clients make another one, which leads to a process that goes on."""
        Channel.is_kept_open = False
        for channel in list(self._open):
            if channel.transport is not None and channel.is_idle:
                channel.loseConnection()


class SocketFactory(WebSocketFactory):
    protocol = Socket
