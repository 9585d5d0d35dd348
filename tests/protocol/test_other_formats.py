"""Responses of other APIs: known by their shape, named, and read for their text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.stream import other_formats
from playground.protocol.stream.other_formats import OtherFormat, describe
from playground.protocol.stream.sse import ServerSentEvent
from tests.support.examples import examples

ANSWERS = [
    ({"object": "chat.completion", "choices": [{"message": {"content": "Hi"}}]}, "OpenAI's Chat Completions API", "Hi"),
    ({"choices": [{"delta": {"content": "Hi"}}]}, "OpenAI's Chat Completions API", "Hi"),
    ({"choices": [{"message": {"content": [{"type": "text", "text": "Hi"}]}}]}, "OpenAI's Chat Completions API", "Hi"),
    ({"object": "text_completion", "choices": [{"text": "Hi"}]}, "OpenAI's Completions API", "Hi"),
    ({"object": "response", "output": [{"content": [{"text": "Hi"}]}]}, "OpenAI's Responses API", "Hi"),
    ({"type": "response.output_text.delta", "delta": "Hi"}, "OpenAI's Responses API", "Hi"),
    ({"type": "response.created"}, "OpenAI's Responses API", ""),
    ({"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}, "Google's Gemini API", "Hi"),
    ([{"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}], "Google's Gemini API", "Hi"),
    ({"done": False, "message": {"content": "Hi"}}, "Ollama's own API", "Hi"),
    ({"done": True, "response": "Hi"}, "Ollama's own API", "Hi"),
    ({"type": "content-delta", "delta": {"message": {"content": {"text": "Hi"}}}}, "Cohere's API", "Hi"),
    ({"finish_reason": "COMPLETE", "message": {"content": [{"text": "Hi"}]}}, "Cohere's API", "Hi"),
    ({"output": {"message": {"content": [{"text": "Hi"}]}}}, "Amazon Bedrock's Converse API", "Hi"),
    ({"contentBlockDelta": {"delta": {"text": "Hi"}}}, "Amazon Bedrock's Converse API", "Hi"),
    ({"token": {"id": 7, "text": "Hi"}}, "Hugging Face's text generation API", "Hi"),
    ([{"generated_text": "Hi"}], "Hugging Face's text generation API", "Hi"),
    ({"type": "completion", "completion": "Hi"}, "the old Text Completions API", "Hi"),
]


@pytest.mark.parametrize(("value", "name", "text"), ANSWERS)
def test_a_response_of_another_api_is_named_and_its_text_is_read(value: Any, name: str, text: str) -> None:
    other = OtherFormat()
    other.add(value)
    assert (other.name, other.text) == (name, text)
    assert describe(value) == f"an answer of {name}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"input_tokens": 7}, "a token count"),
        ({"data": [], "has_more": False}, "a list"),
        ({"hello": "world"}, "a JSON object that is not a message"),
        (["hello"], "a JSON list"),
        ("hello", "a JSON string"),
        (True, "a JSON boolean"),
        (None, "JSON null"),
        (7.5, "a JSON number"),
    ],
)
def test_any_other_value_is_called_what_it_is(value: Any, words: str) -> None:
    assert describe(value) == words


def test_a_stream_is_gathered_event_by_event_without_pings() -> None:
    other = OtherFormat()
    for name, data in [("ping", "{}"), (None, '{"type": "ping"}'), (None, ""), (None, "not JSON"), (None, "[DONE]")]:
        other.add_event(ServerSentEvent(name, data))
    for word in ("Hel", "lo"):
        other.add_event(ServerSentEvent(None, json.dumps({"choices": [{"delta": {"content": word}}]})))
    assert (other.count, other.first, other.text) == (3, "not JSON", "Hello")


def test_lines_of_json_are_a_response_too() -> None:
    other = OtherFormat()
    assert other.add_lines('not JSON\n{"done": false, "response": "Hel"}\n7\n{"done": true, "response": "lo"}')
    assert (other.name, other.count, other.text) == ("Ollama's own API", 2, "Hello")
    assert not OtherFormat().add_lines("neither\nof these")


def test_a_long_stream_is_read_as_far_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_formats, "MOST_TEXT", 10)
    other = OtherFormat()
    for _ in range(20):
        other.add({"type": "completion", "completion": "four"})
    assert other.text == "fourfourfo"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "choices", "message", "content", "output", "delta", "text"]), inner)
    ),
)


@examples()
@given(json_values)
def test_no_value_is_odd_enough_to_raise(value: Any) -> None:
    assert describe(value)
