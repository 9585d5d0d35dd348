"""Interim answers (1xx) are counted: aiohttp reads on after each, for as long as an upstream sends them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from aiohttp.http_parser import RawResponseMessage

MOST_INTERIM: Final = 32  # one Continue, some Early Hints, a Processing every now and then
_SWITCHING_PROTOCOLS: Final = 101


class BoundedResponseHandler(ResponseHandler):
    """A connection that is given up after too many interim answers in a row, or one that changes the protocol.

    Here and not where answers are read: one packet can hold a thousand, all of which would be parsed and queued first.
    """

    _interim = 0
    _is_refused = False

    def feed_data(self, data: Any, size: int = 0) -> None:
        message: RawResponseMessage = data[0]
        if self._is_refused:
            return
        self._interim = self._interim + 1 if 100 <= message.code < 200 else 0
        if message.code == _SWITCHING_PROTOCOLS or self._interim > MOST_INTERIM:
            self._is_refused = True
            if self.transport is not None:
                self.transport.close()
            self.set_exception(HttpProcessingError(code=message.code, message="too many interim answers"))
            return
        super().feed_data(data, size)


class BoundedConnector(aiohttp.TCPConnector):
    """A connector whose connections count interim answers. aiohttp has no public way to say so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(BoundedResponseHandler, loop=self._loop)  # type: ignore[assignment]
