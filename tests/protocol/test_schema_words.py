"""Every word of JSON Schema that holds something else than it may is named, with its place."""

from typing import Any

import pytest

from playground.protocol.json import json_text
from playground.protocol.rules.schema_keywords import schema_mistakes

WRONG: list[tuple[str, str, str]] = [
    ('{"title": 1}', "title", "title must be a string"),
    ('{"uniqueItems": 1}', "uniqueItems", "uniqueItems must be true or false"),
    ('{"minimum": true}', "minimum", "minimum must be a number"),
    ('{"minLength": -1}', "minLength", "a whole number, 0 or more"),
    ('{"minLength": 1.5}', "minLength", "a whole number, 0 or more"),
    ('{"multipleOf": 0}', "multipleOf", "a number above 0"),
    ('{"multipleOf": 0e-999}', "multipleOf", "a number above 0"),
    ('{"multipleOf": -1e-999}', "multipleOf", "a number above 0"),
    ('{"enum": "a"}', "enum", "enum must be a list"),
    ('{"required": ["a", "a"]}', "required", "a list of names, each once"),
    ('{"required": true}', "required", "a list of names, each once"),
    ('{"dependentRequired": {"a": [1]}}', "dependentRequired", "an object with a list of names for each name"),
    ('{"type": "text"}', "type", "type must be one of array, boolean"),
    ('{"type": []}', "type", "a list of array, boolean"),
    ('{"type": ["string", "string"]}', "type", "each once"),
    ('{"$anchor": "1a"}', "$anchor", "a name of letters"),
    ('{"$vocabulary": {"a": 1}}', "$vocabulary", "an object of true and false"),
    ('{"properties": []}', "properties", "properties must be an object"),
    ('{"properties": {"a": {"type": 1}}}', "properties.a.type", "type must be one of"),
    ('{"anyOf": []}', "anyOf", "a list with at least one schema"),
    ('{"anyOf": [true, 1]}', "anyOf.1", "A schema must be an object, true or false"),
    ('{"items": [{}]}', "items", "A schema must be an object, true or false"),
    ('{"dependencies": []}', "dependencies", "dependencies must be an object"),
    ('{"dependencies": {"a": ["b", "b"]}}', "dependencies.a", "Must be a list of names, each once"),
    ('{"dependencies": {"a": 1}}', "dependencies.a", "A schema must be an object, true or false"),
]
SOUND = [
    '{"multipleOf": 1e-999}',
    '{"minLength": 2.0, "exclusiveMinimum": 0}',
    '{"$anchor": "a-1", "$vocabulary": {"a": true}, "dependentRequired": {"a": ["b"]}}',
    '{"dependencies": {"a": ["b"], "c": {"type": ["string", "null"]}}}',
    '{"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": true, "items": [{}], "anyOf": []}',
    '{"later": 1}',
]


def mistakes(schema: str) -> list[tuple[str, str]]:
    parsed: Any = json_text.parse(schema)
    return [(".".join(map(str, path)), message) for path, message in schema_mistakes(parsed)]


@pytest.mark.parametrize(("schema", "place", "words"), WRONG)
def test_a_word_that_holds_something_else_is_told_at_its_place(schema: str, place: str, words: str) -> None:
    ((where, message),) = mistakes(schema)
    assert where == place
    assert words in message


@pytest.mark.parametrize("schema", SOUND)
def test_what_a_draft_allows_is_no_mistake(schema: str) -> None:
    assert mistakes(schema) == []
