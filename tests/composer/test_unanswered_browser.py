"""A press that the server does not answer is told, with what to do; what was typed is kept and sent again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.composer.test_compose_browser import body_of_draft, field, open_playground, press
from tests.support.browser import expect, settle
from tests.support.examples import one_of_each

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]


def answer_with(page: Any, address: str, status: int) -> None:
    page.route(address, lambda route, _: route.fulfill(status=status, body="") if status else route.abort())


@pytest.mark.parametrize(
    ("status", "words"),
    one_of_each(
        [(502, "Not sent. The server answered 502. Try again."), (0, "Not sent. The server cannot be reached.")]
    ),
)
def test_a_request_that_the_server_did_not_take_says_why_next_to_the_button(
    page: Any, new_page: Any, status: int, words: str
) -> None:
    open_playground(page)
    answer_with(page, "**/send", status)
    page.locator("#try-it").click()
    expect(page.locator("#run-note")).to_have_text(words)
    expect(page.locator("#form-said")).to_have_text(words)
    page.unroute("**/send")
    page.locator("#try-it").click()
    expect(page.locator("#answer .answer-panel[data-run]")).to_be_visible()
    expect(page.locator("#run-note")).to_have_text("")
    new_page.noise.clear()  # the browser itself says "502"


def test_a_press_that_changed_nothing_says_so_and_can_be_made_again(page: Any, new_page: Any) -> None:
    open_playground(page)
    answer_with(page, "**/draft/change", 500)
    press(page, "Add message")
    expect(page.locator("#toast")).to_contain_text("Nothing was changed. The server answered 500. Try again.")
    page.unroute("**/draft/change")
    press(page, "Add message")
    expect(page.locator(".turn")).to_have_count(2)
    new_page.noise.clear()


@pytest.mark.slow
def test_what_was_typed_and_not_saved_says_so_and_is_sent_again(page: Any, new_page: Any) -> None:
    open_playground(page)
    answer_with(page, "**/draft/edit", 503)
    field(page, "max_tokens").fill("55")
    expect(page.locator("#saved-note")).to_have_text("Not saved. Trying again.")
    page.unroute("**/draft/edit")
    press(page, "Add message")  # goes along with it
    settle(page)
    assert body_of_draft()["max_tokens"] == 55
    expect(page.locator("#saved-note")).to_contain_text("Draft saved")
    new_page.noise.clear()


@pytest.mark.parametrize("press_it", one_of_each(["Control+z", "#as-json"]))
def test_what_would_replace_the_whole_form_is_told_of_the_other_tabs_change(
    page: Any, new_page: Any, press_it: str
) -> None:
    open_playground(page)
    other = page.context.new_page()
    open_playground(other)
    press(other, "Add message")
    expect(other.locator(".turn")).to_have_count(2)
    if press_it.startswith("#"):
        page.locator(press_it).click()
    else:
        page.keyboard.press(press_it)
    expect(page.locator("#conflict .banner")).to_contain_text("changed in another tab")
    expect(page.locator(".turn")).to_have_count(1)
    new_page.noise.clear()  # the browser itself says "409"
