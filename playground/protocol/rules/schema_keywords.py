"""Checks keyword by keyword whether something is JSON Schema: a schema of ten thousand members takes milliseconds.

Says what the meta-schema of draft 2020-12 says (a test compares the two), in plain words and with the place. A schema
that names an older draft may also use what that draft had.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from playground.protocol.json.json_text import JsonValue, Path, SpelledFloat

Mistake = tuple[Path, str]

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

_SCHEMA = (
    *("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not"),
    *("propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
)
_SCHEMAS_IN_A_LIST = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMAS_BY_NAME = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_STRINGS = (
    *("$comment", "$dynamicRef", "$id", "$recursiveRef", "$ref", "$schema", "contentEncoding", "contentMediaType"),
    *("description", "format", "pattern", "title"),
)
_BOOLEANS = ("deprecated", "readOnly", "uniqueItems", "writeOnly")
_NUMBERS = ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum")
_COUNTS = (
    *("maxContains", "maxItems", "maxLength", "maxProperties"),
    *("minContains", "minItems", "minLength", "minProperties"),
)
_LISTS = ("enum", "examples")


def schema_mistakes(schema: JsonValue) -> Iterator[Mistake]:
    """Yield where and why this is no JSON Schema, in the order of the text."""
    dialect = schema.get("$schema") if isinstance(schema, dict) else None
    is_older = isinstance(dialect, str) and "2020-12" not in dialect
    waiting: list[tuple[Path, JsonValue]] = [((), schema)]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, dict):
            inner: list[tuple[Path, JsonValue]] = []
            for word, value in each.items():
                yield from _word((*path, word), word, value, inner, is_older)
            waiting.extend(reversed(inner))
        elif not isinstance(each, bool):
            yield path, "A schema must be an object, true or false"


def _word(
    path: Path, word: str, value: JsonValue, inner: list[tuple[Path, JsonValue]], is_older: bool
) -> Iterator[Mistake]:
    """Check one word of a schema; the schemas inside it are put into `inner`."""
    if word in _HAS_SCHEMAS:
        yield from _nested(path, word, value, inner, is_older)
        return
    check = _CHECKS.get(word)
    if check is None or (is_older and word in ("exclusiveMaximum", "exclusiveMinimum") and isinstance(value, bool)):
        return
    wrong = check(value)
    if wrong:
        yield path, f"{word} must be {wrong}"


def _nested(
    path: Path, word: str, value: JsonValue, inner: list[tuple[Path, JsonValue]], is_older: bool
) -> Iterator[Mistake]:
    if word in _SCHEMAS_BY_NAME:
        if isinstance(value, dict):
            inner.extend(((*path, name), each) for name, each in value.items())
        else:
            yield path, f"{word} must be an object"
    elif word == "dependencies":
        yield from _dependencies(path, value, inner)
    elif word in _SCHEMAS_IN_A_LIST or (is_older and word == "items" and isinstance(value, list)):
        if isinstance(value, list) and (value or is_older):
            inner.extend(((*path, index), each) for index, each in enumerate(value))
        else:
            yield path, f"{word} must be a list with at least one schema"
    else:
        inner.append((path, value))


def _dependencies(path: Path, value: JsonValue, inner: list[tuple[Path, JsonValue]]) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield path, "dependencies must be an object"
        return
    for name, each in value.items():
        if not isinstance(each, list):
            inner.append(((*path, name), each))
        elif wrong := _names(each):
            yield (*path, name), f"Must be {wrong}"


def _string(value: JsonValue) -> str:
    return "" if isinstance(value, str) else "a string"


def _boolean(value: JsonValue) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _number(value: JsonValue) -> str:
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else "a number"


def _count(value: JsonValue) -> str:
    is_whole = not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    )
    return "" if is_whole and value >= 0 else "a whole number, 0 or more"


def _step(value: JsonValue) -> str:
    # A spelling such as 1e-999 is more than nothing, though its float is not.
    is_more = not _number(value) and (value > 0 or (isinstance(value, SpelledFloat) and _is_tiny(value)))
    return "" if is_more else "a number above 0"


def _is_tiny(value: SpelledFloat) -> bool:
    digits = value.spelling.lower().partition("e")[0]
    return not digits.startswith("-") and any(digit in digits for digit in "123456789")


def _list(value: JsonValue) -> str:
    return "" if isinstance(value, list) else "a list"


def _names(value: JsonValue) -> str:
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "" if is_list and len(set(value)) == len(value) else "a list of names, each once"


def _names_by_name(value: JsonValue) -> str:
    is_map = isinstance(value, dict) and not any(_names(each) for each in value.values())
    return "" if is_map else "an object with a list of names for each name"


def _type(value: JsonValue) -> str:
    if isinstance(value, list):
        is_known = all(isinstance(each, str) and each in TYPES for each in value)
        return (
            "" if value and is_known and len(set(value)) == len(value) else f"a list of {', '.join(TYPES)}, each once"
        )
    return "" if isinstance(value, str) and value in TYPES else f"one of {', '.join(TYPES)}"


def _anchor(value: JsonValue) -> str:
    is_name = isinstance(value, str) and _ANCHOR.match(value) is not None
    return "" if is_name else "a name of letters, digits, -, . and _"


def _vocabulary(value: JsonValue) -> str:
    is_map = isinstance(value, dict) and all(isinstance(each, bool) for each in value.values())
    return "" if is_map else "an object of true and false"


_ANCHOR = re.compile(r"[A-Za-z_][-A-Za-z0-9._]*$")
_HAS_SCHEMAS = frozenset({*_SCHEMA, *_SCHEMAS_IN_A_LIST, *_SCHEMAS_BY_NAME, "dependencies"})
_CHECKS: dict[str, Callable[[JsonValue], str]] = {
    **dict.fromkeys(_STRINGS, _string),
    **dict.fromkeys(_BOOLEANS, _boolean),
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(_COUNTS, _count),
    **dict.fromkeys(_LISTS, _list),
    "$anchor": _anchor,
    "$dynamicAnchor": _anchor,
    "$vocabulary": _vocabulary,
    "dependentRequired": _names_by_name,
    "multipleOf": _step,
    "required": _names,
    "type": _type,
}
