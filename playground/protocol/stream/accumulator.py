"""Events to the message so far.

Kinder than the official client: what is unknown is kept, what is odd is noted in `problems`, nothing raises. Deltas
are gathered by index; usage is overwritten, never added up; `signature` is set, not appended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.protocol.catalogue.block_types import BLOCK_TYPES, DELTA_TYPES, block_type
from playground.protocol.errors import ApiError, error_body, is_error, read_error, unwrapped
from playground.protocol.stream.event_type import type_of_event
from playground.protocol.stream.growing_block import Field, GrowingBlock
from playground.protocol.stream.message_change import Change, Ending, Problem
from playground.protocol.stream.usual_delta import usual_delta
from playground.protocol.whole_numbers import read_whole

if TYPE_CHECKING:
    from playground.protocol.stream.sse import ServerSentEvent


class Accumulator:
    """A message in the making.

    Feed every event to `add` and say `finish` when the body has ended: only then can an open message be truncated.
    Its many methods are one for each type of event and of delta.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.ending: Ending = "open"
        self.error: dict[str, Any] | None = None  # the data of the `error` event; see `api_error`
        self.usage: dict[str, Any] = {}  # merged over all events
        self.has_begun = False  # whether anything of a message has come
        self.lacks_message_stop = False  # although it has its stop_reason and the body came to its end
        self.came_after: list[str] = []  # types of what followed the end of the message, but pings; the first few
        self.late_error: dict[str, Any] | None = None  # an `error` event that followed a whole message
        self.count = 0  # events seen, also those that changed nothing
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, GrowingBlock] = {}
        self._by_wire_index: dict[int, GrowingBlock] = {}
        self._strays: dict[int, dict[str, GrowingBlock]] = {}  # by the index of their host and the kind of delta
        self._open_blocks: dict[int, GrowingBlock] = {}  # the latest last
        self._free_index = 0  # above all indices in use

    @classmethod
    def of_message(cls, message: Any) -> Accumulator:
        """A message that came whole, as JSON; also an error object, or whatever stood in its place."""
        accumulator = cls()
        error = unwrapped(message)
        if isinstance(error, dict) and is_error(error):
            accumulator._fail(error)
        elif isinstance(message, dict) and (
            message.get("type") == "message" or isinstance(message.get("content"), list)
        ):
            accumulator._load(message)
            accumulator.ending = "complete"
        else:
            accumulator._note("the answer is not a message")
            accumulator.ending = "failed"
        return accumulator

    @property
    def blocks(self) -> list[GrowingBlock]:
        """The content blocks so far, in the order of their index."""
        return [self._blocks[index] for index in sorted(self._blocks)]

    def block(self, index: int) -> GrowingBlock | None:
        return self._blocks.get(index)

    @property
    def message(self) -> dict[str, Any]:
        """The message so far in the API's shape; costs as much as the message is long."""
        missing = {} if "type" in self._message else {"type": "message", "role": "assistant"}
        message = missing | self._message
        message["content"] = [block.value for block in self.blocks]
        if self.usage:
            message["usage"] = dict(self.usage)
        return message

    @property
    def api_error(self) -> ApiError | None:
        """The `error` event's words, whatever its shape."""
        return read_error(self.error) if self.error is not None else None

    @property
    def stop_reason(self) -> str | None:
        reason = self._message.get("stop_reason")
        return reason if isinstance(reason, str) else None

    def finish(self) -> None:
        """The body has ended. Without `stop_reason`, `message_stop` or `error` before, the message is truncated."""
        if self.ending == "open":
            self.ending = "complete" if self.stop_reason is not None else "truncated"
            if self.stop_reason is not None:
                self.lacks_message_stop = True

    def add(self, event: ServerSentEvent) -> Change | None:
        """Take the next event; tell what it changed. None: nothing (a ping, or something noted in `problems`)."""
        self.count += 1
        if (change := self._grow_as_usual(event)) is not None:
            return change
        if event.malformed:
            self._note(event.malformed)
        data = self._data_of(event)
        if data is None:
            return None
        type_ = type_of_event(data, event.name)
        if self.ending != "open" and type_ != "ping":
            self._note(f"{type_} after the end of the message")
            if self._is_too_late(type_, data):
                return None
        handle = _HANDLERS.get(type_)
        if handle is None:
            self._note(f"unknown event {type_}")
            return None
        return handle(self, data)

    def _grow_as_usual(self, event: ServerSentEvent) -> Change | None:
        """Take the event if it is what nearly all are: more text for a block that is open and takes it."""
        delta = usual_delta(event.data)
        if delta is None or event.malformed or self.ending != "open":
            return None
        block, kind = self._by_wire_index.get(delta.wire_index), DELTA_TYPES.get(delta.kind)
        if block is None or kind is None or not (block.open and kind.is_text and kind.member == delta.member):
            return None
        if not (delta.text and _is_at_home(delta.kind, block)):
            return None
        block.append(delta.member, delta.text)
        return Change("block_grew", block.index, block.type, delta.member, delta.text)  # type: ignore[arg-type]

    def _is_too_late(self, type_: str, data: dict[str, Any]) -> bool:
        """Return whether this event, which follows the message's end, changes nothing of it any more."""
        if len(self.came_after) < _MOST_NAMED_AFTER:
            self.came_after.append(type_)
        if self.ending == "complete" and type_ == "error" and self.late_error is None:
            self.late_error = data
        return self.ending == "failed" or type_ == "error"

    def _data_of(self, event: ServerSentEvent) -> dict[str, Any] | None:
        """The event's data as an object; None when there is nothing to take from it."""
        text = event.data
        if not text.startswith("{"):
            if text.strip() == "[DONE]":
                return None  # how OpenAI's streams end; some servers send it here too
            if not text.strip() and event.name:
                return {}
        data, problem = event.json()
        data = unwrapped(data)
        if isinstance(data, dict):
            return data
        if event.name == "error":
            return error_body("api_error", data if isinstance(data, str) else text)
        self._note(f"not JSON: {problem}" if problem else "the data is not an object")
        return None

    def _note(self, text: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(self.count, text))

    # -- the message itself

    def _start_message(self, data: dict[str, Any]) -> Change | None:
        message = data.get("message")
        if not isinstance(message, dict):
            self._note("message_start without a message")
            return None
        if self._message:
            self._note("a second message_start")
        self._load(message)
        return Change("message_started")

    def _take_whole(self, data: dict[str, Any]) -> Change:
        self._load(data)
        self.ending = "complete"
        return Change("completed")

    def _load(self, message: dict[str, Any]) -> None:
        """Take a message's members; blocks that it brings along are complete."""
        self.has_begun = True
        self._message |= message  # content and usage only keep their places: see the property
        content = message.get("content")
        for start in content if isinstance(content, list) else []:
            if isinstance(start, dict):
                self._shut(self._open(self._free_index, start))
            else:
                self._note("a content block is not an object")
        if isinstance(content, str) and content:
            self._shut(self._open(self._free_index, {"type": "text", "text": content}))
        self._merge_usage(message.get("usage"))

    def _merge_usage(self, usage: Any) -> None:
        """Counts are cumulative. Absent or null keeps what is known; null is kept only where nothing is known."""
        if isinstance(usage, dict):
            known = {name: value for name, value in usage.items() if value is not None or name not in self.usage}
            self.usage |= known
        elif usage is not None:
            self._note("usage is not an object")

    def _change_message(self, data: dict[str, Any]) -> Change:
        delta = data.get("delta")
        if isinstance(delta, dict):
            # An upstream that sends several of these may leave null in the later ones.
            self._message |= {
                name: value for name, value in delta.items() if value is not None or name not in self._message
            }
        elif delta is not None:
            self._note("the delta is not an object")
        self._merge_usage(data.get("usage"))
        self._take_members(data, "delta", "usage")
        return Change("message_changed")

    def _complete(self, data: dict[str, Any]) -> Change:
        self._take_members(data)
        self.ending = "complete"
        return Change("completed")

    def _take_members(self, data: dict[str, Any], *but: str) -> None:
        """Members beside the documented ones (context_management, gateways' own) belong to the message."""
        for name, value in data.items():
            if name != "type" and name not in but and name not in ("content", "role", "index"):
                self._message[name] = value

    def _fail(self, data: dict[str, Any]) -> Change:
        self.error = data or error_body("api_error", "The upstream reported an error and did not say which.")
        self.ending = "failed"
        return Change("failed")

    def _ping(self, data: dict[str, Any]) -> None:
        """Do nothing: a ping is a sign of life."""

    # -- blocks

    def _open_block(self, data: dict[str, Any]) -> Change:
        start = data.get("content_block")
        if not isinstance(start, dict):
            self._note("content_block_start without a block")
            start = {"type": "unknown"}
        wire_index = self._index_of(data)
        if wire_index is None:
            wire_index = self._free_index
        block = self._by_wire_index.get(wire_index)
        if block is not None and block.implied and block.open:
            block.restart(start)
            block.implied = False
        else:
            if block is not None:
                self._note(f"block {wire_index} started twice")
            block = self._open(wire_index, start)
        return Change("block_opened", block.index, block.type, added=block.text)

    def _open(self, wire_index: int, start: dict[str, Any], *, implied: bool = False) -> GrowingBlock:
        index = wire_index if wire_index >= 0 and wire_index not in self._blocks else self._free_index
        block = GrowingBlock(index, wire_index, start, implied=implied)
        self.has_begun = True
        self._blocks[index] = self._by_wire_index[wire_index] = self._open_blocks[index] = block
        self._free_index = max(self._free_index, index + 1)
        return block

    def _shut(self, block: GrowingBlock) -> None:
        block.open = False
        self._open_blocks.pop(block.index, None)
        for stray in self._strays.get(block.index, {}).values():
            stray.open = False

    def _index_of(self, data: dict[str, Any]) -> int | None:
        index = data.get("index")
        if isinstance(index, str):
            index = read_whole(index)
        if isinstance(index, int) and not isinstance(index, bool) and abs(index) <= _MOST_INDEX:
            return index
        self._note("no index")
        return None

    def _grow_block(self, data: dict[str, Any]) -> Change | None:
        delta = data.get("delta")
        if not isinstance(delta, dict):
            self._note("content_block_delta without a delta")
            return None
        type_ = delta.get("type")
        kind = type_ if isinstance(type_, str) else ""
        block = self._block_for(data, kind)
        if block is None:
            return None
        if not block.open:
            self._note(f"a delta for block {block.wire_index}, which was closed")
        if kind in DELTA_TYPES and DELTA_TYPES[kind].is_text:
            return self._append(block, kind, delta)
        if kind == "signature_delta":
            block.set("signature", delta.get("signature"))
            return _grown(block, "signature")
        if kind == "citations_delta":
            block.add_citation(delta.get("citation"))
            return _grown(block, "citations")
        if kind == "compaction_delta":
            for name in delta:
                if name != "type":
                    block.extend(name, delta[name])
            return _grown(block, "compaction")
        self._note(f"unknown delta {kind}" if kind else "a delta without a type")
        block.unknown_deltas.append(delta)
        return _grown(block, "unknown")

    def _block_for(self, data: dict[str, Any], kind: str) -> GrowingBlock | None:
        """The block that a delta belongs to; made when its start is missing and the delta tells what it is."""
        wire_index = self._index_of(data)
        if wire_index is None:
            if self._open_blocks:
                return next(reversed(self._open_blocks.values()))
            wire_index = self._free_index
        if (block := self._by_wire_index.get(wire_index)) is not None:
            return block
        if kind not in DELTA_TYPES:
            self._note(f"{kind or 'a delta'} for block {wire_index}, which was not started")
            return None
        self._note(f"block {wire_index} was not started")
        return self._open(wire_index, _implied_start(kind), implied=True)

    def _append(self, block: GrowingBlock, kind: str, delta: dict[str, Any]) -> Change | None:
        member = DELTA_TYPES[kind].member
        text = delta.get(member)
        block.estimate(delta.get("estimated_tokens"))
        if not isinstance(text, str):
            if text is not None:
                self._note(f"{member} is not a string")
            text = ""
        if text and not _is_at_home(kind, block):
            block = self._stray(block, kind)
        if text or member == block.type:
            block.append(member, text)
        return Change("block_grew", block.index, block.type, member, text)  # type: ignore[arg-type]

    def _stray(self, host: GrowingBlock, kind: str) -> GrowingBlock:
        """SGLang sends text on an open tool_use block. It becomes a block of its own, so that neither is spoilt."""
        if kind == "input_json_delta":
            return host  # there is no name to make a call of; the raw text is kept on the block
        strays = self._strays.setdefault(host.index, {})
        if kind not in strays:
            self._note(f"{kind} on a {host.type} block")
            start = _implied_start(kind)
            strays[kind] = self._blocks[self._free_index] = GrowingBlock(self._free_index, host.wire_index, start)
            self._free_index += 1
        return strays[kind]

    def _close_block(self, data: dict[str, Any]) -> Change | None:
        wire_index = self._index_of(data)
        block = self._by_wire_index.get(wire_index) if wire_index is not None else None
        if block is None:
            self._note("a block was closed that was not started")
            return None
        self._shut(block)
        if problem := block.input_problem:
            self._note(f"the input of {block.type} {block.wire_index} is not JSON: {problem}")
        return Change("block_closed", block.index, block.type)


def _implied_start(kind: str) -> dict[str, Any]:
    """The block that a delta of this kind belongs to, when its own start has not come."""
    return dict(BLOCK_TYPES[DELTA_TYPES[kind].home].implied_start or {})


_HANDLERS = {
    "message_start": Accumulator._start_message,
    "message": Accumulator._take_whole,
    "message_delta": Accumulator._change_message,
    "message_stop": Accumulator._complete,
    "content_block_start": Accumulator._open_block,
    "content_block_delta": Accumulator._grow_block,
    "content_block_stop": Accumulator._close_block,
    "ping": Accumulator._ping,
    "error": Accumulator._fail,
}


def _is_at_home(kind: str, block: GrowingBlock) -> bool:
    deltas = block_type(block.type).deltas
    return deltas is None or kind in deltas


_MOST_NAMED_AFTER = 50
_MOST_PROBLEMS = 1_000  # a stream of something else has one an event
_MOST_INDEX = 2**31 - 1  # no message has more blocks


def _grown(block: GrowingBlock, field: Field) -> Change:
    return Change("block_grew", block.index, block.type, field)
