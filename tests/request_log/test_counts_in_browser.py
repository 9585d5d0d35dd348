"""Token counts in a browser: their line appears live, the filter leaves them out, and their page has what they have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from django.urls import reverse

from accounts.models import AccessKey
from playground.models import Run
from tests.support import runs
from tests.support.browser import expect, open_whole
from tests.support.examples import one_of_each

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
ROWS = "#log-rows tr[data-run-id]"
ASK = [{"role": "user", "content": "How long is the sky?"}]


def store_count(owner: User) -> Run:
    body = json.dumps({"model": "claude-sonnet-4-5-20250929", "messages": ASK}).encode()
    about = {"endpoint": "count_tokens", "source": "relay", "stream": False, "model": "claude-sonnet-4-5-20250929"}
    return runs.store(runs.tell(runs.live_run(owner, body=body, **about), b'{"input_tokens": 1234}'))


def test_a_count_appears_in_the_log_unless_the_filter_leaves_it_out(
    new_page: Any, live_url: str, log_in: Any, owner: User
) -> None:
    secret = AccessKey.objects.issue(owner=owner, name="laptop")[1]
    page = new_page()
    log_in(page, owner)
    page.goto("/requests/")
    page.locator(".more-filters summary").click()
    page.get_by_label("Endpoint").select_option("messages")
    expect(page).to_have_url("/requests/?endpoint=messages")
    expect(page.locator("[data-live-tag]")).to_be_visible()
    with anthropic.Anthropic(base_url=live_url, api_key=secret, max_retries=0) as client:
        client.messages.count_tokens(model="sandbox-stories", messages=ASK)
        client.messages.create(model="sandbox-stories", max_tokens=20, messages=ASK)
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(f"{ROWS} .tag")).to_have_count(0)
    page.get_by_label("Endpoint").select_option("")
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator(f"{ROWS} .tag")).to_have_text("count_tokens")


@pytest.mark.parametrize("width", one_of_each([390, 1440]))
def test_the_line_and_the_page_of_a_count_can_be_read_everywhere(
    new_page: Any, live_url: str, log_in: Any, owner: User, axe: Any, width: int
) -> None:
    run = store_count(owner)
    page = new_page(width=width)
    log_in(page, owner)
    open_whole(page, "/requests/")
    chip, line = page.locator(f"{ROWS} .tag").bounding_box(), page.locator(ROWS).bounding_box()
    time = page.locator(f"{ROWS} time").bounding_box()
    assert chip["x"] + chip["width"] <= line["x"] + line["width"]
    assert width > 390 or chip["x"] + chip["width"] <= time["x"]
    axe(page, in_both_themes=True)
    open_whole(page, reverse("run", args=[run.pk]))
    expect(page.locator("#answer").get_by_text("Token count: 1,234 input tokens")).to_be_visible()
    axe(page, in_both_themes=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_tabs_of_a_count_leave_out_the_events_for_the_keyboard_too(
    new_page: Any, live_url: str, log_in: Any, owner: User
) -> None:
    run = store_count(owner)
    page = new_page()
    log_in(page, owner)
    open_whole(page, reverse("run", args=[run.pk]))
    answer = page.locator("#answer")
    expect(answer.get_by_role("tab", name="Events")).to_be_hidden()
    answer.get_by_role("tab", name="Count").focus()
    page.keyboard.press("ArrowRight")
    expect(answer.get_by_role("tab", name="JSON")).to_be_focused()
    expect(answer.get_by_role("tabpanel", name="JSON")).to_contain_text('"input_tokens": 1234')
