"""Events of a run as entries of a stream, and back: equal to what they were.

An entry holds what came in one window: where it begins in the run's list of events (`at`), the received bytes (`data`),
and a line for each event (`events`). A server-sent event is not sent a second time: its line says where it ends in the
body, and it is cut out of the bytes and decoded again, as `EventLog` does with what it has packed.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from playground.engine.events import Answered, Ended, Failure, Received, Requested, Streamed
from playground.engine.live_run import RunMetadata
from playground.protocol.stream.sse import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from playground.engine.events import Pairs, RunEvent
    from playground.protocol.stream.sse import ServerSentEvent

MOST_EVENTS: Final = 500  # of one entry
MOST_BYTES: Final = 256 * 1024
_LARGEST_EVENT: Final = 2**40  # the engine has checked its size
_dump = json.JSONEncoder(separators=(",", ":"), default=str).encode


def entries(start: int, events: Sequence[RunEvent]) -> Iterator[dict[str, Any]]:
    """Entries of these events, the first of which has the place `start` in its run."""
    begin, size = 0, 0
    for index, event in enumerate(events):
        size += len(event.data) if isinstance(event, Received) else 0
        if size >= MOST_BYTES or index - begin + 1 >= MOST_EVENTS:
            yield _entry(start + begin, events[begin : index + 1])
            begin, size = index + 1, 0
    if begin < len(events):
        yield _entry(start + begin, events[begin:])


def _entry(at: int, events: Sequence[RunEvent]) -> dict[str, Any]:
    data = b"".join(event.data for event in events if isinstance(event, Received))
    return {"at": at, "events": _dump([_line(event) for event in events]), "data": data}


def _line(event: RunEvent) -> list[Any]:
    match event:
        case Received():
            return [event.at_ms, len(event.data)]
        case Streamed():
            return [event.at_ms, event.end, "s"]
        case Requested():
            return ["requested", event.at_ms, event.method, event.url, event.headers, event.body_size]
        case Answered():
            return ["answered", event.at_ms, event.status, event.headers]
        case Ended():
            failure = event.failure and [event.failure.kind, event.failure.message, event.failure.detail]
            return ["ended", event.at_ms, event.state, failure, event.is_cut, event.usage]


class EventReader:
    """Makes the events of one run from its entries. They may come more than once, as after a restart of Redis."""

    def __init__(self) -> None:
        self.count = 0  # events made so far
        self.is_behind = False  # entries in between have not come
        self._number = 0  # of the last server-sent event
        self._end = 0  # where in the body it ended
        self._rest: list[bytes] = []  # of the body, from there

    def read(self, entry: Mapping[bytes, bytes]) -> list[RunEvent]:
        """Return the new events of this entry; none when events before it are missing (`is_behind`)."""
        at, lines = int(entry[b"at"]), json.loads(entry[b"events"])
        self.is_behind = at > self.count
        if self.is_behind or at + len(lines) <= self.count:
            return []
        known = self.count - at
        offset = sum(line[1] for line in lines[:known] if len(line) == 2)
        made = list(self._events(lines[known:], entry[b"data"][offset:]))
        self.count += len(made)
        return made

    def _events(self, lines: list[list[Any]], data: bytes) -> Iterator[RunEvent]:
        self._rest.append(data)
        streamed = iter(self._decoded([line[1] for line in lines if len(line) == 3]))
        offset = 0
        for line in lines:
            if len(line) == 2:
                yield Received(line[0], data[offset : offset + line[1]])
                offset += line[1]
            elif len(line) == 3:
                self._number += 1
                yield Streamed(line[0], self._number, next(streamed), line[1])
            else:
                yield _step(line)

    def _decoded(self, ends: list[int]) -> list[ServerSentEvent]:
        """The server-sent events that end at these places of the body."""
        if not ends:
            return []
        body, size = b"".join(self._rest), ends[-1] - self._end
        decoder = Decoder(_LARGEST_EVENT, offset=self._end)
        self._rest, self._end = [body[size:]], ends[-1]
        return decoder.feed(body[:size]) + decoder.finish()


def _step(line: list[Any]) -> RunEvent:
    kind, *rest = line
    if kind == "requested":
        at_ms, method, url, headers, size = rest
        return Requested(at_ms, method, url, _pairs(headers), size)
    if kind == "answered":
        at_ms, status, headers = rest
        return Answered(at_ms, status, _pairs(headers))
    at_ms, state, failure, is_cut, usage = rest
    return Ended(at_ms, state, failure and Failure(*failure), is_cut, usage)


def _pairs(headers: list[list[str]]) -> Pairs:
    return tuple((name, value) for name, value in headers)


def about_to_json(about: RunMetadata) -> str:
    """Write it as JSON without the request's body, which can be large and is rarely asked for."""
    values = {field.name: getattr(about, field.name) for field in fields(about) if field.name != "request_body"}
    if about.endpoint == "messages":  # a process from before there were others does not know the word
        del values["endpoint"]
    return _dump(values)


def about_from_json(text: bytes, request_body: bytes) -> RunMetadata:
    values = json.loads(text)
    connection_id = values["connection_id"]
    return RunMetadata(
        **values
        | {
            "connection_id": None if connection_id is None else UUID(connection_id),
            "request_headers": _pairs(values["request_headers"]),
            "betas": tuple(values["betas"]),
            "request_body": request_body,
        }
    )
