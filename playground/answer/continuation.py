"""The next request after an answer: the same body with other parameters, or with the answer and what follows it."""

from __future__ import annotations

from typing import Any

from playground.protocol import json_text, tools

GO_ON = "Continue exactly where you stopped."


class CannotGoOn(ValueError):  # noqa: N818 - reads as what it is
    """The body that was sent is not one that can be changed here; the text says why."""


def read_body(body: bytes) -> dict[str, Any]:
    """The sent body, with every number as it was spelled."""
    try:
        value = json_text.parse(body)
    except json_text.JsonTextError as error:
        raise CannotGoOn(f"The request body cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise CannotGoOn("The request body is no JSON object.")
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
            raise CannotGoOn(f"{name}: {text[:80]!r} is no number.") from None
    return changed


def check_messages(body: dict[str, Any]) -> dict[str, Any]:
    """The body, if turns can be added to it."""
    if not isinstance(body.get("messages"), list):
        raise CannotGoOn("The request has no list of messages to add to.")
    return body


def with_answer(body: dict[str, Any], content: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer as one more turn, and an empty one for what the user says next."""
    answered = tools.add_answer(check_messages(body), content)
    return answered | {"messages": [*answered["messages"], {"role": "user", "content": ""}]}


def with_results(
    body: dict[str, Any], content: list[dict[str, Any]], results: list[tools.ToolResult]
) -> dict[str, Any]:
    """The answer, and one turn with the results of its calls, in their order."""
    return tools.continue_with_results(check_messages(body), content, results)


def continued(body: dict[str, Any], content: list[dict[str, Any]], stop_reason: str | None) -> dict[str, Any]:
    """The body that makes the model go on. A paused or compacted turn is sent back as it is; one that was cut is asked.

    A call of a tool that was cut cannot go back without its result, so it is left out.
    """
    if stop_reason in {"pause_turn", "compaction"}:
        return tools.add_answer(check_messages(body), content)
    whole = [block for block in content if block.get("type") != "tool_use"]
    if not whole:
        raise CannotGoOn("There is nothing in the answer to go on from.")
    answered = tools.add_answer(check_messages(body), whole)
    return answered | {"messages": [*answered["messages"], {"role": "user", "content": GO_ON}]}
