"""The playground page measured: the room of the response, what stays in sight, what scrolls, the phone's views."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.browser import expect
from tests.support.examples import one_of_each

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]

WINDOWS = [(1440, 900, 640), (1280, 720, 480), (1024, 768, 500)]
SCROLLERS = """() => {
  const scrolls = (element) => element.checkVisibility() && element.tagName !== "TEXTAREA"
    && /auto|scroll/.test(getComputedStyle(element).overflowY) && element.scrollHeight > element.clientHeight + 1
  const pane = (element) => element.closest(".compare-column, .ask, .reply")?.id ?? element.tagName
  return [...document.querySelectorAll("*")].filter(scrolls)
    .map((element) => [pane(element), [...element.querySelectorAll("*")].filter(scrolls).length])
}"""
PAGE_SCROLL = """() => [scrollX, scrollY, document.documentElement.scrollHeight - innerHeight,
  document.documentElement.scrollWidth - innerWidth]"""
CLOCKS_AGREE = """async () => {
  const text = (selector) => document.querySelector(selector).textContent
  for (let frame = 0; frame < 30; frame++) {
    await new Promise(requestAnimationFrame)
    if (text("[data-progress-time]") !== text("[data-clock]")) return false
  }
  return true
}"""
VIEWS = ("Message", "Events", "JSON", "Headers")


@pytest.fixture(autouse=True)
def many_runs(settings: Any) -> None:
    settings.VISITOR_RUNS_PER_MINUTE = settings.RUNS_PER_MINUTE = 1000
    settings.VISITOR_RUNS_AT_ONCE = 8


def choose(page: Any, model: str, text: str = "") -> None:
    """Write the model and the message into the form, wherever they are folded away."""
    page.evaluate(
        """([model, text]) => {
          const set = (name, value) => {
            const field = document.querySelector(`#ask [name="${name}"]`)
            field.value = value
            field.dispatchEvent(new Event("input", { bubbles: true }))
          }
          set("model", model)
          if (text) set("messages[0].content", text)
        }""",
        [model, text],
    )


def send(page: Any, model: str, text: str = "") -> None:
    page.goto("/")
    choose(page, model, text)
    page.locator("#try-it").click()
    page.locator(".answer-panel[data-run]").wait_for()
    expect(page.locator("#answer [data-socket]")).to_have_count(0)


def height(page: Any, selector: str) -> float:
    return page.locator(selector).filter(visible=True).first.evaluate("element => element.clientHeight")


def assert_nothing_else_scrolls(page: Any) -> None:
    assert page.evaluate(PAGE_SCROLL) == [0, 0, 0, 0]
    scrollers = page.evaluate(SCROLLERS)
    assert [nested for _, nested in scrollers] == [0] * len(scrollers), "a scrollbar in a scrollbar"
    assert len({pane for pane, _ in scrollers}) == len(scrollers), "two scrollbars in one pane"


def assert_in_sight(page: Any, *selectors: str) -> None:
    for selector in selectors:
        box = page.locator(selector).filter(visible=True).first.bounding_box()
        window = page.viewport_size
        assert box["x"] >= 0, selector
        assert box["y"] >= 0, selector
        assert box["x"] + box["width"] <= window["width"], selector
        assert box["y"] + box["height"] <= window["height"], selector


@pytest.mark.parametrize(("width", "high", "least"), one_of_each(WINDOWS))
def test_the_response_gets_the_room_in_every_view_and_nothing_scrolls_but_the_panes(
    new_page: Any, width: int, high: int, least: int
) -> None:
    page = new_page(width, high)
    send(page, "sandbox-stories", "Tell me a short story, then compare three planets in a table.")
    for view in VIEWS:
        page.locator("#answer").get_by_role("tab", name=view).click()
        area = ".wire-main" if view == "Events" else ".answer-body"
        assert height(page, area) >= least, view
        assert_nothing_else_scrolls(page)
        assert_in_sight(page, "#try-it", ".model-pick", "#connection-menu summary")
    page.get_by_role("tab", name="Code").click()
    assert height(page, ".code-pane") >= least
    line = page.locator(".figure-line")
    assert line.evaluate("line => line.scrollWidth <= line.clientWidth"), "a figure is cut"
    assert height(page, ".figures") < 40
    assert page.locator(".phase-line").bounding_box()["height"] <= 3
    expect(page.locator(".details-card dt", has_text="request-id")).to_be_hidden()
    page.locator(".details-press").click()
    expect(page.locator(".details-card dt", has_text="request-id")).to_be_visible()
    expect(page.locator(".details-card .gauges")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "high", "least"), one_of_each(WINDOWS))
def test_a_tools_result_and_the_button_that_sends_it_are_in_sight(
    new_page: Any, width: int, high: int, least: int
) -> None:
    page = new_page(width, high)
    page.goto("/")
    page.locator('[data-example-card="tools"]').click()
    expect(page.locator("details.tool")).to_have_count(2)
    page.locator("#try-it").click()
    button = page.locator("[data-send-results]")
    expect(button).to_be_visible()
    assert_in_sight(page, "[data-send-results]", "[data-result]")
    assert_nothing_else_scrolls(page)
    assert height(page, ".answer-body") >= least


CUT_TYPES = """() => [...document.querySelectorAll("#ask .param .name")].filter((name) => name.checkVisibility())
  .flatMap((name) => [...name.children].filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth
    || part.getBoundingClientRect().right > name.getBoundingClientRect().right + 1))
  .map((part) => part.textContent.trim())"""
LONG_FIGURES = """list => {
  const words = ["12 min 05 s", "12.30 s", "112,345 → 11,234", "$0.1234"]
  list.querySelectorAll("dd").forEach((dd, at) => (dd.lastChild.data = words[at]))
  const { right } = list.getBoundingClientRect()
  const boxes = [...list.querySelectorAll("dd")].map((dd) => dd.getBoundingClientRect())
  return boxes.every((box) => box.right <= right - 32 && box.height < 24)
}"""


@pytest.mark.slow
def test_the_type_range_and_default_of_every_parameter_can_be_read(new_page: Any) -> None:
    page = new_page(1440, 900)
    page.goto("/")
    page.evaluate("for (const group of document.querySelectorAll('#ask details[data-group]')) group.open = true")
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(CUT_TYPES) == [], width


@pytest.mark.slow
def test_four_answers_are_compared_with_room_for_each(new_page: Any, axe: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 10.0  # without any pause all four can take the same time, and none is the fastest
    page = new_page(1440, 900)
    page.goto("/")
    page.locator("#compare-start").click()
    for count in (3, 4):
        page.get_by_role("button", name="Add column").click()
        expect(page.locator(".compare-column")).to_have_count(count)
    page.locator("#try-it").click()
    expect(page.locator(".column-answer .answer-panel[data-run]")).to_have_count(4)
    expect(page.locator("#answer [data-socket]")).to_have_count(0)
    expect(page.locator(".column-figure-list")).to_have_count(8)  # one a column, and what it copies
    # The best of a line is marked, once the figures of all four are there.
    expect(page.locator(".compare-column .column-figures [data-best]").first).to_be_attached()
    heights = page.locator(".column-answer [data-message]").evaluate_all("all => all.map((body) => body.clientHeight)")
    assert len(heights) == 4
    assert min(heights) >= 560
    heads = page.locator(".compare-column > .column-head, .column-figure-list:visible")
    sizes = heads.evaluate_all("all => all.map((line) => [line.clientHeight, line.scrollWidth - line.clientWidth])")
    assert len(sizes) == 8
    assert all(high <= 52 and more <= 0 for high, more in sizes), "settings and figures are one line each"
    menu, figures = (
        page.locator(f".compare-column {place}").first.bounding_box()
        for place in (".reply-head .menu > summary", ".column-figures")
    )
    assert abs(menu["y"] + menu["height"] / 2 - figures["y"] - figures["height"] / 2) <= 2, "the menu is in its line"
    assert_nothing_else_scrolls(page)
    assert_in_sight(page, "#try-it", ".model-pick", "#connection-menu summary")
    page.locator('[data-columns-view="events"]').click()
    expect(page.locator(".column-answer .wire-main:visible")).to_have_count(4)
    axe(page, in_both_themes=True)
    for width in (1440, 1280, 1024, 390):
        page.set_viewport_size({"width": width, "height": 844})
        fitting = page.locator(".column-figure-list:visible").evaluate_all(f"all => all.map({LONG_FIGURES})")
        assert fitting == [True] * 4, width


@pytest.mark.slow
def test_an_error_is_shown_from_its_title_and_a_short_answer_from_its_top(new_page: Any) -> None:
    page = new_page(1280, 720)
    send(page, "sandbox-error-429")
    assert_in_sight(page, ".verdict h3", ".verdict .todo")
    expect(page.locator("#answer")).not_to_contain_text('"type": "error"')
    page.locator("[data-to-view=json]").click()
    expect(page.locator("#answer [data-fetch]")).to_contain_text('"type": "error"')
    send(page, "sandbox-stories", "Tell me a short story")
    expect(page.locator("[data-spoken]")).to_have_text(re.compile(r"Response complete, [\d,]+ tokens in .+\."))
    assert page.locator("[data-message]").evaluate("body => body.scrollTop") == 0


@pytest.mark.slow
def test_the_end_is_followed_only_while_the_reader_is_there(new_page: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 2.0
    page = new_page(1280, 720)
    page.goto("/")
    choose(page, "sandbox-long", "Write 1500 words")
    page.locator("#try-it").click()
    body = page.locator("#answer [data-message]")
    expect(body).to_have_js_property("scrollTop", 0)
    page.wait_for_function("() => document.querySelector('#answer [data-message]').scrollTop > 100")
    body.evaluate("body => { body.scrollTop = 0 }")
    jump = page.get_by_role("button", name="Jump to latest")
    jump.wait_for()
    before = page.locator("[data-part]").count()
    page.wait_for_function(f"() => document.querySelectorAll('[data-part]').length > {before + 1}")
    assert body.evaluate("body => body.scrollTop") == 0
    jump.click()
    expect(jump).to_have_count(0)
    assert page.evaluate(PAGE_SCROLL)[:2] == [0, 0]
    page.keyboard.press("Escape")


@pytest.mark.slow
def test_choosing_an_event_shows_it_beside_the_table(new_page: Any) -> None:
    page = new_page(1440, 900)
    send(page, "sandbox-stories", "Hello")
    page.locator("#answer").get_by_role("tab", name="Events").click()
    page.locator('[data-rows] tr[data-number="5"]').click()
    expect(page.locator("[data-at-event-answer]")).to_contain_text("after event 5")
    table, event = page.locator(".wire-main").bounding_box(), page.locator("[data-at-event]").bounding_box()
    assert event["x"] >= table["x"] + table["width"] - 1
    assert event["y"] == table["y"]
    page.get_by_role("button", name="Close the event").click()
    expect(page.locator("[data-at-event]")).to_be_hidden()


@pytest.mark.slow
def test_waiting_says_so_on_the_page_and_to_screen_readers_and_there_is_one_stop(new_page: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 0.05
    page = new_page(1440, 900)
    page.goto("/")
    before = page.locator("#try-it").bounding_box()
    choose(page, "sandbox-slow")
    page.locator("#try-it").click()
    expect(page.locator(".figure-line")).to_contain_text("waiting for first token")
    expect(page.locator("[data-block]")).to_have_count(1)  # it has begun, and holds nothing yet
    expect(page.locator("[data-spoken]")).to_have_text("Sent. Waiting for the first token.")
    expect(page.get_by_role("button", name="Stop")).to_have_count(1)
    stop = page.locator("[data-stop-run]").bounding_box()
    assert (stop["x"], stop["y"], stop["height"]) == (before["x"], before["y"], before["height"])
    expect(page.locator("[data-stop-run]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-spoken]")).to_have_text("Stopped by you.")
    expect(page.locator("#try-it")).to_be_focused()


@pytest.mark.slow
def test_the_splitter_moves_folds_and_is_remembered(new_page: Any) -> None:
    page = new_page(1440, 900)
    page.goto("/")
    splitter = page.locator("#splitter")
    splitter.focus()
    before = page.locator("#ask").bounding_box()["width"]
    page.keyboard.press("ArrowRight")
    assert page.locator("#ask").bounding_box()["width"] == before + 24
    expect(splitter).to_have_attribute("aria-valuenow", str(round(before + 24)))
    bar = splitter.bounding_box()
    page.mouse.move(bar["x"] + bar["width"] / 2, 500)
    page.mouse.down()
    page.mouse.move(bar["x"] + bar["width"] / 2 + 60, 500, steps=3)
    page.mouse.up()
    assert page.locator("#ask").bounding_box()["width"] == before + 84
    page.reload()
    assert page.locator("#ask").bounding_box()["width"] == before + 84
    splitter.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ask")).to_be_hidden()
    page.reload()
    expect(page.locator("#ask")).to_be_hidden()
    page.get_by_role("button", name="Show the request form").click()
    expect(page.locator("#ask")).to_be_visible()


def test_on_a_phone_one_try_it_switches_to_the_response_and_becomes_stop(new_page: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 0.2
    page = new_page(390, 844)
    page.goto("/")
    expect(page.get_by_role("button", name="Try It!")).to_have_count(1)
    expect(page.get_by_role("link", name="Sign up")).to_be_visible()
    assert_in_sight(page, "#try-it", ".model-pick", ".view-switch")
    choose(page, "sandbox-slow")
    page.locator("#try-it").click()
    expect(page.locator("#response")).to_be_visible()
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator("[data-stop-run]")).to_be_visible()
    expect(page.locator("[data-progress-words]")).to_contain_text("waiting for first token")
    assert_in_sight(page, "[data-stop-run]", ".view-switch")
    assert_nothing_else_scrolls(page)
    assert page.evaluate(CLOCKS_AGREE), "the bar's clock is not that of the figures"
    row = height(page, ".figures")
    page.locator("[data-stop-run]").click()
    expect(page.locator("#try-it")).to_be_visible()
    assert height(page, ".figures") == row, "the response moves when Details comes"
    page.locator(".view-switch label").first.click()
    expect(page.locator("#ask")).to_be_visible()
    assert page.evaluate(PAGE_SCROLL) == [0, 0, 0, 0]


@pytest.mark.slow
def test_on_a_phone_the_tokens_of_a_response_that_thought_stay_among_the_figures(new_page: Any) -> None:
    page = new_page(390, 844)
    send(page, "sandbox-thinker", "Hello")
    line, out = (page.locator(place).bounding_box() for place in (".figure-line", ".figure-out"))
    assert out["y"] + out["height"] <= line["y"] + line["height"] + 1
    expect(page.locator(".figure-out .visually-hidden")).to_contain_text("thinking")


@pytest.mark.slow
def test_a_visitor_sees_the_requests_of_this_visit_and_what_can_come_back(new_page: Any, axe: Any) -> None:
    page = new_page(1440, 900)
    page.goto("/")
    recent = page.locator("#recent")
    expect(recent).to_contain_text("Log in to see full request history")
    for heading in ("Time", "Status", "User Agent"):
        expect(recent.get_by_role("columnheader", name=heading)).to_be_visible()
    expect(page.locator(".response")).to_have_count(13)
    page.locator(".response summary").nth(1).click()
    expect(page.locator(".response").nth(1)).to_contain_text("message_start")
    axe(page, in_both_themes=True)
    choose(page, "sandbox-echo", "Hello")
    page.locator("#try-it").click()
    expect(page.locator("#answer .answer-panel[data-state=completed]")).to_have_count(1)
    page.get_by_role("button", name="Recent Requests").click()
    expect(recent.locator("tr[data-run-id]")).to_have_count(1)
    axe(page, in_both_themes=True)
    recent.locator("tr[data-run-id] a").click()
    expect(page.locator("#answer .answer-panel[data-state=completed]")).to_have_count(1)


@pytest.mark.slow
def test_a_response_to_an_earlier_request_says_so_until_the_request_is_as_it_was(new_page: Any, axe: Any) -> None:
    page = new_page(1440, 900)
    send(page, "sandbox-echo", "Hello")
    expect(page.locator(".strip-stale")).to_have_count(0)
    choose(page, "sandbox-echo", "Something else")
    expect(page.locator(".strip-stale")).to_contain_text("Response to an earlier version of this request")
    axe(page, in_both_themes=True)
    page.reload()
    expect(page.locator(".strip-stale")).to_have_count(1)
    choose(page, "sandbox-echo", "Hello")
    expect(page.locator(".strip-stale")).to_have_count(0)
    choose(page, "sandbox-echo", "Something else")
    page.get_by_role("button", name="Show difference").click()
    lines = page.locator("#difference-dialog .diff-line")
    expect(lines.filter(has_text="Hello")).to_have_attribute("data-kind", "removed")
    expect(lines.filter(has_text="Something else")).to_have_attribute("data-kind", "added")
    axe(page, "#difference-dialog", in_both_themes=True)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Restore that request").click()
    expect(page.locator('[name="messages[0].content"]')).to_have_value("Hello")
    expect(page.locator(".strip-stale")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_the_whole_page_in_any_state(new_page: Any, axe: Any, settings: Any, width: int) -> None:
    settings.SANDBOX_SPEED = 0.05
    page = new_page(width, 844 if width == 390 else 900)
    page.goto("/")
    if width == 390:
        axe(page, in_both_themes=True)
        page.locator(".view-switch label").nth(1).click()
    page.get_by_role("button", name="application/json").click()
    expect(page.locator(".answer-example")).to_have_count(1)
    assert page.locator('[name="messages[0].content"]').input_value(), "a look at an example replaces no request"
    axe(page, in_both_themes=True)
    choose(page, "sandbox-slow")
    page.locator("#try-it").click()
    expect(page.locator(".figure-line")).to_contain_text("waiting for first token")
    axe(page, in_both_themes=True)
    page.locator("[data-stop-run]").click()
    expect(page.locator("#answer [data-socket]")).to_have_count(0)
    page.locator(".details-press").click()
    axe(page, in_both_themes=True)
    page.keyboard.press("Escape")
    page.get_by_label("More ways to send").click()
    axe(page, in_both_themes=True)
    page.keyboard.press("Escape")
    page.locator("#connection-menu summary").click()
    axe(page, in_both_themes=True)
