"""One request that was sent, and all that came back: what the judges read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from playground.conformance.check import (
    AnswerRefusedError,
    BusyError,
    Evidence,
    ProtocolFaultError,
    Sent,
)
from playground.engine.events import Answered, Ended, Received, Requested, Streamed
from playground.protocol.errors import ApiError, parse_error
from playground.protocol.json.received_json import try_loads
from playground.protocol.stream.accumulator import Accumulator

if TYPE_CHECKING:
    from playground.conformance.check import Request
    from playground.engine.events import RunEvent

_BUSY = (429, 503, 529)
_SHOWN_BODY = 20_000  # characters
_SHOWN_DATA = 2_000
_AROUND = 3  # events shown before and after the offending one


class Event(NamedTuple):
    """One server-sent event. `value` is its data as JSON, None when that is not JSON."""

    number: int
    at_ms: float
    name: str | None
    data: str
    value: Any

    @property
    def type(self) -> str:
        kind = self.value.get("type") if isinstance(self.value, dict) else None
        return kind if isinstance(kind, str) else ""


@dataclass
class Exchange:
    """Feed it the run events with `add`; read it after the last one."""

    request: Request
    body_sent: bytes
    model: str = ""
    run_id: str = ""
    method: str = ""
    url: str = ""
    headers_sent: tuple[tuple[str, str], ...] = ()
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    read_times_ms: list[float] = field(default_factory=list)
    ended: Ended | None = None
    hung_up: bool = False
    _streamed: list[Streamed] = field(default_factory=list)

    def add(self, event: RunEvent) -> None:
        match event:
            case Streamed():
                self._streamed.append(event)
            case Received():
                self.body += event.data
                self.read_times_ms.append(event.at_ms)
            case Requested():
                self.method, self.url, self.headers_sent = event.method, event.url, event.headers
            case Answered():
                self.status, self.headers = event.status, dict(event.headers)
            case Ended():
                self.ended = event

    @property
    def event_count(self) -> int:
        return len(self._streamed)

    @property
    def is_stream(self) -> bool:
        return bool(self._streamed)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @cached_property
    def events(self) -> list[Event]:
        return [
            Event(each.number, each.at_ms, each.event.name, each.event.data, _parse(each.event.data))
            for each in self._streamed
        ]

    @cached_property
    def json(self) -> Any:
        return _parse(self.body.decode("utf-8", "replace"))

    @cached_property
    def error(self) -> ApiError | None:
        """The answer as an error; None when it is not one."""
        if self.status is not None and self.status >= 400:
            return parse_error(self.status, bytes(self.body), self.content_type)
        return self._accumulated.api_error

    @cached_property
    def _accumulated(self) -> Accumulator:
        if not self._streamed:
            return Accumulator.of_message(self.json)
        accumulator = Accumulator()
        for each in self._streamed:
            accumulator.add(each.event)
        accumulator.finish()
        return accumulator

    @cached_property
    def message(self) -> dict[str, Any]:
        """The message, of a stream or of JSON. Raises what keeps it from being one: see `require_success`."""
        self.require_success()
        if self._accumulated.ending == "failed" and self.error is not None:
            raise ProtocolFaultError(f"HTTP 200, and then an error: {self.error.message}", event=self._error_event())
        if not self._streamed:
            if not isinstance(self.json, dict):
                raise ProtocolFaultError(f"HTTP {self.status} with something that is not a JSON object.")
            if not isinstance(self.json.get("content"), list):
                raise ProtocolFaultError(f"HTTP {self.status} with something that is no message.", member="content")
        elif not self._accumulated.blocks and not any(event.type == "message_start" for event in self.events):
            raise ProtocolFaultError("HTTP 200 with events that make no message.", event=1)
        return self._accumulated.message

    def require_success(self) -> None:
        """Raise unless the answer is 2xx: BusyError, AnswerRefusedError for a clear no, else ProtocolFaultError."""
        if self.status is None:
            failure = self.ended.failure if self.ended else None
            raise ProtocolFaultError(f"No answer: {failure.message if failure else 'the connection ended.'}")
        if 200 <= self.status < 300:
            return
        words = self.error.message if self.error else ""
        if self.status in _BUSY:
            raise BusyError(f"HTTP {self.status}: {words}")
        if 400 <= self.status < 500 or self.status == 501:
            raise AnswerRefusedError(self.status, words)
        raise ProtocolFaultError(f"HTTP {self.status}: {words}" if words else f"HTTP {self.status}")

    def _error_event(self) -> int | None:
        return next((event.number for event in self.events if event.type == "error"), None)

    @property
    def content(self) -> list[dict[str, Any]]:
        return [block for block in self.message["content"] if isinstance(block, dict)]

    @property
    def text(self) -> str:
        texts = [block.get("text") for block in self.content if block.get("type") == "text"]
        joined = "".join(text for text in texts if isinstance(text, str))
        # Halves of a character that came in two pieces are one again, as in a browser.
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    @property
    def usage(self) -> dict[str, Any]:
        usage = self.message.get("usage")
        return usage if isinstance(usage, dict) else {}

    @property
    def spent(self) -> dict[str, Any]:
        """The usage as far as it is told, of any answer. Never raises."""
        return dict(self._accumulated.usage) if self.status is not None and 200 <= self.status < 300 else {}

    @property
    def answered_by(self) -> str:
        model = self._accumulated.message.get("model")
        return model if isinstance(model, str) else ""

    # --- what a report shows of it

    def sent(self) -> Sent:
        text = self.body_sent[: _SHOWN_BODY * 2].decode("utf-8", "replace")
        return Sent(self.method, self.url, self.headers_sent, text[:_SHOWN_BODY], len(self.body_sent))

    def evidence(self, event: int | None = None, member: str = "") -> Evidence:
        kept = tuple((name, value[:300]) for name, value in self.headers.items())[:40]
        about = {"http_status": self.status, "content_type": self.content_type, "member": member, "headers": kept}
        if self._streamed:
            first = max(1, (event or 1) - _AROUND)
            shown = self.events[first - 1 : first + 2 * _AROUND]
            rows = tuple(
                (each.number, round(each.at_ms, 1), each.name or "", each.data[:_SHOWN_DATA]) for each in shown
            )
            return Evidence(**about, events=rows, event_count=len(self.events), marked=event)  # type: ignore[arg-type]
        text = self.body[: _SHOWN_BODY * 2].decode("utf-8", "replace")[:_SHOWN_BODY]
        return Evidence(**about, body=text)  # type: ignore[arg-type]


def _parse(text: str) -> Any:
    return try_loads(text.removeprefix("\ufeff"))
