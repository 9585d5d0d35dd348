"""An upstream for browser tests: it answers every request with the bytes a test has put there."""

from __future__ import annotations

import threading

from tests.support.upstream import Handler, Upstream


class Loopback(Upstream):
    """`body` is sent as it is, with `status` and `content_type`, to whoever posts; then nothing for `silence_s`."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.content_type = "text/event-stream"
        self.headers: dict[str, str] = {}
        self.silence_s = 0.0
        self.stopping = threading.Event()
        super().__init__(self.say, key=None)

    def say(self, handler: Handler) -> None:
        handler.send_response(self.status)
        for name, value in {"content-type": self.content_type, "connection": "close", **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.close_connection = True
        handler.wfile.write(self.body)
        handler.wfile.flush()
        self.stopping.wait(self.silence_s)

    def close(self) -> None:
        self.stopping.set()
        super().close()
