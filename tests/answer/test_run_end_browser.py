"""A run that ends behind the reader's back: the title says so, and the desktop if that is allowed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.answer.test_answer_browser import ask, panel, wait_for_end
from tests.support.browser import expect

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end, pytest.mark.usefixtures("paced")]


def test_the_title_tells_when_a_run_ends_behind_the_readers_back(page: Any) -> None:
    ask(page, "sandbox-stories", "Tell me a story")
    page.evaluate("() => Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    expect(page).to_have_title(re.compile("done"), timeout=30_000)


STAND_IN = """{
  window.told = []
  window.Notification = class {
    static async requestPermission() { return "%s" }
    constructor(title, { body, tag }) { window.told.push([title, body, tag]) }
  }
}"""


def hide(page: Any) -> None:
    page.evaluate("() => Object.defineProperty(document, 'hidden', { value: true, configurable: true })")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("permission", "label", "told"),
    [
        ("granted", "You will be notified", [["Request done", "sandbox-stories", "run-ended"]]),
        ("denied", "Not allowed by the browser", []),
    ],
)
def test_the_end_of_a_run_behind_the_readers_back_is_told_by_the_desktop_if_that_may_be(
    page: Any, permission: str, label: str, told: list[Any]
) -> None:
    page.add_init_script(STAND_IN % permission)
    ask(page, "sandbox-stories", "Tell me a story")
    wait_for_end(page)
    panel(page).get_by_label("More for this response").click()
    wish = panel(page).locator("[data-notify]")
    wish.click()
    expect(wish).to_have_text(label)
    assert page.evaluate("window.told") == [], "a reader who looks on is told nothing"
    page.get_by_role("button", name="Try It!").first.click()
    expect(panel(page)).to_have_attribute("data-state", "running")
    hide(page)
    expect(page).to_have_title(re.compile("done"), timeout=30_000)
    assert page.evaluate("window.told") == told


LATE_TIMERS = """{
  const late = [], set = window.setTimeout
  window.setTimeout = (work, ms, ...rest) => ms === 100 ? late.push(work) : set(work, ms, ...rest)
  window.runLate = () => { for (const work of late.splice(0)) work() }
}"""


def test_a_run_that_ends_before_the_first_words_are_spoken_is_told_as_complete(page: Any) -> None:
    page.add_init_script(LATE_TIMERS)
    ask(page, "sandbox-stories", "Tell me a story")
    expect(panel(page)).to_have_attribute("data-state", "running")
    wait_for_end(page)
    expect(panel(page)).to_have_attribute("data-said", re.compile("complete"))
    page.evaluate("window.runLate()")
    expect(panel(page).locator("[data-spoken]")).to_have_text(re.compile("^Response complete"), timeout=3_000)


@pytest.mark.slow
def test_no_notification_is_made_that_nobody_asked_for(page: Any) -> None:
    page.add_init_script(STAND_IN % "granted")
    ask(page, "sandbox-stories", "Tell me a story")
    hide(page)
    expect(page).to_have_title(re.compile("done"), timeout=30_000)
    assert page.evaluate("window.told") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "word"),
    [("sandbox-stories", "done"), ("sandbox-error-529", "failed"), ("sandbox-truncated", "cut off")],
)
def test_the_title_says_how_a_run_ended_until_the_reader_is_back(page: Any, model: str, word: str) -> None:
    page.goto("/")
    usual = page.title()
    hide(page)
    page.locator('#ask [name="model"]').fill(model)
    page.get_by_role("button", name="Try It!").first.click()
    expect(page).to_have_title(f"● {word} · {usual}", timeout=30_000)
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')) }")
    expect(page).to_have_title(usual)
