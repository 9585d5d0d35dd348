"""The request form by keyboard: where the focus goes when a menu, a dialog or a part of the form has gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.composer.test_compose_browser import field, open_playground
from tests.support.browser import expect, settle
from tests.support.examples import one_of_each

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
NAMES_LONG = "Tell {{a_variable_with_a_rather_long_name_that_fits_on_no_phone}} a story."


def choose_in_menu(page: Any, words: str) -> Any:
    """Open the menu of the request and press one of its entries, all by keyboard. Returns what opens the menu."""
    opener = page.get_by_label("More for the request")
    opener.focus()
    page.keyboard.press("Enter")
    page.locator(".ask-head .menu-list").get_by_text(words).focus()
    page.keyboard.press("Enter")
    return opener


@pytest.mark.parametrize("words", one_of_each(["Import curl, JSON or HAR", "Choose an example"]))
def test_a_dialog_of_a_menu_gives_the_focus_back_to_what_opened_the_menu(page: Any, words: str) -> None:
    open_playground(page)
    opener = choose_in_menu(page, words)
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_a_request_is_pasted_without_a_press_and_the_focus_stays_in_the_form(page: Any) -> None:
    open_playground(page)
    choose_in_menu(page, "Import curl")
    expect(page.locator("#import-text")).to_be_focused()
    page.keyboard.insert_text('{"model": "sandbox-echo", "max_tokens": 5, "messages": []}')
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(field(page, "model")).to_have_value("sandbox-echo")
    expect(page.locator("#ask")).to_be_focused()


@pytest.mark.slow
def test_the_focus_stays_in_the_form_when_an_example_is_chosen(page: Any) -> None:
    open_playground(page)
    choose_in_menu(page, "Choose an example")
    page.locator("#examples-dialog .example").nth(2).focus()
    page.keyboard.press("Enter")
    expect(field(page, "model")).to_have_value("sandbox-tools")
    expect(page.locator("#ask")).to_be_focused()


def test_an_empty_request_begins_in_its_message_and_nothing_of_it_is_red(page: Any) -> None:
    open_playground(page)
    choose_in_menu(page, "Start empty")
    message = field(page, "messages[0].content")
    expect(message).to_have_value("")
    expect(message).to_be_focused()
    settle(page)
    expect(page.locator("#ask .problem:visible")).to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    field(page, "max_tokens").focus()
    expect(page.locator('[data-problems="messages[0].content"] .problem')).to_be_visible()


@pytest.mark.slow
def test_the_focus_goes_on_beside_a_tool_that_was_moved_or_removed(page: Any) -> None:
    open_playground(page)
    for _ in range(2):
        page.get_by_role("button", name="Custom tool", exact=True).click()
        settle(page)
    page.get_by_label("Move tools[1] up").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tool > summary").first).to_be_focused()
    for left in (page.locator(".tool > summary").last, page.get_by_role("button", name="Custom tool", exact=True)):
        page.get_by_label("Remove tools[0]").evaluate("button => { button.closest('details').open = true }")
        page.get_by_label("Remove tools[0]").focus()
        page.keyboard.press("Enter")
        expect(left).to_be_focused()


def test_the_list_of_models_opens_at_the_model_of_the_request(page: Any) -> None:
    open_playground(page)
    page.locator(".model-pick").press("Enter")
    current = page.locator("#models-dialog [aria-current=true]")
    expect(current).to_contain_text("sandbox-stories")
    expect(current).to_be_focused()


@pytest.mark.slow
def test_a_message_says_how_many_tokens_it_has_while_it_is_typed_and_says_it_whole(new_page: Any) -> None:
    page = new_page(1440, 900)
    open_playground(page)
    count = page.locator(".turn-head .small")
    expect(count).to_have_text("~about 21 tokens")
    field(page, "messages[0].content").fill("ten letters " * 4000)
    expect(count).to_have_text("~about 13,000 tokens")
    for role in ("user", "assistant"):
        field(page, "messages[0].role").select_option(role)
        settle(page)
        assert count.evaluate("count => count.scrollWidth <= count.clientWidth"), role


@pytest.mark.slow
def test_a_long_name_of_a_variable_stays_in_its_panel_on_a_phone(new_page: Any) -> None:
    page = new_page(390, 844)
    open_playground(page)
    field(page, "messages[0].content").fill(NAMES_LONG)
    panel = page.locator(".variables")
    expect(panel).to_be_visible()
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
