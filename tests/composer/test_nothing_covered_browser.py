"""What can be pressed is neither covered nor cut: notes, menus, strips, on a wide window and on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.composer.test_form_operations_browser import PLAIN, open_with
from tests.composer.test_layout_browser import choose, send
from tests.support.browser import expect
from tests.support.examples import one_of_each

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
SIZES = [(1440, 900), (1024, 768), (390, 844)]


def box(place: Any) -> tuple[float, float, float, float]:
    found = place.bounding_box()
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), SIZES[::-1])
def test_the_note_of_what_was_not_sent_leaves_send_anyway_free(new_page: Any, width: int, height: int) -> None:
    page = new_page(width, height)
    open_with(page, PLAIN | {"temperature": 7})
    page.locator("#try-it").click()
    expect(page.locator("#run-note")).to_contain_text("Not sent")
    page.get_by_label("More ways to send").click()
    page.get_by_role("button", name="Send anyway").click(trial=True)
    page.get_by_role("button", name="Count tokens").click(trial=True)


@pytest.mark.parametrize(("width", "height"), one_of_each(SIZES[::-1]))
def test_the_menus_of_the_form_stay_inside_it(new_page: Any, width: int, height: int) -> None:
    page = new_page(width, height)
    page.goto("/")
    page.locator("[data-group=tools] > summary").click()
    opened = page.locator("#ask .menu[open] > .menu-list")
    for name in (
        "Add a server tool or a client tool of the API",
        "Add a saved tool",
        "More block types for messages[0].content",
    ):
        page.get_by_label(name).click()
        menu, form = box(opened), box(page.locator("#ask"))
        assert menu[0] >= form[0], name
        assert menu[2] <= form[2], name
        assert page.locator(".ask-scroll").evaluate("pane => pane.scrollLeft") == 0, name
        # All of it is in sight, however low it opened.
        expect(opened).to_be_in_viewport(ratio=0.95)
        page.keyboard.press("Escape")


@pytest.mark.parametrize(("width", "height"), one_of_each([(1280, 720), (1024, 768)]))
def test_what_is_wrong_with_the_json_is_in_sight_below_the_editor(new_page: Any, width: int, height: int) -> None:
    page = new_page(width, height)
    open_with(page, PLAIN)
    page.locator("#as-json").click()
    page.locator("json-editor textarea.ace_text-input").focus()
    page.keyboard.type("oops ")
    problem = page.locator("#json-problems .problem")
    expect(problem).to_contain_text("This is not JSON")
    assert box(problem)[3] <= box(page.locator(".dock"))[1]


@pytest.mark.slow
def test_the_buttons_of_a_tool_stand_in_one_line(new_page: Any) -> None:
    page = new_page(1280, 720)
    page.goto("/")
    page.locator("[data-group=tools] > summary").click()
    page.get_by_label("Add a server tool or a client tool of the API").click()
    page.get_by_role("button", name="web_search", exact=True).click()
    buttons = page.locator(".tool-moves > .button")
    expect(buttons).to_have_count(4)
    page.locator(".tool-moves").evaluate("moves => { moves.closest('details').open = true }")
    form = box(page.locator("#ask"))
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        boxes = buttons.evaluate_all("all => all.map((each) => each.getBoundingClientRect().toJSON())")
        assert len({each["top"] for each in boxes}) == 1, width
        assert boxes[-1]["right"] <= min(width, form[2]), width


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), SIZES[::-1])
def test_the_words_about_an_earlier_request_and_their_buttons_stand_apart(
    new_page: Any, width: int, height: int
) -> None:
    page = new_page(width, height)
    send(page, "sandbox-echo", "Hello")
    choose(page, "sandbox-echo", "Something else")
    strip = page.locator(".strip-stale")
    words = box(strip.locator("p"))
    for button in strip.get_by_role("button").all():
        left, top, right, _ = box(button)
        assert left >= words[2] or top >= words[3], "a button covers the words"
        assert right <= width
    assert box(strip)[3] - box(strip)[1] < 120


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), SIZES[::-1])
def test_stop_is_there_only_while_a_request_runs(new_page: Any, width: int, height: int, settings: Any) -> None:
    page = new_page(width, height)
    page.goto("/")
    expect(page.locator("[data-stop-run]")).to_be_hidden()
    settings.SANDBOX_SPEED = 0.05
    choose(page, "sandbox-slow")
    page.locator("#try-it").click()
    expect(page.locator("[data-stop-run]")).to_be_visible()
    expect(page.locator("#try-it")).to_be_hidden()
    page.locator("[data-stop-run]").click()
    expect(page.locator("#try-it")).to_be_visible()
    expect(page.locator("[data-stop-run]")).to_be_hidden()


@pytest.mark.slow
def test_what_was_said_of_the_request_goes_when_it_is_sent(page: Any) -> None:
    page.goto("/")
    page.locator("[data-example-card=tools]").click()
    expect(page.locator("#toast")).to_contain_text("Request replaced by the example")
    page.locator("#try-it").click()
    expect(page.locator("#toast")).to_be_hidden()


@pytest.mark.slow
def test_an_added_response_brings_no_problem_before_its_reader_has_typed(page: Any) -> None:
    send(page, "sandbox-echo", "Hello")
    page.locator("[data-add-answer][data-beside-tabs]").click()
    expect(page.get_by_label("messages[2].content", exact=True)).to_be_focused()
    expect(page.locator("#problem-list li")).to_have_count(1)
    expect(page.locator("#problem-tags button:visible")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#run-note")).to_contain_text("Message is empty")
    expect(page.locator("#problem-tags button:visible")).to_have_text("1 problem")


def test_a_field_of_a_tool_and_what_removes_it_stand_in_one_line(new_page: Any) -> None:
    page = new_page(390, 844)
    schema = {"type": "object", "properties": {"stations": {"type": "array", "items": {"type": "string"}}}}
    open_with(page, PLAIN | {"tools": [{"name": "get_weather", "input_schema": schema}]})
    page.evaluate("for (const fold of document.querySelectorAll('#ask details:not(.menu)')) fold.open = true")
    place = "tools[0].input_schema.properties.stations"
    boxes = [box(page.get_by_label(f"{words} {place}", exact=True)) for words in ("Name of", "Type of", "Remove")]
    assert {round((top + bottom) / 2) for _, top, _, bottom in boxes} == {round((boxes[0][1] + boxes[0][3]) / 2)}


def test_what_is_said_beside_a_parameter_is_whole_in_a_narrow_form(new_page: Any) -> None:
    page = new_page(1024, 768)
    page.goto("/")
    page.locator("[data-group=beta] > summary").click()
    types = page.locator("[data-group=beta] .name > .type")
    assert types.evaluate_all("all => all.map((each) => each.getClientRects().length)") == [1] * types.count()
    heights = types.evaluate_all("all => all.map((each) => each.offsetHeight)")
    assert max(heights) == min(heights), "each takes one line"
