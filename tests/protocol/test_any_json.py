"""Whatever JSON a stream is made of, the accumulator takes it, and what it makes can be stored and read again."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from playground.protocol.json import json_text
from playground.protocol.json.received_json import MAX_DEPTH, is_nested_deeper, read_json, read_stored_json, write_json
from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.sse import ServerSentEvent
from tests.support.examples import one_of_each

MUTATED_STREAMS = 20_000

EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "m", "type": "message", "role": "assistant", "content": [], "model": "x", "stop_reason": None,
            "usage": {"input_tokens": 5, "output_tokens": 1, "output_tokens_details": {"thinking_tokens": 3}},
        },
    },
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "a",
                                                          "estimated_tokens": 4}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "", "citations": []}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "b"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"type": "c"}}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t", "name": "n",
                                                                  "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'}},
    {"type": "content_block_stop", "index": 2},
    {"type": "content_block_start", "index": 3, "content_block": {"type": "compaction", "content": None}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "compaction_delta", "content": "c"}},
    {"type": "content_block_stop", "index": 3},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
    {"type": "error", "error": {"type": "api_error", "message": "no"}},
]  # fmt: skip
KINDS = ("text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta", "compaction_delta")
STRANGE: list[Any] = [
    None, True, False, 0, -1, 2**63, -(2**80), 10**300, 1.5, -0.0, "", "0", "7", "-1", "\0", "\ud800", "text", [], [[]],
    {}, {"type": []}, {"type": {}}, {"text": 1}, [{"type": "text"}], "message_stop", *KINDS,
    *({"type": kind} for kind in KINDS),
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in the value with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        found += [(item, key) for key in keys]
        waiting += [item[key] for key in keys]
    return found


def mutated(chance: random.Random) -> list[Any]:
    events: list[Any] = copy.deepcopy(chance.choices(EVENTS, k=chance.randint(1, 12)))
    if chance.random() < 0.5:
        events.insert(0, copy.deepcopy(EVENTS[0]))
    for _ in range(chance.randint(1, 6)):
        container, key = chance.choice(places(events))
        match chance.randrange(4):
            case 0:
                container[key] = copy.deepcopy(chance.choice(STRANGE))
            case 1:
                container[key] = copy.deepcopy(chance.choice(EVENTS))
            case 2 if isinstance(container, dict):
                del container[key]
            case _ if isinstance(container, dict):
                container[chance.choice(["type", "index", "delta", "text", "usage", "content", "x"])] = container[key]
    return events


def accumulate(events: list[Any], *, names: bool) -> Accumulator:
    accumulator = Accumulator()
    for data in events:
        name = data.get("type") if names and isinstance(data, dict) else None
        accumulator.add(ServerSentEvent(name if isinstance(name, str) else None, json.dumps(data)))
        for block in accumulator.blocks:
            assert isinstance(block.text, str)
    accumulator.finish()
    return accumulator


@pytest.mark.parametrize("part", one_of_each(range(10)))
def test_no_stream_of_mutated_events_is_more_than_the_accumulator_can_take(part: int) -> None:
    chance = random.Random(part)
    for _ in range(MUTATED_STREAMS // 10):
        events = mutated(chance)
        accumulator = accumulate(events, names=chance.random() < 0.5)
        message = accumulator.message
        written = write_json(message)
        assert written.isascii()
        assert read_stored_json(written) == json.loads(json.dumps(message)), events
        assert accumulator.api_error is None or accumulator.api_error.message
        assert len(accumulator.problems) <= 4 * len(events) + 40


@pytest.mark.parametrize("kind", [*KINDS, [], {}, None, 7, True, "unheard_of"])
@pytest.mark.parametrize("value", [None, [], {}, 7, True, "x", 1.5])
@pytest.mark.parametrize("index", [0, 1, -5, 2**70, "0", "x", None, [], 0.0])
def test_a_delta_may_have_any_type_and_members(kind: Any, value: Any, index: Any) -> None:
    members = ("text", "thinking", "partial_json", "signature", "citation", "content", "estimated_tokens")
    delta = {"type": kind, **dict.fromkeys(members, value)}
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    accumulator = accumulate(
        [start, {"type": "content_block_delta", "index": index, "delta": delta}, {"type": "message_stop"}], names=True
    )
    assert accumulator.ending == "complete"
    assert all(0 <= block.index < 2**31 for block in accumulator.blocks)
    json.dumps(accumulator.message, allow_nan=False)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 977, 990, 5_000])
def test_an_input_nested_too_deeply_is_kept_as_text(depth: int) -> None:
    raw = nested(depth)
    accumulator = accumulate(
        [
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "input": {}}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": raw}},
            {"type": "content_block_stop", "index": 0},
        ],
        names=False,
    )
    assert accumulator.blocks[0].partial_json == raw
    assert "nested" in str(accumulator.blocks[0].input_problem)
    write_json(accumulator.message)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 3, 300, 977, 995, 3_000])
def test_an_event_nested_too_deeply_is_noted_and_the_next_one_counts(depth: int) -> None:
    deep = f'{{"type":"content_block_start","index":0,"content_block":{{"type":"x","input":{nested(depth)}}}}}'
    accumulator = Accumulator()
    accumulator.add(ServerSentEvent("content_block_start", deep))
    accumulator.add(ServerSentEvent(None, '{"type":"message_stop"}'))
    assert accumulator.ending == "complete"
    assert (accumulator.problems != []) == (depth + 2 > MAX_DEPTH)
    write_json(accumulator.message)


def test_what_the_limit_lets_through_can_be_written_with_and_without_indentation() -> None:
    value, problem = read_json(nested(MAX_DEPTH))
    assert problem is None
    message = {"content": [{"input": value}]}
    assert read_stored_json(write_json(message)) == message
    assert json.loads(json_text.dump(message)) == message


def test_brackets_inside_strings_are_no_depth() -> None:
    assert read_json(json.dumps({"text": "[{" * 1_000})) == ({"text": "[{" * 1_000}, None)
    assert not is_nested_deeper([[1], [2], {"a": [3]}] * 100, 3)
    assert is_nested_deeper([[1], [2], {"a": [3]}] * 100, 2)


@pytest.mark.parametrize(
    "number", ["1e400", "-1E+999", "1" + "0" * 400 + ".5", "7" * 5_000, "1" * 309, "12345678901234567890"]
)
def test_a_number_beyond_a_double_keeps_its_spelling(number: str) -> None:
    raw = f'{{"n":{number},"b":[{number},"\\u0000\\ud800é"],"c":1.5}}'
    accumulator = accumulate(
        [
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "input": {}}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": raw}},
            {"type": "content_block_stop", "index": 0},
        ],
        names=False,
    )
    assert accumulator.problems == []
    message = accumulator.message
    assert message["content"][0]["input"]["c"] == 1.5
    stored = write_json(message)
    assert stored.count(number) == 2
    assert stored.isascii()
    again = read_stored_json(stored)
    assert write_json(again) == stored
    assert json_text.dump(again, indent=None).count(number) == 2


def test_compaction_in_several_deltas_keeps_all_parts() -> None:
    def delta(**members: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", **members}}

    accumulator = accumulate(
        [
            {"type": "content_block_start", "index": 0, "content_block": {"type": "compaction", "content": None}},
            delta(content="First part, "),
            delta(content="second part."),
            delta(content=None, encrypted_content="Zm9v"),
            delta(tool_changes=[{"type": "tool_removal"}]),
            delta(tool_changes=[{"type": "tool_addition"}], signature="s"),
        ],
        names=True,
    )
    assert accumulator.message["content"] == [
        {
            "type": "compaction",
            "content": "First part, second part.",
            "encrypted_content": "Zm9v",
            "tool_changes": [{"type": "tool_removal"}, {"type": "tool_addition"}],
            "signature": "s",
        }
    ]


def test_compaction_that_is_told_as_a_growing_whole_is_not_doubled() -> None:
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": text}}
        for text in ("The sum", "The summary", "The summary")
    ]
    (only,) = accumulate(deltas, names=True).message["content"]
    assert only["content"] == "The summary"
