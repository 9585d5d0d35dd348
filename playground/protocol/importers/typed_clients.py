"""Calls of the official Java, C# and PHP clients, which take a request's members by their own names.

Java has a builder with a method for each member, C# an object with properties, PHP named arguments. What is not a
value in the text becomes a placeholder; a method that is not known is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

from playground.protocol.catalogue.parameters import BODY
from playground.protocol.importers.code_tokens import Cursor
from playground.protocol.importers.result import Unknown, shortened
from playground.protocol.json import json_text

CLIENT_VERSION = "2023-06-01"  # which the C# client sends without being told
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=\d)")
_PARAMETERS = frozenset(parameter.name for parameter in BODY.members)
_MOST_CALLS = 20  # of a name in the program
PHP_CALL = re.compile(r"->messages->create(Stream)?\(")
_STREAMING = re.compile(r"\bcreateStreaming\(|\bCreateStreaming\(|->createStream\(")
Call = tuple[dict[str, Any], dict[str, str], list[str]]  # body, query, notes


def read_call(source: str, language: str, texts: dict[str, Any] | None) -> Call | None:
    """Return the body, the query and notes of the request; None where no typed client is called.

    `texts` is the JSON object that stands in the program as text, from which it may take members.
    """
    read = {"java": _java, "csharp": _csharp}.get(language)
    call = read(source, texts) if read else None
    if call is not None and _STREAMING.search(source):
        call[0].setdefault("stream", True)
    return call


def php_call(source: str, arguments: dict[str, Any]) -> Call:
    """Return the same for the named arguments of `PHP_CALL`."""
    options = arguments.pop("requestOptions", None)
    options = options if isinstance(options, dict) else {}
    body = {_snake(name): value for name, value in arguments.items()}
    body |= _object(options.get("extraBodyParams"))
    if _STREAMING.search(source):
        body.setdefault("stream", True)
    return body, _texts_in(options.get("extraQueryParams")), []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts_in(value: Any) -> dict[str, str]:
    return {name: each for name, each in _object(value).items() if isinstance(each, str)}


def _snake(name: str) -> str:
    """Return the API's name of a member: `maxTokens` and `MaxTokens` are `max_tokens`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return snake if snake in _PARAMETERS else name


# --- Java


def _java(source: str, texts: dict[str, Any] | None) -> Call | None:
    cursor = Cursor(source, "java")
    start = next(cursor.find("MessageCreateParams", ".", "builder", "(", ")"), None)
    if start is None:
        return None
    cursor.at = start + 5
    body: dict[str, Any] = {}
    query: dict[str, str] = {}
    notes: list[str] = []
    while cursor.accept(".") and cursor.ahead().kind == "name" and cursor.ahead(1).value == "(":
        name, opening = cursor.ahead().value, cursor.at + 1
        arguments = _Values(cursor).arguments(opening)
        cursor.at = cursor.close_of(opening) + 1
        if name == "putAdditionalQueryParam" and all(isinstance(each, str) for each in arguments[:2]):
            query[arguments[0]] = arguments[1]
        elif not _set(body, name, arguments):
            notes.append(f"{shortened(cursor.text(opening - 1, cursor.at))} was not understood.")
    rest = texts or {}
    if isinstance(body.get("messages"), Unknown) and "messages" in rest:
        del body["messages"]
    return {**body, **{name: value for name, value in rest.items() if name not in body}}, query, notes


def _set(body: dict[str, Any], setter: str, arguments: list[Any]) -> bool:
    """Do what a method of the builder does; return whether it is known."""
    match setter, arguments:
        case (("addUserMessage" | "addAssistantMessage"), [content]):
            role = "user" if setter == "addUserMessage" else "assistant"
            body.setdefault("messages", []).append({"role": role, "content": content})
        case "addStopSequence", [text]:
            body.setdefault("stop_sequences", []).append(text)
        case "enabledThinking", [budget]:
            body["thinking"] = {"type": "enabled", "budget_tokens": budget}
        case "putAdditionalBodyProperty", [str() as name, value]:
            body[name] = value
        case (("putAdditionalHeader" | "build"), _):  # headers are read from the strings of the program
            pass
        case _, [value] if _snake(setter) in _PARAMETERS:
            body[_snake(setter)] = value
        case _:
            return False
    return True


# --- C#


def _csharp(source: str, texts: dict[str, Any] | None) -> Call | None:
    if "AnthropicClient" not in source and "MessageCreateParams" not in source:
        return None
    cursor = Cursor(source, "csharp")
    query: dict[str, str] = {}
    for name in (("FromRawUnchecked", "("), ("MessageCreateParams", "("), ("new", "(")):
        for index in islice(cursor.find(*name), _MOST_CALLS):
            arguments = _Values(cursor).arguments(index + len(name) - 1)
            query = query or _texts_in(arguments[1] if len(arguments) > 1 else None)
    if texts is not None:
        return texts, query, []
    for index in islice(cursor.find("Messages", "="), _MOST_CALLS):
        opening = next((at for at in range(index, -1, -1) if _encloses(cursor, at, index)), None)
        if opening is not None:
            body = _Values(cursor).braces(opening)
            return (body, query, []) if isinstance(body, dict) else None
    return None


def _encloses(cursor: Cursor, opening: int, index: int) -> bool:
    token = cursor.tokens[opening]
    return token.kind == "sign" and token.value == "{" and cursor.close_of(opening) > index


# --- Values


class _Values:
    """Reads the values in brackets. The cursor moves behind what was read."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def arguments(self, opening: int) -> list[Any]:
        """Return the values between a bracket and the one that closes it."""
        self.cursor.at = opening + 1
        close = self.cursor.close_of(opening)
        values: list[Any] = []
        while self.cursor.at < close:
            values.append(self.value(close))
            self.cursor.accept(",")
        self.cursor.at = close + 1
        return values

    def braces(self, opening: int) -> Any:
        """Return what C#'s initialiser makes: an object of `Name = value` or `["name"] = value`, else a list."""
        cursor, close = self.cursor, self.cursor.close_of(opening)
        members: dict[str, Any] = {}
        items: list[Any] = []
        cursor.at = opening + 1
        while cursor.at < close:
            name, is_open = cursor.ahead(), cursor.ahead().value == "["
            if name.kind == "name" and cursor.ahead(1).value == "=":
                cursor.at += 2
                members[_snake(name.value) if name.value[1:2].islower() else name.value] = self.value(close)
            elif is_open and cursor.ahead(1).kind == "string" and cursor.ahead(3).value == "=":
                key = cursor.ahead(1).value
                cursor.at += 4
                members[key] = self.value(close)
            else:
                items.append(self.value(close))
            cursor.accept(",")
        cursor.at = close + 1
        return {_MEMBERS.get(name, name): value for name, value in members.items()} if members or not items else items

    def value(self, last: int) -> Any:
        """Return the value that begins here; what cannot be read goes to the next comma, and is Unknown."""
        cursor, first = self.cursor, self.cursor.at
        value = self._known()
        while isinstance(value, str) and cursor.ahead().value == "+" and cursor.ahead(1).kind == "string":
            value += cursor.ahead(1).value
            cursor.at += 2
        if not _is_missing(value) and (cursor.at >= last or cursor.ahead().value == ","):
            return value
        cursor.at = max(first, min(cursor.at, last))
        while cursor.at < last and not (cursor.ahead().kind == "sign" and cursor.ahead().value == ","):
            is_opening = cursor.ahead().kind == "sign" and cursor.ahead().value in ("(", "[", "{")
            cursor.at = min(cursor.close_of(cursor.at), last - 1) + 1 if is_opening else cursor.at + 1
        return Unknown(cursor.text(first, cursor.at))

    def _known(self) -> Any:
        cursor, token = self.cursor, self.cursor.ahead()
        if token.kind == "string":
            cursor.at += 1
            return token.value
        sign = "-" if token.value == "-" and cursor.ahead(1).kind == "number" else ""
        if token.kind == "number" or sign:
            number = cursor.ahead(len(sign)).value
            cursor.at += 1 + len(sign)
            return json_text.try_parse(sign + number)
        if token.kind == "sign" and token.value == "[":
            return self.arguments(cursor.at)
        if token.kind == "name" and token.value == "new":
            return self._new()
        return self._named() if token.kind == "name" else _MISSING

    def _new(self) -> Any:
        """Return what `new Name<…>(…) { … }` makes, as far as its braces say it."""
        cursor = self.cursor
        cursor.at += 1
        while cursor.ahead().kind == "name" or cursor.ahead().value in (".", "<", ">", ",", "?"):
            cursor.at += 1
        brackets = None
        if cursor.ahead().value in ("(", "["):
            brackets = self.arguments(cursor.at)
        if cursor.ahead().value == "{":
            return self.braces(cursor.at)
        return {} if brackets == [] else _MISSING

    def _named(self) -> Any:
        """Return a constant, or what one of the few methods makes that only pass values on."""
        cursor = self.cursor
        path = [cursor.ahead().value]
        cursor.at += 1
        while cursor.ahead().value == "." and cursor.ahead(1).kind == "name":
            path.append(cursor.ahead(1).value)
            cursor.at += 2
        if len(path) == 1 and path[0] in _WORDS:
            return _WORDS[path[0]]
        if cursor.ahead().value == "(" and (make := _MAKERS.get(".".join(path[-2:]))) is not None:
            return make(self.arguments(cursor.at))
        if len(path) > 1 and path[-2] in ("Model", "Role") and cursor.ahead().value != "(":
            return _constant(path[-1])
        return _MISSING


_MISSING = object()
_WORDS = {"true": True, "false": False, "null": None}
_MEMBERS = {"Role": "role", "Content": "content", "Type": "type", "Text": "text"}


def _is_missing(value: Any) -> bool:
    return value is _MISSING


def _first(values: list[Any]) -> Any:
    return values[0] if values else _MISSING


def _map(values: list[Any]) -> Any:
    names = values[::2]
    return dict(zip(names, values[1::2], strict=False)) if all(isinstance(name, str) for name in names) else _MISSING


_MAKERS: dict[str, Callable[[list[Any]], Any]] = {
    "JsonValue.from": _first,
    "JsonSerializer.SerializeToElement": _first,
    "List.of": list,
    "Arrays.asList": list,
    "Map.of": _map,
}


def _constant(name: str) -> str:
    """Return the API's word for a constant: `CLAUDE_OPUS_4_6` and `ClaudeOpus4_6` are `claude-opus-4-6`."""
    words = name if name.isupper() else _CAPITAL.sub("-", name)
    return words.replace("_", "-").lower()
