"""What is written in one turn of the event loop leaves when the turn ends, whatever becomes of one connection."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from playground.serving.tcp_transport import Connection, Writes


class Written:
    """A connection that notes what is done with it."""

    def __init__(self, done: list[str], name: str, *, is_broken: bool = False) -> None:
        self.done, self.name, self.is_broken = done, name, is_broken

    def hold(self) -> None:
        self.done.append(f"hold {self.name}")

    def release(self) -> None:
        if self.is_broken:
            raise OSError("gone")
        self.done.append(f"release {self.name}")

    def abortConnection(self) -> None:  # noqa: N802
        self.done.append(f"abort {self.name}")


def writes_and_done() -> tuple[Writes, list[str]]:
    return Writes(asyncio.get_running_loop()), []


def connection(done: list[str], name: str, **more: Any) -> Connection:
    return cast("Connection", Written(done, name, **more))


async def test_all_that_was_written_in_one_turn_leaves_at_its_end() -> None:
    writes, done = writes_and_done()
    first, second = connection(done, "first"), connection(done, "second")
    for each in (first, second, first):
        writes.hold(each)
    assert done == ["hold first", "hold second"]
    await asyncio.sleep(0)
    assert done[2:] == ["release first", "release second"]
    writes.hold(first)
    await asyncio.sleep(0)
    assert done[4:] == ["hold first", "release first"]


async def test_a_connection_that_fails_is_cut_and_the_others_are_sent(caplog: pytest.LogCaptureFixture) -> None:
    writes, done = writes_and_done()
    writes.hold(connection(done, "broken", is_broken=True))
    writes.hold(connection(done, "whole"))
    await asyncio.sleep(0)
    assert done[2:] == ["abort broken", "release whole"]
    assert "could not be written to" in caplog.text
