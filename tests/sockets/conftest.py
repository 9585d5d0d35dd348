"""A visitor's run, and sockets that follow it."""

from __future__ import annotations

from typing import Any

import pytest

from playground.engine.live_run import LiveRun
from tests.sockets.run_socket import Socket, put_live
from tests.support.runs import live_run


@pytest.fixture
def visitors_run() -> LiveRun:
    return live_run(None)


@pytest.fixture
async def open_socket(visitors_run: LiveRun) -> Any:
    """Open sockets of the visitor who owns the run; all are left at the end."""
    opened: list[Socket] = []

    async def open_one(query: str = "", run: LiveRun | None = None) -> Socket:
        put_live(run or visitors_run)
        socket = Socket(run or visitors_run, visitor="somebody", query=query)
        opened.append(socket)
        assert await socket.open()
        return socket

    yield open_one
    for socket in opened:
        await socket.leave()
