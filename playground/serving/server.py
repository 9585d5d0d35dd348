"""The server: Daphne with body limits before the application, time limits for slow sockets, and an orderly stop."""

from __future__ import annotations

from playground.sockets.close_codes import SERVER_RESTARTS

from playground.serving.event_loop import event_loop, reactor  # isort: skip # it installs the reactor, so it comes first

import asyncio
import gc
import inspect
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server as DaphneServer
from django.conf import settings
from twisted.internet import defer
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.logger import globalLogBeginner

from playground.dispatch import process
from playground.serving.body_limits import BodySlots
from playground.serving.flow_control import Stalled
from playground.serving.protocols import HttpFactory, Socket, SocketFactory
from playground.serving.supervisor import BACKLOG
from playground.serving.tcp_transport import Connection, Writes
from playground.workers.pool import workers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

logger = logging.getLogger(__name__)

STALLED_S = 60.0  # a socket that takes nothing for so long is cut
_FRAME_BYTES = 1024 * 1024  # the most we send in one websocket message
_READ_BYTES = 1024 * 1024  # of a body, handed to the application at once
_COLLECTED_AT = (20_000, 20, 50)  # see gc.set_threshold
_LAST_WORDS_S = 2.0  # for answers and websockets to close by themselves once all runs have ended


class Server(DaphneServer):
    """One process, one event loop. `run` blocks until the server has stopped."""

    def __init__(
        self,
        application: Any,
        *,
        host: str,
        port: int,
        handles_signals: bool = True,
        on_ready: Callable[[str], None] | None = None,
        on_drain: Callable[[], None] | None = None,
        background: Iterable[Callable[[], Coroutine[Any, Any, None]]] = (),
        listening_on: int | None = None,
    ) -> None:
        """Port 0 takes a free one; `on_ready` is told the address, `on_drain` that the server takes nothing new any
        more. `background` are coroutine functions that run as long as the server does. `listening_on` is the descriptor
        of a socket that listens already."""
        endpoints = build_endpoint_description_strings(host=host, port=port)
        super().__init__(
            application,
            endpoints=[f"{endpoint}:backlog={BACKLOG}" for endpoint in endpoints],
            signal_handlers=False,
            request_buffer_size=_READ_BYTES,
            websocket_max_message_size=_FRAME_BYTES,
            websocket_max_frame_size=_FRAME_BYTES,
            server_name="",
        )
        self.loop = event_loop
        self.body_slots = BodySlots()
        self._writes = Writes(self.loop)
        self.failed_to_listen: str | None = None
        self._host = host
        self._listening_on = listening_on
        self._handles_signals = handles_signals
        self._on_ready = on_ready
        self._on_drain = on_drain
        self._background = background
        self._tasks: list[asyncio.Task[None]] = []
        self._ports: list[Any] = []
        self._stopping: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """An address that can be opened, which 0.0.0.0 and :: are not."""
        _, port = self.listening_addresses[0]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def run(self) -> None:
        self.connections: dict[Any, Any] = {}
        self.http_factory = HttpFactory(self)
        self.ws_factory = SocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            failByDrop=False,  # say why before closing
            openHandshakeTimeout=0,  # the request has arrived: only our own work on it is left, see handshakes.py
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
        )
        silent: Any = [lambda _event: None]
        globalLogBeginner.beginLoggingTo(silent, redirectStandardIO=False, discardBuffer=True)
        asyncio.set_event_loop(self.loop)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.callWhenRunning(self._listen)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        reactor.run(installSignalHandlers=False)

    def _listen(self) -> None:
        for endpoint in self._places_to_listen():
            listening = endpoint.listen(self.http_factory)
            listening.addCallbacks(self.listen_success, self.listen_error)

    def _places_to_listen(self) -> list[Any]:
        if self._listening_on is None:
            return [serverFromString(reactor, str(description)) for description in self.endpoints]
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        return [AdoptedStreamServerEndpoint(reactor, self._listening_on, family)]

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        port.transport = Connection
        self._ports.append(port)
        # In the running loop: until it runs, uvloop notes a signal and never looks at it again.
        self.loop.call_soon(self._begin)

    def _begin(self) -> None:
        if self._handles_signals:
            self._listen_to_signals()
        _spare_the_collector()
        self._tasks = [self.loop.create_task(make()) for make in self._background]
        if self._on_ready is not None:
            self._on_ready(self.url)

    def _listen_to_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self.loop.add_signal_handler(number, self._asked_to_stop, number)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda number, _: self.loop.call_soon_threadsafe(self._asked_to_stop, number))

    def listen_error(self, failure: Any) -> None:
        self.failed_to_listen = failure.getErrorMessage()
        self.stop()

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """The application's `send`: returns when the socket has taken the message, not before."""
        if message["type"] == process.CUT:
            protocol.cut()
            return
        connection = protocol.connection
        if connection is not None:
            self._writes.hold(connection)
        await super().handle_reply(protocol, message)  # which itself waits for nothing
        if protocol.flow.is_paused:
            try:
                await protocol.flow.wait(STALLED_S)
            except Stalled:
                protocol.cut()

    def call(self, function: Callable[[], Any]) -> Any:
        """Call a function, or await what it returns, in the server's loop. For other threads."""

        async def there() -> Any:
            result = function()
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(30)

    def _asked_to_stop(self, number: int) -> None:
        if self._stopping is not None:  # asked twice: now, then
            self.stop()
            return
        if number == signal.SIGINT and (running := len(process.current().live.running)):
            print(f"\nWaiting for {running} running requests. Ctrl-C again stops at once.", flush=True)
        self._stopping = self.loop.create_task(self._stop_in_order())

    async def _stop_in_order(self) -> None:
        """No new connections, let runs finish, store what they told, tell the browsers to come back, go."""
        try:
            if self._on_drain is not None:
                await asyncio.to_thread(self._on_drain)
            for port in self._ports:
                await defer.maybeDeferred(port.stopListening).asFuture(self.loop)
            self.http_factory.take_leave()
            here = process.current()
            await here.live.drain(settings.DRAIN_S)
            await here.recorder.stop()
            await self._let_connections_end()
            await here.close()
            workers.stop()
            for task in self._tasks:
                task.cancel()
        except Exception:
            logger.exception("stopping in order failed")
        self.stop()

    async def _let_connections_end(self) -> None:
        for protocol in list(self.connections):
            if isinstance(protocol, Socket) and protocol.state == Socket.STATE_OPEN:
                protocol.serverClose(code=SERVER_RESTARTS)
        for _ in range(int(_LAST_WORDS_S / 0.05)):
            if all("disconnected" in details for details in self.connections.values()):
                return
            await asyncio.sleep(0.05)

    def kill_all_applications(self) -> Any:
        """Cancel what still serves somebody. A connection that has sent no request yet has no application."""
        instances = [details.get("application_instance") for details in self.connections.values()]
        ending = [instance for instance in instances if instance is not None and not instance.done()]
        for instance in ending:
            instance.cancel()
        if not ending:
            return None
        return defer.Deferred.fromFuture(asyncio.gather(*ending, return_exceptions=True)).addErrback(lambda _: None)


def _spare_the_collector() -> None:
    """Streams make many objects, nearly none of them in cycles. Python's collector would look through all that live,
    Django's own included, again and again: a third of the CPU, in pauses of up to 0.1 s for everybody."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AT)
