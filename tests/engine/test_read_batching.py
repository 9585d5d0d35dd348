"""Reads are spaced when there are very many of them or the event loop is late, and only then."""

from __future__ import annotations

import asyncio
from typing import Any

from playground.engine.read_batching import (
    LONGEST_FOR_CLIENTS_S,
    LONGEST_FOR_PAGES_S,
    LONGEST_S,
    MOMENT_S,
    READS_PER_S,
    ReadBatcher,
)


def test_few_reads_on_an_idle_loop_do_not_wait() -> None:
    pacer = ReadBatcher()
    for _ in range(100):
        pacer.note(0.0005, READS_PER_S * 0.9)
    assert pacer.window_s == 0


def test_many_reads_are_spaced_although_the_loop_is_not_late() -> None:
    pacer = ReadBatcher()
    for _ in range(100):
        pacer.note(0.0, READS_PER_S * 2)
    assert pacer.window_s == LONGEST_S


def test_the_window_keeps_where_the_reads_are_about_as_many_as_may_be() -> None:
    pacer = ReadBatcher()
    for _ in range(5):
        pacer.note(0.0, READS_PER_S * 2)
    reached = pacer.window_s
    pacer.note(0.0, READS_PER_S * 0.9)
    assert pacer.window_s == reached > 0
    pacer.note(0.0, READS_PER_S * 0.1)
    assert pacer.window_s < reached


def test_a_late_loop_widens_the_window_at_once_and_it_narrows_slowly() -> None:
    pacer = ReadBatcher()
    pacer.note(0.01, 10)
    widened = pacer.window_s
    assert widened >= 0.04
    pacer.note(0.0, 10)
    assert widened * 0.8 < pacer.window_s < widened


def test_only_a_late_loop_makes_the_runs_of_pages_wait_longer_and_only_while_it_is_late() -> None:
    pacer = ReadBatcher()
    pacer.note(5.0, READS_PER_S * 2)
    assert pacer.window_s == LONGEST_FOR_PAGES_S
    for _ in range(100):
        pacer.note(0.0, READS_PER_S * 2)
    assert pacer.window_s == LONGEST_S


async def test_bytes_of_a_client_never_wait_longer_than_its_limit(monkeypatch: Any) -> None:
    pacer = ReadBatcher()
    pacer.note(5.0, 10)
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", lambda: 1000.0)
    call_at = loop.call_at
    monkeypatch.setattr(loop, "call_at", lambda due_s, *rest, **more: waits.append(due_s - 1000.0))
    pacer._timer = call_at(2000.0, str)  # it is watched already
    pacer.pause(False)
    pacer.pause_for_pages(False)
    for wait_s, limit_s in zip(waits, (LONGEST_FOR_CLIENTS_S, LONGEST_FOR_PAGES_S), strict=True):
        assert limit_s - MOMENT_S <= wait_s <= limit_s + 0.000_001  # binary fractions


async def test_waits_that_end_at_about_the_same_time_end_together() -> None:
    pacer = ReadBatcher()
    pacer.note(5.0, 10)
    loop = asyncio.get_running_loop()
    woken_at: list[float] = []
    waits = []
    for _ in range(20):
        waiting = pacer.pause(False)
        assert waiting is not None
        waiting.add_done_callback(lambda _: woken_at.append(loop.time()))
        waits.append(waiting)
    waits[3].cancel()  # whose run was stopped meanwhile
    await asyncio.wait(waits, timeout=30)
    assert len(woken_at) == 20
    assert len({round(woken / MOMENT_S) for woken in woken_at if woken != woken_at[0]}) <= 2


async def test_what_is_urgent_is_read_at_once() -> None:
    pacer = ReadBatcher()
    pacer.note(1.0, 10)
    assert pacer.pause(True) is None
    waiting = pacer.pause(False)
    assert waiting is not None
    await asyncio.wait_for(waiting, 30)


async def test_a_pacer_that_nobody_asks_starts_afresh() -> None:
    pacer = ReadBatcher()
    pacer.note(1.0, 10)
    pacer.pause(True)
    async with asyncio.timeout(30):
        while pacer.window_s:
            await asyncio.sleep(0.02)
