"""The main jobs from end to end, as a person does them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.browser import expect
from tests.support.examples import one_of_each
from tests.support.upstream import KEY, Handler, Upstream, text_events

PARTS = [f"piece-{number} " for number in range(60)]


@pytest.fixture
def second_server() -> Iterator[Upstream]:
    server = Upstream(lambda handler: handler.send_events(text_events("From the ", "**second** server.")))
    yield server
    server.close()


@pytest.fixture
def may_call_loopback(served: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `serve` on a loopback address sets."""
    settings.ALLOW_LOOPBACK_UPSTREAMS = True


@pytest.fixture
def stepwise() -> Iterator[tuple[Upstream, threading.Event]]:
    """An upstream that says half of its answer, and the rest once the test lets it."""
    go_on = threading.Event()

    def answer(handler: Handler) -> None:
        events = text_events(*PARTS)
        handler.send_events(events[:32])
        go_on.wait(30)
        for event in events[32:]:
            handler.wfile.write(f"event: {event['type']}\ndata: {__import__('json').dumps(event)}\n\n".encode())
        handler.wfile.flush()

    server = Upstream(answer)
    yield server, go_on
    go_on.set()
    server.close()


def try_it(page: Any) -> None:
    page.get_by_role("button", name="Try It!").first.click()


def answer(page: Any) -> Any:
    return page.locator("#answer")


def connect(owner: Any, server: Upstream) -> Any:
    from accounts.models import Connection

    connection = Connection(owner=owner, name="Second", base_url=server.url, auth_style="x-api-key")
    connection.set_credential(KEY)
    connection.save()
    return connection


def choose_connection(page: Any, name: str) -> None:
    page.locator("#connection-menu summary").click()
    page.get_by_role("button", name=re.compile(f"^{name}")).first.click()
    expect(page.locator(".run-line .address")).to_contain_text("127.0.0.1")


def watch_half_an_answer(page: Any, owner: Any, log_in: Any, server: Upstream) -> None:
    connect(owner, server)
    log_in(page, owner)
    page.goto("/")
    choose_connection(page, "Second")
    try_it(page)
    expect(answer(page)).to_contain_text("piece-25")


def test_a_newcomer_presses_try_it_and_watches_an_answer_arrive(page: Any) -> None:
    page.goto("/")
    expect(answer(page)).to_contain_text(
        "Click Try It! to start a request and see the response here! Or choose an example:"
    )
    try_it(page)
    expect(answer(page).locator(".figure-line")).to_contain_text("200")
    expect(answer(page)).to_contain_text("end_turn")
    expect(answer(page).locator(".prose p").first).to_be_visible()
    expect(page.get_by_role("link", name="Log in").last).to_be_visible()
    expect(page.locator("main")).to_contain_text("to see full request history")


def test_a_person_signs_up_connects_an_upstream_in_four_presses_and_finds_the_request_in_the_log(
    page: Any, second_server: Upstream, may_call_loopback: None
) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Username").fill("mira")
    for field in page.locator("input[type=password]").all():
        field.fill("a-Long-enough-passphrase-7")
    page.locator("main form button[type=submit]").click()
    page.goto("/")
    page.locator("#connection-menu summary").click()
    page.get_by_role("link", name="Add connection").click()
    page.get_by_label("Name", exact=True).fill("Second")
    page.get_by_label("Base URL").fill(second_server.url)
    page.get_by_label("Credential", exact=True).fill(KEY)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#banners")).to_contain_text("Connected to Second")
    expect(page.locator("#connection-menu")).to_contain_text("Second")
    expect(page.locator("#model-pick")).to_have_text("second-1")
    try_it(page)
    expect(page.locator("#banners .banner")).to_have_count(0)  # read by now: the response has the room
    expect(answer(page).locator(".prose strong")).to_have_text("second")
    expect(answer(page)).to_contain_text("end_turn")
    path, headers, body = second_server.requests[-1]
    assert path == "/v1/messages"
    assert {name.lower(): value for name, value in headers.items()}["x-api-key"] == KEY
    assert b'"second-1"' in body
    page.goto("/requests/")
    row = page.get_by_role("row").filter(has_text="second-1")
    expect(row).to_contain_text("200")
    expect(row).to_contain_text("Second")
    assert KEY not in page.content()


@pytest.mark.slow
def test_a_run_can_leave_nothing_but_figures_in_the_log(page: Any, owner: Any, log_in: Any) -> None:
    log_in(page, owner)
    page.goto("/")
    page.get_by_label("More ways to send").click()
    page.locator("[name=':figures-only']").check()
    try_it(page)
    expect(answer(page)).to_contain_text("end_turn")
    page.goto("/requests/")
    expect(page.get_by_role("row").filter(has_text="sandbox-stories")).to_contain_text("content not stored")


@pytest.mark.slow
def test_a_reload_in_mid_stream_misses_nothing_and_repeats_nothing(
    page: Any, owner: Any, log_in: Any, stepwise: tuple[Upstream, threading.Event], may_call_loopback: None
) -> None:
    server, go_on = stepwise
    watch_half_an_answer(page, owner, log_in, server)
    page.reload()
    expect(answer(page)).to_contain_text("piece-25")
    second_tab = page.context.new_page()
    second_tab.goto("/")
    expect(answer(second_tab)).to_contain_text("piece-25")
    go_on.set()
    for tab in (page, second_tab):
        tab.bring_to_front()  # what is out of sight is not drawn
        expect(answer(tab)).to_contain_text("end_turn")
        expect(answer(tab).locator("[data-blocks] .prose").first).to_contain_text(PARTS[-1].strip())
        text = answer(tab).locator("[data-blocks] .prose").first.text_content()
        assert re.findall(r"piece-\d+", text) == [part.strip() for part in PARTS]


@pytest.mark.slow
def test_stop_ends_the_run_upstream_and_keeps_what_came(
    page: Any, owner: Any, log_in: Any, stepwise: tuple[Upstream, threading.Event], may_call_loopback: None
) -> None:
    server, _ = stepwise
    watch_half_an_answer(page, owner, log_in, server)
    page.get_by_role("button", name="Stop").first.click()
    expect(answer(page)).to_contain_text("Stopped by you")
    expect(answer(page)).to_contain_text("piece-25")
    page.reload()
    expect(answer(page)).to_contain_text("Stopped by you")
    expect(answer(page)).to_contain_text("piece-25")


@pytest.mark.slow
def test_a_lost_connection_is_said_and_the_stream_goes_on_without_gap_or_double(
    page: Any,
    owner: Any,
    log_in: Any,
    stepwise: tuple[Upstream, threading.Event],
    may_call_loopback: None,
    new_page: Any,
) -> None:
    server, go_on = stepwise
    watch_half_an_answer(page, owner, log_in, server)
    page.context.set_offline(True)
    expect(page.locator("body")).to_contain_text(re.compile("Offline|Reconnecting"))
    go_on.set()
    page.context.set_offline(False)
    expect(answer(page)).to_contain_text("end_turn", timeout=20_000)
    text = answer(page).locator("[data-blocks] .prose").first.text_content()
    assert re.findall(r"piece-\d+", text) == [part.strip() for part in PARTS]
    new_page.noise.clear()  # the browser reports what it could not load while offline


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("sandbox-error-400", ["400", "invalid_request_error"]),
        ("sandbox-error-401", ["401", "authentication_error"]),
        ("sandbox-error-429", ["429", "rate_limit_error", "retry-after"]),
        ("sandbox-error-529", ["529", "overloaded_error"]),
        ("sandbox-error-in-stream", ["200", "overloaded_error"]),
        ("sandbox-truncated", ["Truncated"]),
        ("sandbox-error-page", ["502"]),
    ],
)
def test_each_failure_shows_its_cause_and_what_was_kept(page: Any, model: str, words: list[str]) -> None:
    page.goto("/")
    page.get_by_label("model", exact=True).fill(model)
    try_it(page)
    for word in words:
        expect(answer(page)).to_contain_text(word)
    if model in {"sandbox-error-in-stream", "sandbox-truncated"}:
        expect(answer(page).locator(".prose").first).to_be_visible()


def test_the_keyboard_alone_is_enough(page: Any) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the request")
    page.keyboard.press("Enter")
    page.get_by_label("max_tokens", exact=True).focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("300")
    page.keyboard.press("Control+Enter")
    expect(answer(page)).to_contain_text("end_turn")


@pytest.mark.slow
@pytest.mark.parametrize("width", one_of_each([390, 1440]))
def test_axe_finds_nothing_before_and_after_an_answer(new_page: Any, axe: Any, width: int) -> None:
    page = new_page(width)
    page.goto("/")
    axe(page, in_both_themes=True)
    try_it(page)
    expect(answer(page)).to_contain_text("end_turn")
    axe(page, in_both_themes=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
