"""Writing values as literals of a programming language, and text that stands for a file's bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.protocol.json import json_text
from playground.protocol.snippets.http_request import SnippetRequest, is_plain, json_source

LINE = 88  # columns; a list or object that fits stays on one line
TO_ESCAPE = re.compile(r"""[^ -~]|["\\]""")
LARGEST_EXACT_IN_A_DOUBLE = 2**53


@dataclass(frozen=True, slots=True)
class Style:
    """The way one language writes the values of JSON."""

    string: Callable[[str], str]
    key: Callable[[str], str]
    words: Mapping[bool | None, str]
    spaced_braces: bool = False
    braces: tuple[str, str] = ("{", "}")
    pair: str = ": "
    empty_object: str = "{}"


class Literals:
    """A writer of literals in which `files` maps strings of the body to the expression that reads them."""

    def __init__(self, style: Style, files: Mapping[str, str]) -> None:
        self.style = style
        self.files = files

    def write(self, value: Any, depth: int = 0, used: int = 0) -> str:
        """The literal of `value`; `depth` counts levels of indent, `used` the columns taken before it."""
        if isinstance(value, str):
            return self.style.string(value)
        if value is None or isinstance(value, bool):
            return self.style.words[value]
        if isinstance(value, dict):
            return self._write_object(value, depth, used)
        if isinstance(value, list):
            items = [self.write(item, depth + 1, 4 * depth + 4) for item in value]
            return _wrap("[", "]", items, depth, used, spaced=False)
        return json_text.dump(value)

    def _write_object(self, value: dict[str, Any], depth: int, used: int) -> str:
        members = []
        for name, member in value.items():
            before = self.style.key(name) + self.style.pair
            if name == "data" and value.get("type") == "base64" and member in self.files:
                members.append(before + self.files[member])
            else:
                members.append(before + self.write(member, depth + 1, 4 * depth + 4 + len(before)))
        if not members:
            return self.style.empty_object
        return _wrap(*self.style.braces, members, depth, used, spaced=self.style.spaced_braces)


def _wrap(opening: str, closing: str, items: list[str], depth: int, used: int, *, spaced: bool) -> str:
    if not items:
        return opening + closing
    pad = " " if spaced else ""
    line = opening + pad + ", ".join(items) + pad + closing
    if used + len(line) <= LINE and "\n" not in line:
        return line
    indent = "    " * (depth + 1)
    return opening + "".join(f"\n{indent}{item}," for item in items) + "\n" + "    " * depth + closing


def escaped(text: str, short: Mapping[str, str], number: Callable[[int], str]) -> str:
    """`text` with the characters in `short` and the invisible ones replaced."""

    def one(match: re.Match[str]) -> str:
        character = match.group()
        if character in short:
            return short[character]
        return character if is_plain(character) else number(ord(character))

    return TO_ESCAPE.sub(one, text)


def numbers_of(value: Any) -> list[str]:
    """The numbers of a JSON value, as they are spelled."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in numbers_of(member)]
    if isinstance(value, list):
        return [text for item in value for text in numbers_of(item)]
    if value is None or isinstance(value, str | bool):
        return []
    return [json_text.dump(value)]


def python_keeps(number: str) -> bool:
    """Return whether Python's json module writes `number` again as it is spelled."""
    return json.dumps(json.loads(number)) == number


def javascript_keeps(number: str) -> bool:
    """Return whether JSON.stringify writes `number` again as it is spelled; all its numbers are doubles."""
    if re.fullmatch(r"-?\d+", number):
        return number != "-0" and abs(int(number)) <= LARGEST_EXACT_IN_A_DOUBLE
    return bool(re.fullmatch(r"-?\d+\.\d*[1-9]", number)) and repr(float(number)) == number


def has_half_surrogate(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_half_surrogate(name) or has_half_surrogate(member) for name, member in value.items())
    if isinstance(value, list):
        return any(has_half_surrogate(item) for item in value)
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


@dataclass(frozen=True, slots=True)
class BodyText:
    """The body as JSON text with a mark wherever a file's base64 belongs."""

    text: str
    files: tuple[tuple[str, str], ...]  # (mark, file name)


def body_text(request: SnippetRequest) -> BodyText:
    """The request's body as JSON text for languages that send it as text."""
    files = request.files()
    if not files:
        return BodyText(json_source(request.body), ())
    plain = json_source(_with_marks(request.body, dict.fromkeys(files, "")))
    prefix = "BASE64-OF-"
    while prefix in plain:
        prefix = "_" + prefix
    marks = {data: f"{prefix}{number}-{file.name}" for number, (data, file) in enumerate(files.items(), 1)}
    text = json_source(_with_marks(request.body, marks))
    return BodyText(text, tuple((marks[data], file.name) for data, file in files.items()))


def _with_marks(value: Any, marks: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_marks(item, marks) for item in value]
    if not isinstance(value, dict):
        return value
    copied = {name: _with_marks(member, marks) for name, member in value.items()}
    data = value.get("data")
    if value.get("type") == "base64" and isinstance(data, str) and data in marks:
        copied["data"] = marks[data]
    return copied
