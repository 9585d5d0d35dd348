"""JSON of any kind is looked at before it is taken for a body: what is known is unpacked, what is not is named."""

import json
from typing import Any

import pytest

from tests.protocol.importing import BODY, URL, choice, imported, problem

HELLO = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def entry(body: Any, url: str = URL, method: str = "POST") -> dict[str, Any]:
    posted = {"postData": {"mimeType": "application/json", "text": json.dumps(body)}} if body is not None else {}
    return {"request": {"method": method, "url": url, "headers": []} | posted, "response": {"status": 200}}


@pytest.mark.parametrize(
    "value",
    [
        HELLO,
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
        [{"conversations": [{"from": "user", "value": "Hi"}, {"from": "chatgpt", "value": "Hello"}]}],
        {
            "uuid": "1",
            "name": "Greeting",
            "chat_messages": [
                {"sender": "human", "text": "Hi", "content": [{"type": "text", "text": "Hi"}]},
                {"sender": "assistant", "text": "Hello"},
            ],
        },
        {
            "title": "Greeting",
            "mapping": {
                "a": {"parent": None, "message": None, "children": ["b"]},
                "b": {
                    "parent": "a",
                    "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hi"]}},
                    "children": ["c"],
                },
                "c": {
                    "parent": "b",
                    "message": {"author": {"role": "assistant"}, "content": {"parts": ["Hello"]}},
                    "children": [],
                },
            },
        },
    ],
)
def test_an_exported_chat_gives_its_messages_and_asks_for_the_rest(value: Any) -> None:
    result = imported(json.dumps(value))
    assert result.body == {"messages": HELLO}
    assert any("model" in note for note in result.notes)
    assert any("max_tokens" in note for note in result.notes)


def test_messages_on_lines_are_one_conversation() -> None:
    assert imported("\n".join(json.dumps(message) for message in HELLO)).body == {"messages": HELLO}


def test_a_chat_completions_body_is_translated() -> None:
    body = {
        "model": "gpt",
        "max_completion_tokens": 9,
        "stop": "END",
        "seed": 1,
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "required",
        "messages": [
            {"role": "system", "content": "Be short."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "u"}}],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "2"},
        ],
    }
    result = imported(json.dumps(body))
    assert result.body == {
        "model": "gpt",
        "max_tokens": 9,
        "stop_sequences": ["END"],
        "system": "Be short.",
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "See"}, {"type": "image", "source": {"type": "url", "url": "u"}}],
            },
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "2"}]},
        ],
    }
    assert any("seed" in note for note in result.notes)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"log": {"entries": [entry(BODY), entry({"model": "other", "messages": []})]}}),
        json.dumps({"version": "1.2", "entries": [entry(BODY), entry({"model": "other", "messages": []})]}),
        json.dumps(
            [{"custom_id": "a", "params": BODY}, {"custom_id": "b", "params": {"model": "other", "messages": []}}]
        ),
        json.dumps({"custom_id": "a", "params": BODY}) + "\n" + '{"custom_id": "b", "params": {"model": "other"}}',
        json.dumps(BODY) + "\n" + json.dumps({"model": "other", "messages": []}) + "\n",
        json.dumps([BODY, {"model": "other", "messages": []}]),
    ],
)
def test_of_several_requests_each_is_offered(text: str) -> None:
    options = choice(text).options
    assert [option.body["model"] for _, option in options] == ["m-1", "other"]
    assert options[0][1].body == BODY


def test_only_requests_to_the_messages_api_are_offered() -> None:
    entries = [
        entry(None, "https://a.example/page", "GET"),
        entry({"event": "click"}, "https://stats.example/collect"),
        entry(BODY, f"{URL}/count_tokens"),
        entry({}, URL),
        entry(BODY, f"{URL}?beta=true"),
    ]
    result = imported(json.dumps({"log": {"entries": entries}}))
    assert (result.body, result.query) == (BODY, "beta=true")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"id": "m", "type": "message", "role": "assistant", "model": "m-1", "content": []}, "a response of the API"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "an error of the API"),
        ({"type": "message_start", "message": {}}, "an event of a stream"),
        ({"id": "c", "object": "chat.completion", "choices": []}, "a response of a chat completions API"),
        ({"input_tokens": 12}, "a count of tokens"),
        ({"data": [{"type": "model", "id": "m"}], "has_more": False}, "a list that an API answered"),
        ({"custom_id": "a", "result": {"type": "succeeded"}}, "the result of a batch"),
        ({"name": "thing", "version": "1.0.0", "dependencies": {}}, "it has name, version, dependencies"),
        ({"log": {"entries": []}}, "No entry of the HAR file"),
        ({"log": {"entries": [entry(None)]}}, "not in the file"),
        ({"log": {"entries": [entry(None, "https://a.example", "GET")]}}, "POST to …/messages"),
        ({"info": {"name": "c"}, "item": []}, "not a request"),
        ([], "empty"),
        ({}, "nothing"),
        ([1, 2], "JSON object"),
        ("text", "JSON object"),
    ],
)
def test_what_is_no_request_is_named(value: Any, words: str) -> None:
    assert words in problem(json.dumps(value)).message


def test_a_captured_stream_is_named_with_its_model() -> None:
    text = 'event: message_start\ndata: {"type": "message_start", "message": {"model": "m-7"}}\n\n'
    assert "by m-7" in problem(text).message
    assert "stream" in problem("data: [DONE]\n").message


def test_blocks_alone_become_one_message() -> None:
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert imported(json.dumps(blocks)).body == {"messages": [{"role": "user", "content": blocks}]}
