"""The schemas of tools and of output formats: whether they are JSON Schema, and whether a tool's examples follow its.

A schema comes from strangers. It is never resolved over the network, its regular expressions are never run (some take
for ever), and following its references stops after a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from playground.exceptions import PlaygroundError
from playground.protocol.foreign_text import truncated
from playground.protocol.json.paths import JsonValue, Path
from playground.protocol.rules.problems import Problem, Repair
from playground.protocol.rules.request_view import Tool
from playground.protocol.rules.schema_keywords import schema_mistakes

# How many schemas all examples of a request together are compared with, about 10 microseconds each.
MOST_STEPS = 5_000
MOST_MISTAKES = 20
_WITH_REGULAR_EXPRESSIONS = ("patternProperties", "unevaluatedProperties")
# A regular expression, and a comparison of each item with each other.
_NEVER_RUN = ("pattern", "uniqueItems")


class _TooMuchError(PlaygroundError):
    """The schema asks for more work than a check is worth."""


def schema_problems(tool: Tool, example_check: ExampleCheck) -> Iterator[Problem]:
    """Yield the problems of a custom tool's `input_schema` and `input_examples`."""
    schema = tool.members.get("input_schema")
    place = (*tool.path, "input_schema")
    if not isinstance(schema, dict):
        return
    if schema.get("type") != "object":
        repair = Repair("Set its type to object", (("set", (*place, "type"), "object"),))
        yield Problem((*place, "type"), "The type of input_schema must be object", repair=repair)
    mistakes = list(islice(schema_mistakes(schema), MOST_MISTAKES))
    for where, message in mistakes:
        yield Problem((*place, *where), message)
    if tool.members.get("strict") is True and not mistakes:
        yield from _open_objects(schema, place)
    examples = tool.members.get("input_examples")
    if mistakes or not isinstance(examples, list):
        return
    for index, where, message in example_check.mistakes(schema, examples):
        path = (*tool.path, "input_examples", index, *where)
        yield Problem(path, f"The example does not match the schema: {message}", "warning")


def format_problems(place: Path, format_: JsonValue) -> Iterator[Problem]:
    """Yield the problems of the schema of an output format."""
    schema = format_.get("schema") if isinstance(format_, dict) else None
    if not isinstance(schema, dict):
        return
    mistakes = list(islice(schema_mistakes(schema), MOST_MISTAKES))
    for where, message in mistakes:
        yield Problem((*place, "schema", *where), message)
    if not mistakes:
        yield from _open_objects(schema, (*place, "schema"))


def _open_objects(schema: JsonValue, place: Path) -> Iterator[Problem]:
    """Objects that do not forbid other members; guaranteed output is made for closed ones only."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            where = (*place, "additionalProperties")
            repair = Repair("Set additionalProperties to false", (("set", where, False),))
            yield Problem(where, "additionalProperties may have to be false", "warning", repair)
        for name, each in schema.items():
            # An example or a default can look like a schema without being one.
            if name not in ("const", "default", "enum", "examples"):
                yield from _open_objects(each, (*place, name))
    elif isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from _open_objects(each, (*place, index))


def _has_regular_expressions(schema: JsonValue) -> bool:
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if any(name in each for name in _WITH_REGULAR_EXPRESSIONS):
                return True
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return False


class ExampleCheck:
    """Compares examples with schemas until `MOST_STEPS` are used up; from then on everything is taken as right."""

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self.steps = steps

    def mistakes(self, schema: dict[str, Any], values: list[JsonValue]) -> Iterator[tuple[int, Path, str]]:
        """The first mistake of each value: its index, the place in it, and the words."""
        if _has_regular_expressions(schema):
            return
        validator = _validator(schema, registry=Registry())
        for index, value in enumerate(values):
            _counting.set(self)
            try:
                error = next(validator.iter_errors(value), None)
            except (_TooMuchError, RecursionError, ArithmeticError, Unresolvable, TypeError, ValueError):
                # A reference that leads nowhere or for ever, a number as large as no other: nothing can be said.
                return
            if error is not None:
                yield index, *_innermost(error)

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise _TooMuchError


_counting: ContextVar[ExampleCheck] = ContextVar("counting")


def _counted(keyword: Any) -> Any:
    """The check of a schema's keyword, which counts for the example check that is at work."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        _counting.get().spend(1 + (_size(value) + _size(instance)) // 20)
        return keyword(validator, value, instance, schema) or iter(())

    return check


# Made once: jsonschema takes 1.3 ms to make a class.
_validator = validators.create(
    Draft202012Validator.META_SCHEMA,
    {name: _counted(check) for name, check in Draft202012Validator.VALIDATORS.items() if name not in _NEVER_RUN},
    type_checker=Draft202012Validator.TYPE_CHECKER,
)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else 0


def _innermost(error: ValidationError) -> tuple[Path, str]:
    """The place and a short message; of alternatives that all failed, the error that got furthest."""
    while error.context:
        error = max(error.context, key=lambda each: len(each.absolute_path))
    return tuple(error.absolute_path), truncated(error.message, 200)
