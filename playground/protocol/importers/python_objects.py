"""The values of Python code that is followed: the objects that it makes, names with dots, and values as JSON has
them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playground.protocol.importers.result import (
    JsonOf,
    Unknown,
)
from playground.protocol.json import json_text


@dataclass(eq=False, slots=True)
class Instance:
    """An object that code makes: a client, a session, one of a class of its own. `kind` is the name that was called."""

    kind: str
    attributes: dict[str, Any] = field(default_factory=dict)
    methods: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Function:
    """A function of the pasted code; `owner` is the instance whose method it is."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    owner: Instance | None = None


@dataclass(eq=False, slots=True)
class ClassOf:
    """A class of the pasted code; `attributes` are those that its body assigns, `fields` those with a type."""

    name: str
    methods: dict[str, Any]
    attributes: dict[str, Any] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Bound:
    """A function or method under another name, with the arguments that `partial` gave it."""

    names: list[str]
    target: Any
    given: dict[str, Any] = field(default_factory=dict)


def method_of_text(name: str, text: str, arguments: list[Any]) -> Any:
    """Return what a method of a known text gives, for those that code uses to tidy a prompt; None for others."""
    if name in ("strip", "lstrip", "rstrip", "upper", "lower", "title") and not arguments:
        return getattr(text, name)()
    if name in ("encode", "decode"):
        return text
    if name == "join" and isinstance(arguments[:1], list) and arguments and isinstance(arguments[0], list):
        return text.join(arguments[0]) if all(isinstance(item, str) for item in arguments[0]) else None
    if name == "replace" and len(arguments) == 2 and all(isinstance(one, str) for one in arguments) and arguments[0]:
        return text.replace(arguments[0], arguments[1]) if len(arguments[1]) <= len(arguments[0]) else None
    return None


def json_value(value: Any) -> Any:
    """Return what `json.loads` gives for a known text."""
    if isinstance(value, JsonOf):
        return value.value
    return json_text.try_parse(value) if isinstance(value, str) else None


def dotted_name(node: ast.expr) -> list[str]:
    """`client.messages.create` as its names; a call or subscript in between is passed through."""
    names: list[str] = []
    for part in _chain(node):
        names.append(part)
    return names[::-1]


def _chain(node: ast.expr) -> Iterator[str]:
    for _ in range(40):
        if isinstance(node, ast.Attribute):
            yield node.attr
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript | ast.Await):
            node = node.value
        else:
            break
    if isinstance(node, ast.Name):
        yield node.id


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def parsed_number(written: str, otherwise: Unknown) -> Any:
    number = json_text.parse_number(written)
    return otherwise if number is None else number
