"""The two examples before the first run: answers in the API's own shape, drawn by the same code as real ones."""

from __future__ import annotations

import json
from typing import Any, Final

from django.urls import reverse

from playground.answer.drawing import Drawing
from playground.answer.replay import frames_of
from playground.answer.run_info import RunInfo
from playground.answer.run_view import Links
from playground.engine.events import Answered, Ended, Received, Requested, RunEvent, Streamed
from playground.protocol.stream.sse import Decoder, encode

TEXT: Final = """A **rate limiter** keeps a caller from asking too often. The simplest fair one is a *token bucket*:

| part | what it does |
|---|---|
| capacity | how many calls may come at once |
| refill | how many come back each second |

```python
def allow(bucket, now):
    bucket.tokens = min(bucket.capacity, bucket.tokens + (now - bucket.at) * bucket.refill)
    bucket.at = now
    if bucket.tokens < 1:
        return False
    bucket.tokens -= 1
    return True
```

Three things to decide:

1. What counts as one caller: a key, an address, a user.
2. What a refused caller is told: `429` with `retry-after`.
3. Where the buckets live when there are several servers.
"""
THINKING: Final = (
    "The question is about rate limiting in general. A token bucket is the usual answer: it allows short bursts and "
    "holds a mean. A table for its two numbers, a few lines of code, then what is left to decide."
)
HEADERS: Final = (
    ("request-id", "req_example"),
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3998"),
    ("anthropic-ratelimit-output-tokens-limit", "400000"),
    ("anthropic-ratelimit-output-tokens-remaining", "399000"),
)
MESSAGE: Final[dict[str, Any]] = {
    "id": "msg_example",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        {"type": "thinking", "thinking": THINKING, "signature": "ZXhhbXBsZQ=="},
        {"type": "text", "text": TEXT},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 24,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 296,
        "output_tokens_details": {"thinking_tokens": 58},
    },
}
_PIECE = 14  # characters of one delta
_FIRST_MS, _STEP_MS = 420.0, 32.0


def example_events(kind: str) -> list[RunEvent]:
    """The run events of an example; empty for a kind without an example."""
    if kind == "json":
        return _json_events()
    return _stream_events() if kind == "stream" else []


def _json_events() -> list[RunEvent]:
    body = json.dumps(MESSAGE).encode()
    return [
        Requested(0.0, "POST", "", (), 0),
        Answered(2310.0, 200, (("content-type", "application/json"), *HEADERS)),
        Received(2312.0, body),
        Ended(2314.0, "completed", None),
    ]


def _stream_events() -> list[RunEvent]:
    events: list[RunEvent] = [
        Requested(0.0, "POST", "", (), 0),
        Answered(310.0, 200, (("content-type", "text/event-stream; charset=utf-8"), *HEADERS)),
    ]
    decoder, at_ms, number = Decoder(), 312.0, 0
    for data in _wire():
        raw = encode(data["type"], json.dumps(data))
        events.append(Received(at_ms, raw))
        for event in decoder.feed(raw):
            number += 1
            events.append(Streamed(at_ms, number, event, event.end))
        at_ms = max(_FIRST_MS, at_ms + (_STEP_MS if data["type"] == "content_block_delta" else 6.0))
    events.append(Ended(at_ms, "completed", None))
    return events


def _wire() -> list[dict[str, Any]]:
    """The message as the stream that would bring it."""
    opening = MESSAGE | {"content": [], "stop_reason": None, "usage": {"input_tokens": 24, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": opening}]
    for index, block in enumerate(MESSAGE["content"]):
        member = block["type"]
        events.append({"type": "content_block_start", "index": index, "content_block": {"type": member, member: ""}})
        text = block[member]
        for at in range(0, len(text), _PIECE):
            delta = {"type": f"{member}_delta", member: text[at : at + _PIECE]}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        if "signature" in block:
            delta = {"type": "signature_delta", "signature": block["signature"]}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": MESSAGE["usage"]})
    events.append({"type": "message_stop"})
    return events


def example(kind: str) -> Drawing | None:
    """The example, drawn; None for a kind without an example."""
    events = example_events(kind)
    if not events:
        return None
    drawing = blank_example(kind)
    drawing.take_all(events)
    drawing.draw()
    return drawing


def blank_example(kind: str) -> Drawing:
    drawing = Drawing(RunInfo(model=MESSAGE["model"], asked_for_stream=kind == "stream"))
    drawing.key = f"example-{kind}"
    panel = reverse("answer-example", args=[kind]) + "answer/"
    wire = reverse("example-wire", args=[kind])
    drawing.links = Links(panel=panel, json=reverse("example-json", args=[kind]), wire=wire)
    return drawing


def frames(kind: str) -> list[dict[str, Any]]:
    """The example as a page would be told it while it arrives."""
    return frames_of(blank_example(kind), example_events(kind))
