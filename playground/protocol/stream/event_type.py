"""The type of an event."""

from __future__ import annotations

from typing import Any

from playground.protocol.errors import is_bare_error


def type_of_event(data: dict[str, Any], name: str | None) -> str:
    """The type inside the data counts; the event's name only when there is none."""
    if isinstance(type_ := data.get("type"), str) and type_:
        return type_
    if name and name != "message":  # "message" is what a stream calls an event without a name
        return name
    if is_bare_error(data):
        return "error"
    message = data.get("message")
    # Other APIs have a `message` too; of theirs, the content is text.
    is_ours = isinstance(message, dict) and not isinstance(message.get("content"), str)
    return "message_start" if is_ours else "without a type"
