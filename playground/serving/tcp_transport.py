"""A TCP connection that sends at once.

Twisted puts bytes into a buffer, asks the event loop to be told when the socket can be written (which for a stream's
small pieces it always can), writes in the loop's next turn, and takes the request back: two system calls and a turn of
the loop for each piece. Here what one message of the application wrote leaves together when the message is done; only
what the socket does not take waits in Twisted's way.
"""

from __future__ import annotations

from twisted.internet import tcp


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
