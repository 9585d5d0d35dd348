"""Memory goes back: a large run is let go of as soon as it is stored, and malloc is asked to return what is free."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from playground.engine import live as live_module
from playground.engine import memory
from playground.engine.live import LiveRuns
from playground.engine.live_run import RunMetadata
from playground.engine.run_spec import RunSpec
from playground.engine.upstream import Outgoing
from tests.engine.scripted_transport import Scripted

OUTGOING = Outgoing("POST", "http://upstream.test/v1/messages", ())


async def ended_run(live: LiveRuns, size: int) -> Any:
    upstream = Scripted(b":" + b"x" * size, None)
    run = live.start(RunSpec(outgoing=OUTGOING, client=upstream.client(), owner="user:1", about=RunMetadata()))
    await run.ended()
    await asyncio.sleep(0)
    return run


async def test_a_large_run_goes_when_it_is_stored_and_a_small_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "LARGE_KEEP_S", 0.02)
    live = LiveRuns()
    large, small = await ended_run(live, live_module.LARGE_BYTES), await ended_run(live, 1_000)
    small.is_stored = True
    await asyncio.sleep(0.1)
    assert live.find(large.id, "user:1") is large
    large.is_stored = True
    await asyncio.sleep(0.1)
    assert live.find(large.id, "user:1") is None
    assert live.find(small.id, "user:1") is small


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_malloc_can_be_told() -> None:
    assert memory.settle_malloc()
    assert memory.trim() in {True, False}


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    assert not memory.settle_malloc()
    assert not memory.trim()
