"""An output example makes a typed form for a tool's result, and a saved image answers by itself: in a browser."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from playground.composer.request_examples import CHART_PNG
from playground.models import Draft
from tests.composer.test_compose_browser import field
from tests.composer.test_compose_pages import begin_with
from tests.support.browser import expect, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
TOOL = {"name": "get_weather", "description": "The weather", "input_schema": {"type": "object", "properties": {}}}
BODY = {
    "model": "sandbox-tools",
    "max_tokens": 300,
    "messages": [{"role": "user", "content": "Use the tool get_weather"}],
    "tools": [TOOL],
    "stream": True,
}


def open_tool(page: Any) -> Any:
    page.locator("details.tool > summary").click()
    editor = page.locator('json-editor[data-for="f-tools-0-example"]')
    if not editor.is_visible():
        page.get_by_label("Example output of tools[0]", exact=True).click()
    editor.scroll_into_view_if_needed()
    expect(editor.locator(".json-editor-place")).to_be_visible()
    return editor


def type_into(page: Any, editor: Any, text: str) -> None:
    editor.locator("textarea.ace_text-input").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    settle(page)
    page.locator("#try-it").focus()  # problems wait until a field is left
    settle(page)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"width": 390, "height": 844, "color_scheme": "dark"}, {}], ids=["narrow", "wide"])
def test_an_output_example_gives_a_typed_form(new_page: Any, axe: Any, options: Any) -> None:
    page = new_page(**options)
    begin_with(page, BODY)
    editor = open_tool(page)
    type_into(page, editor, '{\n  "degrees": warm\n}')
    expect(editor.locator(".ace_gutter-cell.ace_warning")).to_have_text("2")
    expect(page.locator("details.tool-example .problem")).to_contain_text("line 2")
    type_into(page, editor, '{"sky": "clear", "degrees": 18, "rain": false}')
    expect(page.locator("details.tool-example .problem")).to_have_count(0)
    axe(page)
    page.locator("#try-it").click()
    card = page.locator("[data-result]").first
    expect(card.locator('[name^="field"][name$="-sky"]')).to_have_value("clear")
    expect(card.locator('select[name$="-rain"]')).to_have_value("false")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    card.locator('[name$="-degrees"]').fill("21")
    page.get_by_role("button", name="Send result").click()
    expect(page.locator("#ask")).to_contain_text("messages[2]")
    settle(page)
    assert '"content": "{\\"sky\\": \\"clear\\", \\"degrees\\": 21' in Draft.objects.get().body_text.replace("\\n", "")


@pytest.mark.slow
def test_a_problem_is_told_where_the_editor_was_left_before_the_server_answered(page: Any) -> None:
    begin_with(page, BODY)
    open_tool(page).locator("textarea.ace_text-input").focus()
    page.keyboard.insert_text('{"degrees": warm}')
    page.locator("#try-it").focus()
    expect(page.locator("details.tool-example .problem")).to_contain_text("line 1", timeout=5_000)


def test_an_example_can_be_removed(page: Any) -> None:
    begin_with(page, BODY)
    type_into(page, open_tool(page), '{"degrees": 18}')
    page.reload()
    page.locator("details.tool > summary").click()
    page.get_by_role("button", name="Remove the example").click()
    settle(page)
    assert Draft.objects.get().tool_examples == {}
    expect(page.get_by_role("button", name="Remove the example")).to_have_count(0)


@pytest.mark.slow
def test_an_image_that_was_saved_answers_by_itself(page: Any, tmp_path: Any) -> None:
    picture = tmp_path / "chart.png"
    picture.write_bytes(base64.b64decode(CHART_PNG))
    begin_with(page, BODY)
    page.locator("#try-it").click()
    card = page.locator("[data-result]").first
    card.get_by_text("Image", exact=True).click()
    card.locator("input[type=file]").set_input_files(str(picture))
    card.get_by_label("Reply to this tool automatically").check()
    page.get_by_role("button", name="Send result").click()
    expect(page.locator("#ask .attachment img").first).to_be_visible()
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
    settle(page)
    # The same question again: the saved image goes by itself.
    page.get_by_label("More for messages[0]", exact=True).click()
    page.locator("#ask details[open]").get_by_role("button", name="Run again from here").click()
    expect(page.locator("#branch-note")).to_contain_text("Later messages saved")
    expect(page.locator("#ask .attachment img").first).to_be_visible()
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
    expect(field(page, "messages[0].content")).to_have_value("Use the tool get_weather")
