"""A run as the recorder's own process knows it: made again from what the server hands over, and let go once taken."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final, overload

from playground.engine.events import Ended, Received, Streamed
from playground.protocol.json.received_json import LARGEST_READ
from playground.protocol.stream.sse import Decoder, EventTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from playground.engine.event_log import Piece
    from playground.engine.events import RunEvent
    from playground.engine.live_run import RunMetadata
    from playground.protocol.stream.sse import ServerSentEvent

_LARGEST_EVENT: Final = 2**62  # the server has refused what is too large
_NO_STREAM_BEGINS: Final = b"{[<"  # see `engine.response`


class Backlog:
    """Events of all runs that nobody has taken yet, and their bytes. Counted in several threads."""

    def __init__(self) -> None:
        self.events = self.size = 0
        self._lock = Lock()

    def count(self, events: Sequence[RunEvent], sign: int) -> None:
        size = sum(len(event.data) for event in events if isinstance(event, Received))
        with self._lock:
            self.events += sign * len(events)
            self.size += sign * size


class Unread(Sequence["RunEvent"]):
    """Reads like the list of all events of a run, and keeps those that are not read yet. From any thread."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._events: list[RunEvent] = []
        self._first = 0
        self._lock = Lock()

    def __len__(self) -> int:
        with self._lock:
            return self._first + len(self._events)

    def extend(self, events: Sequence[RunEvent]) -> None:
        with self._lock:
            self._events += events
        self._backlog.count(events, 1)

    def keep_from(self, place: int) -> None:
        """Forget what comes before this place, except the last event: nobody asks for it again."""
        with self._lock:
            read = self._events[: max(0, min(place - self._first, len(self._events) - 1))]
            del self._events[: len(read)]
            self._first += len(read)
        self._backlog.count(read, -1)

    def left(self) -> None:
        """Forget everything: nobody will ask for anything again."""
        with self._lock:
            read, self._events = self._events, []
            self._first += len(read)
        self._backlog.count(read, -1)

    @overload
    def __getitem__(self, place: int) -> RunEvent: ...
    @overload
    def __getitem__(self, place: slice) -> list[RunEvent]: ...
    def __getitem__(self, place: int | slice) -> RunEvent | list[RunEvent]:
        with self._lock:
            if isinstance(place, slice):
                begin, end, step = place.indices(self._first + len(self._events))
                return self._events[max(0, begin - self._first) : max(0, end - self._first) : step]
            return self._events[place if place < 0 else place - self._first]


class RunCopy:
    """Looks to a `RunWriter` as the live run does in the server's process."""

    def __init__(self, run_id: UUID, about: RunMetadata, backlog: Backlog) -> None:
        self.id = run_id
        self.about = about
        self.events = Unread(backlog)
        self.is_stored = False
        self.is_over = False
        self._decoder: Decoder | None = Decoder(_LARGEST_EVENT)
        self._number = 0
        self._body = bytearray()  # of an answer without events
        self._has_begun = False

    def body(self) -> bytes:
        """The body of an answer that came in one piece, if it is not too large to be read."""
        return bytes(self._body)

    def take(self, pieces: Iterable[Piece | RunEvent]) -> None:
        """Append the events that these pieces were made of."""
        events: list[RunEvent] = []
        for piece in pieces:
            events += self._events_of(*piece) if isinstance(piece, tuple) else [piece]
        self.is_over = self.is_over or any(isinstance(event, Ended) for event in events[-1:])
        self.events.extend(events)

    def _events_of(self, at_ms: float, data: bytes, count: int) -> list[RunEvent]:
        events: list[RunEvent] = [Received(at_ms, data)] if data else []
        decoded = self._decoded(data)
        if len(decoded) < count and self._decoder is not None:
            decoded += self._decoder.finish()  # the last one waited for a byte that never came
        if len(decoded) != count:
            self._decoder = None  # no stream to the server, though it looks like one
        if count:
            self._body.clear()
        elif not self._number and len(self._body) <= LARGEST_READ:
            self._body += data
        for event in decoded[:count]:
            self._number += 1
            events.append(Streamed(at_ms, self._number, event, event.end))
        return events

    def _decoded(self, data: bytes) -> list[ServerSentEvent]:
        if self._decoder is None or not data:
            return []
        if not self._has_begun and (begins := data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]):
            self._has_begun = True
            if begins in _NO_STREAM_BEGINS:
                self._decoder = None
                return []
        try:
            return self._decoder.feed(data)
        except EventTooLarge:
            self._decoder = None
            return []
