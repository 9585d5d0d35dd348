"""The tool loop: calls that wait, results in their order, and forms and inputs made from examples and schemas."""

from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from playground.protocol.body import form_values
from playground.protocol.json.json_text import dump, parse
from playground.protocol.rules.validation import check
from playground.protocol.tool_loop import (
    ToolResult,
    add_answer,
    calls_in,
    can_go_back,
    continue_with_results,
    example_input,
    pending_tool_uses,
)
from tests.protocol.bodies import json_values, schemas

TOOLS = [{"name": "weather", "input_schema": {"type": "object"}}]
BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 100,
    "tools": TOOLS,
    "messages": [{"role": "user", "content": "Weather in Lisbon and Oslo?"}],
}
ANSWER = [
    {"type": "thinking", "thinking": "", "signature": "c2ln"},
    {"type": "text", "text": ""},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Lisbon"}},
    {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Oslo"}},
]


def test_results_follow_their_calls_in_order_and_the_api_takes_them() -> None:
    results = [ToolResult("toolu_2", "rain"), ToolResult("toolu_1", [{"type": "text", "text": "sun"}])]
    after = continue_with_results(BODY, ANSWER, results)
    assert after["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "sun"}]},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "rain"},
        ],
    }
    assert check(after) == []
    assert len(BODY["messages"]) == 1


def test_thinking_goes_back_as_it_came_and_empty_text_does_not() -> None:
    answer = continue_with_results(BODY, ANSWER, [])["messages"][1]
    assert answer["content"] == [ANSWER[0], *ANSWER[2:]]
    assert answer["content"][0] is ANSWER[0]


TEXT = {"type": "text", "text": "So"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
REMOTE = {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "look", "server_name": "s", "input": {}}
CODE = {"type": "server_tool_use", "id": "srvtoolu_2", "name": "code_execution", "input": {}}
OWN_CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
OWN_CALL["caller"] = {"type": "code_execution_20260120", "tool_id": "srvtoolu_2"}


@pytest.mark.parametrize(
    ("content", "stop_reason", "kept", "reasons"),
    [
        ([{"type": "text", "text": "\n\n"}, ANSWER[2]], "tool_use", [1], 1),
        ([{"type": "text", "text": " \t\u00a0"}, TEXT], "end_turn", [1], 1),
        ([{"type": "text", "text": ""}, TEXT], "end_turn", [1], 0),
        ([{"type": "thinking", "thinking": "Let me", "signature": ""}], "max_tokens", [], 1),
        ([{"type": "thinking", "thinking": "Let me"}, TEXT], "max_tokens", [1], 1),
        ([ANSWER[0], TEXT], "end_turn", [0, 1], 0),
        ([{"type": "redacted_thinking", "data": ""}, {"type": "redacted_thinking", "data": "x"}], None, [1], 1),
        ([TEXT, SEARCH], "max_tokens", [0], 1),
        ([TEXT, SEARCH], "pause_turn", [0, 1], 0),
        ([SEARCH, FOUND, TEXT], "end_turn", [0, 1, 2], 0),
        ([FOUND, TEXT], "end_turn", [1], 1),
        ([REMOTE, TEXT], "max_tokens", [1], 1),
        ([REMOTE, {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1"}, TEXT], "end_turn", [0, 1, 2], 0),
        ([CODE, OWN_CALL], "tool_use", [0, 1], 0),
        ([{"type": "something_new", "text": " "}, "odd", None], None, [0, 1, 2], 0),
        ([{"type": "server_tool_use", "id": ["odd"]}, {"type": "x_tool_result", "tool_use_id": {}}], None, [], 2),
        ("no list", None, [], 0),
    ],
)
def test_what_the_api_refuses_does_not_go_back_and_is_named(
    content: Any, stop_reason: str | None, kept: list[int], reasons: int
) -> None:
    blocks, left_out = can_go_back(content, stop_reason)
    assert blocks == [content[at] for at in kept]
    assert len(left_out) == reasons


def test_an_answer_of_which_nothing_is_left_adds_nothing() -> None:
    assert add_answer(BODY, [{"type": "thinking", "thinking": "Let me", "signature": ""}]) == BODY


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    after = continue_with_results(BODY, ANSWER, {"toolu_1": ToolResult("toolu_1", "sun", is_error=False)})
    missing = after["messages"][2]["content"][1]
    assert missing["tool_use_id"] == "toolu_2"
    assert missing["is_error"] is True
    assert check(after) == []


def test_a_failed_tool_is_marked_and_a_toolset_is_repeated() -> None:
    call = {"type": "tool_use", "id": "t", "name": "screenshot", "input": {}, "toolset_name": "computer"}
    (block,) = continue_with_results(BODY, [call], [ToolResult("t", "no screen", is_error=True)])["messages"][2][
        "content"
    ]
    assert block["is_error"] is True
    assert block["toolset_name"] == "computer"


def test_an_answer_without_calls_only_joins_the_conversation() -> None:
    after = continue_with_results(BODY, [{"type": "text", "text": "Sunny."}], [])
    assert [message["role"] for message in after["messages"]] == ["user", "assistant"]


def test_an_answer_that_was_begun_is_gone_on_with() -> None:
    begun = {**BODY, "messages": [*BODY["messages"], {"role": "assistant", "content": "It is"}]}
    after = add_answer(begun, [{"type": "text", "text": " sunny."}, {"type": "tool_use", "id": "a"}])
    assert after["messages"][1:] == [
        {"role": "assistant", "content": [{"type": "text", "text": "It is sunny."}, {"type": "tool_use", "id": "a"}]}
    ]


def test_the_calls_that_wait_are_those_at_the_end() -> None:
    after = add_answer(BODY, ANSWER)
    assert [call["id"] for call in pending_tool_uses(after["messages"])] == ["toolu_1", "toolu_2"]
    half = [*after["messages"], {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]}]
    assert [call["id"] for call in pending_tool_uses(half)] == ["toolu_2"]
    assert pending_tool_uses([*half, {"role": "assistant", "content": "Done."}]) == []


@given(json_values)
def test_odd_conversations_have_no_calls_that_wait(value: Any) -> None:
    assert pending_tool_uses(value) == []
    assert calls_in(value) == []


SCHEMAS = [
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {"type": "object", "properties": {"unit": {"enum": ["c", "f"]}}, "required": ["unit"]},
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 5, "maximum": 9}}, "required": ["n"]},
    {"type": "object", "properties": {"x": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}}, "required": ["x"]},
    {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string"}, "minItems": 2}},
        "required": ["a"],
    },
    {"type": "object", "properties": {"s": {"type": "string", "minLength": 30, "maxLength": 40}}, "required": ["s"]},
    {"type": "object", "properties": {"on": {"type": ["boolean", "null"]}}, "required": ["on"]},
    {
        "type": "object",
        "properties": {"p": {"$ref": "#/$defs/Point"}},
        "required": ["p"],
        "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
    },
    {"type": "object", "properties": {"v": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}, "required": ["v"]},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"const": 4}}}]},
    {"type": "object", "properties": {"tree": {"$ref": "#"}}},
    {"type": "object"},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_example_input_follows_its_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(example_input(schema))


@given(schemas)
def test_an_example_input_is_an_object_that_can_be_sent_whatever_the_schema(schema: dict[str, Any]) -> None:
    made = example_input(schema)
    assert isinstance(made, dict)
    assert parse(dump(made)) == made


def test_the_form_shows_the_results() -> None:
    after = continue_with_results(BODY, ANSWER, [ToolResult("toolu_1", "sun")])
    assert dict(form_values(after))["messages[2].content[0].content"] == "sun"
