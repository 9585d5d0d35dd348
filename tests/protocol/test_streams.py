"""Answers as servers send them (tests/streams): decoded whole and one byte at a time, then accumulated."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.sse import Decoder, ServerSentEvent

STREAMS = Path(__file__).parent.parent / "streams"


@dataclass
class Expected:
    """`content` names each block by its type and what is in it; `problems` are by event number."""

    content: list[tuple[str, Any]]
    ending: str = "complete"
    stop_reason: str | None = "end_turn"
    usage: dict[str, Any] = field(default_factory=dict)
    problems: list[int] = field(default_factory=list)


EXPECTED = {
    "plain_text": Expected([("text", "Hello, wörld 🌊!")], usage={"input_tokens": 12, "output_tokens": 9}),
    "thinking_and_tool_use": Expected(
        [
            ("thinking", "The user wants two cities.\nTwo calls, then."),
            ("redacted_thinking", "EmwKAhgBEgy3va3pzix"),
            ("text", "I’ll look both up."),  # noqa: RUF001
            ("tool_use", {"city": "São Paulo", "days": 1.0}),
            ("tool_use", {}),
        ],
        stop_reason="tool_use",
        usage={"input_tokens": 472, "output_tokens": 123, "output_tokens_details": {"thinking_tokens": 20}},
    ),
    "web_search_with_citations": Expected(
        [
            ("server_tool_use", {"query": "tide tables"}),
            ("web_search_tool_result", "Tides"),
            ("text", "High water is at noon."),
        ],
        usage={"input_tokens": 10682, "output_tokens": 31, "server_tool_use": {"web_search_requests": 1}},
    ),
    "blank_text_before_tool": Expected(
        [("text", "\n\n"), ("tool_use", {"a": 1})],
        stop_reason="tool_use",
        usage={"input_tokens": 25, "output_tokens": 9},
    ),
    "thinking_cut_unsigned": Expected([("thinking", "Let me think about")], stop_reason="max_tokens"),
    "vllm_done": Expected([("thinking", "Hm."), ("text", "Yes.")], usage={"input_tokens": 9, "output_tokens": 5}),
    "qwen_without_spaces": Expected(
        [("text", "您好！")],  # noqa: RUF001
        usage={"input_tokens": 31, "cache_read_input_tokens": 16, "output_tokens": 4},
    ),
    "carriage_returns": Expected([("text", "one two")]),
    "crlf_and_bom": Expected([("text", "one\r\ntwo")]),
    "line_separators": Expected([("text", "a\u2028b\u2029c\x85d\u2028")]),
    "error_in_stream": Expected([("text", "So far, so ")], "failed", None),
    "truncated": Expected([("text", "It was a dark and"), ("tool_use", {})], "truncated", None),
    "no_message_stop": Expected([("text", "All of it.")]),
    "unknown_things": Expected(
        [("hologram", "seen"), ("text", "fine")],
        stop_reason="ascended",
        usage={"cosmic_rays": 3, "output_tokens": 2},
        problems=[2, 5, 9],
    ),
    "openrouter_comments": Expected([("text", "Hi.")], usage={"input_tokens": 12, "cost": 0.000041}),
    "ollama": Expected([("thinking", "ok"), ("text", "Sure.")], usage={"input_tokens": 26, "output_tokens": 7}),
    "sglang_text_on_tool_use": Expected(
        [("tool_use", {"a": 1}), ("text", "Adding now.")],
        stop_reason="tool_use",
        usage={"input_tokens": 88},
        problems=[4],
    ),
    "litellm_odd_blocks": Expected([("text", "No start."), ("tool_use", {"kept": True})], problems=[2]),
    "nameless_events": Expected([("text", "two lines")], "failed", None),
    "not_utf8_not_json": Expected([("text", "caf\ufffd ok")], problems=[3, 4, 5]),
    "max_tokens_in_tool_input": Expected([("tool_use", {})], stop_reason="max_tokens", problems=[4]),
    "compaction": Expected([("compaction", "Summary so far.")], stop_reason="compaction"),
}
NAMES = sorted(EXPECTED)


def read(name: str, size: int | None = None) -> list[ServerSentEvent]:
    stream = (STREAMS / f"{name}.sse").read_bytes()
    decoder = Decoder()
    step = size or len(stream)
    events = [event for at in range(0, len(stream), step) for event in decoder.feed(stream[at : at + step])]
    return events + decoder.finish()


def accumulate(events: list[ServerSentEvent]) -> Accumulator:
    accumulator = Accumulator()
    for event in events:
        accumulator.add(event)
    accumulator.finish()
    return accumulator


def inside(block: dict[str, Any]) -> Any:
    """What a block is about: its text, its input, or the title of what it found."""
    if isinstance(content := block.get("content"), list):
        return content[0]["title"]
    for name in ("input", "text", "thinking", "data", "content"):
        if name in block:
            return block[name]
    raise AssertionError(f"nothing known in {block}")


def test_every_stream_is_expected_to_be_something() -> None:
    assert sorted(path.stem for path in STREAMS.glob("*.sse")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_read_one_byte_at_a_time_gives_the_same_events(name: str) -> None:
    assert read(name, size=1) == read(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_becomes_the_message_it_means(name: str) -> None:
    expected = EXPECTED[name]
    accumulator = accumulate(read(name))
    message = accumulator.message
    assert [(block["type"], inside(block)) for block in message["content"]] == expected.content
    assert accumulator.ending == expected.ending
    assert message.get("stop_reason") == expected.stop_reason == accumulator.stop_reason
    assert message["usage"] == message["usage"] | expected.usage == accumulator.usage
    assert [problem.number for problem in accumulator.problems] == expected.problems


@pytest.mark.parametrize("name", NAMES)
def test_the_message_so_far_is_there_after_every_event(name: str) -> None:
    accumulator = Accumulator()
    sizes = []
    for event in read(name):
        accumulator.add(event)
        sizes.append(sum(len(str(block)) for block in accumulator.message["content"]))
    accumulator.finish()
    assert accumulator.message == accumulate(read(name)).message
    assert sizes[-1] > 0


def test_signatures_are_kept() -> None:
    content = accumulate(read("thinking_and_tool_use")).message["content"]
    assert content[0]["signature"] == "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk="
    assert accumulate(read("vllm_done")).message["content"][0]["signature"] == "9f2c"


def test_citations_are_gathered() -> None:
    text = accumulate(read("web_search_with_citations")).message["content"][2]
    assert [citation["type"] for citation in text["citations"]] == ["web_search_result_location", "char_location"]


def test_members_that_only_one_server_sends_are_kept() -> None:
    assert accumulate(read("openrouter_comments")).message["provider"] == "Anthropic"
    unknown = accumulate(read("unknown_things")).message
    assert unknown["aura"] == {"colour": "green"}
    assert unknown["openrouter_metadata"] == {"cost": 0.1}
    assert unknown["context_management"] == {"applied_edits": []}
    assert accumulate(read("compaction")).message["content"][0]["encrypted_content"] == "Zm9v"


def test_a_tools_input_is_kept_as_it_was_sent() -> None:
    block = accumulate(read("thinking_and_tool_use")).blocks[3]
    assert block.partial_json == '{"city": "S\\u00e3o Paulo", "days": 1.0}'
    cut = accumulate(read("max_tokens_in_tool_input")).blocks[0]
    assert cut.partial_json == '{"path": "a.txt", "text": "once up'
    assert cut.input_problem == "unterminated string, at character 26"


def test_errors_in_a_stream_say_what_they_say() -> None:
    error = accumulate(read("error_in_stream")).api_error
    assert error is not None
    assert (error.type, error.message, error.request_id) == ("overloaded_error", "Overloaded", "req_011C")
    bare = accumulate(read("nameless_events")).api_error
    assert bare is not None
    assert (bare.message, bare.details) == ("upstream went away", {"code": 502})
