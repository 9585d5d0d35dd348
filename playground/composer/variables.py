"""`{{name}}` in the texts of a body: found, and filled in when the request is sent.

Only texts are looked at, never names, roles or base64. What is filled in is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from playground.protocol.json.paths import Path

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
VARIABLE = re.compile(rf"\{{\{{\s*({NAME.pattern})\s*\}}\}}")
# The members of the API that hold a text for the model, and nothing that a program reads.
TEXTS = frozenset({"text", "content", "system", "context", "description", "instructions", "title"})
NO_TEXTS = frozenset({"input", "input_schema", "schema"})  # members that are for programs, with all that is in them
MOST_FILLED = 32 * 2**20  # characters, as many as a request may have


def names_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each use of a variable: where, and its name."""
    if isinstance(value, str):
        if path and _is_text(path) and "{{" in value:
            for name in dict.fromkeys(VARIABLE.findall(value)):
                yield path, name
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in NO_TEXTS:
                yield from names_in(each, (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from names_in(each, (*path, index))


def fill(value: Any, values: Mapping[str, str]) -> Any:
    """The body with the variables that have a value filled in; the others stay as they are written.

    So do those for which there is no room left: a short text that names a long value very often would else become
    larger than the machine's memory.
    """
    return _Filling(values).fill(value, ())


class _Filling:
    """One pass over a body. `room` is how many characters may still be filled in."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.room = MOST_FILLED

    def fill(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return VARIABLE.sub(self.value_of, value) if path and _is_text(path) and "{{" in value else value
        if isinstance(value, dict):
            return {name: each if name in NO_TEXTS else self.fill(each, (*path, name)) for name, each in value.items()}
        if isinstance(value, list):
            return [self.fill(each, (*path, index)) for index, each in enumerate(value)]
        return value

    def value_of(self, match: re.Match[str]) -> str:
        text = self.values.get(match[1])
        if text is None or len(text) > self.room:
            return match[0]
        self.room -= len(text)
        return text


def _is_text(path: Path) -> bool:
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    return name in TEXTS or (name == "data" and len(path) > 1 and path[-2] == "source")
