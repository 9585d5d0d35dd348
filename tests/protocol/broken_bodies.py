"""Bodies with one mistake each, and where it is; and bodies without one."""

import base64
from typing import Any

import pytest

from playground.protocol.json import json_text

# Some model id without facts: rules that hang on the model are tested with known ones.
BASE: dict[str, Any] = {"model": "m", "max_tokens": 2000, "messages": [{"role": "user", "content": "Hi"}]}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def body(**members: Any) -> dict[str, Any]:
    return {**BASE, **members}


def turns(*contents: Any, first: str = "user") -> dict[str, Any]:
    """A body whose messages have these contents, the roles taking turns."""
    other = {"user": "assistant", "assistant": "user"}
    roles = [first if index % 2 == 0 else other[first] for index in range(len(contents))]
    return body(messages=[{"role": r, "content": c} for r, c in zip(roles, contents, strict=True)])


def text(words: str = "x", **members: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **members}


def call(call_id: str = "t1", **members: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "look", "input": {}, **members}


def result(call_id: str = "t1", **members: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": "seen", **members}


def tool(name: str = "look", **members: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object"}, **members}


def image(**source: Any) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG, **source}}


def document(**members: Any) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}, **members}


MARK = {"type": "ephemeral"}
MCP = ("mcp-client-2025-11-20",)

# A body, where its one problem is, a part of the message, and the other arguments of `check`.
Case = tuple[dict[str, Any], str, str, dict[str, Any]]


def case(wrong: Any, place: str, message: str, **arguments: Any) -> Any:
    return pytest.param(wrong, place, message, arguments, id=f"{place}: {message}")


ERRORS = [
    # Shape
    case({k: v for k, v in BASE.items() if k != "max_tokens"}, "max_tokens", "required"),
    case({k: v for k, v in BASE.items() if k != "model"}, "model", "required"),
    case(body(model=""), "model", "Must not be empty"),
    case(body(model=5), "model", "Must be a string, not a number"),
    case(body(max_tokens=-1), "max_tokens", "at least 0"),
    case(body(max_tokens=1.5), "max_tokens", "whole number, not 1.5"),
    case(body(max_tokens=True), "max_tokens", "not true or false"),
    case(body(max_tokens="9"), "max_tokens", "not a string"),
    case(body(max_tokens=None), "max_tokens", "cannot be null"),
    case(body(system=None), "system", "cannot be null"),
    case(body(system=5), "system", "a string or a list, not a number"),
    case(body(stream="yes"), "stream", "true or false"),
    case(body(temperature=1.5), "temperature", "at most 1"),
    case(body(top_k=-3), "top_k", "at least 0"),
    case(body(messages=[]), "messages", "At least 1 message"),
    case(body(messages={}), "messages", "Must be a list, not an object"),
    case(body(messages=["Hi"]), "messages[0]", "Must be an object"),
    case(body(messages=[{"role": "robot", "content": "x"}]), "messages[0].role", "'robot' is not one of"),
    case(body(messages=[{"role": "user"}]), "messages[0].content", "required"),
    case(body(messages=[{"content": "x"}]), "messages[0].role", "required"),
    case(body(service_tier="best"), "service_tier", "'best' is not one of auto, standard_only"),
    case(body(metadata={"user_id": 5}), "metadata.user_id", "Must be a string"),
    case(body(max_tokens=5000, thinking={"type": "enabled"}), "thinking.budget_tokens", "required"),
    case(body(thinking={"type": "enabled", "budget_tokens": 500}), "thinking.budget_tokens", "at least 1,024"),
    case(body(thinking={"budget_tokens": 1500}), "thinking.type", "type is required"),
    case(body(thinking={"type": "wild"}), "thinking.type", "'wild' is not one of"),
    case(body(tools=[{"type": "bash_20250124", "name": "sh"}]), "tools[0].name", "Must be bash"),
    case(body(tools=[{"name": "x"}]), "tools[0].input_schema", "required"),
    case(turns([{"type": "hologram"}]), "messages[0].content[0].type", "'hologram' is not one of"),
    case(turns([image(media_type="image/bmp")]), "messages[0].content[0].source.media_type", "image/bmp"),
    case(turns([text("")]), "messages[0].content[0].text", "Must not be empty"),
    case(turns(""), "messages[0].content", "Message is empty"),
    # Beta headers
    case(body(mcp_servers=[]), "mcp_servers", "needs the anthropic-beta mcp-client"),
    case(body(context_management={"edits": []}), "context_management", "context-management-2025-06-27"),
    case(body(thread={"type": "create"}), "thread", "message-threads-2026-08-12"),
    case(
        body(thinking={"type": "adaptive", "display": "updates"}),
        "thinking.display",
        "thinking-display-updates-2026-08-18",
    ),
    case(
        body(tools=[{"type": "computer_20250124", "name": "computer", "display_width_px": 9, "display_height_px": 9}]),
        "tools[0]",
        "computer-use-2025-01-24",
    ),
    # The version of the API
    case(body(temperature=1), "temperature", "since anthropic-version 2026-10-21", version="2026-10-21"),
    case(body(top_k=1), "top_k", "since anthropic-version 2026-10-21", version="2026-10-21"),
    case(
        turns("a", [document()], "b"),
        "messages[1].content[0]",
        "since anthropic-version 2026-10-21",
        version="2026-10-21",
    ),
    case(
        turns([text(citations=[])]), "messages[0].content[0].citations", "since anthropic-version", version="2026-10-21"
    ),
    # Thinking
    case(body(thinking={"type": "enabled", "budget_tokens": 2000}), "thinking.budget_tokens", "less than max_tokens"),
    case(body(thinking={"type": "enabled", "budget_tokens": 1024}, temperature=0.5), "temperature", "must be 1"),
    case(body(thinking={"type": "enabled", "budget_tokens": 1024}, top_k=5), "top_k", "not allowed with thinking"),
    case(body(thinking={"type": "adaptive", "budget_tokens": 1024}), "thinking.budget_tokens", "is not allowed with"),
    case(
        body(thinking={"type": "enabled", "budget_tokens": 1024}, tools=[tool()], tool_choice={"type": "any"}),
        "tool_choice.type",
        "does not work with thinking",
    ),
    case(
        {**turns("a", "b"), "thinking": {"type": "enabled", "budget_tokens": 1024}},
        "messages[1].role",
        "A prefilled response",
    ),
    # Models
    case(
        body(model="claude-opus-5-5", thinking={"type": "disabled"}),
        "thinking.type",
        "claude-opus-5-5 does not support disabled thinking; it supports adaptive",
    ),
    case(
        body(model="claude-sonnet-4-5", thinking={"type": "adaptive"}),
        "thinking.type",
        "claude-sonnet-4-5 does not support adaptive thinking",
    ),
    case(
        body(model="claude-haiku-5-5", thinking={"type": "disabled"}, output_config={"effort": "max"}),
        "thinking.type",
        "up to effort high",
    ),
    case(body(model="claude-opus-4-7", temperature=1), "temperature", "claude-opus-4-7 does not support temperature"),
    case(body(model="claude-haiku-5-5", temperature=0.3), "temperature", "does not support temperature"),
    case(
        body(model="claude-sonnet-4-5", output_config={"effort": "low"}),
        "output_config.effort",
        "does not support effort",
    ),
    case(body(model="claude-sonnet-4-5", max_tokens=64_001), "max_tokens", "at most 64,000"),
    case(
        body(model="claude-sonnet-5-5", tools=[tool()], tool_choice={"type": "any"}),
        "tool_choice.type",
        "does not support forced tool use",
    ),
    case({**turns("a", "b"), "model": "claude-opus-4-6"}, "messages[1].role", "does not support a prefilled response"),
    case(
        body(model="claude-haiku-5-5", fallbacks="default"),
        "fallbacks",
        "not support fallbacks",
        betas=["server-side-fallback-2026-07-01"],
    ),
    case(
        body(thinking={"type": "enabled", "budget_tokens": 1024}),
        "thinking.type",
        "it supports adaptive",
        capabilities={"thinking": {"supported": True, "types": {"adaptive": {"supported": True}}}},
    ),
    case(
        body(max_tokens=2000),
        "max_tokens",
        "at most 1,000",
        capabilities={"id": "m", "max_tokens": 1000, "capabilities": {}},
    ),
    case(turns([image()]), "messages[0].content[0]", "does not support images", capabilities={"image_input": False}),
    # The conversation
    case(turns("a", "b", "c", first="assistant"), "messages[0].role", "must be from the user"),
    case(turns("a", "b  "), "messages[1].content", "cannot end in white space"),
    case(turns("a", [text("b\n")]), "messages[1].content[0].text", "cannot end in white space"),
    case(turns([text(), text(" ")]), "messages[0].content[1].text", "only white space"),
    case(turns(" "), "messages[0].content", "only white space"),
    case(turns([]), "messages[0].content", "Message is empty"),
    case(turns([{"type": "thinking", "thinking": "", "signature": ""}]), "messages[0].content[0]", "assistant message"),
    case(
        body(messages=[*BASE["messages"], {"role": "system", "content": "x"}, {"role": "user", "content": "y"}]),
        "messages[2].role",
        "A system message must be last",
    ),
    case(
        body(messages=[*turns("a", "b")["messages"], {"role": "system", "content": "x"}]),
        "messages[2].role",
        "must follow a user message",
    ),
    case(body(messages=[*BASE["messages"], {"role": "system"}]), "messages[1].content", "is optional only"),
    case(
        turns("a", [call()], [result(content=[{"type": "browser_state", "tabs": []}] * 2)]),
        "messages[2].content[0].content[1]",
        "one browser_state",
    ),
    # Calls and results
    case(turns("a", [call()], "b"), "messages[1].content[0]", "no tool_result"),
    case(turns("a", [call()]), "messages[1].content[0]", "no tool_result"),
    case(turns("a", [call()], [text(), result()]), "messages[2].content[1]", "must come first"),
    case(turns("a", [call()], [result(), result()]), "messages[2].content[1].tool_use_id", "already has a result"),
    case(
        turns("a", [call()], [result(), result("t2")]),
        "messages[2].content[1].tool_use_id",
        "No tool_use in the assistant message",
    ),
    case(turns([result()]), "messages[0].content[0].tool_use_id", "No tool_use in the assistant message"),
    case(turns("a", [call()], [result()], [call()], [result()]), "messages[3].content[0].id", "already has the ID t1"),
    case(turns("a", [call(toolset_name="c")], [result()]), "messages[2].content[0].toolset_name", "must match"),
    # Tools
    case(body(tools=[tool("a b")]), "tools[0].name", "letters, digits"),
    case(body(tools=[tool(), tool()]), "tools[1].name", "already has this name"),
    case(body(tool_choice={"type": "auto"}), "tool_choice", "needs tools"),
    case(body(tools=[tool()], tool_choice={"type": "tool", "name": "b"}), "tool_choice.name", "No tool"),
    case(body(tools=[tool(defer_loading=True)]), "tools[0]", "At least one tool must not be deferred"),
    case(
        body(tools=[tool(), {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}]),
        "tools[1]",
        "at least one tool with defer_loading",
    ),
    case(
        body(
            tools=[{"type": "web_search_20250305", "name": "web_search", "allowed_domains": [], "blocked_domains": []}]
        ),
        "tools[0].blocked_domains",
        "cannot be used together",
    ),
    case(
        body(tools=[tool(), {"type": "computer_toolset_20260801", "configs": {"key": {"defer_loading": True}}}]),
        "tools[1].configs",
        "the same for every member",
    ),
    case(body(tools=[tool(input_schema={})]), "tools[0].input_schema.type", "must be object"),
    case(
        body(tools=[tool(input_schema={"type": "object", "properties": {"a": {"type": "text"}}})]),
        "tools[0].input_schema.properties.a.type",
        "type must be one of array, boolean",
    ),
    case(
        body(tools=[tool(input_schema={"type": "object", "required": "a"})]),
        "tools[0].input_schema.required",
        "required must be a list of names",
    ),
    case(
        body(tools=[{"type": "mcp_toolset", "mcp_server_name": "a"}], mcp_servers=[]),
        "tools[0].mcp_server_name",
        "No server",
        betas=MCP,
    ),
    case(
        body(mcp_servers=[{"type": "url", "name": "a", "url": "https://a.example"}]),
        "mcp_servers[0]",
        "needs an mcp_toolset",
        betas=MCP,
    ),
    # Features
    case(
        body(output_config={"format": {"type": "json_schema", "schema": {"type": 5}}}),
        "output_config.format.schema.type",
        "type must be one of",
    ),
    case(
        {**turns([text(cache_control=MARK)] * 3), "cache_control": MARK, "system": [text(cache_control=MARK)]},
        "cache_control",
        "5 cache marks, at most 4 are allowed",
    ),
    case(
        turns([text(cache_control=MARK), text(cache_control={**MARK, "ttl": "1h"})]),
        "messages[0].content[1].cache_control.ttl",
        "cannot come after",
    ),
    case(
        turns([document(citations={"enabled": True}), document()]),
        "messages[0].content[1].citations",
        "for all documents",
    ),
    case(
        {
            **turns([document(citations={"enabled": True})]),
            "output_config": {"format": {"type": "json_schema", "schema": {}}},
        },
        "output_config.format",
        "cannot be used with citations",
    ),
    case(
        body(compaction={"type": "summarize"}, context_management={}),
        "context_management",
        "cannot be used with compaction",
        betas=["compact-2026-09-04", "context-management-2025-06-27"],
    ),
    case(
        body(thread={"type": "continue", "previous_message_id": "m"}, system="x"),
        "system",
        "remove it",
        betas=["message-threads-2026-08-12"],
    ),
    # Bytes
    case(
        turns([image(data="data:image/png;base64," + PNG)]),
        "messages[0].content[0].source.data",
        "only the base64 data",
    ),
    case(turns([image(data="****")]), "messages[0].content[0].source.data", "not valid base64"),
    case(turns([image(data="")]), "messages[0].content[0].source.data", "Choose a file or paste data"),
    case(turns([image(media_type="image/gif")]), "messages[0].content[0].source.media_type", "data is image/png"),
    case(turns([image(data=PNG + "A" * 7_000_000)]), "messages[0].content[0].source.data", "larger than 5 MiB"),
]

WARNINGS = [
    case(body(temperature=0.5, top_p=0.5, model="claude-sonnet-4-5"), "top_p", "together"),
    case(body(thinking={"type": "adaptive"}, top_p=0.5), "top_p", "between 0.95 and 1"),
    case(body(tools=[tool("n" * 65)]), "tools[0].name", "longer than 64"),
    case(
        body(tools=[tool(input_schema={"type": "object", "required": ["a"]}, input_examples=[{}])]),
        "tools[0].input_examples[0]",
        "does not match the schema",
    ),
    case(
        body(output_config={"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}),
        "output_config.format.schema.additionalProperties",
        "may have to be false",
    ),
    case(body(tools=[tool(strict=True)]), "tools[0].input_schema.additionalProperties", "may have to be false"),
    case(
        body(output_format={"type": "json_schema", "schema": {}}),
        "output_format",
        "use output_config.format",
        betas=["structured-outputs-2025-11-13"],
    ),
    case(
        body(fallbacks="default"),
        "fallbacks",
        "needs the anthropic-beta server-side-fallback-2026-07-01",
        betas=["server-side-fallback-2026-06-01"],
    ),
    case(body(stop_sequences=["\n"]), "stop_sequences[0]", "may be refused"),
    case(body(fallbacks="default"), "fallbacks", "needs the anthropic-beta server-side-fallback"),
    case(
        body(thread={"type": "create"}, thinking={"type": "adaptive"}),
        "thinking",
        "do not work with threads",
        betas=["message-threads-2026-08-12"],
    ),
    case(
        body(thinking={"type": "enabled", "budget_tokens": 3000}),
        "thinking.budget_tokens",
        "less than max_tokens",
        betas=["interleaved-thinking-2025-05-14"],
    ),
]


SOUND = [
    BASE,
    body(max_tokens=0),
    body(max_tokens=json_text.parse("2e3")),
    body(unknown={"anything": [1]}, temperature=1, top_p=None, **{"x-vendor": 1}) | {"top_p": 0.9},
    body(system=[text(cache_control=MARK)]),
    turns("a", [call(), call("t2")], [result("t2"), result("t1"), text()]),
    # Neighbours of one role are one turn.
    body(
        messages=[
            *turns("a", [call()])["messages"],
            {"role": "assistant", "content": [call("t2")]},
            {"role": "user", "content": [result()]},
            {"role": "user", "content": [result("t2"), text()]},
        ]
    ),
    body(messages=[*BASE["messages"], {"role": "system", "content": "x"}, {"role": "assistant", "content": "y"}]),
    turns("a", "b"),
    turns("a", ""),
    turns("a", [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}]),
    body(model="claude-sonnet-5-5", thinking={"type": "between_tools"}),
    body(model="claude-haiku-5-5", thinking={"type": "disabled"}, output_config={"effort": "high"}),
    body(model="claude-opus-4-6", thinking={"type": "enabled", "budget_tokens": 1024}, temperature=1),
    turns([image(), document(), {"type": "image", "source": {"type": "url", "url": "https://a.example/x"}}]),
    body(tools=[tool(defer_loading=True), tool("b")], tool_choice={"type": "tool", "name": "b"}),
    body(tools=[{"type": "computer_toolset_20260801"}], tool_choice={"type": "tool", "name": "screenshot"}),
    body(tools=[tool(type=None), tool("b", type="custom", input_examples=[{"any": 1}])]),
]
