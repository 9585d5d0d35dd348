"""Conformance reports in a browser: started, followed to the end, read by keyboard, in both themes and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from accounts.models import Connection
from playground.models import ConformanceReport
from tests.conformance.gappy_server import GappyServer
from tests.support.browser import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]


@pytest.fixture
def gappy(settings: Any, owner: User) -> Iterator[GappyServer]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    server = GappyServer()
    Connection.objects.create(owner=owner, name="gappy", base_url=server.url)
    yield server
    server.close()


def start(page: Any, live_url: str, *areas: str) -> None:
    """Choose the gappy server and these areas, and start."""
    page.goto(f"{live_url}conformance/")
    page.select_option("#id_connection", index=1)
    for box in page.locator("input[name=areas]").all():
        box.set_checked(box.get_attribute("value") in areas)
    page.click("#start-form button[type=submit]")
    page.wait_for_selector(".verdict-panel", timeout=60_000)


def test_a_report_is_followed_to_its_end_and_read_by_keyboard(
    page: Any, live_url: str, owner: User, log_in: Any, gappy: GappyServer, axe: Any
) -> None:
    log_in(page, owner)
    start(page, live_url, "stream")
    squares = page.locator("[data-matrix] a")
    assert [square.get_attribute("tabindex") for square in squares.all()].count("0") == 1
    squares.first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-matrix] .m-row:nth-child(2) a").first).to_be_focused()
    page.locator("[data-matrix] a[href='#stream-no_done']").focus()
    page.keyboard.press("Enter")
    finding = page.locator("#stream-no_done")
    expect(finding).to_have_attribute("open", "")
    expect(finding.locator("[data-bad]")).to_contain_text("[DONE]")
    axe(page, in_both_themes=True)
    turned = "() => getComputedStyle(document.querySelector('.all-checks > summary'), '::before').rotate"
    assert page.evaluate(turned) == "45deg", "a sign says that there is more"


@pytest.mark.slow
def test_the_estimate_follows_what_is_typed(page: Any, live_url: str, owner: User, log_in: Any, axe: Any) -> None:
    log_in(page, owner)
    page.goto(f"{live_url}conformance/")
    expect(page.locator("#estimate")).to_contain_text("free")
    page.fill("#id_model", "claude-sonnet-5")
    page.locator("#id_pace").focus()
    expect(page.locator("#estimate")).to_contain_text("at most $")
    axe(page, in_both_themes=True)


@pytest.mark.slow
def test_on_a_phone_nothing_scrolls_sideways(
    new_page: Any, live_url: str, owner: User, log_in: Any, gappy: GappyServer
) -> None:
    page = new_page(width=390)
    log_in(page, owner)
    start(page, live_url, "stream")
    report = ConformanceReport.objects.get()
    for address in ("conformance/", f"conformance/{report.pk}/"):
        page.goto(f"{live_url}{address}")
        for fold in page.locator("details.check-row > summary").all():
            fold.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
