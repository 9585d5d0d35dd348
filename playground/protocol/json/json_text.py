"""JSON as text that loses nothing: numbers keep their spelling, object members their order, half surrogates survive.

`parse` refuses what the wire must not carry unseen (duplicate names, NaN, bytes that are not UTF-8) and what could be
made to hurt (depth, number of tokens, length of numbers), always with the place. Strings are read by the standard
library's C scanner, so megabytes of base64 cost next to nothing.

Write what was parsed with `dump`, not with `json.dumps`, which does not know the spelling of numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from playground.exceptions import PlaygroundError
from playground.protocol.foreign_text import truncated

# dict, list, str, int, float, bool or None; numbers can be `SpelledInt` or `SpelledFloat`.
JsonValue = Any
# The way to a value: names of members and indexes of items.
Path = tuple[str | int, ...]


class JsonTextError(PlaygroundError, ValueError):
    """Text that is not JSON, or not JSON we take.

    `offset` counts from 0: characters, or bytes when bytes that are not UTF-8 were given. `line` and `column` count
    from 1, in characters; lines end at LF, CR or CRLF, as in an editor.
    """

    def __init__(self, message: str, text: str, offset: int, *, byte_offset: int | None = None) -> None:
        self.message = message
        self.offset = offset if byte_offset is None else byte_offset
        self.line, self.column = line_and_column(text, offset)
        super().__init__(f"{message} (line {self.line}, column {self.column})")


@dataclass(frozen=True)
class Limits:
    """The largest JSON that is taken. `tokens` counts brackets, commas, colons, strings (each as one), numbers and
    words."""

    depth: int = 100
    tokens: int = 200_000
    number_length: int = 100


DEFAULT_LIMITS = Limits()


class SpelledInt(int):
    """A whole number whose text is not Python's: -0."""

    spelling: str

    def __new__(cls, spelling: str) -> SpelledInt:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.spelling,)


class SpelledFloat(float):
    """A number whose text is not Python's: 1e5, 0.10, 1E400 (which is infinite as a float, and still exact as text)."""

    spelling: str

    def __new__(cls, spelling: str) -> SpelledFloat:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.spelling,)


# Possessive, so that it stays linear on any input.
_TOKEN = re.compile(
    r"""
    (?P<string>"(?:[^"\\]++|\\.)*+"?)
    |(?P<opening>[\[{])
    |(?P<closing>[\]}])
    |(?P<separator>[,:])
    |(?P<word>[^\ \t\n\r"\[\]{},:]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {"true", "false", "null"}
_LINE_END = re.compile(r"\r\n|\r|\n")
_HALF_SURROGATE = re.compile("[\ud800-\udfff]")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """The place of a character, both counted from 1."""
    line, start = 1, 0
    for end in _LINE_END.finditer(text, 0, offset):
        line, start = line + 1, end.end()
    return line, offset - start + 1


def parse(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> JsonValue:
    """Read one JSON value. Raises `JsonTextError`, and nothing else, for everything that is not taken."""
    if isinstance(text, bytes | bytearray | memoryview):
        text = _decode(bytes(text))
    if text.startswith("\ufeff"):
        raise JsonTextError("There is a byte order mark before the JSON", text, 0)
    _check_tokens(text, limits)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonTextError(_in_our_words(error.msg), text, error.pos) from None
    except _DuplicateNameError:
        name, offset = _duplicate(text)
        raise JsonTextError(f"{_quoted(name)} stands twice in one object", text, offset) from None


def try_parse(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> JsonValue:
    """Parse the text; None for everything that is not taken."""
    try:
        return parse(text, limits)
    except JsonTextError:
        return None


def parse_number(text: str) -> int | float | None:
    """The number that this text spells, or None. Used for what is typed into a number's control."""
    if len(text) > DEFAULT_LIMITS.number_length or not _NUMBER.fullmatch(text):
        return None
    return _whole(text) if text.lstrip("-").isdigit() else _fraction(text)


def spelling(number: int | float) -> str:
    """Return the number as it is written in JSON. Raises ValueError for NaN and infinities that no text spelled."""
    if isinstance(number, SpelledInt | SpelledFloat):
        return number.spelling
    if isinstance(number, float):
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError(f"{number} cannot be written in JSON")
        return float.__repr__(number)
    return int.__repr__(number)


def dump(value: JsonValue, indent: int | None = 2) -> str:
    """JSON text that `parse` reads back to the same value. `indent=None` writes it on one line without spaces.

    Raises TypeError for what is not a JSON value and ValueError for NaN and infinities.
    """
    pieces: list[str] = []
    _write(value, pieces.append, indent, "\n")
    text = "".join(pieces)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # Only inside strings can there be any: written as escapes they are JSON again.
        return _HALF_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text


def lines_of(text: str, paths: Collection[Path]) -> dict[Path, int]:
    """The line, from 1, of the value at each of these paths, or of its nearest container; one walk for all of them."""
    places = {path[:depth] for path in paths for depth in range(len(path) + 1)}
    offsets: dict[Path, int] = {}
    for here, offset, _ in _values(text):
        if here in places and here not in offsets:
            offsets[here] = offset
            if len(offsets) == len(places):
                break
    lines: dict[int, int] = {}
    line, at = 1, 0
    for offset in sorted(set(offsets.values())):
        line += sum(1 for _ in _LINE_END.finditer(text, at, offset))
        lines[offset], at = line, offset
    nearest = {
        path: max((path[:end] for end in range(len(path) + 1) if path[:end] in offsets), key=len, default=None)
        for path in paths
    }
    return {path: lines[offsets[near]] for path, near in nearest.items() if near is not None}


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        message = f"Byte {error.start} (0x{raw[error.start]:02x}) is not UTF-8"
        raise JsonTextError(message, before, len(before), byte_offset=error.start) from None


def _check_tokens(text: str, limits: Limits) -> None:
    """The limits, before anything is built; and the words that are no JSON, with their place."""
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(text), start=1):
        if count > limits.tokens:
            raise JsonTextError(f"More than {limits.tokens:,} tokens", text, token.start())
        match token.lastgroup:
            case "opening":
                depth += 1
                if depth > limits.depth:
                    raise JsonTextError(f"Nested more than {limits.depth} deep", text, token.start())
            case "closing":
                depth -= 1
            case "word":
                _check_word(text, token[0], token.start(), limits)


def _check_word(text: str, word: str, offset: int, limits: Limits) -> None:
    if word in _WORDS:
        return
    if not _NUMBER.fullmatch(word):
        raise JsonTextError(f"Unexpected {_quoted(word)}", text, offset)
    if len(word) > limits.number_length:
        raise JsonTextError(f"A number of more than {limits.number_length} characters", text, offset)


def _quoted(word: str) -> str:
    return dump(truncated(word, 40))


class _DuplicateNameError(PlaygroundError):
    """Raised inside the scanner, which cannot tell the place."""


def _pairs(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateNameError
    return members


def _whole(text: str) -> int:
    return SpelledInt(text) if text == "-0" else int(text)


def _fraction(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else SpelledFloat(text)


def _no_constant(word: str) -> JsonValue:
    raise AssertionError(f"{word} was let through by the check of tokens")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_whole, parse_float=_fraction, parse_constant=_no_constant
)


def _in_our_words(message: str) -> str:
    """The standard library's message for the reader: what was expected, what was found."""
    return {
        "Expecting value": "A value is missing here",
        "Expecting property name enclosed in double quotes": "A name in double quotes is missing here",
        "Expecting ':' delimiter": "A colon is missing here",
        "Expecting ',' delimiter": "A comma is missing here",
        "Extra data": "There is more after the end of the JSON",
        "Unterminated string starting at": "This string does not end",
        "Invalid control character at": "A line break or other control character inside a string",
        "Illegal trailing comma before end of object": "A comma before the end of the object",
        "Illegal trailing comma before end of array": "A comma before the end of the list",
    }.get(message, message)


def _duplicate(text: str) -> tuple[str, int]:
    """The first name that its object has already, and where it stands again."""
    seen: set[Path] = set()
    for here, _, name_offset in _values(text):
        if name_offset is not None:
            if here in seen:
                return str(here[-1]), name_offset
            seen.add(here)
    raise AssertionError("no name stands twice")


def _values(text: str) -> Iterator[tuple[Path, int, int | None]]:
    """Every value of the text in order: its path, where it begins, and where its name begins if it has one."""
    path: list[str | int] = []
    name_offset: int | None = None
    wants_name = False
    for token in _TOKEN.finditer(text):
        kind, offset = token.lastgroup, token.start()
        if kind == "separator":
            # A name is a string at the end of the path, an index a number.
            wants_name = token[0] == "," and bool(path) and isinstance(path[-1], str)
            if token[0] == "," and path and isinstance(path[-1], int):
                path[-1] += 1
        elif kind == "closing":
            path = path[:-1]
            wants_name = False
        elif wants_name and kind == "string" and path:
            path[-1], name_offset, wants_name = _text_of(token[0]), offset, False
        else:
            yield tuple(path), offset, name_offset if path and isinstance(path[-1], str) else None
            wants_name = token[0] == "{"
            if kind == "opening":
                path.append("" if wants_name else 0)


def _text_of(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token


def _write(value: JsonValue, write: Any, indent: int | None, line: str) -> None:
    if isinstance(value, str):
        write(encode_basestring(value))
    elif value is None:
        write("null")
    elif isinstance(value, bool):
        write("true" if value else "false")
    elif isinstance(value, int | float):
        write(spelling(value))
    elif isinstance(value, dict):
        _write_object(value, write, indent, line)
    elif isinstance(value, list | tuple):
        _write_list(value, write, indent, line)
    else:
        raise TypeError(f"{type(value).__name__} is not a JSON value")


def _write_object(members: dict[str, JsonValue], write: Any, indent: int | None, line: str) -> None:
    if not members:
        write("{}")
        return
    inner = "" if indent is None else line + " " * indent
    separator = "{" + inner
    colon = ":" if indent is None else ": "
    for name, value in members.items():
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a name of a JSON object")
        write(separator + encode_basestring(name) + colon)
        _write(value, write, indent, inner)
        separator = "," + inner
    write("}" if indent is None else line + "}")


def _write_list(items: list[JsonValue] | tuple[JsonValue, ...], write: Any, indent: int | None, line: str) -> None:
    if not items:
        write("[]")
        return
    inner = "" if indent is None else line + " " * indent
    separator = "[" + inner
    for item in items:
        write(separator)
        _write(item, write, indent, inner)
        separator = "," + inner
    write("]" if indent is None else line + "]")
