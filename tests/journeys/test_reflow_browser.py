"""Every page for readers who see it otherwise: at 400 %, with text at twice its size, in a forced palette, by axe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import AccessKey
from playground.engine.events import Failure
from playground.models import AgentSession, SavedTool
from tests.sessions import stored
from tests.support import runs
from tests.support.browser import expect, open_whole, settle
from tests.support.sharing_rig import published, rich_conversation

if TYPE_CHECKING:
    from accounts.models import User
    from playground.models import Run

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.front_end,
    pytest.mark.usefixtures("no_guesses_yet"),
]

OF_VISITORS = ("/", "/accounts/login/", "/accounts/signup/", "/conversations/", "/keys/", "/shortcuts/")
GONE = ("/nothing-here/", "/s/no-such-share-anywhere/")
CUT = """() => [...document.querySelectorAll("main :is(button, .button, summary, label, h1, h2, h3, th, legend)")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(
    ".visually-hidden, .skip-link, .table-wrap, .log-wrap, .compare-scroll, .charts, .tabs, pre, [hidden]"))
  .filter((element) => { const box = element.getBoundingClientRect()
    return box.width > 1 && (box.left < -1 || box.right > innerWidth + 1) })
  .map((element) => element.outerHTML.slice(0, 120))"""
OUT_OF_PANEL = """() => [...document.querySelectorAll(".panel :is(td, th, b, .what, .button)")]
  .filter((element) => element.checkVisibility() && !element.closest("thead"))
  .filter((element) => element.getBoundingClientRect().right > element.closest(".panel").getBoundingClientRect().right)
  .map((element) => element.outerHTML.slice(0, 80))"""
STYLES = """all => all.map((element) => {
  const said = getComputedStyle(element.closest(".said"))
  return [getComputedStyle(element).textAlign, said.overflowX]
})"""
COLOURS = "element => { const style = getComputedStyle(element); return [style.backgroundColor, style.color] }"


def broken_run(owner: User) -> Run:
    """An answer that broke off: of all that a line of the log or of figures says, nearly the longest."""
    cut = runs.stream("Half an answer. " * 40)
    cut = cut[: cut.index(b"event: message_delta")]
    cut += b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    live = runs.live_run(owner, model="claude-sonnet-4-5-20250929")
    failure = Failure("error_event", "overloaded_error: Overloaded", {"type": "overloaded_error"})
    live.publish([*runs.told(cut, step_ms=123.0), runs.ended("failed", failure, at_ms=61_234.0)])
    return runs.store(live)


@pytest.fixture
def addresses(owner: User) -> list[str]:
    """Every kind of page that a user has, with something on each."""
    conversation = rich_conversation(owner)
    share, token = published(conversation, "parameters", "figures")
    first, second = runs.stored_run(owner), runs.failed_run(owner)
    own = f"/conversations/{conversation.pk}"
    version = conversation.versions.get(parent=None)
    return [
        "/",
        "/requests/",
        "/requests/?q=nothing-like-it",
        "/requests/?group=session",
        f"/requests/{first.pk}/",
        f"/requests/{second.pk}/",
        f"/requests/compare/?a={first.pk}",
        f"/requests/compare/?a={first.pk}&b={second.pk}",
        "/conversations/",
        "/conversations/import/",
        f"{own}/",
        f"{own}/read/",
        f"{own}/share/",
        f"{own}/difference/?old={version.pk}",
        "/shares/",
        f"/shares/{share.pk}/preview/",
        f"/s/{token}/",
        f"/s/{token}/fork/",
        "/connections/",
        "/connections/new/",
        "/keys/",
        "/accounts/",
        "/accounts/password/",
        "/accounts/delete/",
        "/sessions/",
        "/conformance/",
    ]


@pytest.mark.slow
def test_axe_finds_nothing_on_any_page_of_a_user(
    new_page: Any, axe: Any, log_in: Any, owner: User, addresses: list[str]
) -> None:
    page = new_page(1280, 720)
    log_in(page, owner)
    for address in addresses:
        open_whole(page, address)
        axe(page, in_both_themes=True)


@pytest.mark.slow
def test_axe_finds_nothing_on_the_pages_of_visitors_and_where_nothing_is(new_page: Any, axe: Any) -> None:
    page = new_page(1280, 720)
    for address in (*OF_VISITORS, *GONE):
        open_whole(page, address)
        axe(page, in_both_themes=True)
    new_page.noise.clear()  # the browser itself says "404"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "500.html", "503.html", "playground/too_heavy.html"])
def test_pages_that_stand_alone_are_whole_at_every_width_and_axe_finds_nothing(
    new_page: Any, axe: Any, name: str
) -> None:
    html = render_to_string(name, {"why": "This request takes too long to read."})
    page = new_page(1280, 720)
    page.route("**/alone", lambda route, _: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    page.goto("/alone")
    for width in (1280, 1024, 390, 320):
        page.set_viewport_size({"width": width, "height": 720})
        panel, button = (page.locator(selector).last.bounding_box() for selector in (".panel", ".panel .button"))
        assert panel["x"] >= 0
        assert panel["x"] + panel["width"] <= width
        assert panel["y"] + panel["height"] <= 720
        assert button["x"] + button["width"] <= panel["x"] + panel["width"]
        axe(page, in_both_themes=True)


@pytest.mark.slow
def test_what_stands_above_the_form_is_whole_at_every_width_and_axe_finds_nothing(
    new_page: Any, axe: Any, log_in: Any, owner: User
) -> None:
    page, other = new_page(1280, 720), new_page(1280, 720)
    for each in (page, other):
        log_in(each, owner)
        each.goto("/?model=sandbox-echo&prompt=Hello")
        expect(each.locator("#notice .banner")).to_be_visible()
    axe(page, in_both_themes=True)
    other.locator('[name="messages[0].content"]').fill("The other tab was quicker")
    settle(other)
    page.locator('[name="messages[0].content"]').fill("This one comes too late")
    expect(page.locator("#conflict .banner")).to_be_visible()
    for width in (1280, 1024, 390):
        page.set_viewport_size({"width": width, "height": 844})
        buttons = [button.bounding_box() for button in page.locator("#conflict .button").all()]
        assert len({round(box["y"]) for box in buttons}) == 1, "beside each other"
        assert all(box["x"] + box["width"] <= width for box in buttons)
        axe(page, in_both_themes=True)
    new_page.noise.clear()  # the browser itself says "409"


@pytest.mark.slow
def test_at_400_percent_no_page_scrolls_sideways_and_nothing_is_cut_off(
    new_page: Any, log_in: Any, owner: User, addresses: list[str]
) -> None:
    page = new_page(320, 256)
    log_in(page, owner)
    wrong = {}
    for address in addresses:
        open_whole(page, address)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong[address] = "scrolls sideways"
        elif cut := page.evaluate(CUT):
            wrong[address] = cut
    assert wrong == {}


@pytest.mark.slow
def test_tables_of_long_values_stay_inside_their_panels_at_every_width(new_page: Any, log_in: Any, owner: User) -> None:
    stored.work(owner)
    broken_run(owner)
    AccessKey.objects.issue(
        owner=owner, name="ci-runner-of-the-nightly-evaluation", last_used_at=timezone.now(), last_used_from="127.0.0.1"
    )
    SavedTool.objects.keep(owner, {"name": "search_the_company_handbook_by_meaning", "input_schema": {}})
    page = new_page(1440, 900)
    log_in(page, owner)
    wrong = []
    session = AgentSession.objects.get(owner=owner)
    for address in (
        "/requests/",
        "/requests/?group=session",
        "/sessions/",
        f"/sessions/{session.pk}/",
        "/keys/",
        "/tools/",
    ):
        open_whole(page, address)
        for width in (1440, 1280, 1100, 1024, 900, 800, 390):
            page.set_viewport_size({"width": width, "height": 800})
            if over := page.evaluate(OUT_OF_PANEL):
                wrong.append((address, width, over))
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((address, width, "scrolls sideways"))
    assert wrong == []


@pytest.mark.slow
def test_with_text_at_twice_its_size_nothing_is_cut_off(
    new_page: Any, log_in: Any, owner: User, addresses: list[str]
) -> None:
    page = new_page(1280, 720)
    log_in(page, owner)
    wrong = {}
    for address in addresses:
        open_whole(page, address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong[address] = "scrolls sideways"
        elif cut := page.evaluate(CUT):
            wrong[address] = cut
    assert wrong == {}


def test_in_a_low_window_the_page_scrolls_as_one_and_try_it_stays_in_sight(new_page: Any) -> None:
    page = new_page(320, 256)
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollHeight > 2 * innerHeight")
    page.get_by_label("max_tokens", exact=True).scroll_into_view_if_needed()
    expect(page.get_by_label("max_tokens", exact=True)).to_be_in_viewport()
    expect(page.locator("#try-it")).to_be_in_viewport()
    page.locator("#try-it").click()
    expect(page.locator("#answer .answer-panel[data-state=completed]")).to_have_count(1)
    last = page.locator("#answer [data-part]").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()


@pytest.mark.slow
def test_a_forced_palette_leaves_what_is_on_chosen_or_focused_to_be_seen(new_page: Any) -> None:
    page = new_page(1440, 900, forced_colors="active")
    page.goto("/")
    switch = page.locator("#ask .switch[name=stream]")
    before = switch.evaluate(COLOURS)
    switch.evaluate("element => element.click()")
    assert switch.evaluate(COLOURS) != before
    page.locator("#try-it").click()
    expect(page.locator("#answer .answer-panel[data-state=completed]")).to_have_count(1)
    tabs = page.locator("#answer [role=tab]")
    assert tabs.first.evaluate(COLOURS) != tabs.nth(1).evaluate(COLOURS)
    segments = page.locator("#ask .segments label")
    chosen, other = segments.filter(has=page.locator(":checked")), segments.filter(has=page.locator(":not(:checked)"))
    assert chosen.first.evaluate(COLOURS) != other.first.evaluate(COLOURS)
    page.locator("#try-it").focus()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


@pytest.mark.slow
def test_nothing_moves_by_itself_for_those_who_asked_for_it(new_page: Any, settings: Any) -> None:
    settings.SANDBOX_SPEED = 0.05
    page = new_page(1440, 900)
    page.goto("/")
    page.locator("#try-it").click()
    expect(page.locator(".figure-line")).to_contain_text("waiting for first token")
    moving = "() => document.getAnimations().filter((each) => each.playState === 'running').length"
    assert page.evaluate(moving) == 0
    page.locator("[data-stop-run]").click()


@pytest.mark.slow
def test_what_was_said_begins_at_its_left_edge_and_breaks_into_lines(
    new_page: Any, log_in: Any, owner: User, addresses: list[str]
) -> None:
    page = new_page(1280, 720)
    log_in(page, owner)
    reading = [
        address for address in addresses if address.endswith("/read/") or address.startswith(("/requests/", "/s/"))
    ]
    seen = 0
    for address in reading:
        open_whole(page, address)
        for style in page.locator(".said .prose, .said pre").evaluate_all(STYLES):
            assert style == ["start", "visible"], address
            seen += 1
    assert seen


def test_a_heading_whose_words_have_not_come_yet_is_not_there_for_anybody(page: Any) -> None:
    page.goto("/")
    page.locator("#answer").evaluate("body => { body.innerHTML = '<div class=prose><h3></h3><h4>Here</h4></div>' }")
    expect(page.locator("#answer h3")).to_be_hidden()
    expect(page.locator("#answer h4")).to_be_visible()
