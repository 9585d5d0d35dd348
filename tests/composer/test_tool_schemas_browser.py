"""Tools in the form: their schemas in rows, pasted definitions, and saved ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from playground.models import Draft
from playground.protocol.json import json_text
from tests.composer.test_form_operations_browser import PLAIN, compare, open_with, put
from tests.support.browser import expect, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
PLACE = "tools[0].input_schema"


def tools() -> Any:
    return json_text.parse(Draft.objects.get().body_text)["tools"]


def open_group(page: Any, name: str = "tools") -> Any:
    group = page.locator(f"[data-group={name}]")
    if group.get_attribute("open") is None:
        group.locator("summary").first.click()
    return group


def paste(page: Any, text: str) -> None:
    open_group(page).get_by_role("button", name="Paste", exact=True).click()
    page.locator("#tool-text").fill(text)
    page.locator("#tool-dialog").get_by_role("button", name="Add tool").click()


def test_a_schema_is_built_in_rows(page: Any) -> None:
    open_with(page, PLAIN)
    open_group(page).get_by_role("button", name="Custom tool").click()
    settle(page)
    page.get_by_role("button", name="Add a field to tools[0].input_schema").click()
    name = page.get_by_label(f"Name of {PLACE}.properties.field_1", exact=True)
    expect(name).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("city")
    page.keyboard.press("Enter")
    expect(page.get_by_label(f"Name of {PLACE}.properties.city", exact=True)).to_be_focused()
    page.get_by_label(f"Description of {PLACE}.properties.city").fill("Where")
    page.get_by_role("button", name=f"{PLACE}.properties.city is required").click()
    page.get_by_label(f"Allowed values of {PLACE}.properties.city").fill("Rome")
    page.keyboard.press("Enter")
    settle(page)
    page.get_by_role("button", name="Add a field to tools[0].input_schema").click()
    page.get_by_label(f"Type of {PLACE}.properties.field_1", exact=True).select_option("array:object")
    page.get_by_role("button", name=f"Add a field to {PLACE}.properties.field_1").click()
    settle(page)
    assert tools()[0]["input_schema"] == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where", "enum": ["Rome"]},
            "field_1": {
                "type": "array",
                "items": {"type": "object", "properties": {"field_1": {"type": "string"}}},
            },
        },
        "required": ["city"],
    }
    compare(page, "building a schema")
    page.keyboard.press("Control+Z")
    expect(page.get_by_label(f"Name of {PLACE}.properties.field_1.items.properties.field_1")).to_have_count(0)


@pytest.mark.slow
def test_what_is_typed_as_json_shows_in_the_rows_and_the_other_way_round(page: Any) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string", "description": "Where"}}}
    open_with(page, PLAIN | {"tools": [{"name": "get_weather", "input_schema": schema}]})
    open_group(page).locator(".tool > summary").first.click()
    description = page.get_by_label(f"Description of {PLACE}.properties.city")
    description.fill("The town")
    settle(page)
    page.get_by_label("tools[0].input_schema as JSON").click()
    json_text_area = page.locator(f'textarea[name="{PLACE}"]')
    expect(json_text_area).to_have_value(re.compile('"description": "The town"'))
    page.evaluate(
        """(name) => {
          const area = document.querySelector(`textarea[name="${CSS.escape(name)}"]`)
          area.value = JSON.stringify({ type: "object", properties: { either: { not: { type: "null" } } } }, null, 2)
          area.dispatchEvent(new Event("input", { bubbles: true }))
        }""",
        PLACE,
    )
    settle(page)
    expect(page.get_by_text("Shown as JSON: rows cannot say “not”.")).to_be_visible()
    expect(page.locator(f'textarea[name="{PLACE}.properties.either"]')).to_be_attached()
    compare(page, "typing a schema")


@pytest.mark.slow
def test_the_schema_of_the_output_is_built_in_rows_too(page: Any) -> None:
    place = "output_config.format.schema"
    open_with(page, PLAIN | {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}})
    open_group(page, "output").get_by_role("button", name="Add a field to schema", exact=True).click()
    name = page.get_by_label(f"Name of {place}.properties.field_1", exact=True)
    expect(name).to_be_focused()
    name.fill("score")
    page.keyboard.press("Enter")
    page.get_by_label(f"Type of {place}.properties.score", exact=True).select_option("number")
    page.get_by_role("button", name=f"{place}.properties.score is required").click()
    page.get_by_label(f"Description of {place}.properties.score").fill("From 0 to 1")
    compare(page, "building the schema of the output")
    written = {"type": "number", "description": "From 0 to 1"}
    assert json_text.parse(Draft.objects.get().body_text)["output_config"]["format"]["schema"] == {
        "type": "object",
        "properties": {"score": written},
        "required": ["score"],
    }


@pytest.mark.slow
def test_a_pasted_function_becomes_a_tool_and_undo_takes_it_back(page: Any) -> None:
    open_with(page, PLAIN)
    paste(page, 'def add(a: int, b: int = 1):\n    """Adds two numbers."""')
    expect(page.locator("#tool-dialog")).to_be_hidden()
    expect(page.locator("#toast")).to_contain_text("Added add")
    expect(page.get_by_label(f"Name of {PLACE}.properties.b", exact=True)).to_have_value("b")
    compare(page, "pasting a tool")
    assert tools()[0]["input_schema"]["required"] == ["a"]
    paste(page, "function add(a: string) {}")
    expect(page.locator("#toast")).to_contain_text("Added add_2")
    page.locator("#toast").get_by_role("button", name="Undo").click()
    settle(page)
    assert [tool["name"] for tool in tools()] == ["add"]


@pytest.mark.slow
def test_of_several_pasted_tools_one_or_all_are_chosen(page: Any) -> None:
    open_with(page, PLAIN)
    paste(page, "def one(a): ...\ndef two(b): ...\ndef three(c): ...")
    page.locator("#tool-problem").get_by_role("button", name="two").click()
    settle(page)
    assert [tool["name"] for tool in tools()] == ["two"]
    paste(page, "def one(a): ...\ndef three(c): ...")
    page.locator("#tool-problem").get_by_role("button", name="All 2").click()
    settle(page)
    assert [tool["name"] for tool in tools()] == ["two", "one", "three"]


@pytest.mark.slow
def test_a_problem_is_shown_at_its_place_in_the_text(page: Any) -> None:
    open_with(page, PLAIN)
    paste(page, '{"name": "x",\n "input_schema": }')
    expect(page.locator("#tool-problem")).to_contain_text("Line 2, column 18: This is not JSON")
    area = page.locator("#tool-text")
    expect(area).to_be_focused()
    assert area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == "}"
    area.fill("def fine(): ...")
    expect(page.locator("#tool-problem")).to_be_empty()
    assert "tools" not in Draft.objects.get().body_text


@pytest.mark.slow
def test_rows_and_the_dialog_are_accessible_and_fit(new_page: Any, axe: Any) -> None:
    page = new_page(width=390, height=844)
    open_with(page, PLAIN)
    paste(page, "def find(where: str, how: Literal['a', 'b'], spots: list[dict], more: int | str = 1): ...")
    expect(page.locator("#tool-dialog")).to_be_hidden()
    axe(page, in_both_themes=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    open_group(page).get_by_role("button", name="Paste", exact=True).click()
    axe(page, in_both_themes=True)


@pytest.mark.slow
def test_a_saved_tool_goes_into_another_conversation(page: Any, log_in: Any, owner: Any, axe: Any) -> None:
    log_in(page, owner)
    open_with(page, PLAIN)
    paste(page, "def get_weather(city: str): ...")
    page.get_by_role("button", name="Save tools[0] to use it again").click()
    expect(page.locator("#toast")).to_contain_text("Saved the tool as “get_weather”")
    put(page, PLAIN)
    open_group(page).locator("summary", has_text="Saved").click()
    page.locator("[data-insert-tool]").click()
    expect(page.locator("#toast")).to_contain_text("Added get_weather")
    assert tools()[0]["input_schema"]["required"] == ["city"]
    page.goto("/tools/")
    turned = "() => getComputedStyle(document.querySelector('.saved-tool summary'), '::before').rotate"
    assert page.evaluate(turned) == "45deg", "a sign says that there is more"
    page.locator("summary", has_text="get_weather").click()
    axe(page)
    page.get_by_label("Name", exact=True).fill("Weather")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("summary", has_text="Weather")).to_be_visible()
    page.get_by_role("button", name="Delete Weather").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("summary", has_text="Weather")).to_be_visible()
