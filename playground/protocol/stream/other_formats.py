"""Answers of other APIs, known by their shape: what they are called, and the text in them.

A base URL easily leads to the wrong API of a server that has several. Then the answer is no message, and it helps to
say what it is and to show its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.protocol.json.received_json import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.protocol.stream.sse import ServerSentEvent

MOST_TEXT: Final = 20_000  # characters that are gathered of a stream
_MOST_EVENTS: Final = 5_000  # that are looked into


class OtherFormat:
    """Feed the values of an answer's events, or its one value; see what has been found in them."""

    def __init__(self) -> None:
        self.name = ""  # of the format, as in "an answer of <name>"; empty while none is known
        self.first = ""  # the data of the first event that is no ping
        self.count = 0  # events that are no pings
        self._pieces: list[str] = []
        self._size = 0

    @property
    def text(self) -> str:
        return "".join(self._pieces)[:MOST_TEXT]

    def add_event(self, event: ServerSentEvent) -> None:
        if event.name == "ping" or event.data.strip() in {"", "[DONE]"}:
            return
        value, problem = event.json() if self.count < _MOST_EVENTS else (None, "")
        if isinstance(value, dict) and value.get("type") == "ping":
            return
        self.count += 1
        if not self.first:
            self.first = event.data[:MOST_TEXT]
        if problem is None:
            self.add(value)

    def add(self, value: Any) -> None:
        for name, is_like, text_of in _FORMATS:
            if is_like(value):
                self.name = self.name or name
                if self._size < MOST_TEXT:
                    self._pieces.append(text_of(value))
                    self._size += len(self._pieces[-1])
                return

    def add_lines(self, text: str) -> bool:
        """Take an answer of one JSON value a line; are there any?"""
        for line in text.splitlines()[:_MOST_EVENTS]:
            value, problem = read_json(line)
            if problem is None and isinstance(value, dict):
                self.count += 1
                self.first = self.first or line[:MOST_TEXT]
                self.add(value)
        return self.count > 0


def describe(value: Any) -> str:
    """Name the kind of a JSON value that is no message, with an article."""
    other = OtherFormat()
    other.add(value)
    if other.name:
        return other.name if other.name.startswith("a ") else f"an answer of {other.name}"
    if isinstance(value, dict):
        return "a JSON object that is not a message"
    kinds = {list: "a JSON list", str: "a JSON string", bool: "a JSON boolean", type(None): "JSON null"}
    return kinds.get(type(value), "a JSON number")


def _at(value: Any, *path: str | int) -> Any:
    """Return the value at this path, None where there is no such place."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _words(value: Any) -> str:
    """Text as it stands, in a list of parts, or in a part."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_words(part) for part in value[:100] if isinstance(part, str | dict))
    return _words(value["text"]) if isinstance(value, dict) and isinstance(value.get("text"), str) else ""


def _of(*paths: tuple[str | int, ...]) -> Callable[[Any], str]:
    return lambda value: next((words for path in paths if (words := _words(_at(value, *path)))), "")


def _has(*path: str | int, kind: type | tuple[type, ...] = object) -> Callable[[Any], bool]:
    return lambda value: (member := _at(value, *path)) is not None and isinstance(member, kind)


def _is(name: str, *values: str) -> Callable[[Any], bool]:
    return lambda value: _at(value, name) in values


def _either(*tests: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: any(test(value) for test in tests)


def _both(*tests: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: all(test(value) for test in tests)


def _type_begins(beginning: str) -> Callable[[Any], bool]:
    return lambda value: str(_at(value, "type")).startswith(beginning)


def _responses_text(value: Any) -> str:
    if _at(value, "type") == "response.output_text.delta":
        return _words(_at(value, "delta"))
    items = _at(value, "output")
    return "".join(_words(_at(item, "content")) for item in items[:100]) if isinstance(items, list) else ""


_Format = tuple[str, "Callable[[Any], bool]", "Callable[[Any], str]"]
_FORMATS: Final[tuple[_Format, ...]] = (
    (
        "OpenAI's Chat Completions API",
        _either(
            _is("object", "chat.completion", "chat.completion.chunk"),
            _has("choices", 0, "message", kind=dict),
            _has("choices", 0, "delta", kind=dict),
        ),
        _of(("choices", 0, "message", "content"), ("choices", 0, "delta", "content")),
    ),
    (
        "OpenAI's Completions API",
        _either(_is("object", "text_completion"), _has("choices", 0, "text", kind=str)),
        _of(("choices", 0, "text")),
    ),
    ("OpenAI's Responses API", _either(_is("object", "response"), _type_begins("response.")), _responses_text),
    (
        "Google's Gemini API",
        _either(_has("candidates", kind=list), _has(0, "candidates", kind=list)),
        _of(("candidates", 0, "content", "parts"), (0, "candidates", 0, "content", "parts")),
    ),
    (
        "Ollama's own API",
        _both(_has("done", kind=bool), _either(_has("message", kind=dict), _has("response", kind=str))),
        _of(("message", "content"), ("response",)),
    ),
    (
        "Cohere's API",
        _either(
            _type_begins("message-"),
            _type_begins("content-"),
            _both(_has("finish_reason"), _has("message", "content", kind=list)),
        ),
        _of(("delta", "message", "content", "text"), ("message", "content")),
    ),
    (
        "Amazon Bedrock's Converse API",
        _either(_has("output", "message", kind=dict), _has("contentBlockDelta", kind=dict)),
        _of(("output", "message", "content"), ("contentBlockDelta", "delta", "text")),
    ),
    (
        "Hugging Face's text generation API",
        _either(
            _has("generated_text", kind=str),
            _has(0, "generated_text", kind=str),
            _both(_has("token", "text", kind=str), _has("token", "id")),
        ),
        _of(("token", "text"), ("generated_text",), (0, "generated_text")),
    ),
    ("the old Text Completions API", _is("type", "completion"), _of(("completion",))),
    ("a token count", _both(_has("input_tokens", kind=int), lambda value: "content" not in value), lambda _: ""),
    ("a list", _either(_is("object", "list"), _both(_has("data", kind=list), _has("has_more"))), lambda _: ""),
)
