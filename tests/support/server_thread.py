"""The playground's server in a thread of the test process, so that settings and monkeypatches reach it."""

from __future__ import annotations

import threading
from typing import Any

from playground.dispatch import process
from playground.workers.pool import workers

RECORDED_EVERY_S = 0.03  # many tests wait until what was told is stored


class ServerThread:
    """Serve on a free port of the loopback address until the session ends."""

    def __init__(self) -> None:
        self.url = ""
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._serve, name="server", daemon=True)
        self.thread.start()
        if not self.ready.wait(30):
            raise RuntimeError("the server did not start within 30 s")
        self.server.call(self._record_often)

    def _serve(self) -> None:
        # Only here: importing the server makes its event loop, which most tests do without.
        from playground.asgi import application
        from playground.serving.server import Server

        self.server: Any = Server(
            application, host="127.0.0.1", port=0, handles_signals=False, on_ready=self._listening
        )
        self.server.run()

    def _listening(self, url: str) -> None:
        self.url = url
        self.ready.set()

    async def _record_often(self) -> None:
        process.current().recorder._every_s = RECORDED_EVERY_S

    def end_all_runs(self) -> None:
        """Stop every run, wait until all is stored, and forget them."""
        self.server.call(lambda: process.current().forget_runs())

    def stop(self) -> None:
        # The recorder has a database connection of its own; PostgreSQL drops no database that is still looked at.
        self.server.call(lambda: process.current().recorder.stop())
        self.server.call(self.server.stop)
        workers.stop()
        self.thread.join(10)
