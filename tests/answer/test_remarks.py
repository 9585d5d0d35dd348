"""One line for each thing that was asked for and not done, and help that goes by the status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.answer.drawing import Drawing
from playground.answer.failures import verdict
from playground.answer.run_info import RunInfo
from playground.engine.events import Answered, Ended, Failure, Received, Requested, Streamed
from playground.engine.response import Answer
from playground.protocol.stream.sse import Decoder
from tests.support.runs import stream


def drawn(body: dict[str, Any], answer: bytes | dict[str, Any], *, streams: bool = True) -> Drawing:
    drawing = Drawing(RunInfo(body=body, asked_for_stream=streams))
    drawing.take(Requested(0.0, "POST", "", (), 1))
    drawing.take(Answered(1.0, 200, ()))
    data = json.dumps(answer).encode() if isinstance(answer, dict) else answer
    drawing.take(Received(2.0, data))
    if not isinstance(answer, dict):
        for number, event in enumerate(Decoder().feed(data), start=1):
            drawing.take(Streamed(2.0, number, event, event.end))
    drawing.take(Ended(3.0, "completed", None))
    drawing.draw()
    return drawing


def message(*content: Any, **members: Any) -> dict[str, Any]:
    return {"id": "m", "type": "message", "content": list(content), "stop_reason": "end_turn"} | members


TEXT = {"type": "text", "text": "Hi"}
CALL = {"type": "tool_use", "id": "t", "name": "look_up", "input": {}}


@pytest.mark.parametrize(
    ("body", "answer", "words"),
    [
        ({}, message(TEXT, stop_reason=None), "no stop_reason"),
        ({"tool_choice": {"type": "any"}}, message(TEXT), "required a tool call"),
        ({"tool_choice": {"type": "tool", "name": "look_up"}}, message(TEXT), "required a call of look_up"),
        ({"tool_choice": {"type": "tool", "name": "other"}}, message(CALL), "required a call of other"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, message(TEXT), "Thinking was requested"),
        (
            {"max_tokens": 5},
            message(TEXT, usage={"output_tokens": 9}),
            "9 output tokens, more than the max_tokens of 5",
        ),
    ],
)
def test_what_was_asked_and_not_done_is_one_line(body: dict[str, Any], answer: dict[str, Any], words: str) -> None:
    drawing = drawn(body, answer, streams=False)
    assert [remark for remark in drawing.remarks if words in remark] == drawing.remarks
    assert len(drawing.remarks) == 1
    assert words in drawing.ending_html


def test_a_stream_that_came_as_one_object_is_said() -> None:
    assert "as one object" in drawn({}, message(TEXT)).ending_html
    assert drawn({}, message(TEXT), streams=False).remarks == []
    assert drawn({}, stream("Well.")).remarks == []


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"tool_choice": {"type": "any"}}, message(CALL)),
        ({"tool_choice": {"type": "tool", "name": "look_up"}}, message(CALL)),
        ({"tool_choice": {"type": "auto"}}, message(TEXT)),
        ({"thinking": {"type": "enabled"}}, message({"type": "redacted_thinking", "data": "x"}, TEXT)),
        ({"thinking": {"type": "adaptive"}}, message(TEXT)),
        ({"max_tokens": 5}, message(TEXT, usage={"output_tokens": 5})),
        ({"max_tokens": "5", "tool_choice": [], "thinking": 7}, message(TEXT, usage={"output_tokens": 9})),
    ],
)
def test_what_was_done_as_asked_needs_no_words(body: dict[str, Any], answer: dict[str, Any]) -> None:
    assert drawn(body, answer, streams=False).remarks == []


def test_a_stream_without_message_stop_is_whole_with_a_note() -> None:
    cut = stream("Well.").partition(b"event: message_stop")[0]
    drawing = drawn({}, cut)
    assert drawing.state == "completed"
    assert "without message_stop" in drawing.ending_html


ERROR = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Too <b>busy</b>"}}\n\n'
PING = b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (ERROR, ["an error event came after its end: overloaded_error: Too &lt;b&gt;busy&lt;/b&gt;"]),
        (PING + ERROR + ERROR, ["an error event came after its end: overloaded_error"]),
        (b"event: error\ndata: no JSON\n\n", ["an error event came after its end: api_error: no JSON"]),
        (b"event: odd\ndata: {}\n\n" * 3, ["Further events came after the end of the message: odd"]),
        (b"event: odd\ndata: {}\n\n" + ERROR, ["an error event came after its end", "the end of the message: odd"]),
    ],
)
def test_what_a_stream_holds_behind_its_message_is_told(after: bytes, words: list[str]) -> None:
    drawing = drawn({}, stream("Well.") + after)
    assert len(drawing.remarks) == len(words)
    for each in words:
        assert each in drawing.ending_html
    assert drawing.figures.accumulator.message == drawn({}, stream("Well.")).figures.accumulator.message


@pytest.mark.parametrize("after", [b"", PING * 3, b"data: [DONE]\n\n", b": comment\n\n", b"event: odd\n"])
def test_what_means_nothing_behind_a_message_needs_no_words(after: bytes) -> None:
    assert drawn({}, stream("Well.") + after).remarks == []


def refusal_help(status: int, error: Any) -> str:
    import httpx

    answer = Answer(httpx.Response(status, headers={"content-type": "application/json"}), 2**20)
    answer.feed(json.dumps(error).encode(), 0.0)
    state, failure = answer.verdict(None)
    drawing = Drawing(RunInfo())
    drawing.take(Answered(1.0, status, ()))
    drawing.take(Ended(3.0, state, failure))
    note = verdict(drawing)
    assert note is not None
    about = ["credential"] if note.is_about_credential else []
    return " ".join((note.title, note.code, note.said, note.help, *note.steps, *about))


@pytest.mark.parametrize("type_", ["invalid_request_error", "authentication_error", "api_error", "", "odd", None])
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "Check the credential of this connection"),
        (403, "may not do this"),
        (404, "base URL"),
        (413, "Send less"),
        (429, "Wait for the time"),
        (529, "Try again in a moment"),
    ],
)
def test_help_goes_by_the_status_whatever_the_body_calls_it(status: int, words: str, type_: Any) -> None:
    told = refusal_help(status, {"error": {"type": type_, "message": "So it is"}})
    assert words in told
    assert "So it is" in told


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (404, "model 'x' not found", "Not found"),
        (405, "Method Not Allowed", "POST is not accepted at this address"),
        (501, "Unsupported method ('POST')", "POST is not accepted at this address"),
        (421, "Misdirected Request", "does not serve this host"),
        (400, "Client sent an HTTP request to an HTTPS server.", "has to start with https://"),
        (400, "The plain HTTP request was sent to HTTPS port", "has to start with https://"),
        (408, "Request Timeout", "timed out"),
        (400, "no such thing", "The request is not valid"),
    ],
)
def test_a_wrong_address_is_told_as_one(status: int, said: str, words: str) -> None:
    assert words in refusal_help(status, {"error": {"type": "BadRequestError", "message": said}})


def test_who_says_nothing_of_a_model_does_not_know_the_address() -> None:
    unknown = refusal_help(404, {"detail": "Not Found"})
    assert unknown.index("base URL") < unknown.index("model ID")
    named = refusal_help(404, {"error": {"message": "The model `x` does not exist."}})
    assert named.index("model ID") < named.index("base URL")


@pytest.mark.parametrize(
    ("error", "type_"),
    [
        ([{"error": {"code": 401, "message": "So it is", "status": "UNAUTHENTICATED"}}], "authentication_error"),
        (
            {"error": {"message": "So it is", "type": "invalid_request_error", "code": "invalid_api_key"}},
            "invalid_request",
        ),
        ({"error": {"message": "So it is", "type": None, "param": None, "code": None}}, "authentication_error"),
        ({"error": "So it is"}, "authentication_error"),
        ({"detail": "So it is"}, "authentication_error"),
        ({"message": "So it is"}, "authentication_error"),
    ],
)
def test_errors_of_any_shape_are_read(error: Any, type_: str) -> None:
    told = refusal_help(401, error)
    assert "So it is" in told
    assert type_ in told
    assert told.endswith("credential")


def test_an_error_in_a_stream_has_its_status_as_its_code() -> None:
    drawing = Drawing(RunInfo())
    failure = Failure("error_event", "x", {"type": "rate_limit_error", "message": "slow down", "request_id": None})
    drawing.take(Ended(3.0, "failed", failure))
    note = verdict(drawing)
    assert note is not None
    assert "Wait for the time" in note.steps[0]
