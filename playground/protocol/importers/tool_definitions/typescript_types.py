"""TypeScript's types to schemas, from tokens. What a schema cannot say may be anything."""

from __future__ import annotations

from typing import Any

from playground.protocol.importers.javascript_tokens import Token
from playground.protocol.importers.result import ReadingError
from playground.protocol.importers.tool_definitions.docstrings import Described, read_jsdoc
from playground.protocol.importers.tool_definitions.tool_collector import (
    DEEPEST,
    Schema,
    ToolCollector,
    enum_of,
    object_of,
    union_of,
)
from playground.protocol.json import json_text

PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "bigint": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "Date": {"type": "string", "format": "date-time"},
    "URL": {"type": "string", "format": "uri"},
    **{name: {} for name in ("any", "unknown", "void", "never")},
    "null": {"type": "null"},
    "undefined": {"type": "null"},
}
LISTS = {"Array", "ReadonlyArray", "Set", "ReadonlySet", "Iterable"}
MODIFIERS = {"readonly", "public", "private", "protected", "override"}


class TypeReader:
    """Reads types from a list of tokens, at `at`. Interfaces, aliases and enums of the text are looked up by name."""

    def __init__(self, source: str, tokens: list[Token], pairs: dict[int, int], collector: ToolCollector) -> None:
        self.source, self.tokens, self.pairs, self.collector = source, tokens, pairs, collector
        self.declared: dict[str, int] = {}  # where the type of that name begins
        self.inside: list[str] = []
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    def ahead(self, by: int = 1) -> Token:
        return self.tokens[max(0, min(self.at + by, len(self.tokens) - 1))]

    def end_of(self, at: int) -> int:
        """Return the index at which the bracket at `at` is closed; `at` itself when there is none."""
        return self.pairs.get(at, at)

    def takes(self, text: str) -> bool:
        """Step over this sign or word, if it is the next."""
        is_next = self.token.text == text and self.token.kind in ("sign", "name", "dots")
        self.at += is_next
        return is_next

    def schema(self, depth: int = 0) -> Schema:
        """The type that begins here, with its unions."""
        if depth > DEEPEST or not self.collector.takes_another_type():
            self._skip()
            return {}
        self.takes("|")
        options = [self._joined(depth)]
        while self.takes("|"):
            options.append(self._joined(depth))
        return union_of([each for each in options if each != {"type": "null"}])

    def _skip(self) -> None:
        """To the end of a type that is not read."""
        while self.token.kind != "end" and self.token.text not in (",", ";", ")", "}", "]", "="):
            self.at = self.end_of(self.at) + 1

    def _joined(self, depth: int) -> Schema:
        schema = self._with_brackets(depth)
        while self.takes("&"):
            other = self._with_brackets(depth)
            properties = {**schema.get("properties", {}), **other.get("properties", {})}
            schema = object_of(properties, [*schema.get("required", []), *other.get("required", [])])
        return schema

    def _with_brackets(self, depth: int) -> Schema:
        self.takes("readonly")
        schema = self._one(depth)
        while self.token.text == "[" and not self.token.starts_line:
            is_empty = self.ahead().text == "]"
            self.at = self.end_of(self.at) + 1
            schema = ({"type": "array", "items": schema} if schema else {"type": "array"}) if is_empty else {}
        return schema

    def _one(self, depth: int) -> Schema:
        token, start = self.token, self.at
        self.at += 1
        if token.kind in ("string", "number"):
            return enum_of([_value_of(token)])
        if token.kind == "name":
            return self._named(token.text, depth)
        if token.text == "-" and self.token.kind == "number":
            self.at += 1
            return enum_of([-_value_of(self.ahead(-1))])
        if token.text == "{":
            schema = self.members(self.end_of(start), depth)
            self.at = self.end_of(start) + 1
            return schema
        if token.text == "(":
            return self._in_parentheses(start, depth)
        if token.text == "[":
            self.at = self.end_of(start) + 1
            return {"type": "array"}
        if token.kind == "template":
            return {"type": "string"}
        raise ReadingError("A type was expected here.", *self.place(token))

    def _in_parentheses(self, start: int, depth: int) -> Schema:
        end = self.end_of(start)
        if self.tokens[min(end + 1, len(self.tokens) - 1)].text == "=>":
            self.collector.note("A function cannot be given by a model: it may be anything.")
            self.at = end + 2
            self.schema(depth + 1)
            return {}
        schema = self.schema(depth + 1)
        self.at = end + 1
        return schema

    def _named(self, name: str, depth: int) -> Schema:
        while self.takes("."):
            name = self.token.text
            self.at += 1
        if name in ("true", "false"):
            return enum_of([name == "true"])
        arguments = self._arguments(depth) if self.token.text == "<" else []
        first = arguments[0] if arguments else {}
        if name in LISTS:
            return {"type": "array", "items": first} if first else {"type": "array"}
        if name in ("Record", "Map"):
            values = arguments[1] if len(arguments) > 1 else {}
            return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
        if name in ("Partial", "DeepPartial"):
            return {key: value for key, value in first.items() if key != "required"}
        if name in ("Required", "Readonly", "NonNullable", "Promise"):
            return first
        if name in self.declared:
            return self._declared(name, depth)
        if name not in PLAIN:
            self.collector.note(f"The type {name[:60]} is not known here: it may be anything.")
            if name in ("keyof", "typeof", "infer", "unique"):
                self._skip()
        return dict(PLAIN.get(name, {}))

    def _arguments(self, depth: int) -> list[Schema]:
        """`<A, B>`; `>>` are two signs."""
        arguments = []
        self.at += 1
        while self.token.kind != "end" and not self.takes(">"):
            arguments.append(self.schema(depth + 1))
            if not self.takes(",") and self.token.text != ">":
                break
        return arguments

    def _declared(self, name: str, depth: int) -> Schema:
        """The type of this name, read where it stands. One that holds itself may be anything."""
        if name in self.inside:
            return {}
        back, self.at = self.at, self.declared[name]
        self.inside.append(name)
        try:
            return self._enum() if self.ahead(-2).text == "enum" else self.schema(depth + 1)
        finally:
            self.inside.pop()
            self.at = back

    def _enum(self) -> Schema:
        inside = self.tokens[self.at : self.end_of(self.at)]
        values = [_value_of(token) for token in inside if token.kind in ("string", "number")]
        return enum_of(values) if values else {"type": "integer"}

    def members(self, end: int, depth: int) -> Schema:
        """Members up to the closing bracket at `end`; the reader stands behind the opening one."""
        properties: dict[str, Schema] = {}
        required: list[str] = []
        while self.at < end:
            if self.token.text in (",", ";"):
                self.at += 1
            elif self.token.text == "[":  # an index signature: [key: string]: T
                self.at = self.end_of(self.at) + 1
                values = self.schema(depth + 1) if self.takes(":") else {}
                return object_of(properties, required) | {"additionalProperties": values or True}
            else:
                self._member(properties, required, end, depth)
        return object_of(properties, required)

    def _member(self, properties: dict[str, Schema], required: list[str], end: int, depth: int) -> None:
        first = self.token
        while self.token.text in MODIFIERS and self.ahead().kind in ("name", "string"):
            self.at += 1
        name = _name_of(self.token)
        self.at += 1
        is_optional = self.takes("?")
        if not self.takes(":"):  # a method, or something else that is no value
            while self.at < end and self.token.text not in (",", ";") and not self.token.starts_line:
                self.at = self.end_of(self.at) + 1
            return
        schema, is_nullable = self.with_optional(depth + 1)
        words = self.said_before(first).text
        properties[name] = {**schema, "description": words} if words else schema
        if not is_optional and not is_nullable:
            required.append(name)

    def with_optional(self, depth: int = 0) -> tuple[Schema, bool]:
        """The type that begins here, and whether it takes `undefined`."""
        start = self.at
        schema = self.schema(depth)
        words = [token.text for token in self.tokens[start : self.at]]
        return schema, words[-1:] == ["undefined"] or words[:2] == ["undefined", "|"]

    def said_before(self, token: Token) -> Described:
        """The `/** … */` right before a token."""
        before = self.source[max(0, token.offset - 20_000) : token.offset].rstrip()
        if not before.endswith("*/"):
            return Described()
        start = before.rfind("/**")
        return read_jsdoc(before[start + 3 : -2]) if start >= 0 else Described()

    def place(self, token: Token) -> tuple[int, int]:
        return json_text.line_and_column(self.source, token.offset)


def _name_of(token: Token) -> str:
    return str(_value_of(token)) if token.kind == "string" else token.text


def _value_of(token: Token) -> Any:
    if token.kind == "string":
        return token.text
    number = json_text.parse_number(token.text.rstrip("n").replace("_", ""))
    return 0 if number is None else number
