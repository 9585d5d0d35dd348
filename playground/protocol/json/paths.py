"""Paths into a JSON value, and edits at a path that give a new value and leave the old one as it is.

An edit copies only the objects and lists on the way to its place; all else is shared by the old and the new value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from playground.exceptions import PlaygroundError
from playground.protocol.json.json_text import JsonValue as JsonValue
from playground.protocol.json.json_text import Path as Path

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(r'\.?(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|\[(?P<index>[0-9]{1,9})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


class PathError(PlaygroundError, LookupError):
    """There is no such place in this value; the message says which step has nowhere to go."""


class Missing:
    """The type of `MISSING`, which stands for "not there": null is a value."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


def to_text(path: Sequence[str | int]) -> str:
    """`messages[2].content[0]`; a name that is no plain word is quoted: `["a b"]`. ASCII only."""
    pieces = []
    for step in path:
        if isinstance(step, int):
            pieces.append(f"[{step}]")
        elif _PLAIN_NAME.fullmatch(step):
            pieces.append(f".{step}" if pieces else step)
        else:
            pieces.append(f"[{json.dumps(step)}]")
    return "".join(pieces)


def parse_path(text: str) -> Path:
    """The path that `to_text` wrote. Raises `PathError` for anything else."""
    path: list[str | int] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        # A name after another step needs its dot, and the first one has none.
        if step is None or (step["name"] is not None and (step[0][0] == ".") != (at > 0)):
            raise PathError(f"{text[:200]!r} is not a path")
        path.append(_step(step))
        at = step.end()
    return tuple(path)


def _step(match: re.Match[str]) -> str | int:
    if match["name"] is not None:
        return match["name"]
    if match["index"] is not None:
        return int(match["index"])
    try:
        return str(json.loads(match["quoted"]))
    except ValueError as error:
        raise PathError(f"{match[0][:200]!r} is not a step of a path") from error


def get(value: JsonValue, path: Path, default: JsonValue = MISSING) -> JsonValue:
    """Return the value at the path, else `default`. Indexes count from the front only."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            if step not in value:
                return default
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return default
    return value


def read(value: JsonValue, path: Path) -> JsonValue:
    """Return the value at the path. Raises `PathError` when there is none."""
    member = get(value, path)
    if member is MISSING:
        raise PathError(f"there is no {to_text(path)}")
    return member


def put(value: JsonValue, path: Path, new: JsonValue) -> JsonValue:
    """The value with `new` at the path. A new member comes last; an index may be one past the end.

    Raises `PathError` when the place has no container, or one of the wrong type.
    """
    if not path:
        return new

    def change(container: JsonValue) -> JsonValue:
        step = path[-1]
        if isinstance(container, dict) and isinstance(step, str):
            return {**container, step: new}
        if isinstance(container, list) and isinstance(step, int) and 0 <= step <= len(container):
            return [*container[:step], new, *container[step + 1 :]]
        raise PathError(f"{to_text(path)} cannot be set: {_is(container)} has no such place")

    return _edit(value, path[:-1], change)


def insert(value: JsonValue, path: Path, new: JsonValue) -> JsonValue:
    """The value with `new` put into a list before the index that ends the path, or at the list's end."""

    def change(container: JsonValue) -> JsonValue:
        index = _index(container, path, one_more=True)
        return [*container[:index], new, *container[index:]]

    return _edit(value, path[:-1], change)


def remove(value: JsonValue, path: Path) -> JsonValue:
    """The value without the member or item at the path. Raises `PathError` when it is not there."""
    read(value, path)
    if not path:
        raise PathError("the whole body cannot be removed")

    def change(container: JsonValue) -> JsonValue:
        step = path[-1]
        if isinstance(container, dict):
            return {name: each for name, each in container.items() if name != step}
        return [each for index, each in enumerate(container) if index != step]

    return _edit(value, path[:-1], change)


def move(value: JsonValue, path: Path, to: int) -> JsonValue:
    """The value with the list item at the path moved so that its index is `to`; kept inside the list."""

    def change(container: JsonValue) -> JsonValue:
        index = _index(container, path)
        rest = [*container[:index], *container[index + 1 :]]
        place = max(0, min(to, len(rest)))
        return [*rest[:place], container[index], *rest[place:]]

    return _edit(value, path[:-1], change)


def duplicate(value: JsonValue, path: Path) -> JsonValue:
    """The value with the list item at the path twice, one after the other."""

    def change(container: JsonValue) -> JsonValue:
        index = _index(container, path)
        return [*container[: index + 1], container[index], *container[index + 1 :]]

    return _edit(value, path[:-1], change)


def _index(container: JsonValue, path: Path, *, one_more: bool = False) -> int:
    """The list index that ends the path, checked against the list."""
    step = path[-1] if path else None
    if not isinstance(container, list) or not isinstance(step, int):
        raise PathError(f"{to_text(path)} is not a place in a list")
    if not 0 <= step < len(container) + one_more:
        raise PathError(f"{to_text(path)} is outside a list of {len(container)}")
    return step


def _edit(value: JsonValue, path: Path, change: Callable[[JsonValue], JsonValue]) -> JsonValue:
    """The value with the container at the path replaced by `change` of it."""
    ways = [value]
    for depth, step in enumerate(path, start=1):
        child = get(ways[-1], (step,))
        if child is MISSING:
            raise PathError(f"there is no {to_text(path[:depth])}")
        ways.append(child)
    new = change(ways[-1])
    for container, step in zip(reversed(ways[:-1]), reversed(path), strict=True):
        if isinstance(container, dict):
            new = {**container, step: new}
        else:
            new = [*container[: int(step)], new, *container[int(step) + 1 :]]
    return new


def _is(value: JsonValue) -> str:
    """The JSON type in words."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "null"
        case str():
            return "a string"
        case _:
            return "a value"
