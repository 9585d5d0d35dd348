"""A visitor edits an earlier turn, runs again, and goes back and forth: in a browser, with the keyboard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.composer.test_compose_browser import field
from tests.composer.test_compose_pages import begin_with
from tests.support.browser import expect, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]


def talk(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]
    return {"model": "sandbox-echo", "max_tokens": 100, "messages": messages}


def run_again_from(page: Any, turn: int) -> None:
    page.get_by_label(f"More for messages[{turn}]", exact=True).click()
    page.locator("#ask details[open]").get_by_role("button", name="Run again from here").click()
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
    settle(page)


def show_request(page: Any) -> None:
    """Go back to the request where a window shows one of request and response, as a phone's does."""
    if page.locator(".view-switch").is_visible():
        page.locator(".view-switch label").first.click()


def test_a_visitor_edits_an_earlier_turn_runs_again_and_returns(page: Any) -> None:
    begin_with(page, talk("Talk about apples", "Apples are round.", "And pears?", "Pears are not."))
    field(page, "messages[0].content").fill("Talk about plums")
    settle(page)
    run_again_from(page, 0)
    expect(page.locator("#answer")).to_contain_text("plums")
    expect(page.locator("#branch-note")).to_contain_text("Later messages saved as branch 1 of 2")
    expect(page.locator("#ask [data-branch='0']")).to_contain_text("2 of 2")
    page.get_by_role("button", name="Add to conversation").click()
    expect(page.locator("#ask fieldset.turn")).to_have_count(3)
    page.get_by_role("button", name="Version 1 of messages[0]").focus()
    page.keyboard.press("Enter")
    expect(field(page, "messages[3].content")).to_have_value("Pears are not.")
    expect(field(page, "messages[0].content")).to_have_value("Talk about apples")
    expect(page.get_by_role("button", name="Version 2 of messages[0]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(field(page, "messages[0].content")).to_have_value("Talk about plums")
    expect(page.locator("#ask fieldset.turn")).to_have_count(3)
    expect(page.get_by_role("button", name="Version 1 of messages[0]")).to_be_focused()


@pytest.mark.slow
def test_running_again_from_here_is_undone_where_it_was_pressed(page: Any) -> None:
    begin_with(page, talk("one", "two", "three"))
    run_again_from(page, 0)
    page.get_by_role("button", name="Restore branch 1 of 2").click()
    expect(field(page, "messages[2].content")).to_have_value("three")
    expect(page.locator("#form-said")).to_have_text("Later messages restored.")
    expect(page.locator("#branch-note")).to_have_text("")


@pytest.mark.slow
def test_a_turn_shows_its_siblings_as_soon_as_they_were_sent(page: Any) -> None:
    begin_with(page, talk("one"))
    for text in ("first", "second"):
        field(page, "messages[0].content").fill(text)
        settle(page)
        page.locator("#try-it").click()
        expect(page.locator("#answer")).to_contain_text(text)
    expect(page.locator("#ask [data-branch='0']")).to_contain_text("2 of 2")
    page.get_by_role("button", name="Version 1 of messages[0]").click()
    expect(field(page, "messages[0].content")).to_have_value("first")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"width": 390, "height": 844, "color_scheme": "dark"}],
    ids=["wide", "narrow"],
)
def test_folded_turns_and_gaps_have_their_switch(new_page: Any, axe: Any, options: Any) -> None:
    page = new_page(**options)
    begin_with(page, talk(*(f"turn {number}" for number in range(140))))
    send = page.locator("#try-it")
    send.click()
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
    settle(page)
    show_request(page)
    page.locator(".turn-gap > button").first.click()
    for turn in (3, 120):
        page.locator(f"[data-place='messages[{turn}]'] .turn-head[data-part]").click()
        field(page, f"messages[{turn}].content").fill(f"another {turn}")
        settle(page)
        send.click()
        expect(page.locator(f"#ask [data-branch='{turn}']")).to_contain_text("2 of 2")
        expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
        show_request(page)
    page.reload()
    show_request(page)
    gap = page.locator(".turn-gap").first
    expect(gap).to_contain_text("messages[3]")
    expect(page.locator(".turn-folded [data-branch='120']")).to_contain_text("2 of 2")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Version 1 of messages[120]").click()
    expect(page.locator(".turn-folded [data-branch='120']")).to_contain_text("1 of 2")
    gap.get_by_role("button", name="Version 1 of messages[3]").click()
    expect(gap.locator("[data-branch='3']")).to_contain_text("1 of 2")
