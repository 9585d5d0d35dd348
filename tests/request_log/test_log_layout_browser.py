"""The log and the page of a request measured: no figure is cut, the bars fill their panel, few rows of filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_reflow_browser import broken_run
from tests.sessions import stored
from tests.support import runs
from tests.support.browser import expect, open_whole

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]

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


@pytest.mark.slow
@pytest.mark.parametrize(("width", "rows"), [(1440, 1), (1280, 1), (1024, 1), (390, 4)])
def test_the_filter_takes_few_rows(new_page: Any, log_in: Any, owner: User, width: int, rows: int) -> None:
    stored.work(owner)
    page = new_page(width, 800)
    log_in(page, owner)
    for address in ("/requests/", "/sessions/"):
        page.goto(address)
        tops = page.locator(".filters > :is(label, details)").evaluate_all(
            "all => all.map((each) => Math.round(each.getBoundingClientRect().bottom / 8))"
        )
        assert len(set(tops)) <= rows, address
