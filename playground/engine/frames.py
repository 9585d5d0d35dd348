"""Run events to frames: the JSON messages of a websocket, each well under the 64 KiB that a server may send at once.

An event longer than a frame is cut and marked; the page can fetch the whole from the log. What to draw for the events
is added by the consumer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from playground.engine.events import Answered, Ended, Received, Requested, Streamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playground.engine.events import RunEvent

FRAME_BYTES: Final = 60_000  # of JSON text; leaves room for what the consumer adds around it
SHOWN_BYTES: Final = 16_000  # of one event's data, counted as JSON; longer ones are cut
CUT: Final = "cut"

Frame = dict[str, Any]


def frames(events: Iterable[RunEvent]) -> Iterator[Frame]:
    """The events as frames, in their order. Received bytes make none: the events cut out of them do.

    `{"type": "events", "events": [[number, at_ms, name, data, size, mark], ...]}` gathers what came together; `mark`
    is null, "cut", or what makes the data doubtful.
    """
    gathered: list[list[Any]] = []
    size = 0
    for event in events:
        if isinstance(event, Streamed):
            entry, entry_size = _entry(event)
            if gathered and size + entry_size > FRAME_BYTES:
                yield {"type": "events", "events": gathered}
                gathered, size = [], 0
            gathered.append(entry)
            size += entry_size
        elif not isinstance(event, Received):
            if gathered:
                yield {"type": "events", "events": gathered}
                gathered, size = [], 0
            yield step(event)
    if gathered:
        yield {"type": "events", "events": gathered}


def step(event: Requested | Answered | Ended) -> Frame:
    """The frame of a step of the run itself."""
    at_ms = round(event.at_ms, 1)
    if isinstance(event, Requested):
        return {"type": "requested", "at_ms": at_ms, "method": event.method, "url": event.url[:2000]}
    if isinstance(event, Answered):
        return {"type": "answered", "at_ms": at_ms, "status": event.status, "headers": _some(event.headers)}
    failure = event.failure
    failure_fields = (
        None if failure is None else {"kind": failure.kind, "message": failure.message[:4000]} | _short(failure.detail)
    )
    return {"type": "ended", "at_ms": at_ms, "state": event.state, "failure": failure_fields}


def _entry(event: Streamed) -> tuple[list[Any], int]:
    """One event as a list, and how many bytes of JSON it takes."""
    sent = event.event
    data, mark = sent.data, sent.malformed
    data_size = len(data) + 200 if data.isascii() and len(data) < 1000 else _json_size(data)
    if data_size > SHOWN_BYTES:
        # Six characters of JSON per character at worst (\\u0000), so this many always fit.
        data, mark = data[: SHOWN_BYTES // 6], CUT
        data_size = _json_size(data)
    name = None if sent.name is None else sent.name[:200]
    size = data_size + 6 * len(name or "") + 100
    return [event.number, round(event.at_ms, 1), name, data, sent.size, mark], size


def _json_size(text: str) -> int:
    return len(json.dumps(text))


def _some(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers, but not so many or so long that the frame bursts."""
    return [(name[:200], value[:400]) for name, value in headers][:60]


def _short(detail: dict[str, Any]) -> Frame:
    """A failure's figures beside its message; long texts in it are in the message already, or in the log."""
    return {
        name: value[:400] if isinstance(value, str) else value for name, value in detail.items() if name != "message"
    }
