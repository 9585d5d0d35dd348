"""The answer in a browser: streaming, resuming, failing, tools, the wire; against the sandbox."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from playground.rendering.markdown import render
from tests.support.browser import expect
from tests.support.examples import one_of_each
from tests.support.hostile_texts import HOSTILE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end, pytest.mark.usefixtures("paced")]
OVER = re.compile("completed|failed|interrupted|cancelled")


def ask(page: Any, model: str, text: str = "Hello", **fields: str) -> None:
    """Open the playground, fill in the request and press Try It!"""
    page.goto("/")
    page.locator('#ask [name="model"]').fill(model)
    page.locator("#ask .turn textarea").first.fill(text)
    for name, value in fields.items():
        page.locator(f'#ask [name="{name}"]').fill(value)
    page.get_by_role("button", name="Try It!").first.click()
    page.locator(".answer-panel[data-run]").wait_for()


def panel(page: Any) -> Any:
    return page.locator("#answer .answer-panel").first


def wait_for_end(page: Any) -> None:
    expect(panel(page)).to_have_attribute("data-state", OVER, timeout=90_000)
    expect(page.locator("#answer [data-stop]")).to_have_count(0)


def shown(page: Any, selector: str) -> str:
    """What stands there, without what only the page adds."""
    return page.locator(selector).first.evaluate(
        "element => { const copy = element.cloneNode(true);"
        " copy.querySelectorAll('[data-copy-code]').forEach((button) => button.remove());"
        " copy.normalize(); return copy.innerHTML }"
    )


# --- Streaming ----------------------------------------------------------------------------------------------------


def test_a_visitor_watches_an_answer_stream_in(page: Any) -> None:
    ask(page, "sandbox-stories", "Show me a table and some code")
    expect(page.locator("[data-blocks] .part").first).not_to_be_empty()
    expect(panel(page)).to_have_attribute("data-state", "running")
    wait_for_end(page)
    expect(panel(page)).to_have_attribute("data-state", "completed")
    expect(page.locator("[data-blocks] table")).to_have_count(1)
    expect(page.locator("[data-blocks] .codebox .code span").first).to_be_visible()
    expect(page.locator("[data-figures]")).to_contain_text("tokens out")


@pytest.mark.slow
def test_what_was_drawn_live_is_what_the_server_draws(page: Any, new_page: Any) -> None:
    # The page is kept from fetching the server's rendering, so that what the patches made stays.
    page.route("**/answer/", lambda route: route.abort())
    ask(page, "sandbox-thinker", "Explain tides with a table and code")
    expect(page.locator("[data-figures]")).to_contain_text("tokens per second", timeout=30_000)
    drawn = {name: shown(page, f"[{name}]") for name in ("data-figures", "data-blocks", "data-ending")}
    page.unroute("**/answer/")
    page.goto(f"/requests/{panel(page).get_attribute('data-run')}/answer/")
    stored = {name: shown(page, f"[{name}]") for name in drawn}
    new_page.noise.clear()  # the fetch that was kept from it
    assert drawn == stored


@pytest.mark.slow
def test_a_reload_in_mid_stream_picks_the_stream_up(page: Any) -> None:
    ask(page, "sandbox-long", "Write 300 words")
    page.locator("[data-blocks] [data-part]").nth(1).wait_for()
    page.goto(f"/requests/{panel(page).get_attribute('data-run')}/answer/")
    page.locator("[data-blocks] [data-part]").nth(1).wait_for()
    wait_for_end(page)
    numbers = page.locator("[data-part]").evaluate_all("parts => parts.map((part) => Number(part.dataset.part))")
    assert numbers == list(range(len(numbers)))


@pytest.mark.slow
def test_two_tabs_show_the_same(page: Any) -> None:
    ask(page, "sandbox-stories", "Tell me a story")
    second = page.context.new_page()
    second.goto(f"/requests/{panel(page).get_attribute('data-run')}/answer/")
    wait_for_end(page)
    wait_for_end(second)
    assert shown(page, "[data-blocks]") == shown(second, "[data-blocks]")


@pytest.mark.slow
def test_a_lost_connection_is_told_and_the_stream_resumes_without_gap_or_double(
    page: Any, new_page: Any, settings: Any
) -> None:
    settings.SANDBOX_SPEED = 0.5  # it must not be over before the connection is lost
    ask(page, "sandbox-long", "Write 400 words")
    page.locator("[data-blocks] [data-part]").first.wait_for()
    page.context.set_offline(True)
    expect(page.locator("[data-banner]")).to_contain_text("Offline")
    page.wait_for_timeout(800)
    page.context.set_offline(False)
    expect(page.locator("[data-banner]")).to_contain_text("Back online")
    wait_for_end(page)
    run = panel(page).get_attribute("data-run")
    before = shown(page, "[data-blocks]")
    page.goto(f"/requests/{run}/answer/")
    assert shown(page, "[data-blocks]") == before
    new_page.noise.clear()


@pytest.mark.slow
def test_an_answer_that_ended_as_the_connection_was_lost_is_fetched_when_it_is_back(page: Any, new_page: Any) -> None:
    page.goto("/")
    page.evaluate(
        """() => {
          const usual = window.fetch
          window.fetch = (what, ...more) => `${what.url ?? what}`.includes("?drawn=")
            ? Promise.reject(new TypeError("no network")) : usual(what, ...more)
          window.addEventListener("online", () => { window.fetch = usual }, { capture: true })
        }"""
    )
    page.get_by_role("button", name="Try It!").first.click()
    expect(page.locator("[data-banner]")).to_contain_text("Offline")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(panel(page)).to_have_attribute("data-state", "completed")
    expect(page.locator("[data-banner]")).to_have_count(0)


def test_stop_ends_the_run_and_keeps_what_came(page: Any) -> None:
    ask(page, "sandbox-slow", "Take your time")
    page.locator("[data-stop-run]").click()
    wait_for_end(page)
    expect(panel(page)).to_have_attribute("data-state", "cancelled")
    expect(page.locator("[data-ending]")).to_contain_text("Stopped by you")


@pytest.mark.slow
def test_escape_stops_the_run(page: Any) -> None:
    ask(page, "sandbox-slow", "Take your time")
    page.locator(".wordmark").focus()
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_attribute("data-state", "cancelled")


@pytest.mark.slow
def test_what_waits_to_be_painted_when_the_socket_closes_is_painted_and_the_end_told_right(page: Any) -> None:
    # Animation frames come so late that the run has ended, and its socket closed, before the second.
    page.add_init_script(
        "{ let count = 0; const real = window.requestAnimationFrame;"
        " window.requestAnimationFrame = (then) => count++ ? setTimeout(() => real(then), 1500) : real(then) }"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "drawn=" in request.url else None)
    ask(page, "sandbox-stories", "Tell me a story")
    wait_for_end(page)
    expect(panel(page)).to_have_attribute("data-state", "completed")
    assert len(asked) == 1
    assert re.search(r"drawn=[0-9a-f]{32}$", asked[0]), "the page did not know what it had drawn"


# --- Failures -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "words"),
    one_of_each(
        [
            ("sandbox-error-529", "overloaded_error"),
            ("sandbox-error-400", "invalid_request_error"),
            ("sandbox-error-401", "authentication_error"),
            ("sandbox-error-429", "rate_limit_error"),
            ("sandbox-error-500", "api_error"),
            ("sandbox-error-page", "502 Bad Gateway"),
            ("sandbox-error-in-stream", "The text above is what arrived"),
            ("sandbox-truncated", "Truncated"),
            ("sandbox-refusal", "Refused"),
        ]
    ),
)
def test_a_failure_says_what_happened_and_runs_again(page: Any, axe: Any, model: str, words: str) -> None:
    ask(page, model)
    wait_for_end(page)
    expect(page.locator("[data-ending]")).to_contain_text(words)
    axe(page, "#answer")
    if model != "sandbox-refusal":
        run = panel(page).get_attribute("data-run")
        page.locator("[data-retry]").click()
        expect(panel(page)).not_to_have_attribute("data-run", run)


@pytest.mark.slow
def test_a_retry_after_counts_down(page: Any) -> None:
    ask(page, "sandbox-error-429")
    wait_for_end(page)
    expect(page.locator("[data-countdown]")).to_contain_text("Wait 6 s")


# --- Before the first run -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_before_the_first_run_two_examples_can_be_seen(page: Any, axe: Any) -> None:
    page.goto("/")
    start = page.locator("#answer .start")
    expect(start).to_contain_text("Click Try It! to start a request and see the response here! Or choose an example:")
    start.get_by_role("button", name="application/json").click()
    expect(page.locator("#answer [data-blocks] .codebox")).to_have_count(1)
    axe(page, "#answer")
    page.locator("#answer").get_by_role("tab", name="JSON").click()
    expect(page.locator("#answer [data-fetch] code")).to_contain_text('"id": "msg_example"')


@pytest.mark.slow
def test_the_stream_example_plays(new_page: Any) -> None:
    page = new_page()
    page.emulate_media(reduced_motion="no-preference")
    page.goto("/")
    page.locator("#answer").get_by_role("button", name="text/event-stream").click()
    expect(panel(page)).to_have_attribute("data-state", "running")
    expect(page.locator("#answer [data-blocks] table")).to_have_count(1)
    expect(panel(page)).to_have_attribute("data-state", "completed")
    expect(page.locator("#answer [data-part]")).to_have_count(6)
    page.locator("#answer").get_by_role("tab", name="Events").click()
    page.locator('#answer [data-rows] tr[data-number="5"]').click()
    expect(page.locator("[data-at-event-answer]")).to_contain_text("after event 5")


# --- The wire -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_events_can_be_filtered_chosen_and_played(page: Any, axe: Any) -> None:
    ask(page, "sandbox-thinker", "Explain tides")
    wait_for_end(page)
    page.get_by_role("tab", name="Events").click()
    rows = page.locator("[data-rows] tr[data-number]")
    expect(rows.first).to_contain_text("message_start")
    axe(page, "#answer")
    page.locator(".filter-pills label", has_text="thinking_delta").click()
    expect(page.locator('[data-rows] tr[data-kind="thinking"] .name', has_text="thinking_delta")).to_have_count(0)
    page.locator(".filter-pills label", has_text="thinking_delta").click()
    page.locator('[data-rows] tr[data-number="8"]').click()
    expect(page.locator("[data-at-event-detail]")).to_contain_text("thinking_delta")
    expect(page.locator("[data-at-event-answer]")).to_contain_text("after event 8")
    page.get_by_role("button", name="Next event").click()
    expect(page.locator("[data-where]")).to_contain_text("event 9 of")
    page.locator("[data-speed]").select_option("16")
    page.locator("[data-play]").click()
    expect(page.locator("[data-at-event-answer] .answer-block")).to_have_count(2)
    axe(page, "#answer")


@pytest.mark.slow
def test_the_events_of_a_response_without_any_say_so(page: Any, axe: Any) -> None:
    ask(page, "sandbox-error-529")
    wait_for_end(page)
    page.get_by_role("tab", name="Events").click()
    expect(page.locator("[data-where]")).to_have_text("No events: this response was not streamed.")
    expect(page.locator("[data-play]")).to_be_hidden()
    expect(page.locator("table.events")).to_be_hidden()
    axe(page, "#answer")


@pytest.mark.slow
def test_json_and_headers_have_views_of_their_own(page: Any, axe: Any) -> None:
    ask(page, "sandbox-stories")
    wait_for_end(page)
    page.get_by_role("tab", name="JSON").last.click()
    expect(page.locator("#answer [data-fetch] code")).to_contain_text('"stop_reason": "end_turn"')
    axe(page, "#answer")
    page.get_by_role("tab", name="Headers").click()
    expect(page.locator("[data-headers]")).to_contain_text("anthropic-ratelimit-requests-remaining")


# --- Foreign text -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_hostile_texts_cause_no_script_no_request_and_no_swap(page: Any) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    text = "\n\n".join(text for text in HOSTILE if text.isprintable() or "\n" in text)
    ask(page, "sandbox-echo", text.encode("utf-8", "replace").decode().replace("\x00", ""))
    wait_for_end(page)
    page.get_by_role("tab", name="Events").click()
    page.get_by_role("tab", name="JSON").last.click()
    expect(page.locator("#answer [data-fetch] code").first).to_be_visible()
    assert page.evaluate("() => window.hit === undefined")
    assert page.locator("main").count() == 1
    acting = "#answer [data-blocks] :is(script, img, iframe, object, embed, form, input, style)"
    assert page.locator(acting).count() == 0
    assert [url for url in requests if "foreign" in url or "logout" in url or "passwd" in url] == []


# --- Shortcuts ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_question_mark_lists_the_shortcuts(page: Any, axe: Any) -> None:
    page.goto("/")
    page.locator(".wordmark").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    axe(page, "#shortcuts")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


# --- Many at once -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_panel_beyond_the_sockets_one_may_have_waits_its_turn_and_loses_nothing(page: Any, settings: Any) -> None:
    settings.SOCKETS_PER_USER = 1
    settings.VISITOR_RUNS_AT_ONCE = 5
    settings.SANDBOX_SPEED = 0.5
    ask(page, "sandbox-long", "Write 250 words")
    first = panel(page).get_attribute("data-run")
    second = page.context.new_page()
    second.goto(f"/requests/{first}/answer/")
    banner = second.locator("[data-banner]")
    expect(banner).to_contain_text("Waiting for its turn.")
    expect(banner).not_to_contain_text("Reconnecting")
    wait_for_end(page)
    wait_for_end(second)
    expect(banner).to_have_count(0)
    assert shown(second, "[data-blocks]") == shown(page, "[data-blocks]")


@pytest.mark.slow
def test_stop_ends_a_run_whose_panel_waits_for_its_turn(page: Any, settings: Any) -> None:
    settings.SOCKETS_PER_USER = 1
    settings.VISITOR_RUNS_AT_ONCE = 5
    settings.SANDBOX_SPEED = 1.0
    ask(page, "sandbox-long", "Write 4000 words")
    first = panel(page).get_attribute("data-run")
    second = page.context.new_page()
    second.goto(f"/requests/{first}/answer/")
    expect(second.locator("[data-banner]")).to_contain_text("Waiting for its turn.")
    second.locator("[data-stop]").click()
    expect(panel(second)).to_have_attribute("data-state", "cancelled")
    expect(second.locator("[data-ending]")).to_contain_text("Stopped by you")
    expect(second.locator("[data-banner]")).to_have_count(0)
    expect(panel(page)).to_have_attribute("data-state", "cancelled")


GROW = """async ([html, pieces]) => {
  const { Canvas } = await import("/static/js/answer/draw.js")
  const panel = document.createElement("div")
  panel.innerHTML = `<div data-figures></div><div data-blocks><div data-block="0"><div data-parts><div data-tail
    data-pieces="0">${html}</div></div></div></div><div data-ending></div>`
  const canvas = new Canvas(panel)
  pieces.forEach((text, at) => canvas.apply([{ op: "text", index: 0, text, after: at, to: at + 1 }]))
  return panel.querySelector("[data-tail]").innerText
}"""


@pytest.mark.parametrize(
    "pieces", one_of_each([["om", "e | 3", "\n", "| Oslo |", " 1 |\n"], [*"ome | 3\n| Oslo | 1 |\n"]])
)
def test_text_that_goes_on_after_a_table_grows_in_its_cells(page: Any, pieces: list[str]) -> None:
    page.goto("/")
    grown = page.evaluate(GROW, [str(render("| city | trips |\n|---|--:|\n| R")), pieces])
    whole = page.evaluate(GROW, [str(render("| city | trips |\n|---|--:|\n| Rome | 3\n| Oslo | 1 |")), []])
    assert grown.split() == whole.split()


# --- Every view, in both themes, wide and narrow ------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("model", ["sandbox-tools", "sandbox-error-529", "sandbox-thinker", "sandbox-error-in-stream"])
def test_axe_finds_nothing_in_any_view_of_an_answer(
    new_page: Any, axe: Any, settings: Any, model: str, width: int
) -> None:
    settings.SANDBOX_SPEED = math.inf
    page = new_page(width)
    ask(page, model, "What is the weather in Paris?")
    wait_for_end(page)
    for tab in ("Message", "Events", "JSON", "Headers"):
        page.locator("#answer").get_by_role("tab", name=tab).click()
        if tab == "Message":
            for fold in page.locator("#answer [data-blocks] summary").all():
                fold.click()
        if tab == "Events" and page.locator("[data-rows] tr[data-number]").count():
            page.locator("[data-rows] tr[data-number]").first.click()
            expect(page.locator("[data-at-event-answer] h3")).to_contain_text("after event 1")
        if tab == "JSON":
            expect(page.locator("#answer [data-fetch]")).not_to_contain_text("Loading…")
        axe(page, "#answer", in_both_themes=True)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), tab
