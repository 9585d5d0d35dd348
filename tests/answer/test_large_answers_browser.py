"""A stored run of very many events in a browser: opened, scrolled, filtered, stood in and played."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from playground.answer.cache import drawings
from playground.engine.events import Streamed
from playground.protocol.stream import sse
from tests.support.browser import expect
from tests.support.runs import ended, live_run, store, stream, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
COUNT = 21_000  # more than are played from frames that are fetched all at once


@pytest.fixture
def opened(page: Any, owner: Any, log_in: Any) -> Any:
    """The page of a run of so many events; its words are numbered as its events are."""
    drawings.clear()
    words = [f"w{number}{'.' if number % 20 else chr(10) * 2} " for number in range(3, COUNT - 2)]
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"type": "message", "role": "assistant", "content": [], "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    data = b"".join(sse.encode(event["type"], json.dumps(event)) for event in events)
    live = live_run(owner)
    live.publish([*told(data, chunk=20_000), ended(at_ms=2_000)])
    assert live.event_count == COUNT
    run = store(live)
    log_in(page, owner)
    page.goto(f"/requests/{run.pk}/")
    return page


@pytest.mark.slow
def test_a_run_is_played_at_its_own_speed_faster_and_slower(new_page: Any, owner: Any, log_in: Any) -> None:
    page = new_page(once=True)
    live = live_run(owner)
    data = stream(" ".join(f"w{number}" for number in range(1, 41)))
    events = told(data, step_ms=100, chunk=140)  # about an event each 100 ms
    live.publish([*events, ended(at_ms=events[-1].at_ms + 10)])
    came = {event.number: event.at_ms for event in events if isinstance(event, Streamed)}
    run = store(live)
    log_in(page, owner)
    page.clock.install()
    page.goto(f"/requests/{run.pk}/")
    page.locator("#answer").get_by_role("tab", name="Events").click()
    where, at_event, at_ms = page.locator("[data-where]"), page.locator("[data-at-event-answer]"), 0.0
    expect(where).to_contain_text(f"of {len(came)}")
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.locator("[data-play]").click()
    page.clock.run_for(1)  # a press is over a moment after its click; until then nothing is drawn
    expect(at_event.locator("h3")).to_have_text("As received")
    for speed, ms in (("1", 1_000), ("4", 250), ("0.25", 2_000), ("1", 300)):
        page.locator("[data-speed]").select_option(speed)
        page.clock.run_for(ms)
        at_ms += ms * float(speed)
        shown_ms = float(where.locator("b").first.inner_text()) * 1000
        assert abs(shown_ms - at_ms) < 120, (speed, shown_ms, at_ms)
        number = max(number for number, came_ms in came.items() if came_ms <= shown_ms + 0.5)
        expect(where).to_contain_text(re.compile(rf"event {number} of"))
        words = re.findall(r"w\d+", at_event.inner_text())
        assert abs(len(words) - (number - 2)) <= 1, "the words shown are those that had come"
    page.locator("[data-play]").click()
    stopped = where.inner_text()
    page.clock.run_for(1_000)
    assert where.inner_text() == stopped, "a pause is a pause"


@pytest.mark.slow
def test_a_long_run_is_opened_scrolled_stood_in_and_played(opened: Any) -> None:
    page = opened
    expect(page.locator("#answer [data-blocks]")).to_contain_text(f"w{COUNT - 3}.", timeout=30_000)
    page.locator("#answer").get_by_role("tab", name="Events").click()
    expect(page.locator("[data-where]")).to_contain_text("of 21,000")
    assert page.locator("[data-rows] tr").count() < 120, "only the rows in sight are made"

    # Filtered: what is left of each kind.
    page.locator(".filter-pills label", has_text="text_delta").click()
    expect(page.locator("[data-rows] tr[data-number]")).to_have_count(5)
    page.locator(".filter-pills label", has_text="text_delta").click()

    # Scrolled to the end: the rows there say what came.
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator(f'[data-rows] tr[data-number="{COUNT - 3}"] .data')).to_contain_text(f"w{COUNT - 3}")

    # Stood in, and stepped through in both directions.
    page.locator(f'[data-rows] tr[data-number="{COUNT - 10}"]').click()
    at_event = page.locator("[data-at-event-answer]")
    steps = ((None, COUNT - 10), ("Next", COUNT - 9), ("Previous", COUNT - 10), ("Previous", COUNT - 11))
    for button, number in steps:
        if button:
            page.get_by_role("button", name=f"{button} event").click()
        expect(at_event.locator("h3")).to_contain_text(f"after event {number}")
        expect(at_event).to_contain_text(re.compile(rf"w{number}\.\s*$"))
        expect(page.locator("[data-at-event-detail]")).to_contain_text(f"w{number}")

    # Played from the beginning.
    page.locator("[data-position]").fill("0")
    page.locator("[data-speed]").select_option("16")
    page.locator("[data-play]").click()
    expect(at_event).to_contain_text(f"w{COUNT - 3}.", timeout=20_000)
    expect(page.locator("[data-where]")).to_contain_text("event 21000 of")
    parts = at_event.locator("[data-part]").evaluate_all("parts => parts.map((part) => Number(part.dataset.part))")
    assert parts == list(range(len(parts)))
