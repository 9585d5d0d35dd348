"""Large requests: large in bytes, in turns, in tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS, assistant, create, user
from playground.conformance.judging import is_answered, never_breaks, path

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "limits"
_FIVE_MB: Final = 5 * 1024 * 1024


def five_megabytes(model: str) -> bytes:
    """White space between the members: it costs bytes and no tokens."""
    body = json.dumps({"model": model, "max_tokens": 16, "messages": [user("Repeat after me: ready")]})
    return body[:1].encode() + b" " * (_FIVE_MB - len(body)) + body[1:].encode()


def a_thousand_turns(model: str) -> bytes:
    turns = [user("ok") if number % 2 == 0 else assistant("ok") for number in range(1000)]
    return json.dumps({"model": model, "max_tokens": 16, "messages": [*turns, user("Repeat after me: ready")]}).encode()


def _nasty_schema(number: int) -> dict[str, Any]:
    """Return a schema like those of real tools: nested objects, unions, references, patterns, odd names."""
    inner: dict[str, Any] = {"type": "string", "pattern": "^[A-Z]{2,}\\d+$", "description": 'Quotes " and \\ and ü'}
    for depth in range(number % 6):
        inner = {"type": "object", "properties": {f"level_{depth}": inner}, "additionalProperties": False}
    return {
        "type": "object",
        "properties": {
            "value": inner,
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}, {"$ref": "#/$defs/item"}]},
            "many": {"type": "array", "items": {"type": "integer", "minimum": 0}, "default": []},
            "odd-name.with$signs": {"enum": ["a", 1, None, True]},
        },
        "required": ["value"],
        "$defs": {"item": {"type": "object", "properties": {}}},
    }


def a_hundred_tools(model: str) -> bytes:
    tools = [
        {"name": f"tool_{number:03}", "description": f"Tool number {number}.", "input_schema": _nasty_schema(number)}
        for number in range(100)
    ]
    body = {"model": model, "max_tokens": 16, "tools": tools, "messages": [user("Repeat after me: ready")]}
    return json.dumps(body, ensure_ascii=False).encode()


LARGE: Final = Request(five_megabytes)
TURNS: Final = Request(a_thousand_turns)
TOOLS: Final = Request(a_hundred_tools)
LONG_NAME: Final = create(tools=[{"name": "a" * 64, "input_schema": {"type": "object", "properties": {}}}])
DEEP: Final = create(
    tools=[{"name": "deep", "input_schema": {"type": "object", "properties": {"data": _nasty_schema(5)}}}],
)
MANY_STOPS: Final = create(stop_sequences=[f"stop-{number}" for number in range(32)])


def _taken_or_too_large(exchange: Exchange) -> None:
    if exchange.status == 413:
        if exchange.error is None or not exchange.body:
            raise ProtocolFaultError("HTTP 413 without a word why.")
        if path(exchange.json, "error", "type") != "request_too_large":
            raise ProtocolFaultError("HTTP 413 without the type request_too_large.", member="error.type")
        return
    is_answered(exchange)


def _check(name: str, level: Any, title: str, expects: str, why: str, request: Request, judge: Any) -> Check:
    needs: Any = ("tools",) if "tool" in title.lower() else ()
    return Check(
        f"limits.{name}", AREA, level, title, expects, why, DOCS["errors"], (request,), judge, needs=needs,
        depends=("answer.message",),
    )  # fmt: skip


CHECKS: Final = (
    _check("five_megabytes", "should", "A body of 5 MB is taken, or refused as too large",
           "A message, or HTTP 413 with request_too_large.",
           "The API takes 32 MB.", LARGE,
           _taken_or_too_large),
    _check("thousand_turns", "should", "A thousand turns are taken, or refused clearly", "A message, or HTTP 4xx.",
           "The API takes 100,000.", TURNS, never_breaks),
    _check("hundred_tools", "should", "A hundred tools with difficult schemas are taken, or refused clearly",
           "A message, or HTTP 4xx.", "Each of these schemas is valid; none may bring the server down.", TOOLS,
           never_breaks),
    _check("deep_schema", "should", "A tool's deep schema is taken, or refused clearly", "A message, or HTTP 4xx.",
           "As a hundred of them.", DEEP, never_breaks),
    _check("long_name", "must", "A tool's name of 64 characters is taken", "A message.",
           "The API takes names of this length.", LONG_NAME, is_answered),
    _check("many_stops", "may", "Thirty-two stop sequences are taken, or refused clearly", "A message, or HTTP 4xx.",
           "The reference has a list here, and OpenAI's four is not in it.", MANY_STOPS, never_breaks),
)  # fmt: skip
