"""Reads an answer: its kind, its events, and whether it came to a good end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from playground.engine import faults
from playground.engine.events import EndState, Failure, Streamed
from playground.engine.upstream import LOCATION
from playground.protocol.endpoints import token_count_in
from playground.protocol.errors import ApiError, is_error, parse_error, read_error, unwrapped
from playground.protocol.headers import retry_after_s
from playground.protocol.json.received_json import LARGEST_READ, TOO_DEEP, read_json, read_json_body
from playground.protocol.stream.event_type import type_of_event
from playground.protocol.stream.other_formats import OtherFormat, describe
from playground.protocol.stream.sse import Decoder, EventTooLarge

if TYPE_CHECKING:
    import httpx

    from playground.engine.events import FailureKind, RunEvent
    from playground.protocol.stream.sse import ServerSentEvent

_SSE_BEGINS: Final = (b"event:", b"data:", b"id:", b"retry:", b":")
_BOM: Final = b"\xef\xbb\xbf"
_COMPRESSED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "Zstandard", b"PK\x03\x04": "zip"}
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_LEAD: Final = 4_096  # bytes of blank lines before it is taken for what its content type says
_KEPT_FOR_ERRORS: Final = 2**20  # of an error's body; the whole is in the run's bytes
_KEPT_WITHOUT_EVENTS: Final = 64 * 1024  # of a stream in which no event has ended
_URGENT: Final = ('"content_block_start"', '"content_block_stop"', '"message_')
_TELLING: Final = ('"message_stop"', '"error"', '"stop_reason"')  # of which one must be in what tells an end
_TELLING_NAMES: Final = frozenset({"message_stop", "error"})
_MOST_OTHER_EVENTS: Final = 5_000  # that are looked into for a message that may yet come
_MESSAGE_MEMBER: Final = re.compile(rb'"type"\s*:\s*"message"|"content"\s*:\s*\[')
_USUAL_DELTAS: Final = ('{"type":"content_block_delta"', '{"type": "content_block_delta"')
Expected = Literal["message", "token_count", "object"]
_WORDS: Final[dict[Expected, str]] = {
    "message": "a message of the Messages API",
    "token_count": "a token count",
    "object": "a JSON object",
}


class Answer:
    """Reads one answer's body. `is_over`: its message is complete, or it has reported its error.

    `expected`: what a good answer is.
    """

    def __init__(self, response: httpx.Response, event_bytes: int, *, expected: Expected = "message") -> None:
        self.status = response.status_code
        self.content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = response.headers.get("content-encoding", "").strip().lower()
        self.encoding = "" if encoding == "identity" else encoding
        self.location = response.extensions.get(LOCATION) or response.headers.get("location", "")
        self.is_redirect = 300 <= self.status < 400 and bool(self.location)
        self.headers = response.headers
        self.is_over = False
        self.is_urgent = True
        self.is_event_too_large = False
        self._expected = expected
        self._event_bytes = event_bytes
        self._decoder: Decoder | None = None
        self._is_known = not self.is_success or bool(self.encoding)  # whether this is a stream
        self._lead = bytearray()  # what came before that was known
        self.count = 0  # events
        self.lines = 0
        self.usage: dict[str, Any] | None = None  # of an answer in one piece
        self._has_message = self._has_stop_reason = False
        self._other = OtherFormat()
        self._error: ApiError | None = None
        self._body = bytearray()
        self._body_size = 0  # which may be more than is kept

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def may_stream(self) -> bool:
        return self._decoder is not None or not self._is_known

    def forget_body(self) -> None:
        """The verdict is told: nothing here is needed any more."""
        self._body = bytearray()

    @property
    def streams(self) -> bool:
        return self._decoder is not None

    def _is_stream(self) -> bool | None:
        """Return whether it is a stream, by how the body begins, whatever the content type says; None while that cannot
        be told.

        Some servers send events as text/plain or JSON, others their errors as text/event-stream.
        """
        lead = bytes(self._lead)
        says_so = self.content_type == "text/event-stream"
        if len(lead) < len(_BOM) and _BOM.startswith(lead):
            return None
        begins = lead.removeprefix(_BOM).lstrip(b" \t\r\n" if says_so else b"\r\n")
        if not begins:
            return None if len(lead) < _LONGEST_LEAD else says_so
        if says_so:
            return begins[:1] not in b"{[<"
        if begins.startswith(_SSE_BEGINS):
            return True
        return None if any(field.startswith(begins) for field in _SSE_BEGINS) else False

    def feed(self, data: bytes, now_ms: float) -> list[RunEvent]:
        """Take the next bytes of the body; return the events they completed."""
        if not self._is_known:
            self._lead += data
            is_stream = self._is_stream()
            if is_stream is None:
                return []
            data = self._begin(is_stream=is_stream)
        if self._decoder is None:
            self.is_urgent = False
            if self.is_success or len(self._body) < _KEPT_FOR_ERRORS:
                self._body += data
                self._body_size += len(data)
            if len(self._body) > LARGEST_READ + _KEPT_WITHOUT_EVENTS:
                # Too large to be read: judged by its two ends, which is all that is kept of it here.
                del self._body[_KEPT_WITHOUT_EVENTS:-_KEPT_WITHOUT_EVENTS]
            return []
        self.lines += data.count(b"\n") + data.count(b"\r")
        if not self.count and len(self._body) < _KEPT_WITHOUT_EVENTS:
            self._body += data[:_KEPT_WITHOUT_EVENTS]
        try:
            events = self._decoder.feed(data)
        except EventTooLarge:
            self.is_event_too_large = True
            return []
        return self._streamed(events, now_ms)

    def _begin(self, *, is_stream: bool) -> bytes:
        self._is_known = True
        self._decoder = Decoder(self._event_bytes) if is_stream else None
        data = bytes(self._lead)
        self._lead.clear()
        return data

    def finish(self, now_ms: float) -> list[RunEvent]:
        """The body has ended: an event that waited for its very last byte is complete now."""
        events: list[RunEvent] = []
        if not self._is_known:
            data = self._begin(is_stream=self.content_type == "text/event-stream")
            events = self.feed(data, now_ms) if data else []
        if self._decoder is None or self.is_event_too_large:
            return events
        try:
            return events + self._streamed(self._decoder.finish(), now_ms)
        except EventTooLarge:
            return events

    def _streamed(self, events: list[ServerSentEvent], now_ms: float) -> list[RunEvent]:
        batch: list[RunEvent] = []
        self.is_urgent = self.count == 0
        for event in events:
            self.count += 1
            batch.append(Streamed(now_ms, self.count, event, event.end))
            is_text = event.name == "content_block_delta" and event.data.startswith(_USUAL_DELTAS)
            if not (is_text and self._has_message):  # most events are told by one look to be nothing but more text
                self._notice(event)
        return batch

    def _notice(self, event: ServerSentEvent) -> None:
        """See the message, its end, and errors."""
        data, name = event.data, event.name
        if name != "content_block_delta" and (name is None or any(mark in data for mark in _URGENT)):
            self.is_urgent = True
        if self._has_message and name not in _TELLING_NAMES and not any(mark in data for mark in _TELLING):
            return
        self._read(event)
        if self._error is not None:
            self.is_over = self.is_urgent = True

    @property
    def _is_whole(self) -> bool:
        """The message has had its proper end: an error that follows is not part of it."""
        return self.is_over and self._has_message and self._error is None

    def _read(self, event: ServerSentEvent) -> None:
        value, _ = event.json() if self._has_message or self._other.count < _MOST_OTHER_EVENTS else (None, "")
        value = unwrapped(value)
        if not isinstance(value, dict):
            if event.name == "error" and not self._is_whole:
                self._error = parse_error(200, event.data.encode("utf-8", "replace"))
            self.is_over = self.is_over or event.name == "message_stop"
            self._other.add_event(event)
            return
        match type_of_event(value, event.name):
            case "error":
                self._error = self._error if self._is_whole else read_error(value, 500)
            case "message_stop":
                self.is_over = True
            case "message_start" | "content_block_start" | "content_block_delta":
                self._has_message = True
                message = value.get("message")
                self._note_stop_reason(message)
            case "message":
                self._has_message = self.is_over = True
            case "message_delta":
                self._note_stop_reason(value.get("delta"))
            case _:
                if not self._has_message:
                    self._other.add_event(event)

    def _note_stop_reason(self, members: object) -> None:
        if isinstance(members, dict) and isinstance(members.get("stop_reason"), str):
            self._has_stop_reason = True

    def verdict(self, cause: Failure | None) -> tuple[EndState, Failure | None]:
        """Return how the run ended. `cause` is what ended the reading, None when the body came to its end."""
        if self.is_redirect:
            return "failed", faults.redirect(self.status, self.location)
        if self.encoding:
            return "failed", faults.encoding(self.encoding)
        if not self.is_success:
            return "failed", self._refusal()
        if self._error is not None:
            return "failed", _error_event(self._error)
        if cause is not None:
            return "interrupted", cause
        if not self.streams:
            return self._verdict_on_body()
        if self._expected == "token_count" and self._has_message:
            return "failed", self._no_message("a stream of events")
        if not self._has_message:
            return "failed", self._no_message(self._what_streamed())
        # Who closes the stream in order behind a stop_reason has said all there is; some servers do so always.
        is_complete = self.is_over or self._has_stop_reason
        return ("completed", None) if is_complete else ("interrupted", faults.truncated())

    def _refusal(self) -> Failure:
        """An answer with an error status; what its body says, whatever its shape."""
        error = parse_error(self.status, bytes(self._body), self.content_type)
        detail = {
            "status": self.status,
            "type": error.type,
            "message": error.message,
            "request_id": error.request_id or self.headers.get("request-id"),
            "retry_after_s": retry_after_s(list(self.headers.items())),
        }
        if read_json(error.raw.removeprefix("\ufeff"))[1]:
            return Failure("not_json", f"HTTP {self.status}, and no JSON: {error.message}", detail)
        return Failure("http_status", f"HTTP {self.status} {error.type}: {error.message}", detail)

    def _verdict_on_body(self) -> tuple[EndState, Failure | None]:
        if self._body_size > LARGEST_READ:
            return self._verdict_on_large_body()
        value, problem = read_json_body(self._body)
        if problem is not None:
            return "failed", self._not_json(problem)
        error = unwrapped(value)
        if isinstance(error, dict) and is_error(error):
            return "failed", _error_event(read_error(error, self.status if self.status >= 400 else 500))
        if self._expected != "message":
            is_good = isinstance(value, dict) if self._expected == "object" else token_count_in(value) is not None
            return ("completed", None) if is_good else ("failed", self._no_message(describe(value)))
        if isinstance(value, dict) and (value.get("type") == "message" or isinstance(value.get("content"), list)):
            usage = value.get("usage")
            self.usage = usage if isinstance(usage, dict) else None
            return "completed", None
        return "failed", self._no_message(describe(value))

    def _verdict_on_large_body(self) -> tuple[EndState, Failure | None]:
        """Judge a large body by its beginning and its end: reading it would take many times its size."""
        begins, ends = bytes(self._body[:_KEPT_WITHOUT_EVENTS]).lstrip(), bytes(self._body[-_KEPT_WITHOUT_EVENTS:])
        if not (begins.startswith(b"{") and ends.rstrip().endswith(b"}")):
            return "failed", self._not_json("")
        is_message = _MESSAGE_MEMBER.search(begins) or _MESSAGE_MEMBER.search(ends)
        if is_message and self._expected != "token_count":
            return "completed", None
        return "failed", self._no_message("a JSON object that is not a message")

    def _not_json(self, problem: str) -> Failure:
        expects_message = self._expected == "message"
        if problem == TOO_DEEP and expects_message:
            return faults.unreadable()
        text = self._body[:_KEPT_WITHOUT_EVENTS].decode("utf-8", "replace")
        if expects_message and (lines := OtherFormat()).add_lines(text) and lines.name:
            return self._no_message(f"a stream of {lines.name}, one JSON value a line,", lines.name)
        plain = "an empty body" if not text.strip() else f"{self.content_type or 'something'} that is not JSON"
        what = _known_bytes(bytes(self._body[:_LONGEST_LEAD])) or plain
        if self._expected == "token_count":
            return self._no_message(what)
        words = f"HTTP {self.status} with {what} where a message was expected."
        return Failure("not_json", words, self._detail())

    def _what_streamed(self) -> str:
        """Return what a stream without a message was, in words."""
        if self._other.name:
            return f"a stream of {self._other.name}"
        if self._other.count:
            return "a stream of events that the Messages API does not have"
        if self.count:
            return "a stream that held nothing but pings"
        value, problem = read_json_body(self._body)
        if not self._body.strip():
            return "an event stream without a single event"
        if known := _known_bytes(bytes(self._body[:_LONGEST_LEAD])):
            return known
        if all(line.startswith(b":") for line in bytes(self._body).splitlines() if line.strip()):
            return "an event stream that held nothing but comments"
        return "an event stream that is none: no event ends in it" if problem else f"{describe(value)} as event stream"

    def _no_message(self, what: str, name: str = "") -> Failure:
        expected = _WORDS[self._expected]
        words = f"HTTP {self.status} came with {what} instead of {expected}."
        name = name or self._other.name
        kind: FailureKind = "not_a_count" if self._expected == "token_count" else "not_a_message"
        return Failure(kind, words, self._detail() | ({"format": name} if name else {}))

    def _detail(self) -> dict[str, object]:
        return {"status": self.status, "content_type": self.content_type[:80]}


def _known_bytes(begins: bytes) -> str:
    """Return what a body is that is neither JSON nor events, by its first bytes; empty when that cannot be told."""
    for mark, name in _COMPRESSED.items():
        if begins.startswith(mark):
            return f"bytes compressed by {name}, without a content-encoding that says so,"
    if begins.startswith(_UTF_16):
        return "text in UTF-16 instead of UTF-8"
    is_page = begins.removeprefix(_BOM).lstrip()[:1] == b"<"
    return "a web page" if is_page else ""


def _error_event(error: ApiError) -> Failure:
    detail = {"type": error.type, "message": error.message, "request_id": error.request_id}
    return Failure("error_event", f"{error.type}: {error.message}", detail)
