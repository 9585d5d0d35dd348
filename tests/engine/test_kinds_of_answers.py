"""What an answer with status 200 is taken for: by its bytes, wherever they are cut, and not by its content type."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from playground.engine.response import Answer, Expected
from playground.protocol.stream.other_formats import OtherFormat
from playground.protocol.stream.sse import ServerSentEvent
from tests.support.raw_upstream import DELTA, START, STOP, TEXT, sse

MESSAGE = b'{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"Hi"}],"stop_reason":null}'
DONE = sse("message_delta", '{"type":"message_delta","delta":{"stop_reason":"end_turn"}}')
STREAM = START + TEXT + DELTA + DONE + STOP
TYPES = [
    "text/event-stream",
    "application/json",
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "text/html",
    "",
]


def verdict(
    body: bytes, content_type: str | bytes, step: int | None = None, *, expected: Expected = "message"
) -> tuple[str, str]:
    """State and kind of failure, the body coming `step` bytes at a time."""
    name: str | bytes = b"content-type" if isinstance(content_type, bytes) else "content-type"
    response = httpx.Response(200, headers={name: content_type} if content_type else {})  # type: ignore[arg-type]
    answer = Answer(response, 2**20, expected=expected)
    for at in range(0, len(body), step or len(body) or 1):
        answer.feed(body[at : at + (step or len(body))], 0.0)
    answer.finish(0.0)
    state, failure = answer.verdict(None)
    return state, failure.kind if failure else ""


@pytest.mark.parametrize("step", [1, 2, 3, 7, None])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (STREAM, ("completed", "")),
        (b"\xef\xbb\xbf" + STREAM, ("completed", "")),
        (b": hello\n\n" + STREAM, ("completed", "")),
        (STREAM.removesuffix(STOP), ("completed", "")),
        (START + TEXT + DELTA, ("interrupted", "truncated")),
        (START.replace(b"event: message_start\n", b""), ("interrupted", "truncated")),
        (sse("ping", "{}"), ("failed", "not_a_message")),
        (b"data: [DONE]\n\n", ("failed", "not_a_message")),
        (STOP, ("failed", "not_a_message")),
        (MESSAGE, ("completed", "")),
        (b"\n " + MESSAGE + b"\n", ("completed", "")),
        (b'{"error":{"message":"no"}}', ("failed", "error_event")),
        (b'{"error":"no"}', ("failed", "error_event")),
        (b'[{"error":{"code":429,"message":"no","status":"RESOURCE_EXHAUSTED"}}]', ("failed", "error_event")),
        (b'{"error":null,"object":"response","output":[]}', ("failed", "not_a_message")),
        (b'{"type":"error","error":{"type":"api_error","message":"no"}}', ("failed", "error_event")),
        (b'data: {"error":{"message":"no"}}\n\n', ("failed", "error_event")),
        (b'data: [{"error":{"message":"no"}}]\n\n', ("failed", "error_event")),
        (b"event: error\ndata: broken\n\n", ("failed", "error_event")),
        (b"[]", ("failed", "not_a_message")),
        (b"<!doctype html><p>Hello", ("failed", "not_json")),
    ],
)
def test_the_bytes_say_what_an_answer_is(body: bytes, expected: tuple[str, str], step: int | None) -> None:
    verdicts = {content_type: verdict(body, content_type, step) for content_type in TYPES}
    assert verdicts == dict.fromkeys(TYPES, expected)


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "TEXT/Event-Stream", "", "\0", "text/html"])
@pytest.mark.parametrize(
    "charset", ["\0", "utf-8\0", "\ud800", "undefined", "idna", "\u0130", "'", '"\0', "x" * 70_000, "\x1b["]
)
def test_no_charset_is_more_than_can_be_looked_at(kind: str, charset: str) -> None:
    for separator in ("; charset=", ";charset =", ";charset*=", " charset="):
        content_type = f"{kind}{separator}{charset}".encode("utf-8", "surrogatepass")
        assert verdict(STREAM, content_type) == ("completed", "")
        assert verdict(MESSAGE, content_type) == ("completed", "")
        assert verdict(b"{}", content_type) == ("failed", "not_a_message")
        assert verdict(b"OK", content_type)[0] == "failed"


LATE = sse("error", '{"type":"error","error":{"type":"overloaded_error","message":"Too busy"}}')


@pytest.mark.parametrize("step", [1, 3, None])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (STREAM + LATE, ("completed", "")),
        (STREAM + sse("ping", "{}") + LATE + LATE, ("completed", "")),
        (STREAM + LATE.removeprefix(b"event: error\n"), ("completed", "")),
        (STREAM + b'data: {"error":{"message":"no"}}\n\n', ("completed", "")),
        (STREAM + b"event: error\ndata: broken\n\n", ("completed", "")),
        (STREAM.removesuffix(STOP) + LATE, ("failed", "error_event")),
        (STREAM.removesuffix(STOP) + LATE + STOP, ("failed", "error_event")),
        (LATE + STREAM, ("failed", "error_event")),
        (STOP + LATE, ("failed", "error_event")),
    ],
)
def test_an_error_after_the_end_of_a_message_takes_nothing_from_it(
    body: bytes, expected: tuple[str, str], step: int | None
) -> None:
    assert verdict(body, "text/event-stream", step) == expected


@pytest.mark.parametrize("content_type", TYPES[1:])
@pytest.mark.parametrize("body", [b"", b"  \n", b"OK", b"dat", b"\xff\xfe", b"data is what I have"])
def test_what_is_neither_json_nor_a_stream_is_no_json(body: bytes, content_type: str) -> None:
    assert verdict(body, content_type, 1) == ("failed", "not_json")


@pytest.mark.parametrize("body", [b"", b"\n\n", b"OK", b"\xff\xfe", b"null", b": comment\n\n", b"data: half"])
def test_a_stream_without_an_event_is_no_message(body: bytes) -> None:
    assert verdict(body, "text/event-stream", 1) == ("failed", "not_a_message")


def test_a_message_nested_too_deeply_is_a_fault_of_ours() -> None:
    deep = b'{"type":"message","content":[{"type":"tool_use","input":' + b"[" * 977 + b"]" * 977 + b"}]}"
    assert verdict(deep, "application/json") == ("failed", "internal")


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (b'{"input_tokens":0}', ("completed", "")),
        (b' {"input_tokens": 12, "more": null}', ("completed", "")),
        (b"{}", ("failed", "not_a_count")),
        (b'{"input_tokens":1.5}', ("failed", "not_a_count")),
        (b'{"input_tokens":null}', ("failed", "not_a_count")),
        (MESSAGE, ("failed", "not_a_count")),
        (STREAM, ("failed", "not_a_count")),
        (b": nothing\n\n", ("failed", "not_a_count")),
        (b"\x1f\x8b\x08", ("failed", "not_a_count")),
        (b"[" * 200_000, ("failed", "not_a_count")),
        (b'{"error":{"message":"no"}}', ("failed", "error_event")),
    ],
)
@pytest.mark.parametrize("content_type", TYPES)
def test_a_token_count_is_a_number_and_nothing_else(body: bytes, ends: tuple[str, str], content_type: str) -> None:
    assert verdict(body, content_type, expected="token_count") == ends


def test_a_list_of_models_is_as_good_as_a_message_where_none_is_expected() -> None:
    assert verdict(b'{"data":[],"has_more":false}', "application/json", expected="object") == ("completed", "")
    assert verdict(b'{"data":[],"has_more":false}', "application/json") == ("failed", "not_a_message")
    assert verdict(b'{"error":{"message":"no"}}', "application/json", expected="object")[0] == "failed"
    assert verdict(b"[]", "application/json", expected="object")[0] == "failed"


@pytest.mark.parametrize(
    ("values", "name", "text"),
    [
        ([{"object": "chat.completion", "choices": [{"message": {"content": "a"}}]}], "Chat Completions", "a"),
        ([{"choices": [{"message": {"content": [{"type": "text", "text": "a"}]}}]}], "Chat Completions", "a"),
        ([{"choices": [{"delta": {"role": "assistant"}}]}, {"choices": [{"delta": {"content": "a"}}]}], "Chat", "a"),
        ([{"object": "text_completion", "choices": [{"text": "a"}]}], "Completions", "a"),
        ([{"type": "response.created"}, {"type": "response.output_text.delta", "delta": "a"}], "Responses", "a"),
        ([{"object": "response", "output": [{"content": [{"type": "output_text", "text": "a"}]}]}], "Responses", "a"),
        ([{"candidates": [{"content": {"parts": [{"text": "a"}, {"text": "b"}]}}]}], "Gemini", "ab"),
        ([{"response": "a", "done": False}, {"response": "b", "done": True}], "Ollama", "ab"),
        ([{"message": {"role": "assistant", "content": "a"}, "done": True}], "Ollama", "a"),
        ([{"type": "content-delta", "delta": {"message": {"content": {"text": "a"}}}}], "Cohere", "a"),
        ([{"output": {"message": {"content": [{"text": "a"}]}}}], "Bedrock", "a"),
        ([[{"generated_text": "a"}]], "Hugging Face", "a"),
        ([{"token": {"id": 1, "text": "a"}, "generated_text": None}], "Hugging Face", "a"),
        ([{"type": "completion", "completion": "a"}], "Text Completions", "a"),
    ],
)
def test_other_apis_are_known_and_their_text_is_found(values: list[object], name: str, text: str) -> None:
    other_format = OtherFormat()
    for value in values:
        other_format.add_event(ServerSentEvent(None, json.dumps(value)))
    assert name in other_format.name
    assert other_format.text == text
    assert json.loads(other_format.first) == values[0]


STRANGE = [
    None, 1, "x", [], {}, [[]], {"choices": [None]}, {"choices": {}}, {"output": [1]}, {"candidates": [{"content": 7}]},
    {"object": "response", "output": [None, 1, {"content": [1, None]}]}, {"type": []}, {"done": True, "message": {}},
]  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE)
def test_no_shape_is_more_than_can_be_looked_at(strange: object) -> None:
    other_format = OtherFormat()
    other_format.add(strange)
    other_format.add({"choices": [{"message": strange}]})
    other_format.add({"output": {"message": {"content": strange}}})
    assert isinstance(other_format.text, str)


def test_the_text_of_an_endless_stream_is_bounded() -> None:
    other_format = OtherFormat()
    event = ServerSentEvent(None, json.dumps({"choices": [{"delta": {"content": "x" * 1_000}}]}))
    for _ in range(10_000):
        other_format.add_event(event)
    assert len(other_format.text) == 20_000


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (gzip.compress(MESSAGE), "application/json", "compressed by gzip, without a content-encoding"),
        (gzip.compress(STREAM), "text/event-stream", "compressed by gzip, without a content-encoding"),
        (MESSAGE.decode().encode("utf-16"), "application/json", "UTF-16"),
        (b"<html><title>Log in</title></html>", "text/event-stream", "a web page"),
        (b"\xef\xbb\xbf <!doctype html>", "application/json", "a web page"),
        (b": hello\n\n: still here\n\n", "text/event-stream", "nothing but comments"),
        (b"OK", "text/plain", "text/plain that is not JSON"),
    ],
)
def test_a_body_that_is_no_message_is_named(body: bytes, content_type: str, words: str) -> None:
    answer = Answer(httpx.Response(200, headers={"content-type": content_type}), 2**20)
    answer.feed(body, 0.0)
    answer.finish(0.0)
    state, failure = answer.verdict(None)
    assert (state, words in (failure.message if failure else "")) == ("failed", True)
