"""What kind of answer this is, the events in it, and whether it came to a good end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from playground.engine import faults
from playground.engine.events import EndState, Failure, Streamed
from playground.protocol.errors import ApiError, parse_error, read_error
from playground.protocol.headers import retry_after_s
from playground.protocol.sse import Decoder, EventTooLarge

if TYPE_CHECKING:
    import httpx

    from playground.engine.events import RunEvent
    from playground.protocol.sse import ServerSentEvent

_SSE_BEGINS: Final = (b"event:", b"data:", b"id:", b"retry:", b":")
_KEPT_FOR_ERRORS: Final = 2**20  # of an error's body; the whole is in the run's bytes
_URGENT: Final = ('"content_block_start"', '"content_block_stop"', '"message_')


class Answer:
    """Reads one answer's body. `is_over`: its message is complete, or it has reported its error."""

    def __init__(self, response: httpx.Response, event_bytes: int) -> None:
        self.status = response.status_code
        self.content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = response.headers.get("content-encoding", "").strip().lower()
        self.encoding = "" if encoding == "identity" else encoding
        self.location = response.headers.get("location", "")
        self.is_redirect = 300 <= self.status < 400 and bool(self.location)
        self.headers = response.headers
        self.is_over = False
        self.is_urgent = True
        self.is_event_too_large = False
        self._event_bytes = event_bytes
        self._decoder = Decoder(event_bytes) if self._says_it_streams() else None
        self._is_sniffed = not self._may_be_streaming_unsaid()
        self._count = 0
        self._error: ApiError | None = None
        self._body = bytearray()

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def streams(self) -> bool:
        return self._decoder is not None

    def _says_it_streams(self) -> bool:
        return self.is_success and not self.encoding and self.content_type == "text/event-stream"

    def _may_be_streaming_unsaid(self) -> bool:
        """Some servers send events as text/plain, or without saying what it is."""
        unsaid = self.content_type in {"", "text/plain", "application/octet-stream"}
        return self.is_success and not self.encoding and unsaid

    def feed(self, data: bytes, now_ms: float) -> list[RunEvent]:
        """Take the next bytes of the body; return the events they completed."""
        if not self._is_sniffed and data:
            self._is_sniffed = True
            if data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").startswith(_SSE_BEGINS):
                self._decoder = Decoder(self._event_bytes)
        if self._decoder is None:
            self.is_urgent = False
            if self.is_success or len(self._body) < _KEPT_FOR_ERRORS:
                self._body += data
            return []
        try:
            found = self._decoder.feed(data)
        except EventTooLarge:
            self.is_event_too_large = True
            return []
        return self._streamed(found, now_ms)

    def finish(self, now_ms: float) -> list[RunEvent]:
        """The body has ended: an event that waited for its very last byte is complete now."""
        if self._decoder is None or self.is_event_too_large:
            return []
        try:
            return self._streamed(self._decoder.finish(), now_ms)
        except EventTooLarge:
            return []

    def _streamed(self, found: list[ServerSentEvent], now_ms: float) -> list[RunEvent]:
        told: list[RunEvent] = []
        self.is_urgent = self._count == 0
        for event in found:
            self._count += 1
            told.append(Streamed(now_ms, self._count, event, event.end))
            self._notice(event)
        return told

    def _notice(self, event: ServerSentEvent) -> None:
        """See the end of the message and errors. Most events are told by one look not to be either."""
        data, name = event.data, event.name
        if name != "content_block_delta" and (name is None or any(mark in data for mark in _URGENT)):
            self.is_urgent = True
        if '"message_stop"' not in data and '"error"' not in data and name not in {"message_stop", "error"}:
            return
        value = _parse(data)
        if value is None and name == "error":
            self._error = parse_error(200, data.encode("utf-8", "replace"))
        elif isinstance(value, dict):
            kind = value.get("type", name)
            if kind == "error" or (kind in {None, "message"} and isinstance(value.get("error"), dict)):
                self._error = read_error(value, 500)
            self.is_over = self.is_over or kind == "message_stop"
        elif name == "message_stop":
            self.is_over = True
        if self._error is not None:
            self.is_over = self.is_urgent = True

    def verdict(self, cause: Failure | None) -> tuple[EndState, Failure | None]:
        """How the run ended. `cause` is what ended the reading, None when the body came to its end."""
        if self.is_redirect:
            return "failed", faults.redirect(self.status, self._target())
        if self.encoding:
            return "failed", faults.encoding(self.encoding)
        if not self.is_success:
            return "failed", self._refusal()
        if self._error is not None:
            return "failed", _error_event(self._error)
        if cause is not None:
            return "interrupted", cause
        if self.streams:
            return ("completed", None) if self.is_over else ("interrupted", faults.truncated())
        return self._verdict_on_json()

    def _target(self) -> str:
        return self.location if urlsplit(self.location).hostname else ""

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
        if _parse(error.raw) is None:
            return Failure("not_json", f"HTTP {self.status}, and no JSON: {error.message}", detail)
        return Failure("http_status", f"HTTP {self.status} {error.type}: {error.message}", detail)

    def _verdict_on_json(self) -> tuple[EndState, Failure | None]:
        value = _parse(self._body.decode("utf-8", "replace"))
        detail = {"status": self.status, "content_type": self.content_type[:80]}
        if not isinstance(value, dict):
            what = "an empty body" if not self._body else f"{self.content_type or 'something'} that is no JSON object"
            words = f"HTTP {self.status} with {what} where a message was expected."
            return "failed", Failure("not_json", words, detail)
        if value.get("type") == "error" or ("error" in value and "content" not in value and "data" not in value):
            return "failed", _error_event(read_error(value, self.status))
        return "completed", None


def _parse(text: str) -> object:
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _error_event(error: ApiError) -> Failure:
    detail = {"type": error.type, "message": error.message, "request_id": error.request_id}
    return Failure("error_event", f"{error.type}: {error.message}", detail)
