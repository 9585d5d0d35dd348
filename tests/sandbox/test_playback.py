"""Replies as events: the accumulator gives the reply back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.sandbox.playback import Timed, play, to_bytes
from playground.sandbox.reply import Pace, Reply
from playground.sandbox.token_counts import pieces
from playground.sandbox.transport import PlayedStream
from tests.sandbox.sandbox_server import accumulate

texts = st.text(max_size=60)
inputs = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers() | texts | st.lists(texts, max_size=2), max_size=4
)
blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    st.builds(lambda text: {"type": "text", "text": text, "citations": [{"type": "char_location"}]}, texts),
    st.builds(lambda text, by: {"type": "thinking", "thinking": text, "signature": by}, texts, texts),
    st.builds(lambda data: {"type": "redacted_thinking", "data": data}, texts),
    st.builds(lambda given: {"type": "tool_use", "id": "t", "name": "f", "input": given}, inputs),
    st.builds(lambda given: {"type": "server_tool_use", "id": "s", "name": "web_search", "input": given}, inputs),
    st.just({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
)


def message(content: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 0}}
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": content, "usage": usage}
    return whole | {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None} | members


def to_stream(reply: Reply) -> bytes:
    return b"".join(to_bytes(timed.event) for timed in play(reply))


@given(st.lists(blocks, max_size=6))
def test_a_reply_played_decoded_and_accumulated_is_the_reply(content: list[dict[str, Any]]) -> None:
    accumulator = accumulate(to_stream(Reply(message(content))))
    assert accumulator.message == message(content)
    assert accumulator.ending == "complete"
    assert accumulator.problems == []


@given(st.text())
def test_a_text_is_its_pieces(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


@pytest.mark.parametrize("half", ["\ud83c", "a\udf0a b"])
def test_half_a_surrogate_pair_survives(half: str) -> None:
    reply = Reply(message([{"type": "text", "text": half}]))
    assert accumulate(to_stream(reply)).message["content"][0]["text"] == half


def test_events_come_in_the_order_of_the_api() -> None:
    names = [timed.event["type"] for timed in play(Reply(message([{"type": "text", "text": "Hi"}])))]
    block = ["content_block_start", "ping", "content_block_delta", "content_block_stop"]
    assert names == ["message_start", *block, "message_delta", "message_stop"]


def test_the_first_event_has_no_content_and_no_reason_to_stop() -> None:
    first = next(iter(play(Reply(message([{"type": "text", "text": "Hi"}]))))).event["message"]
    assert (first["content"], first["stop_reason"], first["usage"]["output_tokens"]) == ([], None, 1)


def test_the_first_token_comes_after_its_time_and_the_rest_at_their_pace() -> None:
    reply = Reply(message([{"type": "text", "text": "word " * 1_000}]), pace=Pace(0.3, 50.0))
    played = list(play(reply))
    deltas = [timed.delay_s for timed in played if timed.event["type"] == "content_block_delta"]
    assert sum(timed.delay_s for timed in played[: played.index(next(_deltas(played))) + 1]) == pytest.approx(0.3)
    assert sum(deltas) == pytest.approx(1_000 / 50, rel=0.1)
    assert len(set(deltas)) > 100


def _deltas(played: list[Timed]) -> Any:
    return (timed for timed in played if timed.event["type"] == "content_block_delta")


def test_a_slow_model_sends_pings_while_it_is_silent() -> None:
    reply = Reply(message([{"type": "text", "text": "Hi"}]), pace=Pace(first_token_s=12.0, ping_every_s=5.0))
    played = list(play(reply))
    assert [timed.event["type"] for timed in played].count("ping") == 3
    assert sum(timed.delay_s for timed in played) == pytest.approx(12, abs=0.3)


def test_a_stream_that_breaks_off_has_no_end() -> None:
    content = [{"type": "text", "text": "one two three four five"}]
    truncated = accumulate(to_stream(Reply(message(content), breaks="truncated", breaks_after=3)))
    assert (truncated.ending, truncated.message["content"][0]["text"]) == ("truncated", "one two three")
    failed = accumulate(to_stream(Reply(message(content), breaks="error", breaks_after=3)))
    assert (failed.ending, failed.message["content"][0]["text"]) == ("failed", "one two three")


def test_input_cut_by_max_tokens_is_sent_as_far_as_it_came() -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    accumulator = accumulate(to_stream(Reply(message([call]), unfinished_json={0: '{"city": "Lis'})))
    assert accumulator.blocks[0].partial_json == '{"city": "Lis'
    assert accumulator.message["content"] == [call]


async def test_closing_a_stream_ends_its_longest_pause_at_once() -> None:
    stream = PlayedStream([Timed(0.0, {"type": "ping"}), Timed(3_600.0, {"type": "message_stop"})])
    received: list[bytes] = []

    async def read() -> None:
        async for chunk in stream:
            received.append(chunk)

    reading = asyncio.create_task(read())
    while not received:
        await asyncio.sleep(0)
    await stream.aclose()
    await asyncio.wait_for(reading, timeout=60)
    assert len(received) == stream.sent == 1


async def test_a_reader_that_leaves_stops_the_play() -> None:
    played: list[int] = []

    def endless() -> Any:
        for number in range(1_000_000):
            played.append(number)
            yield Timed(0.0, {"type": "ping"})

    stream = PlayedStream(endless())
    async for _ in stream:
        if stream.sent == 3:
            break
    await stream.aclose()
    await asyncio.sleep(0)
    assert len(played) == 3
