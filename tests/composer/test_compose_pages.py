"""The playground page as a whole: by keyboard, by assistive technology, in both themes, narrow, and in two tabs."""

from __future__ import annotations

from typing import Any

import pytest

from playground.composer.request_examples import BY_ID
from playground.models import Draft
from playground.protocol.json import json_text
from tests.composer.test_compose_browser import body_of_draft, field, open_playground, press
from tests.support.browser import expect, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]

EVERYTHING: dict[str, Any] = {
    "model": "claude-opus-4-5",
    "max_tokens": 8192,
    "system": [{"type": "text", "text": "Speak {{language}}.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        BY_ID["vision"].body["messages"][0],
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Deploys first.", "signature": "EqoB"},
                {"type": "tool_use", "id": "toolu_01", "name": "list_deploys", "input": {"service": "a"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_01", "content": [{"type": "text", "text": "d-1"}]},
                {"type": "hologram", "beam": 3},
            ],
        },
    ],
    "stream": True,
    "thinking": {"type": "enabled", "budget_tokens": 9000},
    "tools": [
        *BY_ID["tools"].body["tools"],
        {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.example"]},
        {"type": "mcp_toolset", "mcp_server_name": "files", "configs": {"read": {"enabled": True}}},
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "stop_sequences": ["END"],
    "metadata": {"user_id": None},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": 3}}]},
    "unknown_member": {"z": [1, 2.0]},
}


def begin_with(page: Any, body: Any) -> None:
    """Open the page, and give this browser's visitor a draft with the body."""
    open_playground(page)
    field(page, "max_tokens").fill("5")
    settle(page)
    Draft.objects.update(body=json_text.dump(body).encode())
    open_playground(page)


def type_json(page: Any, text: str) -> None:
    """Replace the whole text in the JSON editor, as pasting does."""
    page.get_by_role("tab", name="JSON", exact=True).first.click()
    expect(page.locator(".json-editor-place")).to_be_visible()
    page.locator(".json-editor-place textarea").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    settle(page)


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_the_whole_form_is_accessible_in_both_themes_and_does_not_scroll_sideways(
    new_page: Any, axe: Any, width: int
) -> None:
    page = new_page(width=width)
    begin_with(page, EVERYTHING)
    for closed in page.locator("#ask details:not(.menu)").all():
        closed.evaluate("part => { part.open = true }")
    axe(page, in_both_themes=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.slow
def test_the_json_view_and_the_dialogs_are_accessible(page: Any, axe: Any) -> None:
    begin_with(page, EVERYTHING)
    page.get_by_role("button", name="Choose a model").click()
    expect(page.locator('[data-model="sandbox-echo"]')).to_be_visible()
    axe(page, "#models-dialog")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="JSON", exact=True).first.click()
    expect(page.locator(".json-editor-place")).to_be_visible()
    axe(page)


@pytest.mark.slow
def test_the_form_can_be_filled_and_sent_with_the_keyboard_alone(page: Any) -> None:
    open_playground(page)
    field(page, "max_tokens").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")  # the menu of system hides until it has the focus
    while page.evaluate("document.activeElement.name") != "messages[0].content":
        page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("Tell me a story")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Add text to messages[0].content"
    page.keyboard.press("Enter")
    settle(page)
    page.keyboard.insert_text("And a second block")
    settle(page)
    page.keyboard.press("Alt+ArrowUp")
    settle(page)
    content = body_of_draft()["messages"][0]["content"]
    assert [block["text"] for block in content] == ["And a second block", "Tell me a story"]
    assert body_of_draft()["max_tokens"] == 1025
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer")).to_contain_text("end_turn")


@pytest.mark.slow
def test_escape_stops_a_run(page: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 1.0
    open_playground(page)
    field(page, "model").fill("sandbox-slow")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-stop-run]")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator("#answer")).to_contain_text("Stopped by you")
    expect(page.locator("[data-stop-run]")).to_be_disabled()


@pytest.mark.slow
def test_a_stop_in_the_moment_the_answer_appears_is_not_lost(page: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 1.0
    open_playground(page)
    field(page, "model").fill("sandbox-slow")
    settle(page)
    page.evaluate(  # htmx tells of the swap before it has settled what it swapped in
        """document.addEventListener("htmx:afterSwap", () => {
          if (document.querySelector("#answer [data-stop]"))
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))
        })"""
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer")).to_contain_text("Stopped by you")


def test_problems_stand_at_their_fields_and_one_click_mends_them(page: Any) -> None:
    begin_with(page, EVERYTHING)
    budget = page.get_by_label("budget_tokens", exact=True)
    expect(budget).to_have_attribute("aria-invalid", "true")
    problem = page.locator('#ask .problem[id][data-path="thinking.budget_tokens"]')
    assert problem.get_attribute("id") in budget.get_attribute("aria-describedby")
    problem.get_by_role("button").click()
    settle(page)
    expect(page.locator('#ask .problem[id][data-path="thinking.budget_tokens"]')).to_have_count(0)
    assert body_of_draft()["max_tokens"] > 9000


@pytest.mark.slow
def test_a_body_goes_through_both_views_unchanged(page: Any) -> None:
    members = ['"model": "m"', '"max_tokens": 10', '"x": 1.0', '"big": 12345678901234567890', '"none": null', '"a": {}']
    text = "{" + ", ".join([*members, '"messages": []']) + "}"
    open_playground(page)
    type_json(page, text)
    page.get_by_role("tab", name="Form", exact=True).first.click()
    expect(field(page, "max_tokens")).to_have_value("10")
    field(page, "max_tokens").fill("11")
    settle(page)
    kept = json_text.dump(json_text.parse(Draft.objects.get().body_text), indent=None)
    assert kept.replace(" ", "") == text.replace(" ", "").replace(":10,", ":11,")


def test_json_with_a_mistake_is_marked_at_its_line_and_kept(page: Any) -> None:
    open_playground(page)
    type_json(page, '{\n"model": oops\n}')
    expect(page.locator(".ace_gutter-cell.ace_error")).to_have_text("2")
    page.reload()
    expect(page.locator('[data-mode="json"][aria-selected="true"]')).to_be_visible()
    assert "oops" in Draft.objects.get().body_text


@pytest.mark.slow
def test_two_tabs_do_not_overwrite_each_other_silently(new_page: Any) -> None:
    page = new_page()
    open_playground(page)
    field(page, "max_tokens").fill("100")
    settle(page)
    other = page.context.new_page()
    open_playground(other)
    field(other, "max_tokens").fill("200")
    settle(other)
    field(page, "messages[0].content").fill("From the first tab")
    expect(page.locator("#conflict")).to_contain_text("changed in another tab")
    assert "From the first tab" not in Draft.objects.get().body_text
    page.get_by_role("button", name="Apply my changes").click()
    expect(page.locator("#conflict")).to_be_empty()
    settle(page)
    assert body_of_draft()["max_tokens"] == 200
    assert body_of_draft()["messages"][0]["content"] == "From the first tab"
    new_page.noise.clear()  # Chromium reports the 409 itself


@pytest.mark.slow
def test_what_was_typed_into_a_turn_that_moved_meanwhile_is_asked_about(new_page: Any) -> None:
    page = new_page()
    open_playground(page)
    field(page, "messages[0].content").fill("To stay")
    press(page, "Add message")
    field(page, "messages[1].content").fill("Second")
    settle(page)
    other = page.context.new_page()
    open_playground(other)
    other.get_by_label("More for messages[0]", exact=True).click()
    other.locator("[data-op=remove][data-path='messages[0]']").click()
    settle(other)
    field(page, "messages[1].content").fill("For the second")
    page.get_by_role("button", name="Apply my changes").click()
    expect(page.locator("#conflict")).to_contain_text("messages[1].content")
    assert "For the second" not in Draft.objects.get().body_text
    page.get_by_role("button", name="Apply my changes anyway").click()
    expect(page.locator("#conflict")).to_be_empty()
    new_page.noise.clear()  # Chromium reports the 409 itself


def test_an_image_from_the_clipboard_becomes_a_block(page: Any) -> None:
    open_playground(page)
    field(page, "messages[0].content").focus()
    page.evaluate(
        """async (base64) => {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
          const data = new DataTransfer()
          data.items.add(new File([bytes], "pasted.png", { type: "image/png" }))
          const options = { clipboardData: data, bubbles: true, cancelable: true }
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", options))
        }""",
        BY_ID["vision"].body["messages"][0]["content"][0]["source"]["data"],
    )
    expect(page.locator(".attachment img")).to_be_visible()
    settle(page)
    assert [block["type"] for block in body_of_draft()["messages"][0]["content"]] == ["image", "text"]


@pytest.mark.slow
def test_a_variable_gets_its_input_as_soon_as_it_is_written(page: Any) -> None:
    open_playground(page)
    field(page, "messages[0].content").fill("A story about {{animal}}")
    expect(page.get_by_label("animal", exact=True)).to_be_visible()
    page.get_by_label("animal", exact=True).fill("an owl")
    settle(page)
    expect(page.locator("#snippet-code")).to_contain_text("A story about an owl")
    expect(page.locator("#problem-tags")).to_have_text("")


@pytest.mark.slow
def test_the_snippet_follows_the_language_and_stays_with_it(page: Any) -> None:
    open_playground(page)
    page.get_by_role("tab", name="Python", exact=True).click()
    expect(page.locator("#snippet-code")).to_contain_text("import anthropic")
    field(page, "max_tokens").fill("123")
    expect(page.locator("#snippet-code")).to_contain_text("123")
    page.reload()
    expect(page.locator("#snippet-code")).to_contain_text("import anthropic")


@pytest.mark.slow
def test_a_long_conversation_is_folded_and_opens_where_one_looks(page: Any) -> None:
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"Turn {n}"} for n in range(301)]
    begin_with(page, {"model": "m", "max_tokens": 9, "messages": turns})
    assert page.locator("#ask .turn").count() < 60
    page.locator(".turn-gap > button").first.click()
    page.get_by_role("button", name="messages[2]").click()
    field(page, "messages[2].content").fill("Changed")
    settle(page)
    press(page, "Add message")
    expect(field(page, "messages[2].content")).to_have_value("Changed")
    messages = body_of_draft()["messages"]
    assert (len(messages), messages[2]["content"]) == (302, "Changed")


@pytest.mark.slow
def test_at_390_px_try_it_is_always_in_reach(new_page: Any) -> None:
    page = new_page(width=390, height=800)
    begin_with(page, EVERYTHING)
    assert page.locator("#try-it").is_visible()
    box = page.locator("#run").bounding_box()
    assert box["y"] + box["height"] <= 801


@pytest.mark.slow
def test_a_link_fills_the_form_and_replaces_the_draft_only_when_something_is_changed(page: Any) -> None:
    begin_with(page, EVERYTHING)
    page.goto("/?model=sandbox-echo&prompt=From+a+link&max_tokens=310")
    expect(field(page, "messages[0].content")).to_have_value("From a link")
    page.reload()
    page.goto("/")
    assert body_of_draft()["model"] == "claude-opus-4-5"
    page.goto("/?model=sandbox-echo&prompt=From+a+link&max_tokens=310")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer")).to_contain_text("end_turn")
    assert body_of_draft()["messages"] == [{"role": "user", "content": "From a link"}]


@pytest.mark.slow
def test_a_schema_that_is_no_json_is_marked_at_its_line_in_its_own_editor(page: Any) -> None:
    open_playground(page)
    press(page, "Custom tool")
    page.get_by_label("tools[0].input_schema as JSON").click()
    editor = page.locator('json-editor[data-for="f-tools-0-input_schema"]')
    editor.scroll_into_view_if_needed()
    expect(editor.locator(".json-editor-place")).to_be_visible()
    editor.locator("textarea.ace_text-input").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text('{\n  "type": object\n}')
    expect(editor.locator(".ace_gutter-cell.ace_error")).to_have_text("2")
    assert body_of_draft()["tools"][0]["input_schema"] == {"type": "object", "properties": {}}


@pytest.mark.slow
def test_the_models_of_the_connection_are_offered_with_what_they_take(page: Any) -> None:
    open_playground(page)
    page.get_by_role("button", name="Choose a model").click()
    page.locator('[data-model="sandbox-thinker"]').click()
    settle(page)
    expect(field(page, "model")).to_have_value("sandbox-thinker")
    expect(page.locator("#model-facts")).to_contain_text("1,000,000 tokens of context")
    page.get_by_label("More ways to send").click()
    page.get_by_role("button", name="Count tokens").click()
    expect(page.locator("#token-count")).to_contain_text("input tokens")


@pytest.mark.slow
def test_turns_are_moved_by_dragging(page: Any) -> None:
    open_playground(page)
    press(page, "Add message")
    field(page, "messages[1].content").fill("the second")
    settle(page)
    page.locator(".turn [data-grip]").nth(1).drag_to(page.locator(".turn").first)
    expect(field(page, "messages[0].content")).to_have_value("the second")
    assert body_of_draft()["messages"][0]["content"] == "the second"


@pytest.mark.slow
def test_several_files_are_dropped_at_once_and_what_cannot_be_sent_is_said(new_page: Any) -> None:
    page = new_page()
    open_playground(page)
    page.evaluate(
        """(base64) => {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
          const data = new DataTransfer()
          data.items.add(new File([bytes], "one.png"))
          data.items.add(new File(["plain words"], "two.txt"))
          data.items.add(new File([new Uint8Array([0, 1, 2, 255])], "three.exe"))
          const turn = document.querySelector('[name="messages[0].content"]')
          turn.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }))
        }""",
        BY_ID["vision"].body["messages"][0]["content"][0]["source"]["data"],
    )
    expect(page.locator(".upload[data-tone=bad]")).to_contain_text(
        "three.exe: this is not a JPEG, PNG, GIF, WebP, PDF or plain text file"
    )
    expect(page.locator("#ask .block[data-type=document]")).to_be_visible()
    settle(page)
    content = body_of_draft()["messages"][0]["content"]
    assert [block["type"] for block in content] == ["image", "document", "text"]
    assert content[1]["title"] == "two.txt"
    new_page.noise.clear()  # Chromium reports the 415 itself


@pytest.mark.slow
def test_where_a_dragged_file_would_go_is_marked_until_it_is_dropped_or_leaves(page: Any) -> None:
    open_playground(page)
    drag = """([type, on, to]) => {
      const data = new DataTransfer()
      data.items.add(new File(["plain words"], "notes.txt"))
      const place = document.querySelector(on)
      const options = { dataTransfer: data, bubbles: true, cancelable: true, relatedTarget: document.querySelector(to) }
      place.dispatchEvent(new DragEvent(type, options))
    }"""
    marked = page.locator("#ask .turn[data-over]")
    over_turn = '[name="messages[0].content"]'
    page.evaluate(drag, ["dragover", over_turn, "body"])
    expect(marked).to_have_css("outline-style", "dashed")
    page.evaluate(drag, ["dragover", "#intro", "body"])
    expect(marked).to_have_count(0)
    page.evaluate(drag, ["dragover", over_turn, "body"])
    expect(marked).to_have_count(1)
    page.evaluate(drag, ["dragleave", over_turn, "#response"])
    expect(marked).to_have_count(0)
    page.evaluate(drag, ["dragover", over_turn, "body"])
    page.evaluate(drag, ["drop", over_turn, "body"])
    expect(marked).to_have_count(0)
    expect(page.locator("#ask .block[data-type=document]")).to_be_visible()
