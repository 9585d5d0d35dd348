"""Events to messages: odd orders, missing parts, ends of every kind. Whole streams are in test_streams.py."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.growing_block import GrowingBlock
from playground.protocol.stream.message_change import Change
from playground.protocol.stream.sse import ServerSentEvent
from tests.support.examples import one_of_each

START = {
    "type": "message_start",
    "message": {"id": "m", "type": "message", "content": [], "usage": {"input_tokens": 5}},
}
TEXT = {"type": "text", "text": ""}
STOP = {"type": "message_stop"}


def event(data: Any, name: str | None = None) -> ServerSentEvent:
    text = data if isinstance(data, str) else json.dumps(data)
    return ServerSentEvent(name, text)


def block(index: Any, start: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": start}


def delta(index: Any, kind: str, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def text(index: Any, added: Any) -> dict[str, Any]:
    return delta(index, "text_delta", text=added)


def stop(index: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def accumulate(*data: Any) -> Accumulator:
    accumulator = Accumulator()
    for each in data:
        accumulator.add(each if isinstance(each, ServerSentEvent) else event(each))
    return accumulator


def content(*data: Any) -> list[dict[str, Any]]:
    return list(accumulate(START, *data).message["content"])


def test_every_event_says_what_it_changed() -> None:
    accumulator = Accumulator()
    changes = [
        accumulator.add(event(data))
        for data in [
            START,
            block(0, TEXT),
            {"type": "ping"},
            text(0, "Hi"),
            stop(0),
            block(1, {"type": "tool_use", "id": "t", "name": "f", "input": {}}),
            delta(1, "input_json_delta", partial_json='{"a'),
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
            STOP,
        ]
    ]
    assert changes == [
        Change("message_started"),
        Change("block_opened", 0, "text"),
        None,
        Change("block_grew", 0, "text", "text", "Hi"),
        Change("block_closed", 0, "text"),
        Change("block_opened", 1, "tool_use"),
        Change("block_grew", 1, "tool_use", "partial_json", '{"a'),
        Change("message_changed"),
        Change("completed"),
    ]
    assert [(each.index, each.open) for each in accumulator.blocks] == [(0, False), (1, True)]


def test_blocks_are_gathered_by_index_not_by_arrival() -> None:
    blocks = content(block(4, TEXT), block(2, TEXT), text(4, "second"), text(2, "fir"), text(2, "st"))
    assert [each["text"] for each in blocks] == ["first", "second"]


def test_text_in_the_start_of_a_block_comes_first() -> None:
    assert content(block(0, {"type": "text", "text": "a"}), text(0, "b")) == [{"type": "text", "text": "ab"}]


def test_a_signature_is_set_and_not_appended() -> None:
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    (only,) = content(block(0, thinking), *[delta(0, "signature_delta", signature=each) for each in ("old", "new")])
    assert only["signature"] == "new"


def test_hidden_thinking_tells_how_long_it_is() -> None:
    deltas = [delta(0, "thinking_delta", thinking="", estimated_tokens=each) for each in (50, None, 100)]
    assert accumulate(START, block(0, {"type": "thinking", "thinking": ""}), *deltas).blocks[0].estimated_tokens == 150


@pytest.mark.parametrize("pieces", [[], [""]])
def test_an_input_without_pieces_stays_as_it_began(pieces: list[str]) -> None:
    deltas = [delta(0, "input_json_delta", partial_json=piece) for piece in pieces]
    (only,) = content(block(0, {"type": "tool_use", "input": {"from": "start"}}), *deltas, stop(0))
    assert only["input"] == {"from": "start"}


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()), st.lists(st.integers(0, 60)))
def test_an_input_can_be_cut_anywhere(value: dict[str, Any], cuts: list[int]) -> None:
    raw = json.dumps(value)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    pieces = [raw[at:to] for at, to in pairwise(edges)]
    deltas = [delta(0, "input_json_delta", partial_json=piece) for piece in pieces]
    (only,) = content(block(0, {"type": "mcp_tool_use", "input": {}}), *deltas, stop(0))
    assert only["input"] == value


@pytest.mark.parametrize("raw", ['{"a": NaN}', '{"a"', "{" * 10])
def test_an_input_that_is_not_json_is_kept_as_text(raw: str) -> None:
    accumulator = accumulate(
        START, block(0, {"type": "tool_use", "input": {}}), delta(0, "input_json_delta", partial_json=raw)
    )
    accumulator.add(event(stop(0)))
    assert accumulator.message["content"][0]["input"] == {}
    assert accumulator.blocks[0].partial_json == raw
    assert accumulator.blocks[0].input_problem
    json.dumps(accumulator.message, allow_nan=False)


def test_usage_is_overwritten_and_null_or_absent_keeps_what_is_known() -> None:
    first = {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 7, "service_tier": None}
    accumulator = accumulate(
        {"type": "message_start", "message": {"usage": first}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 10, "cache_read_input_tokens": None}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 20, "input_tokens": 6}},
    )
    assert accumulator.usage == {
        "input_tokens": 6,
        "output_tokens": 20,
        "cache_read_input_tokens": 7,
        "service_tier": None,
    }


@pytest.mark.parametrize("usage", [None, 7, "many", []])
def test_usage_may_be_missing_or_nonsense(usage: Any) -> None:
    accumulator = accumulate({"type": "message_start", "message": {"id": "m", "usage": usage}}, STOP)
    assert accumulator.usage == {}
    assert accumulator.ending == "complete"


def test_a_later_null_does_not_take_the_stop_reason_away() -> None:
    first = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "container": {"id": "c"}}}
    second = {"type": "message_delta", "delta": {"stop_reason": None, "container": None}}
    accumulator = accumulate(START, first, second)
    assert accumulator.stop_reason == "end_turn"
    assert accumulator.message["container"] == {"id": "c"}


@pytest.mark.parametrize(
    ("kind", "members", "made"),
    [
        ("text_delta", {"text": "x"}, {"type": "text", "text": "x"}),
        ("thinking_delta", {"thinking": "x"}, {"type": "thinking", "thinking": "x", "signature": ""}),
        ("input_json_delta", {"partial_json": "{}"}, {"type": "tool_use", "id": "", "name": "", "input": {}}),
    ],
)
def test_a_block_whose_start_is_missing_is_made_from_its_delta(kind: str, members: Any, made: Any) -> None:
    accumulator = accumulate(START, delta(3, kind, **members))
    assert accumulator.message["content"] == [made]
    assert accumulator.problems == [(2, "block 3 was not started")]


def test_a_start_that_comes_late_keeps_what_came_before_it() -> None:
    late = block(0, {"type": "text", "text": "", "citations": []})
    assert content(text(0, "a"), late, text(0, "b")) == [{"type": "text", "text": "ab", "citations": []}]


def test_a_server_that_calls_every_block_0_keeps_its_blocks_apart() -> None:
    blocks = [
        block(0, TEXT),
        text(0, "a"),
        stop(0),
        block(0, TEXT),
        text(0, "b"),
        stop(0),
        block(1, TEXT),
        text(1, "c"),
    ]
    assert [each["text"] for each in content(*blocks)] == ["a", "b", "c"]


@pytest.mark.parametrize("index", [None, "x", True, 1.5, {}])
def test_a_delta_without_a_usable_index_goes_to_the_open_block(index: Any) -> None:
    blocks = content(block(0, TEXT), stop(0), block(1, TEXT), text(index, "here"))
    assert [each["text"] for each in blocks] == ["", "here"]


def test_text_after_the_end_of_its_block_is_kept_and_noted() -> None:
    accumulator = accumulate(START, block(0, TEXT), text(0, "a"), stop(0), text(0, "b"))
    assert accumulator.message["content"][0]["text"] == "ab"
    assert [number for number, _ in accumulator.problems] == [5]


def test_deltas_of_unknown_kinds_are_kept_with_their_block() -> None:
    (only,) = accumulate(START, block(0, TEXT), delta(0, "glow_delta", glow=1)).blocks
    assert only.unknown_deltas == [{"type": "glow_delta", "glow": 1}]


def test_the_type_in_the_data_counts_before_the_events_name() -> None:
    accumulator = Accumulator()
    accumulator.add(event(START, name="message_stop"))
    assert accumulator.ending == "open"
    accumulator.add(event("{}", name="message_stop"))
    assert accumulator.ending == "complete"


def test_an_event_with_a_name_and_no_data_is_taken_by_its_name() -> None:
    assert accumulate(START, event("", name="message_stop")).ending == "complete"


def test_done_is_no_event_and_no_end() -> None:
    accumulator = accumulate(START, event("[DONE]"))
    accumulator.finish()
    assert accumulator.problems == []
    assert accumulator.ending == "truncated"


def test_the_three_ends_are_told_apart() -> None:
    assert accumulate(START).ending == "open"
    for last, ending in [
        (STOP, "complete"),
        ({"type": "error", "error": {}}, "failed"),
        ({"type": "ping"}, "truncated"),
    ]:
        accumulator = accumulate(START, last)
        accumulator.finish()
        assert accumulator.ending == ending


def test_what_comes_after_the_end_is_noted_but_a_ping_is_not() -> None:
    error = {"type": "error", "error": {"type": "api_error", "message": "late"}}
    accumulator = accumulate(START, STOP, {"type": "ping"}, error)
    assert accumulator.ending == "complete"
    assert [number for number, _ in accumulator.problems] == [4]


def test_nothing_is_added_after_an_error() -> None:
    accumulator = accumulate(START, block(0, TEXT), text(0, "a"), {"type": "error", "error": {}}, text(0, "b"))
    assert accumulator.message["content"][0]["text"] == "a"


@pytest.mark.parametrize("data", ["Upstream went away", '"Upstream went away"', '{"error": "Upstream went away"}'])
def test_an_error_event_of_any_shape_is_an_error(data: str) -> None:
    accumulator = accumulate(START, event(data, name="error"))
    assert accumulator.ending == "failed"
    assert accumulator.api_error is not None
    assert accumulator.api_error.message == "Upstream went away"


def test_a_message_given_whole_is_complete() -> None:
    message = {"id": "m", "type": "message", "content": [{"type": "text", "text": "a"}], "usage": {"output_tokens": 1}}
    assert (whole := Accumulator.of_message(message)).message == message
    assert whole.ending == "complete"
    assert whole.blocks[0].open is False
    streamed = accumulate(message)
    assert (streamed.message, streamed.ending) == (message, "complete")


@pytest.mark.parametrize("answer", [None, 7, "text", [], {}, {"choices": []}])
def test_something_else_in_place_of_a_message_is_a_failure(answer: Any) -> None:
    accumulator = Accumulator.of_message(answer)
    assert accumulator.ending == "failed"
    assert accumulator.problems == [(0, "the answer is not a message")]


def test_an_error_object_in_place_of_a_message_is_a_failure_with_words() -> None:
    accumulator = Accumulator.of_message({"error": {"message": "no", "type": "api_error"}})
    assert accumulator.api_error is not None
    assert accumulator.api_error.message == "no"


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
members = ["type", "index", "delta", "content_block", "message", "usage", "error", "text", "partial_json", "content"]
types = ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error"]
words = st.sampled_from([*types, "text_delta", "input_json_delta", "citations_delta", "text", "tool_use", "message"])
events = st.dictionaries(
    st.sampled_from(members), words | json_values | st.dictionaries(st.sampled_from(members), words | json_values)
)


@given(st.lists(st.tuples(st.none() | words, events), max_size=12))
def test_no_event_is_bad_enough_to_raise(stream: list[tuple[str | None, dict[str, Any]]]) -> None:
    accumulator = Accumulator()
    for name, data in stream:
        accumulator.add(event(data, name))
        json.dumps(accumulator.message)
    accumulator.finish()
    assert accumulator.ending != "open"


@given(st.text())
def test_no_data_is_bad_enough_to_raise(data: str) -> None:
    assert accumulate(event(data)).count == 1


def test_a_long_answer_is_gathered_in_pieces_and_not_copied_each_time() -> None:
    accumulator = accumulate(START, block(0, TEXT))
    piece = event(text(0, "x" * 50))
    tracemalloc.start()
    try:
        for _ in range(20_000):
            accumulator.add(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(accumulator.message["content"][0]["text"]) == 1_000_000
    assert peak < 5_000_000
    assert accumulator.blocks[0].size == 1_000_000


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "repeated",
    one_of_each(
        [
            [block(0, TEXT)],
            [block(None, TEXT), text(None, "x"), stop(0)],
            [block(0, {"type": "tool_use"}), text(0, "stray"), stop(0)],
            [delta(0, "citations_delta", citation={})],
            [text(None, "x")],
        ],
        kind=lambda events: events[0]["type"],
    ),
)
def test_a_server_that_sends_oddities_without_end_costs_no_more_each_time(repeated: list[dict[str, Any]]) -> None:
    # Work that grows with what came before would take minutes here.
    accumulator = accumulate(START)
    events = [event(each) for each in repeated]
    for _ in range(60_000):
        for each in events:
            accumulator.add(each)
    assert accumulator.count == 60_000 * len(events) + 1


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 1000])
def test_however_many_pieces_a_text_comes_in_it_is_whole(count: int) -> None:
    pieces = [f"{number} " for number in range(count)]
    block = GrowingBlock(0, 0, {"type": "text", "text": ""})
    for number, piece in enumerate(pieces):
        block.append("text", piece)
        if number == 300:
            assert block.text == "".join(pieces[:301])
    assert block.text == block.text == "".join(pieces)
