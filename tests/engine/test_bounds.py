"""What one answer, and all answers together, may take: events, lines, bytes, and turns of the event loop."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import replace

import pytest

from playground.engine.byte_budget import ByteBudget
from playground.engine.exchange import Limits, _pieces, run
from playground.engine.guard import Rules
from playground.engine.interim_responses import MOST_INTERIM
from playground.engine.live_run import LiveRun, RunMetadata
from playground.engine.upstream import make_client
from playground.metrics.figures import gather
from playground.protocol.json.received_json import LARGEST_READ
from tests.support.raw_upstream import DELTA, START, STOP, TEXT, Exchange, body_of, run_against, serving, streamed

LIMITS = Limits(events=1_000, lines=5_000)


def flooding(piece: bytes):
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT)
        while True:
            await exchange.chunk(piece)
            await asyncio.sleep(0)

    return script


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (b"data: {}\n\n" * 100, "1,000 events"),
        (b":\n" * 500, "5,000 lines"),
        (b": keep-alive\r\n" * 500, "5,000 lines"),
        (b"\n" * 500, "5,000 lines"),
        (b"\r" * 500, "5,000 lines"),
        (b"id: 1\n" * 500, "5,000 lines"),
    ],
)
async def test_events_and_lines_of_an_answer_are_bounded(piece: bytes, words: str) -> None:
    events, last = await run_against(flooding(piece), LIMITS)
    assert (last.state, last.failure.kind) == ("interrupted", "too_large")
    assert words in last.failure.message
    assert body_of(events).startswith(START + TEXT)


async def test_an_answer_within_the_limits_is_whole() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, DELTA * 997, STOP)
        await exchange.close_stream()

    events, last = await run_against(script, LIMITS)
    assert (last.state, len(streamed(events))) == ("completed", 1_000)


async def test_a_large_answer_is_cut_when_all_together_are_too_large_and_a_small_one_is_not() -> None:
    budget = ByteBudget(2 * 2**20)
    limits = replace(Limits(), together=budget)
    holding = budget.used = 3 * 2**20 // 2

    async def large(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, *[DELTA * 1_000] * 20)
        await exchange.close_stream()

    _, last = await run_against(large, limits)
    assert (last.state, last.failure.kind) == ("interrupted", "too_large")
    assert "together" in last.failure.message
    assert budget.used == holding

    async def small(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, DELTA, STOP)
        await exchange.close_stream()

    budget.used = holding = 3 * 2**20
    assert (await run_against(small, limits))[1].state == "completed"
    assert budget.used == holding


async def test_a_run_that_is_stopped_gives_back_what_it_took() -> None:
    budget = ByteBudget()
    limits = replace(Limits(), together=budget)
    async with serving(flooding(DELTA * 100)) as upstream, make_client(Rules(allow_loopback=True)) as client:
        events = run(upstream.outgoing(), client, limits)
        async for _ in events:
            if budget.used > 100_000:
                break
        await events.aclose()
    assert budget.used == 0


async def test_tiny_events_that_are_all_here_leave_turns_to_others() -> None:
    """The loop goes round while one read's events are handled, however many they are."""

    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, b"data: {}\n\n" * 50_000, STOP)
        await exchange.close_stream()

    rounds = 0

    async def count_rounds() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    async with serving(script) as upstream, make_client(Rules(allow_loopback=True)) as client:
        most, before = 0, 0
        counting = asyncio.ensure_future(count_rounds())
        since = 0
        async for event in run(upstream.outgoing(), client):
            since = since + 1 if rounds == before else 0
            before, most = rounds, max(most, since)
            assert event is not None
        counting.cancel()
    assert most < 6_000


@pytest.mark.parametrize("size", [0, 1, 8_192, 8_193, 100_000])
def test_pieces_are_the_whole(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    assert b"".join(_pieces(data[:size])) == data[:size]


async def test_interim_answers_up_to_the_bound_are_passed_over() -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    body = START + TEXT + DELTA + STOP

    def script(hints: int):
        async def say(exchange: Exchange) -> None:
            head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(body)}\r\n\r\n"
            await exchange.say(hint * hints + head.encode() + body)

        return say

    assert (await run_against(script(MOST_INTERIM)))[1].state == "completed"
    _, last = await run_against(script(MOST_INTERIM + 1))
    assert (last.state, last.failure.kind) == ("failed", "protocol")


async def test_endless_interim_answers_cost_no_memory() -> None:
    async def script(exchange: Exchange) -> None:
        while True:
            await exchange.say(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 5_000)

    tracemalloc.start()
    try:
        _, last = await run_against(script)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last.failure.kind == "protocol"
    assert peak < 16 * 2**20


def json_message(size: int) -> bytes:
    begin = b'{"type":"message","stop_reason":"end_turn","content":[{"type":"text","text":"'
    return begin + b"x" * size + b'"}]}'


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (json_message(LARGEST_READ), "completed"),
        (b'{"data":"' + b"x" * LARGEST_READ + b'"}', "failed"),
        (b"x" * (LARGEST_READ + 1), "failed"),
        (json_message(LARGEST_READ)[:-3], "failed"),
    ],
)
async def test_an_answer_too_large_to_be_read_is_judged_by_its_ends(body: bytes, state: str) -> None:
    async def script(exchange: Exchange) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        await exchange.say(head.encode() + body)

    events, last = await run_against(script)
    assert last.state == state
    assert body_of(events) == body
    figures = gather(events)
    assert figures.is_too_large_to_read
    assert not figures.has_message


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"type":"message","content":[],"usage":{"input_tokens":5,"output_tokens":7}}', "application/json"),
        (
            (
                b'data: {"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}\n\n'
                b'data: {"type":"message_delta","delta":{},"usage":{"input_tokens":null,"output_tokens":7}}\n\n'
                b'data: {"type":"message_stop","usage":[]}\n\n'
            ),
            "text/event-stream",
        ),
    ],
)
async def test_a_live_run_knows_its_usage_without_reading_the_answer_again(body: bytes, content_type: str) -> None:
    async def script(exchange: Exchange) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
        await exchange.say(head.encode() + body)

    async with serving(script) as upstream, make_client(Rules(allow_loopback=True)) as client:
        live = LiveRun("user:1", RunMetadata(), upstream.outgoing())
        live.begin(client, Limits(), None, lambda: None)
        await live.ended()
    assert live.usage == {"input_tokens": 5, "output_tokens": 7}
