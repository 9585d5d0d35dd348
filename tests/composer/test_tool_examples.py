"""Examples of tools' outputs: typed, renamed with their tools, checked; and the forms that they make. No database."""

from __future__ import annotations

import json

from playground.answer.result_form import declared_example, form_for
from playground.composer import tool_examples
from playground.protocol.tool_loop import is_answered_by_caller

BODY = {"tools": [{"name": "weather"}, {"name": "time"}, {"type": "custom"}]}


def test_an_example_is_kept_under_the_name_of_its_tool_and_goes_when_it_is_emptied() -> None:
    kept = tool_examples.typed({}, BODY, {tool_examples.control_of(1): '{"at": 1}', ":output-example tools[9]": "1"})
    assert kept == {"time": '{"at": 1}'}
    assert tool_examples.typed(kept, BODY, {tool_examples.control_of(1): " "}) == {}


def test_an_example_goes_along_when_its_tool_is_renamed() -> None:
    renamed = {"tools": [{"name": "weather_now"}, {"name": "time"}, {"type": "custom"}]}
    assert tool_examples.renamed({"weather": "1", "time": "2"}, BODY, renamed) == {"weather_now": "1", "time": "2"}
    swapped = {"tools": [{"name": "time"}, {"name": "weather"}, {"type": "custom"}]}
    assert tool_examples.renamed({"weather": "1"}, BODY, swapped) == {"weather": "1"}


def test_a_mistake_in_an_example_is_told_with_its_line_and_is_no_error_of_the_request() -> None:
    (problem,) = tool_examples.problems({"time": '{\n  "at": noon\n}'}, BODY)
    assert problem.place == ":output-example tools[1]"
    assert "line 2" in problem.message
    assert problem.severity == "warning"
    assert tool_examples.problems({"time": "{}"}, BODY) == []


def test_there_are_only_so_many_examples_and_each_is_only_so_long() -> None:
    full = {str(number): "1" for number in range(tool_examples.MOST)}
    assert tool_examples.typed(full, BODY, {tool_examples.control_of(0): "1"}) == full
    kept = tool_examples.typed({}, BODY, {tool_examples.control_of(0): "1" * (tool_examples.LONGEST + 5)})
    assert len(kept["weather"]) == tool_examples.LONGEST


def test_an_example_makes_a_field_of_its_type_for_each_value() -> None:
    example = declared_example({"weather": '{"city": "Rome", "degrees": 18.5, "rain": false}'}, "weather")
    form = form_for("x", example)
    assert form.way == "form"
    assert [(field.name, field.text, field.kind) for field in form.fields] == [
        ("city", "Rome", "string"),
        ("degrees", "18.5", "number"),
        ("rain", "false", "boolean"),
    ]
    assert form.fields[2].choices == ("true", "false")


def test_an_example_that_is_a_text_fills_in_the_text_and_a_deeper_one_the_json() -> None:
    assert form_for("x", "Sunny").text == "Sunny"
    deep = form_for("x", {"days": [{"high": 1}]})
    assert (deep.way, json.loads(deep.json)) == ("json", {"days": [{"high": 1}]})


def test_an_example_that_is_no_json_makes_no_form() -> None:
    assert declared_example({"weather": "{"}, "weather") is None
    assert declared_example({}, "weather") is None


def test_only_tools_whose_calls_are_answered_here_have_an_example() -> None:
    ours = ({"name": "x"}, {"type": "custom"}, {"type": "bash_20250124"})
    assert all(is_answered_by_caller(tool) for tool in ours)
    assert not any(
        is_answered_by_caller(tool) for tool in ({"type": "web_search_20250305"}, {"type": "mcp_toolset"}, 3)
    )
