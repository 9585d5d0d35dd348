"""The events of a run as a page's table shows them: columns of plain values, small enough for 100,000 events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playground.answer.block_drawing import cut
from playground.protocol.catalogue.block_types import wire_kinds
from playground.protocol.foreign_text import encodable
from playground.protocol.json import json_text
from playground.rendering import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from playground.engine.events import Streamed

SHOWN = 400  # characters of an event's data in a row
_TYPE = re.compile(r'"type"\s*:\s*"([a-z_]{1,60})"')
_INDEX = re.compile(r'"index"\s*:\s*(\d{1,6})')
_BLOCK = re.compile(r'"content_block"\s*:\s*\{[^{}]{0,200}?"type"\s*:\s*"([a-z_]{1,60})"')
_DELTA = re.compile(r'"delta"\s*:\s*\{\s*"type"\s*:\s*"([a-z_]{1,60})"')
_KNOWN = frozenset(wire_kinds()["events"])


def wire_name(name: str | None, data: str) -> str:
    """Return the event's name in the table: its delta's type, else the type in its data, else its name on the wire."""
    head = data[:300]
    if (delta := _DELTA.search(head)) is not None:
        return delta[1]
    match = _TYPE.search(head)
    return match[1] if match else name or ("[DONE]" if data.strip() == "[DONE]" else "unnamed")


def wire_index(data: str) -> int:
    """The index of the block an event belongs to; -1 for events of the message itself."""
    match = _INDEX.search(data[:300]) if '"content_block' in data[:300] else None
    return int(match[1]) if match else -1


def wire_mark(name: str, malformed: str | None, data: str) -> str:
    """Return what is odd about an event, in a word: malformed, not JSON, unknown; empty for most."""
    if malformed:
        return "malformed"
    text = data.strip()
    if text and text != "[DONE]" and not (text.startswith("{") and text.endswith("}")):
        return "not JSON"
    return "" if name in _KNOWN or text == "[DONE]" else "unknown"


def columns(events: Iterable[Streamed]) -> dict[str, Any]:
    """All events as columns; `name` and `mark` are numbers that stand for the words beside them."""
    names: dict[str, int] = {}
    marks: dict[str, int] = {"": 0}
    blocks: dict[int, str] = {}
    columns: dict[str, list[Any]] = {"at": [], "name": [], "index": [], "size": [], "mark": []}
    for streamed in events:
        event = streamed.event
        name = wire_name(event.name, event.data)
        mark = wire_mark(name, event.malformed, event.data)
        columns["at"].append(round(streamed.at_ms, 1))
        columns["name"].append(names.setdefault(name, len(names)))
        index = wire_index(event.data)
        if name == "content_block_start" and (block := _BLOCK.search(event.data[:400])):
            blocks[index] = block[1]
        columns["index"].append(index)
        columns["size"].append(event.size)
        columns["mark"].append(marks.setdefault(mark, len(marks)))
    return {"columns": columns, "names": list(names), "marks": list(marks), "blocks": blocks}


def rows(events: Iterable[Streamed]) -> list[list[Any]]:
    """Number and the beginning of the data, for the rows that are in view."""
    return [[streamed.number, streamed.event.data[:SHOWN]] for streamed in events]


def body_html(event: Streamed) -> SafeString:
    """One event's data, indented and coloured if it is JSON, else as it came."""
    value, problem = event.event.json()
    text, language = (event.event.data, "text") if problem else (json_text.dump(value), "json")
    return markdown.highlight_code(encodable(cut(text)), language)
