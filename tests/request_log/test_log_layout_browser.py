"""The log and the page of a request measured: no figure is cut, the bars fill their panel, few rows of filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.models import Run
from tests.journeys.test_reflow_browser import broken_run
from tests.sessions import stored
from tests.support import runs
from tests.support.browser import expect, open_whole

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

# Figures of which a part is to be seen: some of their width, in the line that is shown.
CUT_FIGURES = """line => [...line.children].filter((figure) => {
  const [box, room] = [figure.getBoundingClientRect(), line.getBoundingClientRect()]
  return box.top < room.bottom - 1 && (box.right > room.right + 0.5 || box.bottom > room.bottom + 1)
}).map((figure) => figure.innerText)"""


@pytest.mark.slow
def test_no_figure_of_a_response_is_cut_and_details_has_those_without_room(
    new_page: Any, log_in: Any, owner: User
) -> None:
    run = broken_run(owner)
    page = new_page(1440, 900)
    log_in(page, owner)
    open_whole(page, f"/requests/{run.pk}/")
    line = page.locator("#answer .figure-line")
    for width in (1440, 1280, 1024, 800, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert line.evaluate(CUT_FIGURES) == [], width
        assert line.bounding_box()["height"] < 24, width
    page.locator("#answer .details-press").click()
    card = page.locator("#answer .details-card")
    for name in ("duration", "first token", "tokens in", "tokens out"):
        expect(card.locator("dt", has_text=name).first).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 1024, 800, 390])
def test_the_bars_of_the_log_fill_their_panel(new_page: Any, log_in: Any, owner: User, width: int) -> None:
    runs.stored_run(owner)
    page = new_page(width, 900)
    log_in(page, owner)
    open_whole(page, "/requests/")
    panel, title, bars = (
        page.locator(selector).first.bounding_box()
        for selector in ("#log-charts .chart", "#log-charts .chart figcaption", "#log-charts [data-days]")
    )
    assert bars["y"] - (title["y"] + title["height"]) <= 20
    assert panel["y"] + panel["height"] - (bars["y"] + bars["height"]) <= 48  # the days stand below
    assert bars["height"] >= 60
    axis = page.locator("#log-charts [data-days] text").evaluate_all(
        "all => all.filter((each) => each.checkVisibility()).map((each) => each.getBoundingClientRect())"
        ".map(({ left, right, bottom }) => [left, right, bottom])"
    )
    assert all(panel["x"] <= left and right <= panel["x"] + panel["width"] for left, right, _ in axis)
    assert all(bottom <= panel["y"] + panel["height"] for _, _, bottom in axis)


def with_long_names(owner: User) -> None:
    name = "Staging gateway of the whole department (eu-west-1)"
    for endpoint in ("messages", "count_tokens"):
        live = runs.live_run(owner, endpoint=endpoint, model="claude-opus-" * 6, connection_name=name)
        run = runs.store(runs.tell(live))
        Run.objects.filter(pk=run.pk).update(
            access_key_name=name, client_session="of an agent", agent="an-agent-of-our-own " * 3
        )


@pytest.mark.slow
def test_long_names_do_not_widen_the_log(new_page: Any, log_in: Any, owner: User) -> None:
    with_long_names(owner)
    page = new_page(1440, 900)
    log_in(page, owner)
    open_whole(page, "/requests/")
    for width in (1680, 1440, 1280, 1024, 800, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        table, panel = page.locator(".log").bounding_box(), page.locator(".log-panel").bounding_box()
        assert table["x"] + table["width"] <= panel["x"] + panel["width"] + 0.5, width
    expect(page.locator("td.model").first).to_have_attribute("title", "claude-opus-" * 6)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_a_chosen_event_is_in_sight_wherever_the_table_is(new_page: Any, log_in: Any, owner: User, width: int) -> None:
    run = runs.stored_run(owner, answer="word " * 150)
    page = new_page(width, 800)
    log_in(page, owner)
    open_whole(page, f"/requests/{run.pk}/")
    page.locator("#answer").get_by_role("tab", name="Events").click()
    page.locator('[data-rows] tr[data-number="5"]').click()
    event = page.locator("[data-at-event]")
    expect(event).to_contain_text("content_block_delta")
    for _ in range(30):  # the row of a later one comes out from behind the event that is shown
        page.get_by_role("button", name="Next event").dispatch_event("click")
    chosen = page.locator('[data-rows] tr[data-number="35"]')
    expect(page.locator("[data-at-event-answer]")).to_contain_text("after event 35")
    expect(chosen).to_be_in_viewport(ratio=1)
    row, shown = chosen.bounding_box(), event.bounding_box()
    assert shown["y"] >= 0
    assert shown["y"] + shown["height"] <= 800
    assert row["y"] + row["height"] <= shown["y"] or row["x"] + row["width"] <= shown["x"] + 1


@pytest.mark.slow
@pytest.mark.parametrize(("width", "rows"), [(1440, 1), (1280, 1), (1024, 1), (390, 4)])
def test_the_filter_takes_few_rows(new_page: Any, log_in: Any, owner: User, width: int, rows: int) -> None:
    stored.work(owner)
    with_long_names(owner)
    page = new_page(width, 800)
    log_in(page, owner)
    for address in ("/requests/", "/requests/?days=7", "/sessions/"):
        page.goto(address)
        tops = page.locator(".filters > :is(label, details)").evaluate_all(
            "all => all.map((each) => Math.round(each.getBoundingClientRect().bottom / 8))"
        )
        assert len(set(tops)) <= rows, address


@pytest.mark.slow
def test_a_headers_value_keeps_its_line_in_a_narrow_panel(new_page: Any, log_in: Any, owner: User) -> None:
    run = runs.stored_run(owner)
    page = new_page(1024, 800)
    log_in(page, owner)
    open_whole(page, f"/requests/{run.pk}/")
    page.locator("#answer").get_by_role("tab", name="Headers").click()
    name, value = page.locator("[data-headers] dt").first.bounding_box(), page.locator("[data-headers] dd").first
    assert value.bounding_box()["y"] >= name["y"] + name["height"] - 1


@pytest.mark.slow
def test_the_role_of_a_message_stands_at_the_top_of_its_picture(new_page: Any, log_in: Any, owner: User) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    body = runs.body_of(messages=[{"role": "user", "content": [{"type": "image", "source": source}]}])
    run = runs.store(runs.tell(runs.live_run(owner, body=body)))
    page = new_page(1440, 900)
    log_in(page, owner)
    open_whole(page, f"/requests/{run.pk}/")
    role, picture = page.locator(".said .who").bounding_box(), page.locator(".said .picture").bounding_box()
    assert abs(role["y"] - picture["y"]) < 8


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390])
def test_going_on_from_the_log_leads_to_the_new_message_which_is_no_problem_yet(
    new_page: Any, log_in: Any, owner: User, width: int
) -> None:
    run = runs.stored_run(owner, "Why is the sky blue?")
    page = new_page(width, 800)
    log_in(page, owner)
    open_whole(page, f"/requests/{run.pk}/")
    page.get_by_label("More for this response").click()
    page.locator("#answer button:visible", has_text="Continue in the playground").click()
    expect(page.locator('[name="messages[2].content"]')).to_be_focused()
    expect(page.locator('[name="messages[2].content"]')).to_be_in_viewport()
    expect(page.get_by_text("Why is the sky blue?").first).to_be_attached()
    expect(page.locator("#problem-tags [data-next-problem]:visible")).to_have_count(0)
    assert "#" not in page.url
