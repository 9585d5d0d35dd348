"""Example values that fit a JSON Schema."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.json.example_input import example_input, example_value
from playground.protocol.json.example_pattern import example_of

TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
        }
    },
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/node"}},
    "required": ["root"],
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "minLength": 40},
        {"type": "string", "maxLength": 3},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "email"},
        {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
        {"type": "integer", "minimum": 10},
        {"type": "integer", "maximum": -3},
        {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
        {"type": "integer", "minimum": 1, "multipleOf": 7},
        {"type": "number", "minimum": 0.25, "maximum": 0.75},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 0.1},
        {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 1.5},
        {"type": "number", "exclusiveMaximum": 0},
        {"type": "integer", "exclusiveMaximum": 0},
        {"type": "integer", "minimum": 2, "exclusiveMaximum": 10, "multipleOf": 3},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["null", "string"]},
        {"const": {"a": 1}},
        {"enum": [None, 1]},
        {"type": "array", "items": {"type": "integer"}, "minItems": 3},
        {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
        {"type": "array", "maxItems": 0},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
        {"type": "object", "properties": {"a": {}, "b": {}, "c": {}, "d": {}}, "minProperties": 4},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        {"oneOf": [{"type": "string", "minLength": 2}, {"type": "integer"}]},
        {
            "allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "integer"}}, "required": ["b"]}],
            "type": "object",
        },
        {"type": "object", "properties": {"when": {"type": "string", "default": "now"}}, "required": ["when"]},
        TREE,
        {},
        True,
    ],
)
def test_an_example_fits_its_schema(schema: Any) -> None:
    jsonschema.Draft202012Validator(schema).validate(example_value(schema))


def test_an_example_has_what_is_required_and_nothing_more() -> None:
    schema = {"properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]}
    assert example_input({"type": "object", **schema}) == {"city": "Lisbon"}


def test_without_required_members_the_first_few_are_shown() -> None:
    members = {name: {"type": "boolean"} for name in "abcdef"}
    assert example_input({"type": "object", "properties": members}) == {"a": True, "b": True, "c": True}


def test_texts_can_be_hinted_at() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"enum": ["C"]}}}
    assert example_input(schema, lambda name, _: "Oslo" if name == "city" else None) == {"city": "Oslo", "unit": "C"}


def test_a_schema_that_describes_no_object_gives_no_input() -> None:
    assert example_input({"type": "string"}) == {}


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
WORDS = [
    *("type", "properties", "required", "items", "prefixItems", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"),
    *("minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems"),
    *("format", "pattern", "default", "examples", "minProperties", "uniqueItems"),
]
TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null", "#", "#/properties"])


@given(
    st.recursive(json_values | TYPES, lambda inner: st.dictionaries(st.sampled_from(WORDS), inner | TYPES, max_size=4))
)
def test_no_schema_is_bad_enough_to_raise(schema: Any) -> None:
    example_value(schema)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{4}-\d{2}-\d{2}$",
        r"^[A-Z]{2,3}[0-9]+$",
        r"^(?:red|green)-(dark|light)?$",
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
        r"^#[0-9a-fA-F]{6}$",
        r"^\+?[1-9]\d{1,14}$",
        r"^v\d+\.\d+\.\d+(-[a-z.]+)?$",
        r"^(?P<year>20\d\d)$",
        r"^[a-z][a-z0-9_]*$",
        r"^[]x]$",
        r"",
        r"a|b",
        r"^.{5}$",
        r"^\w+\s\w+?$",
    ],
)
def test_a_pattern_gets_a_text_that_matches(pattern: str) -> None:
    text = example_of(pattern)
    assert text is not None
    assert re.search(pattern, text)


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", "(", "[", "a{2000}", "*", "\\", "(?<", "(" * 5_000])
def test_a_pattern_that_is_not_understood_gets_none(pattern: str) -> None:
    assert example_of(pattern) is None


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@given(st.text(st.sampled_from("ab01()[]{}|*+?.\\-,dwsPn<>:="), max_size=20))
def test_any_pattern_gets_a_text_that_matches_or_none(pattern: str) -> None:
    text = example_of(pattern)
    try:
        expression = re.compile(pattern)
    except re.error:
        return
    assert text is None or expression.search(text)


def test_a_pattern_made_to_take_forever_takes_no_time() -> None:
    assert example_of("a{100}(a+)+^b") is not None
