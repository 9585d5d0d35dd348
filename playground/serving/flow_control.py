"""Waiting for slow sockets.

Daphne's `send` returns at once, whether the socket takes the bytes or not; all that a stalled browser does not read
would pile up in memory. Twisted tells a registered producer when a socket's buffer is full (64 KiB) and when it has
room again; here `send` waits in between.
"""

from __future__ import annotations

import asyncio

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from playground.exceptions import PlaygroundError


class Stalled(PlaygroundError, ConnectionError):
    """The other side has not read for so long that its connection is cut."""


@implementer(IPushProducer)
class FlowControl:
    """The producer of one socket."""

    def __init__(self) -> None:
        self.is_paused = False
        self._room: asyncio.Future[None] | None = None

    async def wait(self, most_s: float) -> None:
        """Wait until the socket has room again. Raises Stalled after `most_s`."""
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(most_s):
                await asyncio.shield(self._room)
        except TimeoutError:
            raise Stalled from None

    # Twisted's names

    def pauseProducing(self) -> None:  # noqa: N802
        self.is_paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        self.is_paused = False
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def stopProducing(self) -> None:  # noqa: N802
        self.resumeProducing()
