"""One content block while it streams: its start, the pieces that came since, and the block that they make."""

from __future__ import annotations

from typing import Any, Literal

from playground.protocol.catalogue.block_types import block_type
from playground.protocol.json.received_json import read_json

_MOST_TOKENS = 2**40  # an estimate beyond it is no count
_TEXT_MEMBERS = ("text", "thinking")

Field = Literal["text", "thinking", "partial_json", "citations", "signature", "compaction", "unknown"]


class GrowingText:
    """Text that comes in many small pieces, each of which as an object would take more memory than its characters."""

    __slots__ = ("_joined", "_pieces")
    _PIECES = 64

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._pieces: list[str] = []

    def append(self, text: str) -> None:
        self._pieces.append(text)
        if len(self._pieces) >= self._PIECES:
            self._joined.append("".join(self._pieces))
            self._pieces.clear()

    def whole(self) -> str:
        if self._pieces or len(self._joined) > 1:
            self._joined = ["".join(self._joined + self._pieces)]
            self._pieces.clear()
        return self._joined[0] if self._joined else ""


class GrowingBlock:
    """A content block so far.

    `index` is unique within a message; `wire_index` is what the events call the block, which careless servers use
    twice. `implied` blocks had no `content_block_start`. Text is kept in pieces and joined when it is asked for.
    """

    def __init__(self, index: int, wire_index: int, start: dict[str, Any], *, implied: bool = False) -> None:
        self.index = index
        self.wire_index = wire_index
        self.implied = implied
        self.open = True
        self.estimated_tokens = 0  # of hidden thinking, as the upstream guesses while it goes on
        self.unknown_deltas: list[dict[str, Any]] = []
        self.size = 0  # characters of text, thinking and partial JSON so far
        self._citations: list[Any] | None = None
        self.restart(start)

    def restart(self, start: dict[str, Any]) -> None:
        """Take the block's start; pieces that came before it stay."""
        earlier = getattr(self, "_texts", {})
        self._start = dict(start)
        self._texts: dict[str, GrowingText] = {}
        for member in _TEXT_MEMBERS:
            if isinstance(text := self._start.get(member), str) and text:
                self.append(member, text)
        for member, text in earlier.items():
            self._texts.setdefault(member, GrowingText()).append(text.whole())

    @property
    def type(self) -> str:
        type_ = self._start.get("type")
        return type_ if isinstance(type_, str) else "unknown"

    @property
    def takes_input(self) -> bool:
        """Whether it is a call of a tool, whose input comes as pieces of JSON."""
        return block_type(self.type).takes_input

    def append(self, member: str, text: str) -> None:
        if member not in self._texts:
            self._texts[member] = GrowingText()
        self._texts[member].append(text)
        self.size += len(text)

    def estimate(self, tokens: Any) -> None:
        """Add to the guess of how many tokens of thinking there are that are not shown."""
        if isinstance(tokens, int) and 0 <= tokens <= _MOST_TOKENS - self.estimated_tokens:
            self.estimated_tokens += tokens

    def set(self, member: str, value: Any) -> None:
        self._start[member] = value

    def extend(self, member: str, value: Any) -> None:
        """Take one more part of a member that comes in several deltas: text and lists grow, all else is set. Null
        changes nothing where something is known. Text that begins with all of the earlier text is the sum, no part."""
        known = self._start.get(member)
        if isinstance(known, str) and isinstance(value, str):
            value = value if value.startswith(known) else known + value
        elif isinstance(known, list) and isinstance(value, list):
            value = known + value
        if value is not None or member not in self._start:
            self._start[member] = value

    def add_citation(self, citation: Any) -> None:
        if self._citations is None:  # a list of our own: the start's belongs to whoever handed it in
            given = self._start.get("citations")
            self._citations = list(given) if isinstance(given, list) else []
        self._citations.append(citation)

    @property
    def text(self) -> str:
        """The text so far, or the thinking."""
        return self._joined("text") or self._joined("thinking")

    @property
    def partial_json(self) -> str:
        """The tool's input exactly as it was sent, also when it is incomplete or no JSON. Empty if none was."""
        return self._joined("partial_json")

    @property
    def input_problem(self) -> str | None:
        """Return why the input sent so far cannot be read as JSON; None when it can, or when there is none."""
        return read_json(raw)[1] if (raw := self.partial_json) else None

    @property
    def value(self) -> dict[str, Any]:
        """The block so far in the API's shape. An input that cannot be read stays as the start gave it."""
        value = dict(self._start)
        for member in _TEXT_MEMBERS:
            if member in self._texts:
                value[member] = self._joined(member)
        if self._citations is not None:
            value["citations"] = list(self._citations)
        if self.takes_input and (raw := self.partial_json):
            input_, problem = read_json(raw)
            if problem is None:
                value["input"] = input_
        return value

    def _joined(self, member: str) -> str:
        text = self._texts.get(member)
        return "" if text is None else text.whole()
