"""New items for the lists of a body: blocks, turns and tools with the names that the conversation already tells."""

from __future__ import annotations

from typing import Any

from playground.exceptions import PlaygroundError
from playground.protocol.catalogue.kinds import Kind, Object, Variants, accepts, blank
from playground.protocol.json.paths import Path, get

JsonValue = Any


class ChangeError(PlaygroundError, ValueError):
    """The change cannot be made; the message is for the reader."""


def new_item(kind: Kind, variant: str, body: JsonValue, path: Path) -> JsonValue:
    """A new item: the named variant, the given text, else the blank one."""
    if isinstance(kind, Variants) and variant:
        chosen = kind.by_name.get(variant)
        if chosen is None:
            raise ChangeError(f"There is no {variant[:60]!r} here")
        return _named(chosen, body, path)
    if variant and accepts(kind, variant):
        return variant
    return blank(kind)


def _named(chosen: Object, body: JsonValue, path: Path) -> JsonValue:
    """A new block or tool, with the names filled in that can be told from the conversation."""
    new = blank(chosen)
    messages = get(body, ("messages",))
    if chosen.name == "tool_result" and isinstance(messages, list):
        step = path[1] if path[:1] == ("messages",) and len(path) > 1 else None
        turn = step if isinstance(step, int) else len(messages)
        answered = {block.get("tool_use_id") for block in _blocks(messages[turn] if turn < len(messages) else None)}
        waiting = [call for call in open_calls(messages[:turn]) if call not in answered]
        if waiting:
            new["tool_use_id"] = waiting[0]
    if chosen.name == "tool_use" and isinstance(messages, list):
        calls = sum(1 for message in messages for block in _blocks(message) if block.get("type") == "tool_use")
        new["id"] = f"toolu_{calls + 1:02}"
    if chosen.name == "custom":
        tools = get(body, ("tools",))
        new["name"] = f"tool_{len(tools) + 1 if isinstance(tools, list) else 1}"
    return new


def open_calls(messages: list[JsonValue]) -> list[str]:
    """The ids of the tool calls in the last message, when it is the assistant's."""
    last = messages[-1] if messages else None
    if not isinstance(last, dict) or last.get("role") != "assistant":
        return []
    return [
        block["id"] for block in _blocks(last) if block.get("type") == "tool_use" and isinstance(block.get("id"), str)
    ]


def _blocks(message: JsonValue) -> list[dict[str, JsonValue]]:
    content = message.get("content") if isinstance(message, dict) else None
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def role_of(body: JsonValue, index: int) -> str:
    message = get(body, ("messages", index)) if index >= 0 else None
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else ""


def block_for(media_type: str) -> str:
    return "image" if media_type.startswith("image/") else "document"


def source_for(reference: str, media_type: str) -> dict[str, JsonValue]:
    kind = "text" if media_type == "text/plain" else "base64"
    return {"type": kind, "media_type": media_type, "data": reference}
