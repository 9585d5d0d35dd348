"""Large JSON looked through instead of parsed: little memory, and never long without a turn for other threads."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_WINDOW: Final = 128 * 1024  # bytes looked at in one go: other threads get the interpreter in between
_MOST_MARKS: Final = 2_000_000  # quotes and brackets: about a second, then what was found so far counts
_LONGEST: Final = 4096  # of a wanted value
_ESCAPED: Final = 12  # bytes of one character, at most
_MARK: Final = re.compile(rb'["{}\[\]]')
_SCALAR: Final = re.compile(rb'\s*:\s*("(?:[^"\\]|\\.)*"|[^\s",{}\[\]]+)')
_NAME_ENDS: Final = re.compile(rb"\s*:")


def outer_members(body: bytes, names: frozenset[str]) -> dict[str, Any]:
    """The values of these members of the outermost object, as far as they are strings, numbers, true, false or null of
    ordinary length. Of a name that comes twice the last counts, as for `json.loads`. Never raises; a body that is no
    JSON gives what looks like it. `body` is UTF-8.
    """
    members: dict[str, Any] = {}
    depth = 0
    for begin, end, is_string in _marks(body):
        if not is_string:
            depth += 1 if body[begin] in b"{[" else -1
            if depth <= 0 or (depth == 1 and body[begin] == ord("[") and not members):
                break
        elif depth == 1 and end - begin <= _LONGEST and _NAME_ENDS.match(body, end):
            name = _value(body[begin:end])
            if isinstance(name, str) and name in names:
                scalar = _SCALAR.match(body, end, end + _LONGEST)
                members[name] = _value(scalar[1]) if scalar else None
    return members


def strings(body: bytes, room: int, passed_over: Container[str] = ()) -> Iterator[str]:
    """The texts in a JSON body in their order, without names of members, and without the texts of some members, until
    there are `room` characters. The last one may be cut. Never raises."""
    name = ""
    for begin, end, is_string in _marks(body):
        if room <= 0:
            return
        if not is_string:
            name = name if body[begin] in b"[]" else ""
        elif _NAME_ENDS.match(body, end):
            value = _value(body[begin : min(end, begin + _LONGEST)])
            name = value if isinstance(value, str) else ""
        elif name not in passed_over:
            text = _text(body, begin, min(end, begin + 1 + room * _ESCAPED))[:room]
            room -= len(text)
            yield text


def _text(body: bytes, begin: int, end: int) -> str:
    """A string's text, which may be cut within an escape or a character."""
    for less in range(_ESCAPED * 2 + 1):
        text = _value(body[begin : end - less].removesuffix(b'"') + b'"')
        if isinstance(text, str):
            return text
    return ""


def _marks(body: bytes) -> Iterator[tuple[int, int, bool]]:
    """Begin and end of each string outside of which, and each bracket at which, the structure goes on; is it a
    string?"""
    string_begins = -1
    left = _MOST_MARKS
    for offset, window in _windows(body):
        at = 0
        while left > 0:
            if string_begins >= 0:
                at = window.find(b'"', at) + 1
                if not at:
                    break
                yield string_begins, offset + at, True
                string_begins = -1
            elif (mark := _MARK.search(window, at)) is None:
                break
            elif window[mark.start()] == ord('"'):
                string_begins, at = offset + mark.start(), mark.end()
            else:
                yield offset + mark.start(), offset + mark.end(), False
                at = mark.end()
            left -= 1


def _windows(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The body in parts, where each begins, without escaped quotes: every quote in them begins or ends a string."""
    begin = 0
    while begin < len(body):
        end = min(begin + _WINDOW, len(body))
        window = body[begin:end]
        if (len(window) - len(window.rstrip(b"\\"))) % 2 and end < len(body):  # an escape is not cut in two
            end += 1
            window = body[begin:end]
        yield begin, window.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        begin = end


def _value(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
