"""Pasted text to tools: JSON of several forms, OpenAPI, Python and TypeScript. Nothing is run, and nothing raises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.protocol.importers.result import ImportProblem
from playground.protocol.importers.tool_definitions import FoundTools, read_tools
from playground.protocol.json import json_text

CITY = {"type": "object", "properties": {"city": {"type": "string", "description": "Where"}}, "required": ["city"]}
ONE = {"name": "get_weather", "description": "Tells the weather.", "input_schema": CITY}
FUNCTION = {"name": "get_weather", "description": "Tells the weather.", "parameters": CITY}

PYTHON = '''
from enum import Enum
class Unit(Enum):
    C = "c"
    F = "f"

class Spot(BaseModel):
    lat: float = Field(description="Degrees north")
    inner: "Spot | None" = None
    name: NotRequired[str]
    must: int

@tool
async def get_weather(
    self, city: str, unit: Unit = "c", days: int | None = None, spots: list[Spot] = (),
    how: Literal["fast", "slow"] = "fast", x: Annotated[str, "An x"] = "", many: dict[str, int] = {}, **more,
) -> str:
    """Tells the weather.

    In words.

    Args:
        city (str): The city,
            with its country.
        days: How many.

    Returns:
        Words.
    """
'''
TYPESCRIPT = """
/** A place. */
interface Spot {
  /** Degrees. */ lat: number; lon?: number; "a-b": 'x'; inner?: Spot; go(): void; [key: string]: string
}
type Mode = "fast" | 'slow' | null;
enum Color { Red = "red", Blue = "blue" }
/**
 * Tells the weather
 * in a city.
 * @param city - The city,
 *   with its country
 * @param {Spot[]} spots Where
 * @returns words
 */
export async function getWeather(
  city: string, spots: Spot[], mode?: Mode, color: Color = Color.Red,
  opts: Partial<{ a: number, b: Record<string, number> }> = {}, cb?: (a: string) => void, either: string | number,
  ...rest: string[]
): Promise<string> { return "" }
export const add = async ({ a, b }: { a: number; b?: number }): Promise<number> => a + b
"""
OPENAPI = {
    "openapi": "3.1.0",
    "paths": {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "put": {
                "operationId": "updatePet",
                "summary": "Changes a pet.",
                "parameters": [{"name": "X-Trace", "in": "header", "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                },
            },
            "get": {"description": "Reads a pet.", "parameters": [{"$ref": "#/components/parameters/deep"}]},
        }
    },
    "components": {
        "parameters": {"deep": {"name": "deep", "in": "query", "description": "All of it", "type": "boolean"}},
        "schemas": {
            "Pet": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "friend": {"$ref": "#/components/schemas/Pet"}},
                "required": ["name"],
            }
        },
    },
}


def found(text: Any) -> FoundTools:
    result = read_tools(text if isinstance(text, str) else json.dumps(text))
    assert isinstance(result, FoundTools), result
    return result


def problem(text: str) -> ImportProblem:
    result = read_tools(text)
    assert isinstance(result, ImportProblem), result
    return result


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        [ONE],
        FUNCTION,
        {"type": "function", "function": FUNCTION},
        {"type": "function", **FUNCTION},
        {"tools": [ONE]},
        {"functionDeclarations": [FUNCTION]},
        {"jsonrpc": "2.0", "result": {"tools": [{**ONE, "inputSchema": CITY}]}},
        {"title": "get weather", "description": "Tells the weather.", **CITY},
        f"```json\n{json.dumps(ONE)}\n```",
    ],
)
def test_a_tool_is_read_from_every_form_of_json(text: Any) -> None:
    (tool,) = found(text).tools
    assert (tool["name"], tool["description"], tool["input_schema"]) == ("get_weather", "Tells the weather.", CITY)


def test_a_tool_of_this_api_keeps_all_that_it_has() -> None:
    tool = ONE | {"cache_control": {"type": "ephemeral"}, "strict": True, "later": 1}
    assert found(tool).tools == (tool,)


def test_a_python_function_is_read_with_its_types_defaults_and_docstring() -> None:
    result = found(PYTHON)
    (tool,) = result.tools
    fields = tool["input_schema"]["properties"]
    assert (tool["name"], tool["description"]) == ("get_weather", "Tells the weather.\n\nIn words.")
    assert tool["input_schema"]["required"] == ["city"]
    assert fields["city"] == {"type": "string", "description": "The city, with its country."}
    assert fields["unit"] == {"type": "string", "enum": ["c", "f"], "default": "c"}
    assert fields["days"] == {"type": "integer", "description": "How many."}
    assert fields["how"] == {"type": "string", "enum": ["fast", "slow"], "default": "fast"}
    assert fields["x"]["description"] == "An x"
    assert fields["many"] == {"type": "object", "additionalProperties": {"type": "integer"}}
    spot = fields["spots"]["items"]
    assert spot["properties"]["lat"] == {"type": "number", "description": "Degrees north"}
    assert spot["properties"]["inner"] == {}  # a type inside of itself may be anything
    assert spot["required"] == ["must"]
    assert "self" not in fields
    assert any("**kwargs" in note for note in result.notes)


@pytest.mark.parametrize(
    "docstring",
    [
        "Adds.\n\n    Args:\n        a: One.\n        b (int): Two.\n    ",
        "Adds.\n\n    :param a: One.\n    :param int b: Two.\n    :returns: it\n    ",
        "Adds.\n\n    Parameters\n    ----------\n    a : int\n        One.\n    b : int, optional\n        Two.\n    ",
    ],
)
def test_three_styles_of_docstrings_describe_parameters(docstring: str) -> None:
    (tool,) = found(f'def add(a: int, b: int):\n    """{docstring}"""').tools
    assert tool["description"] == "Adds."
    assert [each["description"] for each in tool["input_schema"]["properties"].values()] == ["One.", "Two."]


@pytest.mark.parametrize("text", ["def add(a: int, b) -> int:", "def add(a, b)", ">>> def add(a, b): ..."])
def test_a_signature_alone_is_enough(text: str) -> None:
    (tool,) = found(text).tools
    assert tool["input_schema"]["required"] == ["a", "b"]


def test_a_typescript_function_is_read_with_its_types_and_jsdoc() -> None:
    result = found(TYPESCRIPT)
    weather, add = result.tools
    fields = weather["input_schema"]["properties"]
    assert (weather["name"], weather["description"]) == ("getWeather", "Tells the weather\nin a city.")
    assert weather["input_schema"]["required"] == ["city", "spots", "either"]
    assert fields["city"] == {"type": "string", "description": "The city, with its country"}
    assert fields["spots"]["description"] == "Where"
    spot = fields["spots"]["items"]
    assert spot["properties"]["lat"] == {"type": "number", "description": "Degrees."}
    assert spot["properties"]["a-b"] == {"type": "string", "enum": ["x"]}
    assert spot["required"] == ["lat", "a-b"]
    assert "go" not in spot["properties"]
    assert spot["additionalProperties"] == {"type": "string"}
    assert fields["mode"] == {"type": "string", "enum": ["fast", "slow"]}
    assert fields["color"] == {"type": "string", "enum": ["red", "blue"]}
    assert "required" not in fields["opts"]
    assert fields["opts"]["properties"]["b"] == {"type": "object", "additionalProperties": {"type": "number"}}
    assert fields["either"] == {"anyOf": [{"type": "string"}, {"type": "number"}]}
    assert fields["cb"] == {}
    assert add["input_schema"]["properties"] == {"a": {"type": "number"}, "b": {"type": "number"}}
    assert len(result.notes) == 2


def test_an_interface_alone_is_a_tool() -> None:
    (tool,) = found("/** Books a trip. */\nexport interface BookTrip { from: string; to?: string }").tools
    assert (tool["name"], tool["description"]) == ("BookTrip", "Books a trip.")
    assert tool["input_schema"]["required"] == ["from"]


def test_each_operation_of_an_openapi_document_is_a_tool() -> None:
    result = found(OPENAPI)
    read, update = result.tools
    assert (read["name"], read["description"]) == ("get_pets_id", "Reads a pet.")
    assert read["input_schema"]["properties"]["deep"] == {"type": "boolean", "description": "All of it"}
    assert (update["name"], update["description"]) == ("updatePet", "Changes a pet.")
    assert update["input_schema"]["required"] == ["id", "name"]
    assert update["input_schema"]["properties"]["friend"] == {}  # it refers to itself
    assert "X-Trace" not in update["input_schema"]["properties"]
    assert any("headers" in note for note in result.notes)
    operation = OPENAPI["paths"]["/pets/{id}"]["put"]  # type: ignore[index]
    (alone,) = found(operation).tools
    assert alone["name"] == "updatePet"


def test_a_name_becomes_one_that_the_api_takes() -> None:
    assert found({**FUNCTION, "name": "get weather! " + "x" * 200}).tools[0]["name"] == "get_weather_" + "x" * 116


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("", "There is no tool", (0, 0)),
        ("tell me a story", "There is no tool", (0, 0)),
        ("{}", "There is no tool", (0, 0)),
        ('{"name": "x",\n "input_schema": }', "This is not JSON", (2, 18)),
        ("def add(a,, b):\n    ...", "This is not valid Python", (1, 11)),
        ("openapi: 3.0.0\npaths: {}", "There is no tool", (0, 0)),
        ("openapi: 3.0.0\npaths: {a", "expected ',' or '}'", (2, 10)),
        ("openapi: 3.0.0\nopenapi: 3.1.0", "“openapi” comes twice", (2, 1)),
        ("openapi: 3.0.0\n? [a]\n: 1", "a name must be text", (2, 3)),
        ("openapi: 3.0.0\nx: !!python/object/apply:os.abort []", "tags are not read", (2, 4)),
        ("openapi: 3.0.0\nx: !mine 1", "tags are not read", (2, 4)),
        ("openapi: 3.0.0\nx: " + "9" * 101, "not YAML that can be read", (0, 0)),
        ("openapi: &endless\n  again: *endless", "too large", (0, 0)),
        ("openapi: " + "[" * 5_000, "nests too deeply", (0, 0)),
        ("function add(a: , b)", "A type was expected here", (1, 17)),
        ("def f():\n" + "  x = (1,)\n" * 30_000, "more than 100,000 signs", (0, 0)),
        ("[" * 5_000, "This is not JSON", (1, 101)),
        ("type A = " + "(" * 50_000, "There is no tool", (0, 0)),
    ],
)
def test_what_cannot_be_read_says_why_and_where(text: str, words: str, place: tuple[int, int]) -> None:
    result = problem(text)
    assert words in result.message
    assert (result.line, result.column) == place


def test_types_that_name_each_other_end() -> None:
    classes = "\n".join(
        f"class C{at}:\n" + "".join(f"    f{field}: C{at + 1}\n" for field in range(10)) for at in range(11)
    )
    result = found(f"{classes}\ndef f(a: C0): ...")
    assert any("too many types" in note for note in result.notes)
    assert len(json.dumps(result.tools)) < 8_000_000


@pytest.mark.parametrize("text", [PYTHON, TYPESCRIPT, json.dumps(OPENAPI)], ids=["python", "typescript", "openapi"])
def test_however_the_text_is_cut_there_is_a_result(text: str) -> None:
    for at in range(0, len(text), 3):
        for cut in (text[:at], text[at:], text[:at] + text[at + 1 :]):
            assert isinstance(read_tools(cut), FoundTools | ImportProblem)


@pytest.mark.parametrize(
    "text",
    [
        {"type": "function", "function": {"parameters": {"type": "object"}}},
        {"type": "function", "function": {"name": None, "parameters": 1}},
        {"name": ["x"], "parameters": {"properties": []}},
        {"paths": {"/a": {"get": {"parameters": [{"name": "a", "in": {}}, {"name": "b", "in": []}], "responses": 1}}}},
        {"paths": {"/a": {"get": {"operationId": {}, "requestBody": {"content": {"x": []}}}}}},
        {"tools": [None, 1, [], {"function": {}}, {"name": {}, "input_schema": []}]},
    ],
)
def test_json_of_any_form_is_read_or_refused(text: object) -> None:
    assert isinstance(read_tools(json.dumps(text)), FoundTools | ImportProblem)


OPENAPI_IN_YAML = """\
# An API
openapi: 3.0.0
paths:
  /weather/{city}:
    get:
      operationId: get_weather
      summary: Weather of a city, on or off
      parameters:
        - {name: city, in: path, required: true, schema: {type: string, default: no, example: 2024-01-01}}
        - $ref: '#/components/parameters/Units'
      responses:
        200:
          description: fine
components:
  parameters:
    Units:
      name: units
      in: query
      schema: &units
        type: string
        enum: [c, "1"]
        x-numbers: [1, 1.50, -2e3, ~, true]
        x-again: *units-of
"""


def test_openapi_in_yaml_is_read_as_the_json_it_stands_for() -> None:
    text = OPENAPI_IN_YAML.replace("x-again: *units-of", "maxLength: 9")
    (tool,) = found(text).tools
    assert tool["name"] == "get_weather"
    assert tool["description"] == "Weather of a city, on or off"
    properties = tool["input_schema"]["properties"]
    assert properties["city"] == {"type": "string", "default": "no", "example": "2024-01-01"}
    assert properties["units"]["enum"] == ["c", "1"]
    assert json_text.dump(properties["units"]["x-numbers"], indent=None) == "[1,1.50,-2e3,null,true]"
    assert tool["input_schema"]["required"] == ["city"]


def test_an_unknown_alias_is_told_with_its_place() -> None:
    result = problem(OPENAPI_IN_YAML)
    assert "undefined alias 'units-of'" in result.message
    assert (result.line, result.column) == (23, 18)


def test_what_aliases_stand_for_is_counted_before_it_is_written_out() -> None:
    lines = ["openapi: 3.0.0", "a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]  # 9 to the 12th words
    assert "too large" in problem("\n".join(lines)).message


def test_a_typescript_type_that_has_a_member_get_is_not_taken_for_yaml() -> None:
    (tool,) = found("type Options = {\nget: string;\n}\nfunction f(options: Options) {}").tools
    assert tool["name"] == "f"
