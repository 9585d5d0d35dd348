"""The request form in a browser: built by hand as a user would, sent to the sandbox that answers with what arrived."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import OperationalError

from playground import dispatch
from playground.composer.request_examples import CHART_PNG
from playground.models import Draft
from tests.support.browser import expect, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]


def body_of_draft() -> Any:
    return json.loads(Draft.objects.get().body_text)


def open_playground(page: Any) -> None:
    page.goto("/")
    expect(page.locator("#try-it")).to_be_visible()
    page.evaluate("for (const group of document.querySelectorAll('details[data-group]')) group.open = true")


def field(page: Any, name: str) -> Any:
    return page.get_by_label(name, exact=True)


def press(page: Any, name: str, **options: Any) -> None:
    page.get_by_role("button", name=name, **options).click()
    settle(page)


def test_a_first_visitor_sees_an_answer_stream_in(page: Any) -> None:
    open_playground(page)
    page.locator("#try-it").click()
    expect(page.locator("#answer [data-blocks]")).to_contain_text("Simulated")
    expect(page.locator("#answer")).to_contain_text("end_turn")


@pytest.mark.slow
def test_a_double_click_sends_once(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    send = dispatch.start

    async def counted(request: dispatch.RunRequest) -> Any:
        run = await send(request)
        sent.append(str(run.id))
        return run

    monkeypatch.setattr(dispatch, "start", counted)
    open_playground(page)
    with page.expect_response("**/send"), page.expect_response("**/send"):
        page.locator("#try-it").dblclick()
    expect(page.locator("#answer")).to_contain_text("end_turn")
    page.wait_for_timeout(600)  # what comes later is another press
    page.locator("#try-it").click()
    expect(page.locator(f"#answer [data-run='{sent[0]}']")).to_have_count(0)
    expect(page.locator("#answer")).to_contain_text("end_turn")  # its socket is not cut off by the end of the test
    assert len(set(sent)) == 2  # the double click's, and the one after it


@pytest.mark.slow
def test_what_could_not_be_saved_while_sending_is_said_and_saved_later(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_playground(page)
    field(page, "max_tokens").fill("776")
    settle(page)
    keep = Draft.keep

    def away(_: Draft) -> bool:
        raise OperationalError("the database is away")

    monkeypatch.setattr(Draft, "keep", away)
    field(page, "max_tokens").fill("777")
    with page.expect_response("**/send"):
        page.locator("#try-it").click()
    expect(page.locator("#saved-note")).to_contain_text("Not saved")
    expect(page.locator("#answer")).to_contain_text("end_turn")
    assert body_of_draft()["max_tokens"] == 776
    monkeypatch.setattr(Draft, "keep", keep)
    expect(page.locator("#saved-note")).to_contain_text("Draft saved")
    assert body_of_draft()["max_tokens"] == 777


@pytest.mark.slow
def test_what_is_typed_is_kept_and_found_after_a_reload(page: Any) -> None:
    open_playground(page)
    field(page, "max_tokens").fill("777")
    field(page, "messages[0].content").fill("Line one\nline two “quoted”")
    settle(page)
    expect(page.locator("#saved-note")).to_contain_text("Draft saved")
    page.reload()
    expect(field(page, "max_tokens")).to_have_value("777")
    expect(field(page, "messages[0].content")).to_have_value("Line one\nline two “quoted”")


def test_typing_never_loses_the_focus_or_a_letter(page: Any) -> None:
    open_playground(page)
    box = field(page, "messages[0].content")
    box.fill("")
    box.press_sequentially("The checks come while these words are typed, and nothing jumps.", delay=25)
    settle(page)
    expect(box).to_be_focused()
    assert (
        body_of_draft()["messages"][0]["content"] == "The checks come while these words are typed, and nothing jumps."
    )


@pytest.mark.slow
def test_a_body_with_tools_an_image_a_result_thinking_and_cache_marks_arrives_exactly(page: Any, tmp_path: Any) -> None:
    import base64

    picture = tmp_path / "chart.png"
    picture.write_bytes(base64.b64decode(CHART_PNG))
    open_playground(page)
    field(page, "model").fill("sandbox-echo")
    field(page, "max_tokens").fill("9000")
    # The first turn: an image, then a text with a cache mark.
    field(page, "messages[0].content").fill("What is in the chart?")
    press(page, "Add image to messages[0].content")
    page.locator('input[data-upload="messages[0].content[1].source"]').set_input_files(str(picture))
    expect(page.locator(".attachment img")).to_be_visible()
    settle(page)
    page.get_by_role("group", name="messages[0].content[1]", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    settle(page)
    page.get_by_role("group", name="messages[0].content[1]", exact=True).hover()
    press(page, "Add a cache mark: messages[0].content[1].cache_control")
    # The answer that called a tool, and its result.
    press(page, "Add message")
    press(page, "Add tool_use to messages[1].content")
    field(page, "messages[1].content[0].name").fill("get_weather")
    field(page, "messages[1].content[0].input").fill('{"city": "Lisbon", "days": 1.0}')
    press(page, "Add message")
    field(page, "messages[2].content[0].content").fill("21 degrees")
    # Thinking.
    page.get_by_role("radio", name="enabled", exact=True).check()
    settle(page)
    field(page, "thinking.budget_tokens").or_(field(page, "budget_tokens")).fill("2048")
    # Two tools.
    for index, name in enumerate(("get_weather", "packing_list")):
        press(page, "Custom tool")
        field(page, f"tools[{index}].name").fill(name)
        field(page, f"tools[{index}].description").fill(f"About {name}.")
        settle(page)
    page.get_by_role("button", name="Add a cache mark: tools[1].cache_control").click()
    settle(page)
    page.get_by_role("combobox", name="tools[1].cache_control.ttl").select_option("1h")
    settle(page)
    expect(page.locator("#form-counts")).to_contain_text("2 of 4 cache marks")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer")).to_contain_text("end_turn")

    schema = {"type": "object", "properties": {}}
    expected = {
        "model": "sandbox-echo",
        "max_tokens": 9000,
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": CHART_PNG},
                    },
                    {"type": "text", "text": "What is in the chart?", "cache_control": {"type": "ephemeral"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "tool_use",
                        "id": "toolu_01",
                        "name": "get_weather",
                        "input": {"city": "Lisbon", "days": 1.0},
                    }
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "toolu_01", "content": "21 degrees"}],
            },
        ],
        "stream": True,
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "tools": [
            {"name": "get_weather", "input_schema": schema, "description": "About get_weather."},
            {
                "name": "packing_list",
                "input_schema": schema,
                "description": "About packing_list.",
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
            },
        ],
    }
    assert arrived(page) == expected


def arrived(page: Any) -> Any:
    """The body that the sandbox received: its echo model answers with it."""
    path = page.locator("#answer .answer-panel").get_attribute("data-run")
    text = page.request.get(f"/requests/{path}/answer/text/").text()
    return json.loads(re.search(r"\{.*\}", text, re.DOTALL).group())  # type: ignore[union-attr]
