"""An example value that fits a JSON Schema: for a first input of a tool, and for what the sandbox makes up.

Not a solver: it reads what tool schemas are made of (types, required members, enum, bounds, formats, local $ref, anyOf,
allOf). What it cannot read it answers plausibly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from playground.protocol.json.example_pattern import example_of

# Asked for the text of a string member: its name and schema; None leaves it to the rules below.
Hint = Callable[[str, Mapping[str, Any]], str | None]

_DEPTH_LIMIT = 8
_MEMBERS_LIMIT = 200
_FORMATS = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "P1D",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/example",
    "iri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "json-pointer": "/example",
    "regex": "^example$",
}
_WORDS = {
    "city": "Lisbon",
    "location": "Lisbon, Portugal",
    "country": "Portugal",
    "name": "Ada Lovelace",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "url": "https://example.com/",
    "path": "/tmp/example.txt",  # noqa: S108 - a text, no file
    "date": "2026-11-22",
    "time": "09:30",
    "query": "an example",
    "language": "en",
    "currency": "EUR",
    "symbol": "ACME",
    "ticker": "ACME",
    "timezone": "Europe/Lisbon",
    "code": "print(1 + 1)",
    "id": "42",
}


def example_input(schema: Mapping[str, Any], hint: Hint | None = None) -> dict[str, Any]:
    """An object that fits a tool's `input_schema`; empty when the schema does not describe an object."""
    value = example_value(schema, hint)
    return value if isinstance(value, dict) else {}


def example_value(schema: Any, hint: Hint | None = None) -> Any:
    """A value of any type that fits the schema. Never raises; a schema that makes no sense gives null."""
    return _Example(schema if isinstance(schema, Mapping) else {}, hint).value_of(schema, "", 0)


class _Example:
    def __init__(self, root: Mapping[str, Any], hint: Hint | None) -> None:
        self.root = root
        self.hint = hint

    def value_of(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, Mapping) or depth > _DEPTH_LIMIT:
            return "example" if schema is True else None
        schema = self._flat(schema, depth)
        if "const" in schema:
            return schema["const"]
        if isinstance(choices := schema.get("enum"), list) and choices:
            return choices[0]
        if (given := _given(schema)) is not None:
            return given
        match _type_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "string":
                return self._string(schema, name)
            case "integer":
                return int(_number(schema, whole=True))
            case "number":
                return _number(schema, whole=False)
            case "boolean":
                return True
            case _:
                return None

    def _flat(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        """Follow a local $ref, add allOf, and take the first of anyOf or oneOf."""
        for _ in range(_DEPTH_LIMIT):
            merged: dict[str, Any] = {}
            branches: list[Any] = []
            if isinstance(reference := schema.get("$ref"), str):
                branches.append(self._resolve(reference))
            for word in ("anyOf", "oneOf"):
                if isinstance(options := schema.get(word), list) and options:
                    branches.append(self._simplest(options, depth))
            if isinstance(parts := schema.get("allOf"), list):
                branches += parts
            if not branches:
                return schema
            rest = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "oneOf", "allOf")}
            for branch in [*branches, rest]:
                merged = _merge(merged, branch) if isinstance(branch, Mapping) else merged
            schema = merged
        return schema

    def _simplest(self, options: list[Any], depth: int) -> Any:
        """The first that is not null; deep down one that ends the recursion, where there is one."""
        null = [option for option in options if isinstance(option, Mapping) and option.get("type") == "null"]
        plain = [option for option in options if isinstance(option, Mapping) and "$ref" not in option]
        others = [option for option in options if option not in null]
        if depth >= 3 and (ending := null or plain):
            return ending[0]
        return (others or options)[0]

    def _resolve(self, reference: str) -> Any:
        """The schema at a local reference such as #/$defs/Item; {} for one that leads nowhere."""
        schema: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/") if reference.startswith("#") else ["?"]:
            if step:
                step = step.replace("~1", "/").replace("~0", "~")
                schema = schema.get(step) if isinstance(schema, Mapping) else None
        return schema if isinstance(schema, Mapping) else {}

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        members = schema.get("properties")
        members = members if isinstance(members, Mapping) else {}
        listed = schema.get("required")
        required = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        least = schema.get("minProperties")
        names = list(dict.fromkeys(required))[:_MEMBERS_LIMIT]
        if not names and depth < 3:
            names = list(members)[:3]
        for name in members:
            if isinstance(least, int) and len(names) < least and name not in names:
                names.append(name)
        return {name: self.value_of(members.get(name, True), name, depth + 1) for name in names}

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        first = schema.get("prefixItems")
        values = [self.value_of(item, name, depth + 1) for item in first] if isinstance(first, list) else []
        least, most = _bound(schema, "minItems", 0), _bound(schema, "maxItems", 10**6)
        count = min(max(least, 1 if depth < _DEPTH_LIMIT // 2 else 0), most, 100)
        items = schema.get("items")
        while len(values) < count and items is not False:
            values.append(self._item(items, name, depth, len(values), unique=schema.get("uniqueItems") is True))
        return values[:most]

    def _item(self, items: Any, name: str, depth: int, place: int, *, unique: bool) -> Any:
        choices = items.get("enum") if isinstance(items, Mapping) else None
        if isinstance(choices, list) and choices:
            return choices[place % len(choices)]
        value = self.value_of(True if items is None else items, name, depth + 1)
        if not unique or place == 0:
            return value
        if isinstance(value, str):
            return f"{value} {place + 1}"
        return value + place if isinstance(value, int | float) and not isinstance(value, bool) else value

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        if (text := _FORMATS.get(str(schema.get("format")))) is not None:
            return text
        if isinstance(pattern := schema.get("pattern"), str) and (text := example_of(pattern)) is not None:
            return text
        text = (self.hint(name, schema) if self.hint else None) or _word_for(name)
        least, most = _bound(schema, "minLength", 0), _bound(schema, "maxLength", 10**6)
        while 0 < len(text) < min(least, 10_000):
            text += " " + text
        return text[: max(most, 0)]


def _given(schema: Mapping[str, Any]) -> Any:
    """A value that the schema brings along: its default, or its first example."""
    if schema.get("default") is not None:
        return schema["default"]
    examples = schema.get("examples")
    return examples[0] if isinstance(examples, list) and examples else None


def _type_of(schema: Mapping[str, Any]) -> str:
    type_ = schema.get("type")
    if isinstance(type_, list):
        type_ = next((each for each in type_ if each != "null"), "null")
    if isinstance(type_, str):
        return type_
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(first) | dict(second)
    if isinstance(first.get("properties"), Mapping) and isinstance(second.get("properties"), Mapping):
        merged["properties"] = dict(first["properties"]) | dict(second["properties"])
    if isinstance(first.get("required"), list) and isinstance(second.get("required"), list):
        merged["required"] = [*first["required"], *second["required"]]
    return merged


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    """1 where that is allowed, else the bound nearest to it."""
    step = _real(schema, "multipleOf") or (1 if whole else 0)
    low, above = _real(schema, "minimum"), _real(schema, "exclusiveMinimum")
    high, below = _real(schema, "maximum"), _real(schema, "exclusiveMaximum")
    if above is not None and (low is None or above >= low):
        room = _middle(above, high if below is None else below)
        low = above + (min(step, room) if step else room)
    if below is not None and (high is None or below <= high):
        room = _middle(above if low is None else low, below)
        high = below - (min(step, room) if step else room)
    number: float = 1
    if low is not None and number < low:
        number = low
    if high is not None and number > high:
        number = high if low is None or high >= low else low
    if step > 0:
        rounded = math.ceil(number / step) * step
        number = rounded if high is None or rounded <= high else math.floor(number / step) * step
    return int(number) if whole or float(number).is_integer() else number


def _middle(low: float | None, high: float | None) -> float:
    """Half of the way between two bounds, at most 1."""
    return 1 if low is None or high is None or high <= low else min(1, (high - low) / 2)


def _real(schema: Mapping[str, Any], word: str) -> float | None:
    bound = schema.get(word)
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not -1e15 < bound < 1e15:
        return None
    return bound


def _bound(schema: Mapping[str, Any], word: str, otherwise: int) -> int:
    bound = schema.get(word)
    return bound if isinstance(bound, int) and not isinstance(bound, bool) else otherwise


def _word_for(name: str) -> str:
    lower = name.lower()
    return next((text for word, text in _WORDS.items() if lower == word or lower.endswith("_" + word)), "example")
