"""Answers of an upstream on loopback in a browser: hostile ones, recorded ones, odd ones."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Connection
from playground.models import Draft
from tests.answer.test_answer import everywhere
from tests.answer.test_answer_browser import panel, wait_for_end
from tests.support.browser import expect
from tests.support.examples import one_of_each
from tests.support.hostile_texts import HOSTILE
from tests.support.loopback import Loopback
from tests.support.runs import body_of, stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
STREAMS = sorted((Path(__file__).parent.parent / "streams").glob("*.sse"))


@pytest.fixture
def upstream(settings: Any) -> Iterator[Loopback]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    settings.RUNS_PER_MINUTE = 1000
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def desk(page: Any, owner: Any, log_in: Any, upstream: Loopback) -> Any:
    """The owner's playground, with a request to the upstream that only needs to be sent."""
    connection = Connection.objects.create(owner=owner, name="loopback", base_url=upstream.url)
    Draft.objects.create(user=owner, connection=connection, body=body_of(model="m"))
    log_in(page, owner)
    page.goto("/")
    return page


def send(page: Any) -> None:
    before = panel(page).get_attribute("data-run") or ""
    page.locator("#try-it").click()
    expect(panel(page)).not_to_have_attribute("data-run", before)
    panel(page).locator("[data-blocks]").wait_for(state="attached")
    wait_for_end(page)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", one_of_each(range(4)))  # all of them are more than a thousand blocks
def test_hostile_texts_everywhere_cause_no_script_no_request_and_no_swap(
    desk: Any, upstream: Loopback, first: int
) -> None:
    requests: list[str] = []
    desk.on("request", lambda request: requests.append(request.url))
    content = [block for text in HOSTILE[first::4] for block in everywhere(text)]
    message = {"type": "message", "model": HOSTILE[0], "content": content, "stop_reason": "end_turn"}
    upstream.content_type = "application/json"
    upstream.body = json.dumps(message).encode()
    send(desk)
    expect(desk.locator("#answer .answer-block")).to_have_count(len(content))
    desk.locator("#answer").get_by_role("tab", name="JSON").click()
    expect(desk.locator("#answer [data-fetch] code").first).to_be_visible()
    desk.locator("#answer").get_by_role("tab", name="Headers").click()
    assert desk.evaluate("() => window.hit === undefined")
    assert desk.locator("main").count() == 1
    acting = "#answer [data-blocks] :is(script, img, iframe, object, embed, form, input, style, link, base, meta)"
    assert desk.locator(acting).count() == 0
    own = desk.evaluate("() => location.origin")
    assert [url for url in requests if not url.startswith((own, own.replace("http", "ws")))] == []
    assert [url for url in requests if "foreign" in url or "logout" in url or "/x.png" in url] == []


def test_hostile_texts_that_stream_in_stay_text(desk: Any, upstream: Loopback) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    upstream.body = stream(" ".join(texts).replace("\n", " "), thinking=" ".join(texts[:40]))
    send(desk)
    assert desk.evaluate("() => window.hit === undefined")
    assert desk.locator("main").count() == 1


@pytest.mark.slow
def test_recorded_streams_are_shown_with_nothing_in_the_console(desk: Any, upstream: Loopback) -> None:
    for path in STREAMS:
        upstream.body = path.read_bytes()
        send(desk)
        desk.locator("#answer").get_by_role("tab", name="Events").click()
        expect(desk.locator("[data-rows] tr[data-number]").first).to_be_visible()
        desk.locator("#answer").get_by_role("tab", name="Message").click()
        state = panel(desk).get_attribute("data-state")
        assert state in {"completed", "failed", "interrupted"}
        # Nothing partial looks whole: an answer that did not complete says so under it.
        if state != "completed":
            expect(desk.locator("[data-ending] .verdict h3").first).to_be_visible()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    one_of_each(
        [
            (b"<html><title>It works</title></html>", "text/html", 200, "The response is not a message"),
            (b"", "application/json", 200, "The response is not a message"),
            (b'{"cut', "application/json", 200, "The response is not a message"),
            (b'{"error": "no such model"}', "application/json", 404, "no such model"),
            (b'{"detail": "Not Found"}', "application/json", 404, "Not Found"),
            (b"\xff\xfe\x00", "application/octet-stream", 500, "api_error"),
            (b'{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}', "application/json", 200, "Busy"),
        ],
        lambda case: case[2] == 200,
    ),
)
def test_what_is_no_answer_is_shown_as_what_it_is(
    desk: Any, upstream: Loopback, body: bytes, content_type: str, status: int, words: str
) -> None:
    upstream.body, upstream.content_type, upstream.status = body, content_type, status
    send(desk)
    expect(desk.locator("[data-ending]")).to_contain_text(words)
    expect(desk.locator("[data-retry]")).to_be_visible()


@pytest.mark.slow
def test_a_host_that_nobody_knows_is_named_on_the_page(desk: Any) -> None:
    Connection.objects.update(base_url="http://no-such-host.invalid")
    send(desk)
    ending = desk.locator("[data-ending]")
    expect(ending).to_contain_text("Unknown host")
    expect(ending).to_contain_text("no-such-host.invalid")
    expect(ending).to_contain_text("Check the host name in the connection's base URL.")
    expect(desk.locator("[data-retry]")).to_be_visible()


@pytest.mark.slow
def test_a_server_without_tls_is_told_from_one_that_is_not_there(desk: Any, upstream: Loopback) -> None:
    Connection.objects.update(base_url=upstream.url.replace("http:", "https:"))
    send(desk)
    ending = desk.locator("[data-ending]")
    expect(ending).to_contain_text("No secure connection")
    expect(ending).to_contain_text("The credential was not sent.")
    expect(desk.locator("[data-retry]")).to_be_visible()


@pytest.mark.slow
def test_silence_ends_a_run_and_what_had_come_stays(desk: Any, upstream: Loopback, settings: Any) -> None:
    settings.SILENCE_TIMEOUT_S = 0.5
    upstream.body = stream("These words had come.").partition(b"event: content_block_stop")[0]
    upstream.silence_s = 5
    send(desk)
    expect(panel(desk)).to_have_attribute("data-state", "interrupted")
    expect(desk.locator("[data-blocks]")).to_contain_text("These words had come.")
    ending = desk.locator("[data-ending]")
    expect(ending).to_contain_text("The upstream stopped sending")
    expect(ending).to_contain_text("Nothing arrived for 0.5 seconds.")
    expect(desk.locator("[data-retry]")).to_be_visible()


@pytest.mark.slow
def test_a_json_message_is_an_answer_although_a_stream_was_asked_for(desk: Any, upstream: Loopback) -> None:
    upstream.content_type = "application/json"
    upstream.body = json.dumps({"type": "message", "content": [{"type": "text", "text": "All at **once**"}]}).encode()
    send(desk)
    expect(desk.locator("[data-blocks] strong")).to_have_text("once")
    expect(panel(desk)).to_have_attribute("data-state", "completed")


@pytest.mark.slow
def test_a_very_long_answer_is_cut_and_shown_in_full_on_demand(desk: Any, upstream: Loopback) -> None:
    upstream.body = stream(("word-" * 300 + " ") * 200 + "the-very-end")
    send(desk)
    expect(desk.locator("[data-blocks]")).not_to_contain_text("the-very-end")
    desk.get_by_role("button", name="Show all").click()
    expect(desk.locator("[data-blocks]")).to_contain_text("the-very-end")


# --- What can be done with an answer ------------------------------------------------------------------------------


@pytest.mark.slow
def test_results_are_filled_in_and_sent_together(desk: Any, upstream: Loopback, axe: Any) -> None:
    calls = [{"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": {"x": 1}} for name in ("one", "two")]
    upstream.content_type = "application/json"
    upstream.body = json.dumps({"type": "message", "content": calls, "stop_reason": "tool_use"}).encode()
    send(desk)
    button = desk.get_by_role("button", name="Send results")
    expect(button).to_be_disabled()
    expect(desk.locator("[data-missing-results]")).to_have_text("2 results missing")
    desk.get_by_label("Result of one as text").fill("first")
    expect(button).to_be_disabled()
    desk.locator('[data-result="1"] [value="json"]').check()
    desk.get_by_label("Result of two as JSON").fill('{"second": 2}')
    for scheme, width in itertools.product(("light", "dark"), (1440, 390)):
        desk.emulate_media(color_scheme=scheme)
        desk.set_viewport_size({"width": width, "height": 1000})
        axe(desk, "#answer")
    upstream.body = json.dumps({"type": "message", "content": [{"type": "text", "text": "Thanks"}]}).encode()
    button.click()
    expect(desk.locator("[data-blocks]")).to_have_text("Thanks")
    # The form has gone along: the answer and the results are turns of it now.
    expect(desk.locator("#ask")).to_contain_text("messages[2]")


@pytest.mark.slow
def test_an_answer_is_added_to_the_conversation(desk: Any, upstream: Loopback) -> None:
    upstream.body = stream("A fine answer.")
    send(desk)
    desk.get_by_role("button", name="Add to conversation").click()
    expect(desk.locator("#ask")).to_contain_text("messages[2]")


@pytest.mark.slow
def test_four_columns_stream_beside_each_other(desk: Any, upstream: Loopback, axe: Any) -> None:
    upstream.body = stream("Something to compare.")
    send(desk)
    desk.goto(f"/requests/{panel(desk).get_attribute('data-run')}/")
    desk.get_by_label("More for this response").click()
    desk.get_by_role("button", name="Run again with…").click()
    dialog = desk.get_by_role("dialog", name="Run again")
    expect(dialog).to_be_visible()
    axe(desk, "dialog[open]")
    for column in "1234":
        dialog.locator(f'[name="column"][value="{column}"]').check()
        dialog.locator(f'[name="model-{column}"]').fill(f"model-{column}")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(desk.locator(".compare-column .answer-panel[data-state='completed']")).to_have_count(4, timeout=20_000)
    expect(desk.locator(".compare-title")).to_have_text([f"model-{column}" for column in "1234"])
    axe(desk, ".compare")
