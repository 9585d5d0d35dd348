"""The turns of a body, drawn to be read and not edited: in the log, in a session, in a shared copy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from playground.answer.block_drawing import BlockDrawing, TailBudget, cut
from playground.answer.drawing import Drawing
from playground.answer.server_results import web_address
from playground.protocol.foreign_text import encodable
from playground.protocol.json import json_text
from playground.protocol.json.received_json import try_loads
from playground.protocol.stream.accumulator import Accumulator
from playground.rendering import formatting, markdown

PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
MOST_PICTURE = 8 * 2**20  # characters of base64 that go into a page


@dataclass(frozen=True)
class Item:
    """One block of a turn. `shape` names its template part: drawn, picture, file, result, text."""

    shape: str
    drawn: BlockDrawing | None = None
    title: str = ""
    note: str = ""
    address: str = ""
    text: Any = ""
    items: list[Item] = field(default_factory=list)
    is_error: bool = False
    file: str = ""  # the name under which a copy hands out the bytes

    def __post_init__(self) -> None:
        for name in ("title", "note", "address", "text"):
            if isinstance(text := getattr(self, name), str):
                object.__setattr__(self, name, encodable(text))


@dataclass
class Turn:
    """`number` counts from 0, as in messages[0]. `answer` is the run that gave this turn, if it is shared."""

    number: int
    role: str
    items: list[Item]
    answer: Drawing | None = None
    has_figures: bool = False
    has_replay: bool = False
    is_extra: bool = False  # an answer that is not in the body
    branches: list[list[Turn]] = field(default_factory=list)


def draw_turns(messages: Any, start: int = 0) -> list[Turn]:
    """The turns of a body; `start` is the number of the first."""
    names = tool_names(messages)
    turns = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    return [
        Turn(number, str(message.get("role", "")), draw_content(message.get("content"), names))
        for number, message in enumerate(turns, start)
    ]


def draw_content(content: Any, tool_names: dict[str, str] | None = None) -> list[Item]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return [_item(index, block, tool_names or {}) for index, block in enumerate(blocks)]


def _item(index: int, block: dict[str, Any], names: dict[str, str]) -> Item:
    kind = block.get("type")
    if kind == "image":
        return _picture(block)
    if kind == "document":
        return _document(block)
    if kind == "tool_result":
        called = names.get(str(block.get("tool_use_id")), "")
        is_error = block.get("is_error") is True
        return Item("result", title=called, items=_result_items(block.get("content")), is_error=is_error)
    return Item("drawn", drawn=_drawn(index, block))


def _drawn(index: int, block: dict[str, Any]) -> BlockDrawing:
    """The block as the answer view draws it, finished."""
    growing = Accumulator.of_message({"type": "message", "content": [block]}).blocks[0]
    growing.index = index
    drawn = BlockDrawing(growing, TailBudget())
    if growing.text:
        drawn.grow(growing.text)
    drawn.draw(1, 0.0)
    drawn.finish(1)
    return drawn


def _picture(block: dict[str, Any]) -> Item:
    source = block["source"] if isinstance(block.get("source"), dict) else {}
    media_type, data = source.get("media_type"), source.get("data")
    is_shown = source.get("type") == "base64" and media_type in PICTURES
    if is_shown and isinstance(data, str) and 0 < len(data) < MOST_PICTURE:
        return Item("picture", title="image", address=f"data:{media_type};base64,{data}")
    return _file("image", source)


def _document(block: dict[str, Any]) -> Item:
    source = block["source"] if isinstance(block.get("source"), dict) else {}
    title = block["title"] if isinstance(block.get("title"), str) else ""
    if source.get("type") == "text" and isinstance(source.get("data"), str):
        return Item("text", title=title or "document", note="text/plain", text=cut(source["data"]))
    if source.get("type") == "content":
        return Item("result", title=title or "document", items=draw_content(source.get("content")))
    return _file(title or "document", source)


def _file(title: str, source: dict[str, Any]) -> Item:
    """A file that the page names but does not show: an address, an id, a PDF."""
    data, notes = source.get("data"), [str(source.get("media_type") or source.get("type") or "")]
    file = ""
    if isinstance(data, str) and source.get("type") == "base64":
        notes.append(formatting.size(len(data) * 3 // 4))
        file = file_name(data)
    address = web_address(source.get("url"))
    if not address and isinstance(source.get("file_id"), str):
        notes.append(source["file_id"])
    return Item("file", title=title, note=" · ".join(filter(None, notes)), address=address, file=file)


def file_name(data: str) -> str:
    return hashlib.sha256(data.encode("utf-8", "replace")).hexdigest()[:32]


def _result_items(content: Any) -> list[Item]:
    """A tool's result: text that is JSON is shown as JSON, other text as it is; it is not markdown."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    items: list[Item] = []
    for index, block in enumerate(content if isinstance(content, list) else []):
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str):
            items.append(Item("text", text=_coloured(block["text"])))
        elif isinstance(block, dict):
            items.append(_item(index, block, {}))
    return items


def _coloured(text: str) -> Any:
    value = try_loads(text) if text.lstrip()[:1] in ("{", "[") else None
    if value is None:
        return cut(text)
    return markdown.highlight_code(cut(json_text.dump(value)), "json")


def tool_names(messages: Any) -> dict[str, str]:
    """The names of the tools that are called in messages, by the ids of the calls."""
    names: dict[str, str] = {}
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        for block in content if isinstance(content, list) else []:
            if isinstance(block, dict) and "id" in block and isinstance(block.get("name"), str):
                names[str(block["id"])] = block["name"]
    return names
