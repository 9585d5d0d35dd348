"""A TCP connection that sends at once.

Twisted puts bytes into a buffer, asks the event loop to be told when the socket can be written (which for a stream's
small pieces it always can), writes in the loop's next turn, and takes the request back: two system calls and a turn of
the loop for each piece. Here what the application wrote in one turn of the loop leaves at the end of that turn, of all
connections one after the other: readers that are woken by the first of many are awake for the others. Only what a
socket does not take waits in Twisted's way.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from twisted.internet import tcp

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger(__name__)


class Connection(tcp.Server):
    """Used between `hold` and `release`; outside of them it is Twisted's own."""

    _is_held = False

    def hold(self) -> None:
        self._is_held = True

    def release(self) -> None:
        """Send what has been written since `hold`."""
        self._is_held = False
        if not self.connected or not (self._tempDataLen or self.dataBuffer or self.disconnecting):
            return
        if self.disconnecting or self._writeDisconnecting or self._writeDisconnected:
            self.startWriting()  # there is a connection to end as well, which the reactor does
        elif self.dataBuffer:
            self.startWriting()  # an earlier piece still waits for room; this one stands behind it
        elif self.doWrite() is not None or self.dataBuffer or self._tempDataLen:
            self.startWriting()  # not all was taken; or an error, which the reactor meets again and handles

    def startWriting(self) -> None:  # noqa: N802
        if not self._is_held:
            super().startWriting()


class Writes:
    """Holds the connections that are written to, until the loop's turn ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._held: dict[Connection, None] = {}

    def hold(self, connection: Connection) -> None:
        if connection in self._held:
            return
        if not self._held:
            self._loop.call_soon(self._release)
        self._held[connection] = None
        connection.hold()

    def _release(self) -> None:
        held, self._held = self._held, {}
        for connection in held:
            try:
                connection.release()
            except Exception:  # it is that connection's fault; the others still wait for their turn
                logger.exception("a connection could not be written to")
                connection.abortConnection()
