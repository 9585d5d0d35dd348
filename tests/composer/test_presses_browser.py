"""A press is not lost when what it is on is drawn again, or moves away, between pointer down and up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from playground.models import Draft
from tests.composer.test_compose_browser import field, open_playground
from tests.request_log.test_request_log_browser import send
from tests.support import runs
from tests.support.browser import expect, settle
from tests.support.examples import one_of_each

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]

COUNTED = """const Real = WebSocket
window.WebSocket = class extends Real {
  constructor(...args) {
    super(...args)
    this.addEventListener("message", () => (window.frames_come = true))
  }
}"""
REMOVE = '#ask [data-chips="stop_sequences"] .chip button'


def press_down(page: Any, button: Any) -> None:
    box = button.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


def hold_answers(page: Any, address: str) -> Callable[[], None]:
    """Answers of this address are held back, until what is returned is called: then they arrive in the page."""
    held: list[Any] = []
    page.route(address, lambda route: held.append(route))

    def let_them_come() -> None:
        while not held:
            page.evaluate("() => new Promise(requestAnimationFrame)")
        with page.expect_response(address):
            page._thread.call(held.pop().continue_)
        page.evaluate("() => new Promise((then) => requestAnimationFrame(() => setTimeout(then)))")
        page.unroute(address)

    return let_them_come


def with_a_stop_sequence(page: Any) -> None:
    open_playground(page)
    page.locator("[data-chip-for=stop_sequences]").fill("END")
    page.locator("[data-chip-for=stop_sequences]").press("Enter")
    settle(page)


def stop_sequences() -> list[str]:
    body: dict[str, Any] = json.loads(Draft.objects.get().body_text)
    return body.get("stop_sequences", [])


@pytest.mark.parametrize("by", one_of_each(["pointer", "space bar"]))
def test_an_answer_that_was_on_its_way_takes_no_button_from_under_a_press(page: Any, by: str) -> None:
    with_a_stop_sequence(page)
    button = page.locator(REMOVE)
    button.scroll_into_view_if_needed()
    let_them_come = hold_answers(page, "**/draft/change")
    page.evaluate("document.querySelector('[data-chip-for=stop_sequences]').value = 'STOP'")
    page.locator("[data-chip-for=stop_sequences]").press("Enter")  # draws the list again
    if by == "pointer":
        press_down(page, button)
        let_them_come()
        page.mouse.up()
    else:
        button.focus()
        page.keyboard.down(" ")
        let_them_come()
        page.keyboard.up(" ")
    expect(page.locator('#ask [data-chips="stop_sequences"] .chip')).to_have_text(["STOP"])
    settle(page)
    assert stop_sequences() == ["STOP"]


def test_what_was_held_back_is_shown_when_a_press_is_no_click(page: Any) -> None:
    with_a_stop_sequence(page)
    let_them_come = hold_answers(page, "**/draft/change")
    page.locator(REMOVE).click()
    press_down(page, field(page, "messages[0].content"))
    let_them_come()
    expect(page.locator(REMOVE)).to_have_count(1)
    page.mouse.move(5, 5)
    page.mouse.up()
    expect(page.locator(REMOVE)).to_have_count(0)


def test_a_line_of_the_log_is_opened_though_a_new_one_would_move_it_under_the_pointer(
    page: Any, live_url: str, log_in: Any, owner: User
) -> None:
    pressed = runs.stored_run(owner)
    runs.stored_run(owner)
    log_in(page, owner)
    page.add_init_script(COUNTED)
    page.goto("/requests/")
    expect(page.locator("[data-live-tag]")).to_be_visible()
    line = page.locator(f"#run-{pressed.pk} .status")
    line.scroll_into_view_if_needed()
    press_down(page, line)
    send(live_url, owner)
    page.evaluate("async () => { while (!window.frames_come) await new Promise((then) => setTimeout(then, 10)) }")
    page.mouse.up()
    page.wait_for_url(f"**/requests/{pressed.pk}/")
