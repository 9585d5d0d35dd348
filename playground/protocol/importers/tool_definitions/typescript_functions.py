"""TypeScript functions as tools, from their signatures and JSDoc. Nothing is run."""

from __future__ import annotations

from playground.protocol.importers.javascript_tokens import matching, tokens
from playground.protocol.importers.result import ReadingError
from playground.protocol.importers.tool_definitions.docstrings import Described
from playground.protocol.importers.tool_definitions.tool_collector import Schema, ToolCollector, object_of
from playground.protocol.importers.tool_definitions.typescript_types import MODIFIERS, TypeReader

BEFORE = ("export", "default", "declare", "async", "const", "let", "var", "function", "interface", "type")


def read_typescript_tools(text: str, collector: ToolCollector) -> None:
    """Collect the functions; when there are none, the interfaces and object types."""
    all_tokens = tokens(text)
    reader = TypeReader(text, all_tokens, matching(all_tokens), collector)
    _find_types(reader)
    for name, opening in _functions(reader):
        if collector.is_full:
            break
        comment = reader.said_before(all_tokens[_beginning(reader, opening)])
        collector.add(name, comment.text, _input_of(reader, opening, comment))
    if not collector.tools:
        _types_as_tools(reader)


def _find_types(reader: TypeReader) -> None:
    """Note where each `interface X {`, `type X =` and `enum X {` begins."""
    for at, token in enumerate(reader.tokens[:-2]):
        name = reader.tokens[at + 1]
        if token.kind != "name" or token.text not in ("interface", "type", "enum") or name.kind != "name":
            continue
        after = at + 2
        if token.text == "type":
            if reader.tokens[after].text == "=":
                reader.declared[name.text] = after + 1
            continue
        while reader.tokens[after].kind != "end" and reader.tokens[after].text != "{":
            after += 1
        if reader.tokens[after].text == "{":
            reader.declared[name.text] = after


def _functions(reader: TypeReader) -> list[tuple[str, int]]:
    """Name and opening bracket of each function of the text itself: `function f(`, `const f = (`."""
    functions, at = [], 0
    while at < len(reader.tokens) - 1:
        token, after = reader.tokens[at], reader.tokens[at + 1]
        if token.text == "function" and after.kind == "name":
            opening = _opening(reader, at + 2)
            functions.append((after.text, opening))
            at = _end_of(reader, opening)
        elif token.text in ("const", "let", "var") and after.kind == "name" and (opening := _arrow(reader, at + 2)):
            functions.append((after.text, opening))
            at = _end_of(reader, opening)
        elif token.text == "{":
            at = reader.end_of(at) + 1
        else:
            at += 1
    return functions


def _opening(reader: TypeReader, at: int) -> int:
    """The bracket of the parameters, behind type parameters."""
    while at < len(reader.tokens) - 1 and reader.tokens[at].text != "(":
        at += 1
    if reader.tokens[min(at, len(reader.tokens) - 1)].text != "(":
        raise ReadingError("The parameters of this function are missing.", *reader.place(reader.tokens[-1]))
    return at


def _arrow(reader: TypeReader, at: int) -> int:
    """The bracket of an arrow function, or of a `function`, that a name is set to; 0 for any other value."""
    while at < len(reader.tokens) and reader.tokens[at].text not in ("=", ";"):
        at = reader.end_of(at) + 1
    at += 1
    while at < len(reader.tokens) and reader.tokens[at].text in ("async", "function"):
        at += 1
    if at >= len(reader.tokens) or reader.tokens[at].text != "(":
        return 0
    behind = reader.tokens[min(reader.end_of(at) + 1, len(reader.tokens) - 1)].text
    return at if behind in ("=>", ":", "{") else 0


def _end_of(reader: TypeReader, opening: int) -> int:
    """Return the index behind the parameters and, when it follows at once, the body."""
    at = reader.end_of(opening) + 1
    return at if at < len(reader.tokens) else len(reader.tokens) - 1


def _beginning(reader: TypeReader, opening: int) -> int:
    """The first word of the declaration, which a comment stands before."""
    at = opening
    while at > 0 and reader.tokens[at].text not in BEFORE:
        at -= 1
    while at > 0 and reader.tokens[at - 1].text in BEFORE:
        at -= 1
    return at


def _input_of(reader: TypeReader, opening: int, described: Described) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    reader.at, end = opening + 1, reader.end_of(opening)
    while reader.at < end:
        _parameter(reader, properties, required, end, described)
        reader.at = max(reader.at, 1)
        while reader.at < end and not reader.takes(","):
            reader.at = reader.end_of(reader.at) + 1
    return object_of(properties, required)


def _parameter(
    reader: TypeReader, properties: dict[str, Schema], required: list[str], end: int, described: Described
) -> None:
    while reader.token.text in MODIFIERS:
        reader.at += 1
    if reader.takes("..."):
        reader.collector.note("Parameters with … were left out.")
        return
    first = reader.token
    is_taken_apart = first.text == "{"
    reader.at = reader.end_of(reader.at) + 1
    is_optional = reader.takes("?")
    schema, is_nullable = reader.with_optional() if reader.takes(":") else ({}, False)
    if first.text == "this" or first.kind == "end":
        return
    if is_taken_apart:  # { a, b }: { a: string; b: number } gives the fields themselves
        for name, each in schema.get("properties", {}).items():
            properties[name] = _described(each, described.names.get(name, ""))
        required.extend(schema.get("required", []))
        return
    words = described.names.get(first.text, "") or reader.said_before(first).text
    properties[first.text] = _described(schema, words)
    if not is_optional and not is_nullable and not (reader.at < end and reader.token.text == "="):
        required.append(first.text)


def _described(schema: Schema, words: str) -> Schema:
    return {**schema, "description": words} if words else schema


def _types_as_tools(reader: TypeReader) -> None:
    for name, start in reader.declared.items():
        if reader.tokens[start].text == "{" and reader.tokens[start - 2].text != "enum":
            reader.at = start
            words = reader.said_before(reader.tokens[_beginning(reader, start)]).text
            reader.collector.add(name, words, reader.schema())
