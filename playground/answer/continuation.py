"""The next request after an answer: the same body with other parameters, or with the answer and what follows it."""

from __future__ import annotations

from typing import Any

from playground.exceptions import PlaygroundError
from playground.protocol import tool_loop
from playground.protocol.json import json_text

GO_ON = "Continue exactly where you stopped."


class CannotContinue(PlaygroundError, ValueError):
    """The body that was sent is not one that can be changed here; the text says why."""


def read_body(body: bytes) -> dict[str, Any]:
    """The sent body, with every number as it was spelled."""
    try:
        value = json_text.parse(body)
    except json_text.JsonTextError as error:
        raise CannotContinue(f"The request body could not be read: {error}") from None
    if not isinstance(value, dict):
        raise CannotContinue("The request body is not a JSON object.")
    return value


def write_body(value: dict[str, Any]) -> bytes:
    return json_text.dump(value).encode("utf-8", "surrogatepass")


def with_parameters(body: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """The body with some members set, from form texts; an empty text keeps what was sent."""
    changed = dict(body)
    for name, text in parameters.items():
        if not text.strip():
            continue
        if name == "model":
            changed[name] = text.strip()
            continue
        try:
            changed[name] = json_text.parse(text)
        except json_text.JsonTextError:
            raise CannotContinue(f"{name}: {text[:80]!r} is not a number.") from None
    return changed


def check_messages(body: dict[str, Any]) -> dict[str, Any]:
    """The body, if turns can be added to it."""
    if not isinstance(body.get("messages"), list):
        raise CannotContinue("The request has no list of messages to add to.")
    return body


def with_answer(body: dict[str, Any], content: list[dict[str, Any]], stop_reason: str | None = None) -> dict[str, Any]:
    """The answer as one more turn, and one for what the user says next: empty, or with a result for each call."""
    answered = _add(body, content, stop_reason)
    calls = tool_loop.calls_in(content)
    if calls:
        empty = [{"type": "tool_result", "tool_use_id": call.get("id"), "content": ""} for call in calls]
        return answered | {"messages": [*answered["messages"], {"role": "user", "content": empty}]}
    return answered | {"messages": [*answered["messages"], {"role": "user", "content": ""}]}


def place_of(body: dict[str, Any], content: list[dict[str, Any]], stop_reason: str | None = None) -> int | None:
    """Return the index of the message that this answer became; None when it was not added to the body."""
    kept, _ = tool_loop.can_go_back(content, stop_reason)
    messages = body.get("messages")
    for at, message in enumerate(messages if isinstance(messages, list) else []):
        if kept and isinstance(message, dict) and message.get("role") == "assistant" and message.get("content") == kept:
            return at
    return None


def with_results(
    body: dict[str, Any], content: list[dict[str, Any]], results: list[tool_loop.ToolResult]
) -> dict[str, Any]:
    """The answer, and one turn with the results of its calls, in their order."""
    return tool_loop.continue_with_results(check_messages(body), content, results)


def continued(body: dict[str, Any], content: list[dict[str, Any]], stop_reason: str | None) -> dict[str, Any]:
    """The body that makes the model go on. A paused or compacted turn is sent back as it is; one that was cut is asked.

    A call of a tool that was cut cannot go back without its result, so it is left out.
    """
    if stop_reason in {"pause_turn", "compaction"}:
        return _add(body, content, stop_reason)
    whole = [block for block in content if block.get("type") != "tool_use"]
    answered = _add(body, whole, stop_reason)
    return answered | {"messages": [*answered["messages"], {"role": "user", "content": GO_ON}]}


def left_out(content: list[dict[str, Any]], stop_reason: str | None = None) -> str:
    """Return, as a sentence for the reader, which parts of an answer are not sent back with it; "" when all are."""
    _, reasons = tool_loop.can_go_back(content, stop_reason)
    return f"Left out, as the API refuses it: {', '.join(reasons)}." if reasons else ""


def _add(body: dict[str, Any], content: list[dict[str, Any]], stop_reason: str | None) -> dict[str, Any]:
    kept, reasons = tool_loop.can_go_back(content, stop_reason)
    if not kept:
        because = f": it holds only {', '.join(reasons)}" if reasons else ""
        raise CannotContinue(f"There is nothing in the response to continue from{because}.")
    return tool_loop.add_answer(check_messages(body), content, stop_reason)
