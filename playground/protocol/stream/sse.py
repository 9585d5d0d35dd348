"""Server-sent events: bytes to events as they arrive, and events to bytes.

The rules are those of the WHATWG HTML standard, section "Interpreting an event stream", with two kindnesses:
an event that has a name but no data is handed over too, and bytes that are not UTF-8 are replaced and told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from playground.exceptions import PlaygroundError
from playground.protocol.json.received_json import read_json

MAX_EVENT = 16 * 1024 * 1024
# Up to so many characters of data, the parsed value is kept: of a larger one it would double the memory.
_KEPT_PARSED = 16 * 1024

# U+2028, U+2029 and U+0085 are no line ends here: they occur literally inside JSON strings.
_LINE_END = re.compile(rb"\r\n?|\n")
_LINE_BREAK = re.compile(r"\r\n?|\n")
# An event as nearly every server writes it.
_USUAL_TEXT = re.compile(r"event: ([^\n]*)\ndata: ([^\n]*)\n\n")
_USUAL_BYTES = re.compile(_USUAL_TEXT.pattern.encode())
_USUAL_FRAME = len("event: \ndata: \n\n")
_LONGEST_BEGINNING = 16 * 1024  # of an event that is looked at again with each read until it is whole
_BOM = b"\xef\xbb\xbf"
_CR = 0x0D


# Nobody changes one, but a frozen one takes four times as long to make, and there can be 100,000 in an answer.
@dataclass(slots=True)
class ServerSentEvent:
    """One event as it was on the wire.

    `size` is in bytes, from the event's first field to the end of its blank line. `end` is where that line ends,
    counted in bytes from the start of the stream. `malformed` says why `data` cannot be trusted, or is None.
    """

    name: str | None
    data: str
    size: int = 0
    end: int = 0
    id: str | None = None
    malformed: str | None = None
    _parsed: tuple[Any, str | None] | None = field(default=None, init=False, repr=False, compare=False)

    def json(self) -> tuple[Any, str | None]:
        """The data as JSON, and why it cannot be read if it cannot. Parsed once for all who read the event: nobody may
        change the value."""
        if self._parsed is not None:
            return self._parsed
        parsed = read_json(self.data)
        if len(self.data) <= _KEPT_PARSED:
            self._parsed = parsed
        return parsed


class EventTooLarge(PlaygroundError, ValueError):
    """One event is larger than the limit; what came before it was handed over already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"one event is larger than {limit:,} bytes")
        self.limit = limit


class Decoder:
    """Bytes in, events out. Where the stream is cut into chunks makes no difference to the events.

    An event is handed over as soon as its blank line has ended. The one exception: a CR that is the last byte so far
    may be half of a CRLF and waits for the next byte, unless the line before it ended in a CR alone.

    To decode a part of a stream once more, say at which `offset` it begins: the start, or the end of an event.
    """

    def __init__(self, max_event: int = MAX_EVENT, offset: int = 0) -> None:
        self.max_event = max_event
        self._buffer = bytearray()  # the line that has not ended yet
        self._offset = offset  # where the buffer begins in the stream
        self._scanned = 0  # bytes of the buffer known to hold no line end
        self._at_start = offset == 0  # a byte order mark may still come
        self._after_cr = False  # the last line ended in a CR alone
        self._too_large = False
        self._begin()

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes; return the events that they completed.

        Raises EventTooLarge, on the next call if this one has events to return. Nothing can be fed after that.
        """
        goes_on = len(self._buffer) > _LONGEST_BEGINNING  # of a long event only what is new is looked at
        self._buffer += chunk
        if self._at_start and not self._skip_byte_order_mark():
            return []
        events = None if goes_on or self._too_large else self._take_usual()
        return self._take(at_end=False) if events is None else events

    def finish(self) -> list[ServerSentEvent]:
        """The stream has ended. An unfinished event is dropped.

        Returns the last event if it still waited for the byte after its CR, else nothing.
        """
        return self._take(at_end=True)

    def _take_usual(self) -> list[ServerSentEvent] | None:
        """The events, if all that is whole is events as nearly every server writes them: an event line, a data line and
        a blank one, each ended by LF. Several times faster than line by line. The beginning of an event whose end has
        not come yet waits in the buffer. None, with nothing taken, for anything else."""
        if self._begun_at is not None or self._after_cr or len(self._buffer) > self.max_event or b"\r" in self._buffer:
            return None
        last = self._buffer.rfind(b"\n\n")
        if last < 0:
            return [] if len(self._buffer) <= _LONGEST_BEGINNING else None
        end = last + 2
        text = bytes(self._buffer[:end])
        events: list[ServerSentEvent] = []
        begin = 0
        pairs: list[tuple[Any, Any]] = (
            _USUAL_TEXT.findall(text.decode("ascii")) if text.isascii() else _USUAL_BYTES.findall(text)
        )
        for name, data in pairs:
            size = len(name) + len(data) + _USUAL_FRAME
            begin += size
            malformed = None
            if type(data) is bytes:
                data, malformed = _decode(data)
                name = name.decode("utf-8", "replace")
            events.append(ServerSentEvent(intern(name), data, size, self._offset + begin, None, malformed))
        if begin != end:
            return None
        self._drop(end)
        self._scanned = 0
        return events

    def _take(self, *, at_end: bool) -> list[ServerSentEvent]:
        events = [] if self._too_large else self._take_lines(at_end=at_end)
        unfinished_from = self._offset if self._begun_at is None else self._begun_at
        if self._offset + len(self._buffer) - unfinished_from > self.max_event:
            self._too_large = True
        if self._too_large and not events:
            raise EventTooLarge(self.max_event)
        return events

    def _skip_byte_order_mark(self) -> bool:
        """Return False while it cannot be known yet if there is one."""
        if len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer):
            return False
        if self._buffer.startswith(_BOM):
            self._drop(len(_BOM))
        self._at_start = False
        return True

    def _take_lines(self, *, at_end: bool) -> list[ServerSentEvent]:
        events: list[ServerSentEvent] = []
        match = _LINE_END.search(self._buffer, self._scanned)
        text = bytes(self._buffer) if match else b""
        line = 0  # where the line begins in text
        whole = 0  # where the last event ended
        while match and not self._too_large:
            at, stop = match.span()
            lone_cr = text[at] == _CR and stop == at + 1
            if lone_cr and stop == len(text) and not at_end and not (at == line and self._after_cr):
                break
            if at > line:
                self._take_line(text[line:at], self._offset + line)
            else:
                if self._after_cr and not lone_cr:
                    # Could have ended at its CR, had the chunk ended there: so it does. The LF is a line of its own.
                    stop, lone_cr = at + 1, text[at] == _CR
                if event := self._end_event(self._offset + stop):
                    events.append(event)
                whole = stop
            self._after_cr = lone_cr
            line = stop
            match = _LINE_END.search(text, line)
        if 0 < whole < line and len(text) - whole <= _LONGEST_BEGINNING and b"\r" not in text[whole - 1 :]:
            self._begin()  # the rest is read in the usual way with what comes next, if it is usual
            self._drop(whole)
            self._scanned = 0
        else:
            self._drop(line)
            self._scanned = max(0, len(self._buffer) - 1)  # the last byte may be a CR
        return events

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._offset += count

    def _begin(self) -> None:
        self._begun_at: int | None = None
        self._name: str | None = None
        self._data: list[bytes] = []
        self._id: str | None = None

    def _take_line(self, line: bytes, begins_at: int) -> None:
        field, _, value = line.partition(b":")
        if not field:
            return  # a comment
        if self._begun_at is None:
            self._begun_at = begins_at
        if value.startswith(b" "):
            value = value[1:]
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _end_event(self, end: int) -> ServerSentEvent | None:
        """A blank line has ended: the event so far, or None when there is none or it is too large."""
        size = 0 if self._begun_at is None else end - self._begun_at
        self._too_large = size > self.max_event
        event = None
        if (self._name is not None or self._data) and not self._too_large:
            data, malformed = _decode(b"\n".join(self._data))
            event = ServerSentEvent(self._name, data, size, end, self._id, malformed)
        self._begin()
        return event


def encode(name: str | None, data: str) -> bytes:
    """One event as bytes. `name` None leaves the event line out; line breaks in `data` make several data lines."""
    if name is not None and _LINE_BREAK.search(name):
        raise ValueError(f"an event's name cannot hold a line break: {name!r}")
    lines = [] if name is None else [f"event: {name}"]
    lines += [f"data: {line}" for line in _LINE_BREAK.split(data)]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


def _decode(data: bytes) -> tuple[str, str | None]:
    try:
        return data.decode(), None
    except UnicodeDecodeError as error:
        return data.decode("utf-8", "replace"), f"not UTF-8 at byte {error.start} of the data"
