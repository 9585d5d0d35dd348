"""Frames for the page: small enough for a websocket, with nothing left out."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as some

from playground.engine.events import Answered, Ended, Failure, Received, Requested, RunEvent, Streamed
from playground.engine.frames import frames
from playground.protocol.stream.sse import ServerSentEvent

MOST = 64 * 1024
texts = some.text(some.characters(codec="utf-8"), max_size=300)


def streamed(number: int, data: str, name: str | None = "ping") -> Streamed:
    return Streamed(1.0, number, ServerSentEvent(name, data, len(data)), 0)


@given(some.lists(some.tuples(texts, some.integers(1, 400)), max_size=40))
def test_every_event_is_in_one_frame_and_no_frame_is_too_large(parts: list[tuple[str, int]]) -> None:
    events = [streamed(number, text * times) for number, (text, times) in enumerate(parts, 1)]
    made = list(frames(events))
    assert [entry[0] for frame in made for entry in frame["events"]] == [event.number for event in events]
    assert all(len(json.dumps(frame)) < MOST for frame in made)


@given(some.text(some.characters(codec="utf-8"), min_size=10, max_size=10), texts)
def test_an_event_longer_than_a_frame_is_cut_and_marked(piece: str, name: str) -> None:
    data = piece * 2_000
    [frame] = frames([streamed(1, data, name * 50)])
    [[_, _, _, shown, size, mark]] = frame["events"]
    assert data.startswith(shown)
    assert (size, mark) == (20_000, "cut")
    assert len(json.dumps(frame)) < MOST


def test_steps_stand_between_the_events_in_their_order() -> None:
    events: list[RunEvent] = [
        Requested(0.0, "POST", "http://h/v1/messages", (), 2),
        Answered(1.0, 200, (("content-type", "text/event-stream"),)),
        Received(2.0, b"..."),
        streamed(1, "{}"),
        streamed(2, "{}"),
        Ended(3.0, "interrupted", Failure("idle", "Nothing came.", {"limit_s": 120})),
    ]
    made = list(frames(events))
    assert [frame["type"] for frame in made] == ["requested", "answered", "events", "ended"]
    assert made[-1]["failure"] == {"kind": "idle", "message": "Nothing came.", "limit_s": 120}


def test_doubtful_data_is_marked() -> None:
    event = Streamed(1.0, 1, ServerSentEvent("ping", "\ufffd", 1, malformed="not UTF-8 at byte 0"), 0)
    [frame] = frames([event])
    assert frame["events"][0][5] == "not UTF-8 at byte 0"


def test_an_answer_with_many_large_headers_still_fits() -> None:
    headers = tuple((f"anthropic-ratelimit-{n}", "x" * 8000) for n in range(200))
    [frame] = frames([Answered(1.0, 200, headers)])
    assert len(json.dumps(frame)) < MOST
