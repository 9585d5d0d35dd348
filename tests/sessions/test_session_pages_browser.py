"""Sessions in a browser: choosing a step by press, key and address, on a wide screen and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground.sharing import parts
from tests.sessions.scripted_agent import Agent
from tests.sessions.stored import StoredSession, work
from tests.sessions.test_shared import published
from tests.support.browser import expect, open_whole

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]


@pytest.fixture
def session(owner: User, live_url: str) -> StoredSession:
    return work(owner)


def opened(page: Any, live_url: str, session: StoredSession, hash_: str = "") -> Any:
    address = live_url.rstrip("/") + reverse("session", args=[session.stored.pk])
    open_whole(page, address + hash_)  # the first step's detail is there, and moves nothing more
    return page


def test_a_step_is_chosen_by_press_key_and_address(
    new_page: Any, log_in: Any, live_url: str, session: StoredSession, owner: User
) -> None:
    page = new_page()
    log_in(page, owner)
    opened(page, live_url, session, "#step-3")
    expect(page.get_by_text(f"Step 3 of {len(session.steps)}")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("article", name="Step 4")).to_be_visible()
    page.locator("#row-6 .what a").click()
    expect(page.get_by_role("article", name="Step 6")).to_be_visible()
    assert page.url.endswith("#step-6")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="Cache miss:")).to_be_visible()


@pytest.mark.parametrize("address", ["/sessions/", "/requests/?group=session"])
def test_a_row_leads_to_its_session_wherever_it_is_clicked(
    page: Any, log_in: Any, session: StoredSession, owner: User, address: str
) -> None:
    log_in(page, owner)
    page.goto(address)
    page.locator("main tbody tr[data-leads]").first.click()
    page.wait_for_url("**/sessions/*/")


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_both_pages_have_no_accessibility_violation(
    new_page: Any, log_in: Any, live_url: str, session: StoredSession, owner: User, axe: Any, width: int
) -> None:
    page = new_page(width=width)
    log_in(page, owner)
    opened(page, live_url, session, "#step-3")
    expect(page.locator("[data-shown-step='3']")).to_have_count(1)
    axe(page, in_both_themes=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(live_url.rstrip("/") + reverse("sessions"))
    axe(page, in_both_themes=True)


@pytest.mark.slow
def test_a_laptops_window_has_a_column_for_each_figure_of_a_step(
    new_page: Any, log_in: Any, live_url: str, session: StoredSession, owner: User
) -> None:
    page = new_page(width=1440, height=900)
    log_in(page, owner)
    opened(page, live_url, session)
    for name in ("stop_reason", "In", "Cache", "Out", "Cost", "First token", "Duration"):
        expect(page.locator(".steps").get_by_role("columnheader", name=name, exact=True)).to_be_visible()
    expect(page.locator("#row-2 .stop")).to_have_text("tool_use")
    narrow = "(row) => [...row.children].some((cell) => cell.scrollWidth > cell.clientWidth)"
    assert not page.locator("#row-2").evaluate(narrow)
    assert not page.locator(".steps thead tr").evaluate(narrow)


def test_on_a_phone_the_step_opens_as_a_sheet(
    new_page: Any, log_in: Any, live_url: str, session: StoredSession, owner: User
) -> None:
    page = new_page(width=390)
    log_in(page, owner)
    opened(page, live_url, session)
    heights = "() => [...document.querySelectorAll('#step-rows tr')].map((row) => row.getBoundingClientRect().height)"
    out_of_sight = page.evaluate(heights)
    page.locator("#row-3").click()
    expect(page.get_by_role("article", name="Step 3")).to_be_visible()
    assert page.evaluate(heights) == out_of_sight  # or rows would move away from under a finger
    page.keyboard.press("Escape")
    expect(page.get_by_role("article", name="Step 3")).to_be_hidden()


@pytest.mark.slow
def test_an_address_leads_to_a_step_whose_row_is_not_there_yet(
    new_page: Any, log_in: Any, live_url: str, session: StoredSession, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.views.sessions.STEPS_AT_FIRST", 6)
    monkeypatch.setattr("playground.views.sessions.STEPS_AT_ONCE", 6)
    page = new_page(height=720)
    log_in(page, owner)
    opened(page, live_url, session, "#step-27")
    expect(page.get_by_role("article", name="Step 27")).to_be_visible()
    expect(page.locator("#row-27")).to_be_in_viewport()
    page.get_by_role("button", name="Show the steps before step").click()
    expect(page.locator("#row-20")).to_have_count(1)


@pytest.fixture
def long(owner: User, live_url: str) -> StoredSession:
    session = StoredSession(owner, "long")
    Agent(session).turns(260)
    return session


@pytest.mark.slow
def test_a_part_of_a_long_session_is_looked_at_by_dragging_or_by_numbers(
    new_page: Any, log_in: Any, live_url: str, long: StoredSession, owner: User
) -> None:
    page = new_page()
    log_in(page, owner)
    opened(page, live_url, long, "#step-3")
    expect(page.get_by_role("article", name="Step 3")).to_be_visible()
    box = page.locator("[data-brush] svg").bounding_box()
    y = box["y"] + 40
    page.mouse.move(box["x"] + box["width"] * 0.4, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.move(box["x"] + box["width"] * 0.6, y)
    page.mouse.up()
    expect(page.get_by_role("button", name="All 260 steps")).to_be_visible()
    first = int(page.locator("[data-span] [name=from]").input_value())
    assert 60 < first < 140
    page.locator("#span-from").fill("10")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline-scroll a[data-step='10']")).to_have_count(1)
    page.locator("#span-to").fill("20")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline-scroll a[data-step='20']")).to_have_count(1)
    expect(page.locator(".timeline-scroll a[data-step]:not(.flag-word)")).to_have_count(11)
    page.get_by_role("button", name="All 260 steps").click()
    expect(page.get_by_role("button", name="All 260 steps")).to_have_count(0)


@pytest.mark.slow
def test_a_long_session_scrolls_to_its_last_step(
    new_page: Any, log_in: Any, live_url: str, long: StoredSession, owner: User
) -> None:
    page = new_page(height=720)
    log_in(page, owner)
    opened(page, live_url, long)
    rows = page.locator("#step-rows tr[data-step]")
    for shown in (50, 250, 260):
        expect(rows).to_have_count(shown)
        page.locator(f"#row-{shown}").scroll_into_view_if_needed()  # not the last row, which is another one by then
    expect(page.locator("#row-260")).to_be_in_viewport()
    expect(page.locator("#step-rows .more-row")).to_have_count(0)
    numbers = rows.evaluate_all("rows => rows.map((row) => Number(row.dataset.step))")
    assert numbers == list(range(1, 261))


@pytest.mark.slow
def test_readers_of_a_link_choose_steps_too(
    new_page: Any, log_in: Any, live_url: str, session: StoredSession, owner: User, axe: Any
) -> None:
    _, token = published(session, *parts.defaults("session"))
    page = new_page()
    page.goto(f"{live_url.rstrip('/')}/s/{token}/#step-6")
    expect(page.get_by_role("article", name="Step 6")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("article", name="Step 7")).to_be_visible()
    axe(page, in_both_themes=True)
