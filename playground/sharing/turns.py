"""A body's turns made ready to be read, not edited; answers are drawn from their events where these are shared."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playground.answer.block_drawing import BlockDrawing, TailBudget, cut
from playground.answer.drawing import Drawing
from playground.answer.run_info import RunInfo
from playground.answer.run_view import Links
from playground.answer.server_results import web_address
from playground.engine.events import Answered, Ended, Received, Requested, RunEvent, Streamed
from playground.protocol.foreign_text import encodable
from playground.protocol.json import json_text
from playground.protocol.json.received_json import try_loads
from playground.protocol.snippets.http_request import base64_sources
from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.sse import ServerSentEvent, encode
from playground.rendering import formatting, markdown
from playground.sandbox.address import BASE_URL

PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
FRAME_MS = 16.0  # events that come closer together are drawn together, as a screen shows them
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


# --- turns of a body


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


def file_bytes(snapshot: dict[str, Any], name: str) -> bytes | None:
    """The bytes of a file that is in the copy."""
    for source in base64_sources([snapshot.get("body"), snapshot.get("branches"), snapshot.get("answers")]):
        if file_name(source["data"]) == name:
            try:
                return base64.b64decode(source["data"], validate=True)
            except (binascii.Error, ValueError):
                return None
    return None


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


# --- turns of a frozen copy


def draw_snapshot(snapshot: dict[str, Any]) -> list[Turn]:
    """All turns of a copy, with the answers in their places and the branches under the turns they replace."""
    turns = draw_turns(snapshot.get("body", {}).get("messages"))
    for answer in snapshot.get("answers", []):
        number = answer["turn"]
        if number < len(turns):
            _attach(turns[number], snapshot, answer)
        else:
            turn = Turn(number, "assistant", draw_content(answer["message"].get("content")), is_extra=True)
            _attach(turn, snapshot, answer)
            turns.append(turn)
    for branch in snapshot.get("branches", []):
        if turns:
            home = turns[min(branch["turn"], len(turns) - 1)]
            home.branches.append(draw_turns(branch["messages"], branch["turn"]))
    return turns


def _attach(turn: Turn, snapshot: dict[str, Any], answer: dict[str, Any]) -> None:
    turn.answer = draw_answer(snapshot, answer)
    turn.has_figures = "figures" in answer
    turn.has_replay = bool(answer.get("events"))
    if turn.has_replay:
        turn.items = [Item("drawn", drawn=drawn) for drawn in turn.answer.blocks]


def empty_answer(snapshot: dict[str, Any], answer: dict[str, Any]) -> Drawing:
    model = str(answer["message"].get("model") or snapshot.get("body", {}).get("model") or "")
    is_sandbox = answer.get("figures", {}).get("is_sandbox")
    drawing = Drawing(RunInfo(model=model, base_url=BASE_URL if is_sandbox else ""))
    drawing.key = f"answer-{answer['turn']}"
    drawing.links = Links()
    return drawing


def draw_answer(snapshot: dict[str, Any], answer: dict[str, Any]) -> Drawing:
    drawing = empty_answer(snapshot, answer)
    drawing.take_all(events_of(answer))
    drawing.draw()
    return drawing


def events_of(answer: dict[str, Any]) -> Iterator[RunEvent]:
    """The run events of a shared answer, as far as they are shared."""
    figures = answer.get("figures", {})
    yield Requested(0.0, "POST", "", (), 0)
    if figures.get("http_status"):
        yield Answered(figures.get("first_byte_ms") or 0.0, figures["http_status"], ())
    at_ms = 0.0
    if answer.get("events"):
        for streamed in streamed_of(answer["events"]):
            at_ms = streamed.at_ms
            yield streamed
    else:
        at_ms = figures.get("first_byte_ms") or 0.0
        yield Received(at_ms, json_text.dump(answer["message"], indent=None).encode())
    state: Any = answer.get("state")
    yield Ended(max(figures.get("duration_ms") or 0.0, at_ms), state if state != "running" else "interrupted", None)


def streamed_of(events: Iterable[list[Any]]) -> Iterator[Streamed]:
    end = 0
    for number, at_ms, name, data in events:
        size = len(encode(name, data))
        end += size
        yield Streamed(float(at_ms), number, ServerSentEvent(name, data, size=size), end)


def replay_frames(snapshot: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer as a page would be told it while it arrives: what to draw, and the milliseconds to do it at.

    Nothing is drawn before its time: what is drawn together waits for the last of it.
    """
    drawing, frames, since, due_ms = empty_answer(snapshot, answer), [], 0, 0.0
    events = list(events_of(answer))
    for event, following in zip(events, [*events[1:], None], strict=True):
        drawing.take(event)
        if following is not None and following.at_ms < due_ms + FRAME_MS:
            continue
        due_ms = event.at_ms
        revision = drawing.draw(due_ms / 1000)
        patches = [patch for patch in drawing.patches(since) if patch["op"] != "figures"]
        if patches:
            frames.append({"at": round(due_ms, 1), "draw": patches})
        since = revision
    return frames
