"""The result of an import, and the values that readers of code use for what is not in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from playground.exceptions import PlaygroundError
from playground.protocol.foreign_text import truncated
from playground.protocol.json import json_text

MOST_TOKENS = 200_000  # of a body; as many as JSON may have
MOST_WORDS = 60_000  # words and signs of commands or code: more than any that was written by hand
LONGEST_TEXT = 32 * 1024 * 1024  # characters of one value that code puts together


@dataclass(frozen=True, slots=True)
class Imported:
    """A request read from pasted text. Credentials are never in it.

    `notes` lists in words what was left out or not understood. `query` is the query of the address, without "?".
    """

    body: dict[str, Any]
    version: str | None = None
    betas: tuple[str, ...] = ()
    base_url: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    accept: str | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class ImportChoice:
    """Several requests in one file: the reader has to choose. Each has a label such as "POST /v1/messages · model"."""

    options: tuple[tuple[str, Imported], ...]
    left_out: int = 0  # requests beyond the most that are offered


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """The reason why the text could not be read. Lines and columns count from 1; 0 is nowhere in particular."""

    message: str
    line: int = 0
    column: int = 0


class ReadingError(PlaygroundError):
    """Inside the importers only: carries the problem out to `read`."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.problem = ImportProblem(message, line, column)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only running the code would give: an environment variable, a file, a call."""

    source: str
    is_file: bool = False

    @property
    def placeholder(self) -> str:
        """`{{name}}`, as variables of a draft are written: the last name in the source, or the file's."""
        if self.is_file and (file := re.search(r"['\"](?:[^'\"]*/)?([A-Za-z_][\w-]*)[^'\"/]*['\"]", self.source)):
            return "{{" + re.sub(r"\W", "_", file[1])[:64] + "}}"
        names = re.findall(r"[A-Za-z_][A-Za-z0-9_]*", self.source)
        name = next((one for one in reversed(names) if one not in _NO_NAMES), "value")
        return "{{" + name[:64] + "}}"


_NO_NAMES = frozenset(["read", "strip", "trim", "utf", "utf8", "toString", "rb", "r", "str", "self", "this", "text"])


@dataclass(frozen=True, slots=True)
class JsonOf:
    """JSON text made from a value, as `json.dumps` and `JSON.stringify` make it."""

    value: Any


@dataclass(slots=True)
class RequestParts:
    """One request as a reader found it: `body` is a value, JSON text or `JsonOf`, and may hold `Unknown`.

    `is_certain` says that it was sent to the Messages API beyond doubt, so that its body may be anything.
    """

    body: Any
    url: str | None = None
    headers: list[tuple[str, Any]] = field(default_factory=list)
    betas: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    label: str = ""
    is_certain: bool = False

    @property
    def goes_to_messages(self) -> bool:
        path = re.split(r"[?#]", self.url or "", maxsplit=1)[0]
        return path.rstrip("/").endswith("/messages")


def shortened(source: str, length: int = 80) -> str:
    """`source` on one line and not too long, for a note."""
    return truncated(" ".join(source[: 4 * length].split()), length)


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - text.rfind("\n", 0, offset)


def parse_json(text: str, pasted: str) -> Any:
    """The value of JSON text that was found in `pasted`, where its problems are then placed."""
    try:
        return json_text.parse(text)
    except json_text.JsonTextError as error:
        start = pasted.find(text)
        line, column = position(pasted, start + error.offset) if start >= 0 else (error.line, error.column)
        raise ReadingError(f"The body is not valid JSON: {error.message}", line, column) from None


def pairs(headers: Any) -> list[tuple[str, Any]]:
    """The headers in an object, or in a list of pairs or of `{name, value}` objects, as several tools write them."""
    if isinstance(headers, dict):
        return [(name, value) for name, value in headers.items() if isinstance(name, str)]
    pairs: list[tuple[str, Any]] = []
    if isinstance(headers, str):
        lines = [line.partition(":") for line in headers.splitlines()]
        return [(name.strip(), value.strip()) for name, colon, value in lines if colon]
    for header in headers if isinstance(headers, Iterable) else ():
        if isinstance(header, dict):
            name = header.get("name", header.get("key"))
            is_off = header.get("disabled") is True or header.get("active") is False or header.get("enabled") is False
            if isinstance(name, str) and not is_off:
                pairs.append((name, header.get("value")))
        elif isinstance(header, list | tuple) and len(header) == 2 and isinstance(header[0], str):
            pairs.append((header[0], header[1]))
    return pairs
