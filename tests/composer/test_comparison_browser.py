"""The compare bench in a browser: set up, sent, watched, stopped, found again after a reload, left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.composer import comparison_columns
from playground.models import Draft, Run
from tests.composer.test_compose_browser import body_of_draft, field, open_playground
from tests.support.browser import expect, settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(page: Any, owner: Any, log_in: Any) -> Any:
    log_in(page, owner)
    open_playground(page)
    return page


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    settle(page)


def settings_of(page: Any, column: int) -> None:
    """Open the settings of a column, unless they are."""
    sheet = page.locator(".column-settings").nth(column - 1)
    if sheet.get_attribute("open") is None:
        sheet.locator("summary").click()


def press_in_menu(page: Any, column: int, name: str) -> None:
    page.get_by_label(f"More for column {column}", exact=True).click()
    press(page, name)


def unfold_the_form(page: Any) -> None:
    page.get_by_role("button", name="Show the request form").click()


def unlink(page: Any, column: int, name: str, text: str) -> None:
    settings_of(page, column)
    page.get_by_role("combobox", name=f"Column {column}: override a field").select_option(name)
    settle(page)
    if text:
        field(page, f"Column {column}: {name}").fill(text)
        settle(page)


def sent_by_columns() -> list[Any]:
    """The bodies that the columns' runs sent, in the order of the columns."""
    runs = [Run.objects.get(pk=column.run) for column in comparison_columns.read(Draft.objects.get())]
    return [json.loads(run.request_body or b"") for run in runs]


@pytest.mark.slow
def test_three_columns_from_one_form_are_sent_at_once_and_survive_a_reload(desk: Any, axe: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 0.3
    press(desk, "Compare")
    expect(desk.locator(".compare-column")).to_have_count(2)
    expect(field(desk, "Column 2: connection")).to_be_focused()
    press(desk, "Add column")
    expect(desk.locator(".compare-column")).to_have_count(3)
    unlink(desk, 2, "temperature", "0.2")
    settings_of(desk, 3)
    field(desk, "Column 3: model").fill("sandbox-thinker")
    settle(desk)
    axe(desk, "#answer")
    unfold_the_form(desk)
    field(desk, "messages[0].content").fill("Tell me a long story")
    settle(desk)
    expect(desk.locator("#column-b .column-differs")).to_contain_text("temperature 0.2")
    expect(field(desk, "Column 1: temperature")).to_have_value("")
    axe(desk, "#answer")
    field(desk, "messages[0].content").press("Control+Enter")
    expect(desk.locator(".column-answer .answer-panel[data-socket]")).to_have_count(3)
    stop, column = (desk.locator(place).first.bounding_box() for place in ("#column-a [data-stop]", "#column-a"))
    assert column["x"] + column["width"] - stop["x"] - stop["width"] >= 8, "Stop keeps off the edge"
    axe(desk, "#answer")
    desk.reload()
    expect(desk.locator(".column-answer .answer-panel[data-run]")).to_have_count(3)
    expect(field(desk, "Column 2: temperature")).to_have_value("0.2")
    expect(field(desk, "Column 3: model")).to_have_value("sandbox-thinker")
    desk.locator("#column-a [data-stop]").click()
    expect(desk.locator("#column-a .answer-panel")).to_have_attribute("data-state", "cancelled")
    expect(desk.locator("#column-a .column-figures")).to_contain_text("stopped")
    desk.locator("#column-title-b").click()
    desk.keyboard.press("Escape")
    expect(desk.locator(".column-answer .answer-panel[data-socket]")).to_have_count(0)
    axe(desk, "#answer")
    first, second, third = sent_by_columns()
    assert first["messages"] == [{"role": "user", "content": "Tell me a long story"}]
    assert second == first | {"temperature": 0.2}
    assert third == first | {"model": "sandbox-thinker"}
    press_in_menu(desk, 1, "Remove column 1")
    press_in_menu(desk, 2, "Remove column 2")  # the third until now
    expect(desk.locator(".compare-column")).to_have_count(0)
    expect(desk.locator("#answer .answer-panel")).to_have_attribute("data-state", "cancelled")
    settle(desk)
    assert body_of_draft()["temperature"] == 0.2


@pytest.mark.slow
def test_a_visitor_on_a_phone_is_told_of_bad_values_and_of_the_limit_and_retries(
    new_page: Any, axe: Any, settings: Any
) -> None:
    settings.SANDBOX_SPEED = 0.3
    settings.VISITOR_RUNS_AT_ONCE = 2
    page = new_page(width=390, height=844)
    open_playground(page)
    page.get_by_label("More ways to send").click()
    press(page, "Compare models or settings")
    expect(page.locator(".compare-column")).to_have_count(2)
    expect(field(page, "Column 2: connection")).to_be_focused()
    expect(field(page, "Column 2: connection")).to_be_in_viewport(ratio=1)
    press_in_menu(page, 2, "Duplicate column 2")
    unlink(page, 2, "max_tokens", "warm")
    page.locator("#try-it").click()
    expect(field(page, "Column 2: max_tokens")).to_be_focused()
    expect(field(page, "Column 2: max_tokens")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#compare-said")).to_contain_text("No column was sent: fix column 2")
    axe(page, "#answer")
    field(page, "Column 2: max_tokens").fill("4000")
    settle(page)
    page.locator("#try-it").click()
    expect(page.locator(".column-answer [data-socket]")).to_have_count(2)
    expect(page.locator("#column-c")).to_contain_text("At most 2 requests at once")
    axe(page, "#answer")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    stop, line = (page.locator(f"#column-a {part}").bounding_box() for part in ("[data-stop]", ".phase-line"))
    assert stop["y"] >= line["y"] + line["height"], "Stop covers the phase bar"
    page.locator("#column-a [data-stop]").click()
    expect(page.locator("#column-a .answer-panel")).to_have_attribute("data-state", "cancelled")
    press(page, "Retry column 3")
    expect(page.locator("#column-c [data-socket]")).to_have_count(1)
    expect(page.locator("#column-a .answer-panel")).to_have_attribute("data-state", "cancelled")


@pytest.mark.slow
def test_a_response_to_an_earlier_request_says_so_in_its_column(desk: Any, axe: Any) -> None:
    press(desk, "Compare")
    desk.locator("#try-it").click()
    expect(desk.locator(".column-answer .answer-panel[data-state=completed]")).to_have_count(2)
    strips = desk.locator(".column-answer .strip-stale")
    expect(strips).to_have_count(0)
    unlink(desk, 2, "temperature", "0.2")
    expect(desk.locator("#column-b .strip-stale")).to_have_text("Response to an earlier version of this request.")
    expect(strips).to_have_count(1)
    axe(desk, "#answer", in_both_themes=True)
    desk.keyboard.press("Escape")
    unfold_the_form(desk)
    before = field(desk, "messages[0].content").input_value()
    field(desk, "messages[0].content").fill("Something else")
    expect(strips).to_have_count(2)
    desk.reload()
    expect(strips).to_have_count(2)
    unfold_the_form(desk)
    field(desk, "messages[0].content").fill(before)
    expect(strips).to_have_count(1)
    press_in_menu(desk, 2, "Send column 2 alone")
    expect(strips).to_have_count(0)


@pytest.mark.slow
def test_fields_are_linked_and_unlinked_by_keyboard_in_a_sheet_that_escape_closes(desk: Any) -> None:
    press(desk, "Compare")
    field(desk, "Column 2: model").press("End")
    field(desk, "Column 2: model").press_sequentially("-2")
    settle(desk)
    link = desk.get_by_role("button", name="Column 2: model: same as form")
    expect(link).to_have_attribute("aria-pressed", "false")
    unfold_the_form(desk)
    field(desk, "model").fill("sandbox-echo")
    settle(desk)
    expect(field(desk, "Column 1: model")).to_have_value("sandbox-echo")
    expect(field(desk, "Column 2: model")).to_have_value("sandbox-stories-2")
    expect(desk.locator("#column-b")).to_contain_text("form: sandbox-echo")
    expect(desk.locator("#column-model-b")).to_have_text("sandbox-stories-2")
    settings_of(desk, 2)
    link.press("Enter")
    settle(desk)
    expect(field(desk, "Column 2: model")).to_have_value("sandbox-echo")
    expect(field(desk, "Column 2: model")).to_be_focused()
    unlink(desk, 1, "thinking", "")
    desk.get_by_role("button", name="Column 1: thinking adaptive").press("Enter")
    settle(desk)
    expect(desk.locator("#column-a .column-differs")).to_contain_text('thinking {"type":"adaptive"}')
    desk.keyboard.press("Escape")
    expect(field(desk, "Column 1: model")).to_be_hidden()
    expect(desk.locator("#column-a .column-pick")).to_be_focused()
    desk.get_by_role("button", name="Column 1: use the form\N{RIGHT SINGLE QUOTATION MARK}s thinking again").click()
    settle(desk)
    expect(desk.locator("#column-a .column-differs")).not_to_contain_text("thinking")
    press(desk, "Stop comparing")
    expect(desk.locator("#compare-start")).to_be_focused()
