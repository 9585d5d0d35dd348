"""Unicode: what is sent and what comes back, whole and cut into pieces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, InconclusiveError, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS, create, user
from playground.conformance.judging import events_of, is_answered, never_breaks, path, refused

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "unicode"
_WORDS: Final = "Grüße, 東京, Ωμέγα, 🦊🐙🏳️‍🌈"
WHOLE: Final = create(f"Repeat after me: {_WORDS}", max_tokens=200)
STREAMED: Final = create(f"Repeat after me: {_WORDS}", max_tokens=200, stream=True)
HALF: Final = create("Repeat after me: ready \ud83d")
NUL: Final = create("Repeat after me: ready \0")
SEPARATORS: Final = create("Repeat after me: ready\u2028\u2029\u0085")
COMBINED: Final = create("Repeat after me: ready " + "e\u0301\u200d\ufeff" * 8)


def escaped(model: str) -> bytes:
    """All that is not ASCII as \\u escapes, a fox as two halves."""
    body = {"model": model, "max_tokens": 200, "messages": [user(f"Repeat after me: {_WORDS}")]}
    return json.dumps(body, ensure_ascii=True).encode()


def latin_1(model: str) -> bytes:
    body = {"model": model, "max_tokens": 16, "messages": [user("Repeat after me: Grüße")]}
    return json.dumps(body, ensure_ascii=False).encode("latin-1")


def with_byte_order_mark(model: str) -> bytes:
    body = {"model": model, "max_tokens": 16, "messages": [user("Repeat after me: ready")]}
    return b"\xef\xbb\xbf" + json.dumps(body).encode()


ESCAPED: Final = Request(escaped)
LATIN_1: Final = Request(latin_1)
MARKED: Final = Request(with_byte_order_mark)


def _comes_back(exchange: Exchange) -> None:
    is_answered(exchange)
    text = exchange.text
    spoilt = next((mark for mark in ("\ufffd", "Ã¼", "ðŸ", "\\u6771") if mark in text), None)
    if spoilt is not None:
        raise ProtocolFaultError(f"The text is {text!r:.80}: characters were spoilt.", member="content[0].text")
    if "東京" not in text or "🦊" not in text:
        raise InconclusiveError("The model did not repeat the words.")


def _is_utf8(exchange: Exchange) -> None:
    is_answered(exchange)
    try:
        bytes(exchange.body).decode()
    except UnicodeDecodeError as error:
        number = next((event.number for event in exchange.events if "\ufffd" in event.data), None)
        raise ProtocolFaultError(f"Byte {error.start} of the stream is not UTF-8.", event=number) from None


def _no_halves(exchange: Exchange) -> None:
    is_answered(exchange)
    for event in events_of(exchange.events, "content_block_delta"):
        text = path(event.value, "delta", "text")
        if isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text):
            raise ProtocolFaultError("A delta holds half a character.", event=event.number, member="delta.text")


def _check(
    name: str, level: Any, title: str, expects: str, why: str, request: Request, judge: Any, **more: Any
) -> Check:
    more = {"source": DOCS["json"], "depends": ("answer.message",), **more}
    return Check(f"unicode.{name}", AREA, level, title, expects, why, steps=(request,), judge=judge, **more)


_REFUSED_OR_TAKEN: Final = "A message, or HTTP 4xx."
CHECKS: Final = (
    _check("whole", "must", "Characters of all scripts come back as they were", "The words, unchanged.",
           "Most people do not write ASCII.", WHOLE, _comes_back),
    _check("escaped", "must", "Escaped characters mean the same", "The words, unchanged.",
           "JSON has \\u escapes for every character; an emoji is two of them.", ESCAPED, _comes_back),
    _check("stream", "must", "Characters survive a stream", "The pieces join to the words.",
           "Tokens are bytes: an emoji comes in up to four of them, which must be put together first.", STREAMED,
           _comes_back, depends=("stream.answers",)),
    _check("stream_utf8", "must", "A stream is UTF-8", "Bytes that are UTF-8 throughout.",
           "The Python client raises UnicodeDecodeError on anything else.", STREAMED, _is_utf8, source=DOCS["sse"],
           depends=("stream.answers",)),
    _check("stream_halves", "must", "No delta holds half a character", "Whole characters in each delta.",
           "Half a surrogate pair cannot be written to a file or a database.", STREAMED, _no_halves,
           depends=("stream.answers",)),
    _check("lone_half", "should", "Half a surrogate pair is taken or refused clearly", _REFUSED_OR_TAKEN,
           "JSON can carry it and UTF-8 cannot: what is done must be said.", HALF, never_breaks),
    _check("nul", "should", "A NUL is taken or refused clearly", _REFUSED_OR_TAKEN,
           "JSON can carry it; not every database can.", NUL,
           never_breaks),
    _check("separators", "should", "Line and paragraph separators are taken", "A message.",
           "They do not end a line, neither in JSON nor in server-sent events.", SEPARATORS, is_answered),
    _check("combining", "should", "Combining and invisible characters are taken", "A message.",
           "They are characters like any other.", COMBINED, is_answered),
    _check("latin_1", "should", "A body that is not UTF-8 is refused", "HTTP 400.",
           "JSON is UTF-8; guessing spoils texts without a word.", LATIN_1, refused(400, 422), bad_request=True),
    _check("byte_order_mark", "may", "A byte order mark is taken or refused clearly", _REFUSED_OR_TAKEN,
           "By RFC 8259 a reader may ignore it or refuse it.", MARKED, never_breaks),
)  # fmt: skip
