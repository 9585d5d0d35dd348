"""Deltas that are taken apart by a pattern: what is found is what their JSON says, and messages grow as with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.json.received_json import read_json
from playground.protocol.stream import accumulator as accumulators
from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.message_change import Change
from playground.protocol.stream.sse import ServerSentEvent
from playground.protocol.stream.usual_delta import UsualDelta, usual_delta

COMPACT = '{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"Hi \\u00e9\\n"}}'
FOUND = UsualDelta(3, "text_delta", "text", "Hi é\n")
SPACED = '{"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "Hi \\u00e9\\n"}}'


@pytest.mark.parametrize("data", [COMPACT, SPACED, COMPACT[:-1] + "     }", COMPACT[:-2] + " }\t} \n"])
def test_the_usual_spellings_are_understood(data: str) -> None:
    assert usual_delta(data) == FOUND


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[DONE]",
        COMPACT[:-1],
        COMPACT + "}",
        COMPACT + "x",
        COMPACT.replace("3", "03"),
        COMPACT.replace("3", "-3"),
        COMPACT.replace("3", '"3"'),
        COMPACT.replace("3", "3.0"),
        COMPACT.replace("3", "٣"),
        COMPACT.replace("Hi", "H\ni"),  # a line end inside text is no JSON
        COMPACT.replace("\\n", "\\x"),
        COMPACT.replace("}}", ',"estimated_tokens":5}}'),
        COMPACT.replace('"text":"', '"text":null,"text":"'),
        '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":null}}',
        '{"index":0,"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}',
    ],
)
def test_whatever_differs_is_left_to_those_who_read_json(data: str) -> None:
    assert usual_delta(data) is None


pieces = st.sampled_from(
    [
        '{"type":',
        '"content_block_delta"',
        ',"index":',
        "0",
        "12",
        ',"delta":',
        '"text_delta"',
        ',"text":',
        '"a"',
        '"',
        "\\",
        "\\ud83d",
        "}",
        "}}",
        "é",
        "null",
        ",",
    ]
)


@given(
    st.one_of(
        st.text(),
        st.lists(pieces, max_size=14).map("".join),
        st.tuples(st.just(COMPACT), st.integers(0, len(COMPACT)), st.text(max_size=3), st.integers(0, 3)).map(
            lambda made: made[0][: made[1]] + made[2] + made[0][made[1] + made[3] :]
        ),
    )
)
def test_what_is_found_is_what_its_json_says(data: str) -> None:
    found = usual_delta(data)
    if found is not None:
        delta = {"type": found.kind, found.member: found.text}
        assert read_json(data) == ({"type": "content_block_delta", "index": found.wire_index, "delta": delta}, None)


@given(st.text(), st.integers(0, 999), st.sampled_from(["text_delta", "input_json_delta"]), st.booleans())
def test_any_text_is_found_whole(text: str, index: int, kind: str, is_ascii: bool) -> None:
    data = {"type": "content_block_delta", "index": index, "delta": {"type": kind, "text": text}}
    for separators in ((",", ":"), (", ", ": ")):
        written = json.dumps(data, separators=separators, ensure_ascii=is_ascii)
        assert usual_delta(written) == UsualDelta(index, kind, "text", text)


indices = st.sampled_from([0, 0, 0, 1, 2, "0", None, -1, True])
kinds = st.sampled_from(["text_delta", "text_delta", "thinking_delta", "input_json_delta", "signature_delta", "odd"])
members = st.sampled_from(["text", "text", "thinking", "partial_json", "type", "odd"])
deltas = st.builds(
    lambda index, kind, member, text: {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": kind, member: text},
    },
    indices,
    kinds,
    members,
    st.sampled_from(["", "a", "b\n", '{"x":', "1}", None, 5]),
)
blocks = st.sampled_from([{"type": kind} for kind in ("text", "thinking", "tool_use", "odd")])
others = st.one_of(
    st.builds(
        lambda index, block: {"type": "content_block_start", "index": index, "content_block": block}, indices, blocks
    ),
    st.builds(lambda index: {"type": "content_block_stop", "index": index}, indices),
    st.sampled_from([{"type": "message_stop"}, {"type": "ping"}, {"type": "error", "error": {"message": "no"}}]),
)
streams = st.lists(st.tuples(st.one_of(deltas, deltas, deltas, others), st.sampled_from([None, None, "odd bytes"])))


def _grown(stream: list[tuple[Any, str | None]]) -> tuple[list[Change | None], Any]:
    accumulator, changes = Accumulator(), []
    for data, malformed in stream:
        event = ServerSentEvent(None, json.dumps(data, separators=(",", ":")), malformed=malformed)
        changes.append(accumulator.add(event))
    accumulator.finish()
    return changes, (accumulator.message, accumulator.problems, accumulator.ending, accumulator.count)


@given(streams)
def test_a_message_grows_as_it_does_where_all_is_read_as_json(stream: list[tuple[Any, str | None]]) -> None:
    quickly = _grown(stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accumulators, "usual_delta", lambda _: None)
        assert quickly == _grown(stream)
