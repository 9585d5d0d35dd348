"""Fields in a browser: what is wrong is said in time, what was changed can be undone, help is at hand."""

from __future__ import annotations

from typing import Any

import pytest

from playground.models import Draft
from tests.composer.test_compose_browser import body_of_draft, field, open_playground, press
from tests.composer.test_compose_pages import begin_with
from tests.support.browser import expect, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]


@pytest.mark.slow
@pytest.mark.parametrize(
    "insert",
    [
        lambda page: page.locator("#f-thinking label", has_text="enabled").click(),
        lambda page: page.locator("[data-op][data-kind='image']").first.click(),
        lambda page: press(page, "Custom tool"),
        lambda page: field(page, "messages[0].content").fill("Hi {{name}}"),
        lambda page: field(page, "max_tokens").fill("12x"),
    ],
    ids=["thinking", "image", "tool", "variable", "typing"],
)
def test_nothing_is_red_before_a_field_was_left(page: Any, insert: Any) -> None:
    open_playground(page)
    with page.expect_response("**/draft/*"):
        insert(page)
    page.wait_for_timeout(300)  # nothing comes that could be waited for
    expect(page.locator("#ask .problem:visible")).to_have_count(0)
    expect(page.locator("#problem-tags [data-next-problem=error]:visible")).to_have_count(0)


def test_a_wrong_value_is_told_when_its_field_is_left(page: Any) -> None:
    open_playground(page)
    with page.expect_response("**/draft/edit"):
        field(page, "max_tokens").fill("12x")
    page.keyboard.press("Tab")
    expect(page.locator('[data-problems="max_tokens"] .problem')).to_be_visible()
    field(page, "max_tokens").fill("12")
    expect(page.locator('[data-problems="max_tokens"] .problem')).to_have_count(0)


def press_slowly(page: Any, button: Any) -> None:
    box = button.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 3)
    page.mouse.down()
    page.wait_for_timeout(300)  # as long as a hand that is not quick
    page.mouse.up()


@pytest.mark.slow
def test_a_button_that_a_problem_would_move_is_pressed_all_the_same(page: Any) -> None:
    open_playground(page)
    button = page.get_by_role("button", name="Custom tool", exact=True)
    button.scroll_into_view_if_needed()
    field(page, "max_tokens").fill("12x")
    press_slowly(page, button)
    expect(field(page, "tools[0].name")).to_be_visible()
    expect(page.locator('[data-problems="max_tokens"] .problem')).to_be_visible()


@pytest.mark.slow
def test_a_button_that_is_drawn_again_when_a_field_is_left_is_pressed_all_the_same(page: Any) -> None:
    open_playground(page)
    entry, chips = page.locator("[data-chip-for=stop_sequences]"), page.locator("[data-chips=stop_sequences] .chip")
    entry.fill("END")
    entry.press("Enter")
    expect(chips).to_have_text(["END"])
    entry.fill("STOP")
    press_slowly(page, chips.first.get_by_role("button"))
    expect(chips).to_have_text(["STOP"])


@pytest.mark.slow
def test_a_wrong_value_is_told_when_its_field_is_left_at_once(page: Any) -> None:
    open_playground(page)
    field(page, "max_tokens").fill("12x")
    page.keyboard.press("Tab")  # before what was typed has been sent
    expect(page.locator('[data-problems="max_tokens"] .problem')).to_be_visible()


@pytest.mark.slow
def test_enabling_thinking_sets_values_that_go_together_and_can_be_undone(page: Any) -> None:
    open_playground(page)
    before = body_of_draft() if Draft.objects.exists() else None
    page.locator("#f-thinking label", has_text="enabled").click()
    expect(page.locator("#toast")).to_contain_text("max_tokens raised to 4,096 to fit the budget")
    expect(field(page, "max_tokens")).to_have_value("4096")
    assert body_of_draft()["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(field(page, "max_tokens")).to_have_value("1024")
    assert "thinking" not in body_of_draft()
    assert before is None or body_of_draft() == before


@pytest.mark.slow
def test_the_keys_undo_operations_and_leave_typing_to_the_browser(page: Any) -> None:
    open_playground(page)
    press(page, "Add message")
    expect(page.locator(".turn")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator(".turn")).to_have_count(1)
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".turn")).to_have_count(2)
    box = field(page, "messages[0].content")
    box.focus()
    page.keyboard.insert_text("abc")
    page.keyboard.press("Control+z")
    settle(page)
    expect(page.locator(".turn")).to_have_count(2)


@pytest.mark.slow
@pytest.mark.parametrize("keys", ["Control+z", "Control+Shift+z"])
def test_the_form_stays_where_there_is_nothing_to_undo(page: Any, keys: str) -> None:
    open_playground(page)
    before = page.locator("#ask [data-control]").count()
    with page.expect_response("**/draft/undo"):
        page.keyboard.press(keys)
    settle(page)
    expect(page.locator("#ask [data-control]")).to_have_count(before)
    press(page, "Add message")
    expect(page.locator(".turn")).to_have_count(2)


def test_the_help_of_a_parameter_opens_and_closes_by_keyboard(page: Any, axe: Any) -> None:
    open_playground(page)
    about = page.get_by_role("button", name="About messages", exact=True)
    about.focus()
    page.keyboard.press("Enter")
    card = page.locator("#help-card")
    expect(card).to_contain_text("up to 100,000 messages")
    axe(page, "#help-card", in_both_themes=True)
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(about).to_be_focused()


@pytest.mark.slow
def test_an_answer_is_added_once_and_the_button_leads_there(page: Any) -> None:
    open_playground(page)
    page.locator("#try-it").click()
    add = page.locator("#answer [data-add-answer]").first
    add.click()
    expect(add).to_contain_text("Added · Go to message 3")
    expect(field(page, "messages[2].content")).to_be_focused()
    add.click()
    settle(page)
    expect(page.locator("#ask .turn")).to_have_count(3)


@pytest.mark.slow
def test_groups_sum_up_what_is_set_and_are_left_as_they_were(page: Any) -> None:
    page.goto("/")
    group = page.locator('[data-group="sampling"]')
    expect(group.locator(".said")).to_have_text("not sent")
    expect(field(page, "temperature")).to_be_hidden()
    group.locator("> summary").click()
    field(page, "temperature").fill("0.7")
    expect(group.locator(".said")).to_have_text("temperature 0.7")
    page.reload()
    expect(field(page, "temperature")).to_have_value("0.7")
    expect(field(page, "temperature")).to_be_visible()


BEGUN = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.slow
@pytest.mark.parametrize("leaving", ["elsewhere", "by sending"])
def test_a_new_turn_is_no_mistake_until_the_reader_has_left_it_or_sends(page: Any, leaving: str) -> None:
    begin_with(page, {"model": "m", "max_tokens": 9, "messages": BEGUN})
    press(page, "Add message")
    problem = page.locator("[data-problems^='messages[2]'] .problem")
    expect(field(page, "messages[2].content")).to_be_focused()
    expect(problem).to_have_count(0)
    if leaving == "elsewhere":
        field(page, "max_tokens").focus()
    else:
        page.keyboard.press("Control+Enter")
        expect(page.locator("#run-note")).to_contain_text("Not sent. messages[2]")
    expect(problem.first).to_be_visible()
    expect(page.locator("#problem-tags [data-next-problem=error]")).to_have_text("1 problem")


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_covers_a_button_of_a_turn_however_long_the_names_are(new_page: Any, width: int) -> None:
    page = new_page(width=width, height=900)
    long = "W" * 300
    call = {"type": "tool_use", "id": long, "name": long, "input": {long: long}}
    result = {"type": "tool_result", "tool_use_id": long, "content": long}
    turns = [[{"type": "text", "text": long}, result, {"type": long}], [call], long]
    messages = [{"role": ("user", "assistant")[at % 2], "content": content} for at, content in enumerate(turns)]
    begin_with(page, {"model": "m", "max_tokens": 9, "messages": messages})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    covered = """() => [...document.querySelectorAll("#ask .turn :is(button, summary, select)")]
      .filter((button) => button.checkVisibility() && !button.closest(".menu-list")).filter((button) => {
        button.scrollIntoView({ block: "center" })
        const { x, y, width, height } = button.getBoundingClientRect()
        const there = document.elementFromPoint(x + width / 2, y + height / 2)
        return !there || !button.contains(there)
      }).map((button) => button.ariaLabel)"""
    assert page.evaluate(covered) == []
