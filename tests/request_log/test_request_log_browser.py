"""The request log in a browser: lines that appear by themselves, scrolling, Back, the selection, the keyboard."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from accounts.models import AccessKey
from playground.models import Run
from playground.models.run import first_id_at
from tests.support import runs
from tests.support.browser import expect

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = "#log-rows tr[data-run-id]"


def send(live_url: str, owner: User, text: str = "Hello", model: str = "sandbox-stories", **more: Any) -> None:
    """A request of an SDK client, to its end."""
    secret = AccessKey.objects.issue(owner=owner, connection=None, name="laptop")[1]
    body = {"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": text}], **more}
    headers = {"x-api-key": secret, "user-agent": "Anthropic/Python 2.12.0"}
    httpx.post(f"{live_url.rstrip('/')}/v1/messages", content=json.dumps(body), headers=headers, timeout=60)


def many(owner: User, count: int) -> None:
    for number in range(count):
        live = runs.live_run(owner, body=runs.body_of(f"Question {number}"))
        live.id = uuid.UUID(int=first_id_at(datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)).int + number)
        runs.store(runs.tell(live))


def test_a_request_appears_without_a_reload(page: Any, live_url: str, log_in: Any, owner: User, stranger: User) -> None:
    log_in(page, owner)
    page.goto("/requests/")
    expect(page.get_by_text("No requests yet")).to_be_visible()
    expect(page.locator("[data-live-tag]")).to_be_visible()
    send(live_url, stranger)
    send(live_url, owner)
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(f"{ROWS} .status")).to_have_text("200")
    expect(page.locator(f"{ROWS} .agent")).to_have_text("anthropic-python 2.12.0")
    expect(page.get_by_text("No requests yet")).to_have_count(0)
    send(live_url, owner, model="sandbox-error-529")
    expect(page.locator(f"{ROWS} .status").first).to_have_text("529")


@pytest.mark.slow
def test_only_what_fits_the_filter_appears(page: Any, live_url: str, log_in: Any, owner: User) -> None:
    log_in(page, owner)
    page.goto("/requests/?status=5xx")
    expect(page.locator("[data-live-tag]")).to_be_visible()
    send(live_url, owner)
    send(live_url, owner, model="sandbox-error-500")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(f"{ROWS} .status")).to_have_text("500")


def test_recent_requests_are_live_on_the_playground(page: Any, live_url: str, log_in: Any, owner: User) -> None:
    log_in(page, owner)
    with page.expect_websocket():
        page.goto("/")
    expect(page.locator("#recent-requests [data-empty]")).to_be_attached()
    send(live_url, owner)
    expect(page.locator("#recent-requests tr[data-run-id]")).to_have_count(1)


@pytest.mark.slow
def test_a_visitor_is_told_to_log_in_for_the_history(page: Any) -> None:
    page.goto("/")
    expect(page.get_by_text("Log in to see full request history")).to_be_visible()


@pytest.mark.slow
def test_older_lines_come_when_the_end_is_reached_and_back_finds_the_place_again(
    page: Any, log_in: Any, owner: User
) -> None:
    many(owner, 130)
    log_in(page, owner)
    page.goto("/requests/")
    expect(page.locator(ROWS)).to_have_count(50)
    page.locator("tr.older").scroll_into_view_if_needed()
    expect(page.locator(ROWS)).to_have_count(100)
    expect(page).to_have_url(re.compile(r"rows=100"))
    chosen = page.locator(ROWS).nth(80)
    run_id = chosen.get_attribute("data-run-id")
    chosen.locator("td.time a").click()
    expect(page).to_have_url(re.compile(run_id))
    page.go_back()
    expect(page.locator(f'[data-run-id="{run_id}"]')).to_be_in_viewport()


def test_a_row_leads_to_its_request_wherever_it_is_clicked(page: Any, log_in: Any, owner: User) -> None:
    run = runs.stored_run(owner)
    log_in(page, owner)
    page.goto("/requests/")
    page.locator(f"{ROWS} .pick").click(position={"x": 2, "y": 2})
    page.locator(f"{ROWS} .pick input").check()  # choosing a row leaves the log open
    expect(page).to_have_url(re.compile(r"/requests/$"))
    for how in ({"modifiers": ["ControlOrMeta"]}, {"button": "middle"}):
        with page.context.expect_page() as opening:
            page.locator(f"{ROWS} td.agent").click(**how)
        expect(opening.value).to_have_url(re.compile(f"/requests/{run.pk}/$"))
    page.locator(f"{ROWS} td.agent").click()
    expect(page).to_have_url(re.compile(f"/requests/{run.pk}/$"))


@pytest.mark.slow
def test_a_phone_shows_the_first_request_without_scrolling(new_page: Any, log_in: Any, owner: User) -> None:
    runs.stored_run(owner)
    page = new_page(width=390, height=844)
    log_in(page, owner)
    page.goto("/requests/")
    expect(page.locator("#log-charts")).to_be_visible()
    row = page.locator(ROWS).bounding_box()
    assert row["y"] + row["height"] <= 844


@pytest.mark.slow
def test_more_filters_stand_apart_and_the_button_stays_where_it_was_pressed(
    new_page: Any, log_in: Any, owner: User
) -> None:
    for width in (1280, 390):
        page = new_page(width=width)
        log_in(page, owner)
        page.goto("/requests/")
        more = page.locator(".more-filters > summary")
        before = more.bounding_box()
        more.click()
        expect(page.get_by_label("From", exact=True)).to_be_visible()
        assert more.bounding_box() == before
        field = "f => f.getBoundingClientRect().toJSON()"
        boxes = [page.get_by_label(name, exact=True).evaluate(field) for name in ("From", "To", "Longer than, s")]
        for left, right in pairwise(boxes):
            if left["y"] == right["y"]:
                assert left["right"] + 4 <= right["x"]
            else:
                assert left["bottom"] < right["y"]


def test_a_filter_goes_into_the_address_and_back_takes_it_away(page: Any, log_in: Any, owner: User) -> None:
    runs.failed_run(owner)
    runs.stored_run(owner)
    log_in(page, owner)
    page.goto("/requests/")
    page.locator('select[name="status"]').select_option("5xx")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/requests/\?status=5xx$"))
    page.get_by_label("Search").fill("overloaded")
    expect(page).to_have_url(re.compile(r"q=overloaded"))
    expect(page.locator(ROWS)).to_have_count(1)
    page.go_back()
    expect(page.get_by_label("Search")).to_have_value("")
    expect(page.locator("[data-live-tag]")).to_be_visible()
    page.go_back()
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator('select[name="status"]')).to_have_value("")


def test_selected_requests_are_deleted_after_a_question(page: Any, log_in: Any, owner: User) -> None:
    kept, first, second = (runs.stored_run(owner) for _ in range(3))
    log_in(page, owner)
    page.goto("/requests/")
    expect(page.locator(".bulk")).to_be_hidden()
    for run in (first, second):
        page.locator(f'input[value="{run.pk}"]').check()
    expect(page.locator("[data-selected]")).to_have_text("2 selected")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("2 requests deleted.")).to_be_visible()
    assert list(Run.objects.values_list("pk", flat=True)) == [kept.pk]


@pytest.mark.slow
def test_two_selected_requests_are_compared(page: Any, log_in: Any, owner: User, axe: Any) -> None:
    runs.stored_run(owner, answer="The sky is blue.")
    runs.stored_run(owner, answer="The sea is blue.")
    log_in(page, owner)
    page.goto("/requests/")
    page.locator("[data-select-all]").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare requests")).to_be_visible()
    expect(page.locator("ins")).to_have_text("sea")
    axe(page)


@pytest.mark.slow
def test_selected_requests_are_downloaded(page: Any, log_in: Any, owner: User) -> None:
    run = runs.stored_run(owner)
    log_in(page, owner)
    page.goto("/requests/")
    page.locator("[data-select-all]").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    saved = page._thread.call(lambda: str(download._target.value.path()))
    assert str(run.pk) in Path(saved).read_text()
    expect(page.locator("[data-progress]")).to_have_text(re.compile(r"Exported\s+\d+ requests?\."))


@pytest.mark.slow
def test_the_keyboard_steps_to_older_and_newer_runs(page: Any, log_in: Any, owner: User) -> None:
    old, new = runs.stored_run(owner), runs.stored_run(owner)
    log_in(page, owner)
    page.goto(f"/requests/{new.pk}/")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(str(old.pk)))
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile(str(new.pk)))
    page.get_by_label("Note").fill("just so")
    expect(page).to_have_url(re.compile(str(new.pk)))


def test_a_note_and_a_star_stay(page: Any, log_in: Any, owner: User) -> None:
    run = runs.stored_run(owner)
    log_in(page, owner)
    page.goto(f"/requests/{run.pk}/")
    page.get_by_label("Note").fill("Slow today.")
    page.get_by_label("Star").click()
    expect(page.get_by_label("Star")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Saved at")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Note")).to_have_value("Slow today.")
    expect(page.get_by_label("Star")).to_have_attribute("aria-pressed", "true")


@pytest.mark.slow
def test_the_request_is_shown_as_turns_json_headers_and_code(page: Any, log_in: Any, owner: User) -> None:
    run = runs.stored_run(owner, "Why is the sky blue?")
    log_in(page, owner)
    page.goto(f"/requests/{run.pk}/")
    expect(page.locator("#sent-turns")).to_contain_text("Why is the sky blue?")
    tabs = page.get_by_role("tablist", name="Request as")
    tabs.get_by_role("tab", name="JSON").click()
    expect(page.locator("#request-json")).to_contain_text('"max_tokens": 1024')
    tabs.get_by_role("tab", name="Headers").click()
    expect(page.locator("#sent-headers")).to_contain_text("••••f3a9")
    tabs.get_by_role("tab", name="Code").click()
    expect(page.locator("#request-code")).to_contain_text("curl")
    page.get_by_label("Code in").select_option("python")
    expect(page.locator("#request-code")).to_contain_text("import anthropic")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_page_of_the_log_can_be_used_by_everybody(
    new_page: Any, log_in: Any, axe: Any, owner: User, width: int, scheme: str
) -> None:
    first, second = runs.stored_run(owner), runs.failed_run(owner)
    page = new_page(width=width, color_scheme=scheme)
    log_in(page, owner)
    addresses = ["", "?status=4xx", "?group=session", "?state=failed", f"{first.pk}/", f"{second.pk}/"]
    for address in [*addresses, f"compare/?a={first.pk}", f"compare/?a={first.pk}&b={second.pk}"]:
        page.goto(f"/requests/{address}")
        page.wait_for_load_state("networkidle")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.slow
@pytest.mark.parametrize(("width", "rows", "height"), [(1280, 2, 64), (1024, 2, 64), (390, 3, 192)])
def test_the_head_of_a_request_takes_few_rows_and_its_menu_is_in_sight(
    new_page: Any, log_in: Any, owner: User, width: int, rows: int, height: int
) -> None:
    run = runs.stored_run(owner)
    runs.stored_run(owner)
    page = new_page(width=width, height=844)
    log_in(page, owner)
    page.goto(f"/requests/{run.pk}/")
    middles = page.locator(".run-head > *").evaluate_all(
        "all => all.map((each) => { const box = each.getBoundingClientRect(); return box.y + box.height / 2 })"
    )
    assert 1 + sum(below - above > 16 for above, below in pairwise(sorted(middles))) <= rows
    assert page.locator(".run-head").bounding_box()["height"] <= height
    page.get_by_label("More actions").click()
    for name in ("Compare…", "Share…", "JSON", "HAR", "Request body as sent"):
        page.locator(".run-actions").get_by_role("link", name=name, exact=True).click(trial=True)
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("dialog", name="Delete this request?")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1024, 768), (390, 844)])
def test_send_results_is_in_sight_on_the_page_of_a_request(
    new_page: Any, live_url: str, log_in: Any, owner: User, width: int, height: int
) -> None:
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("get_weather", "packing_list", "get_time")]
    send(
        live_url,
        owner,
        "Call get_weather, packing_list and get_time",
        model="sandbox-tools",
        tools=tools,
        max_tokens=500,
    )
    page = new_page(width=width, height=height)
    log_in(page, owner)
    page.goto("/requests/")
    run_id = page.locator(ROWS).get_attribute("data-run-id")
    page.goto(f"/requests/{run_id}/")
    foot = page.locator(".send-results")
    page.locator("[data-result]").first.scroll_into_view_if_needed()
    box = foot.bounding_box()
    assert box["y"] + box["height"] <= height + 1
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    panel = page.locator("#answer").bounding_box()
    assert foot.bounding_box()["y"] + box["height"] <= panel["y"] + panel["height"] + 1


@pytest.mark.slow
def test_a_response_in_the_log_has_no_tab_without_a_view(page: Any, log_in: Any, owner: User) -> None:
    run = runs.failed_run(owner)
    log_in(page, owner)
    page.goto(f"/requests/{run.pk}/")
    tabs = page.get_by_role("tablist", name="Response as").get_by_role("tab")
    expect(tabs.filter(visible=True)).to_have_count(4)
    for tab in tabs.filter(visible=True).all():
        tab.click()
        expect(page.locator("#answer").get_by_role("tabpanel").filter(visible=True)).to_have_count(1)


@pytest.mark.slow
def test_running_again_leads_to_the_new_runs_page(page: Any, live_url: str, log_in: Any, owner: User) -> None:
    send(live_url, owner)
    log_in(page, owner)
    page.goto("/requests/")
    page.locator(f"{ROWS} td.time a").first.click()
    first = page.locator("[data-run-page]").get_attribute("data-run-page")
    page.wait_for_load_state("load")  # a button does nothing before the page's scripts are there
    page.get_by_role("button", name="Run again", exact=True).first.click()
    expect(page).not_to_have_url(re.compile(first))
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
    expect(page.locator("[data-step=older]")).to_have_count(1)


@pytest.mark.slow
def test_what_the_filter_finds_is_downloaded_and_the_page_says_how_much(page: Any, log_in: Any, owner: User) -> None:
    runs.stored_run(owner)
    log_in(page, owner)
    page.goto("/requests/")
    page.locator("summary").filter(has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Filtered requests as JSONL").click()
    saved = page._thread.call(lambda: str(download._target.value.path()))
    assert json.loads(Path(saved).read_text())["state"] == "completed"
    expect(page.get_by_text("Exported 1 request.")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("address", ["/requests/", "/accounts/"])
def test_the_zip_of_the_account_tells_how_far_it_is(page: Any, log_in: Any, owner: User, address: str) -> None:
    many(owner, 3)
    log_in(page, owner)
    page.goto(address)
    if address == "/requests/":
        page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("as ZIP|Export my data")).click()
    assert download.value.suggested_filename.endswith(".zip")
    expect(page.locator("[data-progress]")).to_have_text("Exported 3 requests.")


@pytest.mark.slow
def test_on_the_page_of_a_request_only_the_page_scrolls(new_page: Any, log_in: Any, owner: User) -> None:
    page = new_page(1440, 900)
    log_in(page, owner)
    run = runs.stored_run(owner, answer=" ".join(f"word{number}" for number in range(200)))
    page.goto(f"/requests/{run.pk}/")
    page.locator("#answer").get_by_role("tab", name="Events").click()
    expect(page.locator('[data-rows] tr[data-number="1"]')).to_be_visible()
    assert (
        page.locator("main").evaluate(
            """main => [...main.querySelectorAll("*")].filter((element) => element.tagName !== "TEXTAREA"
          && /auto|scroll/.test(getComputedStyle(element).overflowY)
          && element.scrollHeight > element.clientHeight + 1).map((element) => element.className)"""
        )
        == []
    )
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last = page.locator(f'[data-rows] tr[data-number="{run.event_count}"]')
    expect(last).to_be_visible()
    last.click()
    expect(page.locator("[data-at-event-answer]")).to_contain_text(f"after event {run.event_count}")
    expect(page.locator("[data-at-event]")).to_be_in_viewport()
