"""Chat completions requests of every form, as the Messages body that asks the same."""

import json
from typing import Any

import pytest

from tests.protocol.importing import imported

WEATHER = {"name": "get_weather", "description": "Tells the weather.", "parameters": {"type": "object"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Bonn"}'}}
PNG = "data:image/png;base64,AA=="


def translated(**members: Any) -> dict[str, Any]:
    body = {"model": "m", "max_tokens": 8, "messages": [{"role": "system", "content": "Short."}], **members}
    return imported(json.dumps(body)).body


def turns(*messages: dict[str, Any]) -> list[Any]:
    return translated(messages=[{"role": "system", "content": "Short."}, *messages])["messages"]


def test_instructions_of_both_roles_become_the_system_prompt() -> None:
    parts = [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be brief."}]
    messages = [{"role": "system", "content": parts}, {"role": "developer", "content": "In verse."}]
    body = translated(messages=[*messages, {"role": "user", "content": "hi"}])
    assert body["system"] == "Be kind.\nBe brief.\n\nIn verse."
    assert body["messages"] == [{"role": "user", "content": "hi"}]


def test_results_of_parallel_calls_go_into_one_message() -> None:
    second = {**CALL, "id": "c2"}
    asked, answered = turns(
        {"role": "assistant", "content": "One moment.", "tool_calls": [CALL, second]},
        {"role": "tool", "tool_call_id": "c1", "content": "sun"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "rain"}]},
    )
    assert [block["type"] for block in asked["content"]] == ["text", "tool_use", "tool_use"]
    assert asked["content"][1] == {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Bonn"}}
    assert answered["role"] == "user"
    assert [block["tool_use_id"] for block in answered["content"]] == ["c1", "c2"]
    assert answered["content"][1]["content"] == [{"type": "text", "text": "rain"}]


def test_a_result_after_a_question_is_a_message_of_its_own() -> None:
    question = {"role": "user", "content": [{"type": "text", "text": "And now?"}]}
    assert len(turns(question, {"role": "tool", "tool_call_id": "c1", "content": "sun"})) == 2


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "image_url", "image_url": {"url": PNG}},
         {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}),
        ({"type": "input_image", "image_url": "https://a.example/b.png"},
         {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}),
        ({"type": "output_text", "text": "hi"}, {"type": "text", "text": "hi"}),
        ({"type": "refusal", "refusal": "no"}, {"type": "text", "text": "no"}),
    ],
)  # fmt: skip
def test_a_part_of_a_message_becomes_the_block_that_says_the_same(part: Any, block: Any) -> None:
    (turn,) = turns({"role": "user", "content": [part]})
    assert turn["content"] == [block]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "input_audio", "input_audio": {"data": "AA=="}}, "(input_audio) has no counterpart"),
        ({"type": "file", "file": {"file_id": "f1"}}, "(file) has no counterpart"),
        ("loose", "(of no type) has no counterpart"),
    ],
)
def test_a_part_without_a_counterpart_is_left_out_and_said(part: Any, words: str) -> None:
    messages = [{"role": "system", "content": "Short."}, {"role": "user", "content": [part]}]
    result = imported(json.dumps({"model": "m", "messages": messages}))
    assert result.body["messages"][0]["content"] == []
    assert words in " ".join(result.notes)


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "get_weather"}}, {"type": "tool", "name": "get_weather"}),
        ("sometimes", None),
        ({"type": "function"}, None),
    ],
)
def test_a_choice_of_tools_is_translated_when_it_has_a_counterpart(choice: Any, meant: Any) -> None:
    assert translated(tools=[{"type": "function", "function": WEATHER}], tool_choice=choice).get("tool_choice") == meant


def test_tools_keep_their_names_and_schemas() -> None:
    bare = {"type": "function", "function": {"name": "now"}}
    tools = translated(tools=[{"type": "function", "function": WEATHER}, bare, {"type": "web_search"}])["tools"]
    assert tools[0] == {"name": "get_weather", "description": "Tells the weather.", "input_schema": {"type": "object"}}
    assert tools[1] == {"name": "now", "input_schema": {"type": "object", "properties": {}}}
    assert tools[2] == {"type": "web_search"}


def test_limits_and_stops_take_their_names_here() -> None:
    body = translated(max_completion_tokens=99, stop="END")
    assert (body["max_tokens"], body["stop_sequences"]) == (99, ["END"])
    assert translated(stop=["A", "B"])["stop_sequences"] == ["A", "B"]
    assert "stop_sequences" not in translated(stop=None)


def test_options_of_ollama_are_taken() -> None:
    body = translated(options={"num_predict": 5, "top_k": 3, "mirostat": 1})
    assert (body["max_tokens"], body["top_k"]) == (5, 3)
    assert "mirostat" not in body


def test_what_has_no_counterpart_is_named() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "seed": 4, "logit_bias": {}}
    notes = " ".join(imported(json.dumps(body)).notes)
    assert "seed has no counterpart" in notes
    assert "logit_bias has no counterpart" in notes


def test_an_empty_turn_is_an_empty_text() -> None:
    assert turns({"role": "assistant", "content": None}) == [{"role": "assistant", "content": ""}]


def test_calls_of_no_known_form_and_without_arguments_are_kept() -> None:
    bare = {"id": "c3", "function": {"name": "now"}}
    (turn,) = turns({"role": "assistant", "content": None, "tool_calls": ["loose", bare]})
    assert turn["content"] == ["loose", {"type": "tool_use", "id": "c3", "name": "now", "input": {}}]


def test_a_call_in_code_keeps_names_that_are_not_known_as_placeholders() -> None:
    code = (
        "client.chat.completions.create(model='m', max_tokens=8, messages=[\n"
        "    {'role': 'system', 'content': instructions},\n    {'role': 'user', 'content': [part]},\n"
        "    {'role': 'assistant', 'tool_calls': [{'id': 'c', 'function': {'name': 'f', "
        "'arguments': json.dumps({'a': 1})}}]}])"
    )
    body = imported(code).body
    assert body["system"] == "{{instructions}}"
    assert body["messages"][1]["content"][0]["input"] == {"a": 1}
