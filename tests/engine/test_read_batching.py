"""Reads are spaced when there are very many of them or the event loop is late, and only then."""

from __future__ import annotations

import asyncio

from playground.engine.pacing import LONGEST_S, READS_PER_S, Pacer


def test_few_reads_on_an_idle_loop_do_not_wait() -> None:
    pacer = Pacer()
    for _ in range(100):
        pacer.note(0.0005, READS_PER_S * 0.9)
    assert pacer.window_s == 0


def test_many_reads_are_spaced_although_the_loop_is_not_late() -> None:
    pacer = Pacer()
    for _ in range(100):
        pacer.note(0.0, READS_PER_S * 2)
    assert pacer.window_s == LONGEST_S


def test_the_window_keeps_where_the_reads_are_about_as_many_as_may_be() -> None:
    pacer = Pacer()
    for _ in range(5):
        pacer.note(0.0, READS_PER_S * 2)
    reached = pacer.window_s
    pacer.note(0.0, READS_PER_S * 0.9)
    assert pacer.window_s == reached > 0
    pacer.note(0.0, READS_PER_S * 0.1)
    assert pacer.window_s < reached


def test_a_late_loop_widens_the_window_at_once_and_it_narrows_slowly() -> None:
    pacer = Pacer()
    pacer.note(0.01, 10)
    widened = pacer.window_s
    assert widened >= 0.04
    pacer.note(0.0, 10)
    assert widened * 0.8 < pacer.window_s < widened
    pacer.note(5.0, 10)
    assert pacer.window_s == LONGEST_S


async def test_what_is_urgent_is_read_at_once() -> None:
    pacer = Pacer()
    pacer.note(1.0, 10)
    assert pacer.pause(True) is None
    waiting = pacer.pause(False)
    assert waiting is not None
    await asyncio.wait_for(waiting, 5)


async def test_a_pacer_that_nobody_asks_starts_afresh() -> None:
    pacer = Pacer()
    pacer.note(1.0, 10)
    pacer.pause(True)
    async with asyncio.timeout(5):
        while pacer.window_s:
            await asyncio.sleep(0.02)
