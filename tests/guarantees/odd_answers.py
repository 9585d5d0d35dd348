"""Further rows of the fault matrix: errors behind a whole message, redirects to no address, odd content types."""

from __future__ import annotations

from playground.serving.request_heads import reason_phrase
from tests.guarantees.faults import DONE, ERROR, EVENTS, JSON, LATE_ERROR, STARTED, Fault, answering, saying, streaming
from tests.support.raw_upstream import START, STOP, TEXT, sse

WHOLE = STARTED + DONE + STOP
MESSAGE = (
    b'{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn"}'
)


def _late(name: str, *events: bytes, words: tuple[str, ...] = ("Too busy now",)) -> Fault:
    """What follows the end of the message takes nothing from it, and is told."""
    shown = ("Hi", "The message was complete, but an error event came after its end", *words)
    body = WHOLE + b"".join(events)
    return Fault(f"after its end {name}", streaming(WHOLE, *events), "completed", "", shown, "unchanged", 200, body)


def _early(name: str, *events: bytes) -> Fault:
    """An error that comes before the message has ended is the end of the run."""
    shown = ("overloaded_error", "Too busy now")
    body = b"".join(events)
    return Fault(f"before its end {name}", streaming(*events), "failed", "error_event", shown, "unchanged", 200, body)


LATE = [
    _late("an error", LATE_ERROR),
    _late("a ping and an error", sse("ping", '{"type":"ping"}'), LATE_ERROR),
    _late("two errors", LATE_ERROR, LATE_ERROR.replace(b"Too busy now", b"Still busy")),
    _late("an error without its name", LATE_ERROR.replace(b"event: error\n", b"")),
    _late("an error in OpenAI's shape", b'data: {"error":{"message":"Too busy now","code":503}}\n\n'),
    _late("an error in words", b"event: error\ndata: Too busy now\n\n"),
    _late("an error and the end of OpenAI's streams", LATE_ERROR, b"data: [DONE]\n\n"),
    _early("with its stop_reason", STARTED, DONE, LATE_ERROR),
    _early("and message_stop behind it", STARTED, LATE_ERROR, STOP),
    _early("with message_stop and no message", STOP, LATE_ERROR),
    Fault(
        "after its end more text", streaming(WHOLE, STARTED.removeprefix(START + TEXT)), "completed", "",
        ("Hi", "Further events came after the end of the message: content_block_delta"), "unchanged", 200,
        WHOLE + STARTED.removeprefix(START + TEXT),
    ),
]  # fmt: skip


def _redirect(status: int, location: str, words: str) -> Fault:
    script = answering(f"{status} {reason_phrase(status)}", b"", f"location: {location}")
    shown = ("Redirect not followed", f"HTTP {status}", words)
    return Fault(f"{status} to {location!r}", script, "failed", "redirect", shown, 502, status)


REDIRECTS = [
    *(_redirect(status, "https://elsewhere.example/?key=1", "elsewhere.example") for status in (300, 303)),
    *(_redirect(307, location, "an address that cannot be read") for location in ("http://[::1", "https://", "//[")),
    _redirect(302, "https://elsewhere.example:99999/?key=1", "elsewhere.example"),
    _redirect(308, "https://xn--/?key=1", "xn--"),
    _redirect(302, "\x7f?key=1", "another path"),
    _redirect(301, "?key=1" + "x" * 9_000, "another path"),
    _redirect(301, "%zz", "another path"),
    _redirect(307, "javascript:alert(1)", "another path"),
]

CHARSETS = ["utf-7", "utf-16", "", '"', "undefined", "rot13", "x" * 900, "\xff", "%00"]

CONTENT_TYPES = [
    Fault(
        f"{kind} in {charset[:20]!r}",
        saying(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}; charset={charset}\r\n\r\n".encode("latin-1") + body),
        "completed", "", ("Hi",), "unchanged", 200, body,
    )
    for at, charset in enumerate(CHARSETS)
    for kind, body in [(("text/event-stream", WHOLE), ("application/json", MESSAGE))[at % 2]]
]  # fmt: skip


def _status(status: int, phrase: str) -> Fault:
    """A status that the standard does not know is handed on, told and stored as it is."""
    body = ERROR % (b"odd_error", b"So it is")
    shown = (str(status), "So it is")
    return Fault(
        f"status {status}", answering(f"{status} {phrase}", body, JSON), "failed", "http_status", shown, "unchanged",
        status, body,
    )  # fmt: skip


STATUSES = [
    _status(status, "Odd Words") for status in (402, 418, 420, 421, 425, 451, 460, 498, 499, 509, 520, 530, 599)
]
STATUSES += [
    Fault("status 299", answering("299 Odd", MESSAGE, JSON), "completed", "", ("Hi",), "unchanged", 299, MESSAGE),
    Fault("status 203", answering("203 Odd", WHOLE, EVENTS), "completed", "", ("Hi",), "unchanged", 203, WHOLE),
]

ODD_ANSWERS = [*LATE, *REDIRECTS, *CONTENT_TYPES, *STATUSES]
