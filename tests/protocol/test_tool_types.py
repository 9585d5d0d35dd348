"""Types of TypeScript to the schemas of a tool's input."""

from typing import Any

import pytest

from playground.protocol.importers.result import ImportProblem
from playground.protocol.importers.tool_definitions import FoundTools, read_tools


def found(code: str) -> FoundTools:
    result = read_tools(code)
    assert isinstance(result, FoundTools), result
    return result


def schema_of(type_: str, before: str = "") -> Any:
    """The schema of a parameter of this type."""
    (tool,) = found(f"{before}\nexport function act(it: {type_}): void {{}}").tools
    return tool["input_schema"]["properties"]["it"]


TYPES: dict[str, Any] = {
    "-1 | 1": {"type": "integer", "enum": [-1, 1]},
    "true": {"type": "boolean", "enum": [True]},
    "| 'a' | 'b'": {"type": "string", "enum": ["a", "b"]},
    "[number, number]": {"type": "array"},
    "readonly string[]": {"type": "array", "items": {"type": "string"}},
    "string[][]": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
    "(string)[]": {"type": "array", "items": {"type": "string"}},
    "Array<number>": {"type": "array", "items": {"type": "number"}},
    "Array": {"type": "array"},
    "unknown[]": {"type": "array"},
    "Record<string, number>": {"type": "object", "additionalProperties": {"type": "number"}},
    "Record<string, Array<string>>": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    },
    "Map": {"type": "object"},
    "Readonly<{ a: string }>": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    "Partial<{ a: string }>": {"type": "object", "properties": {"a": {"type": "string"}}},
    "{ a: string } & { b?: number }": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "number"}},
        "required": ["a"],
    },
    "{ readonly a: string; b: number | undefined; run(x: number): void }": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "number"}},
        "required": ["a"],
    },
    "{ [key: string]: number }": {"type": "object", "properties": {}, "additionalProperties": {"type": "number"}},
    "`id-${string}`": {"type": "string"},
    "string": {"type": "string"},
}


@pytest.mark.parametrize(("type_", "schema"), TYPES.items())
def test_a_type_becomes_the_schema_of_what_it_takes(type_: str, schema: Any) -> None:
    assert schema_of(type_) == schema


@pytest.mark.parametrize(
    ("declared", "schema"),
    [
        ("enum It { A = 'a', B = 'b' }", {"type": "string", "enum": ["a", "b"]}),
        ("enum It { A, B }", {"type": "integer"}),
        ("type It = 'x' | 'y'", {"type": "string", "enum": ["x", "y"]}),
        (
            "interface It {\n  /** How far. */\n  far: number\n  near?: It\n}",
            {
                "type": "object",
                "properties": {"far": {"type": "number", "description": "How far."}, "near": {}},
                "required": ["far"],
            },
        ),
    ],
)
def test_a_type_that_is_declared_beside_is_read_where_it_stands(declared: str, schema: Any) -> None:
    assert schema_of("It", declared) == schema
    assert schema_of("Api.It", declared) == schema


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        ("Elsewhere", "The type Elsewhere is not known here"),
        ("keyof Elsewhere", "The type keyof is not known here"),
        ("(a: string) => void", "A function cannot be given by a model"),
    ],
)
def test_a_type_that_is_not_known_may_be_anything_and_is_said(type_: str, words: str) -> None:
    assert schema_of(type_) == {}
    assert words in " ".join(found(f"export function act(it: {type_}): void {{}}").notes)


def test_a_type_that_is_missing_is_a_problem_with_its_place() -> None:
    result = read_tools("export function act(it: ): void {}")
    assert isinstance(result, ImportProblem)
    assert "A type was expected here" in result.message
    assert (result.line, result.column) == (1, 25)


def test_types_within_types_without_end_are_read_up_to_a_depth() -> None:
    assert schema_of("Array<" * 200 + "string" + ">" * 200)["type"] == "array"
