"""HTTP: how requests may come, and what a server does with the connection."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, NotSupportedError, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS, PLAIN, user
from playground.conformance.judging import is_answered, never_breaks

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "http"
_BODY: Final = {"max_tokens": 64, "messages": [user("Repeat after me: ready")]}
CHUNKED: Final = Request(_BODY, chunked=True)
HEAD: Final = Request(method="HEAD", path="/v1/models")
ASKS_FOR_GZIP: Final = Request(_BODY, headers=(("accept-encoding", "gzip"),))
FROM_A_PAGE: Final = Request(
    _BODY, headers=(("origin", "https://app.example"), ("anthropic-dangerous-direct-browser-access", "true"))
)
PREFLIGHT: Final = Request(
    method="OPTIONS",
    credential="none",
    version=None,
    headers=(
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-api-key,anthropic-version,content-type"),
    ),
)
HUNG_UP: Final = Request(
    {"max_tokens": 4000, "messages": [user("Write a very long story about a lighthouse.")], "stream": True},
    hang_up_after=3,
)
LONG: Final = Request({"max_tokens": 400, "messages": [user("Count from 1 to 60 in words, one number a line.")]})
_SOON_MS: Final = 1_500


def compressed(model: str) -> bytes:
    return gzip.compress(json.dumps({"model": model, **_BODY}).encode(), mtime=0)


COMPRESSED: Final = Request(compressed, headers=(("content-encoding", "gzip"),))


def _after(_: list[Exchange]) -> Request:
    return Request(_BODY)


def _stays_open(exchange: Exchange) -> None:
    is_answered(exchange)
    if "close" in exchange.headers.get("connection", "").lower():
        raise ProtocolFaultError("connection: close, for a request that did not ask for it.")


def _is_plain(exchange: Exchange) -> None:
    exchange.require_success()
    encoding = exchange.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise ProtocolFaultError(f"The answer is {encoding}, although only identity was accepted.")


def _is_what_it_says(exchange: Exchange) -> None:
    exchange.require_success()
    encoding = exchange.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        is_answered(exchange)
        return
    try:
        value = json.loads(gzip.decompress(bytes(exchange.body)))
    except (OSError, EOFError, ValueError):
        raise ProtocolFaultError(f"The answer says {encoding} and is not.") from None
    if not isinstance(value, dict) or value.get("type") != "message":
        raise ProtocolFaultError("The unpacked response is not a message.")


def _has_no_body(exchange: Exchange) -> None:
    if exchange.status is None:
        exchange.require_success()
    if exchange.status is not None and exchange.status >= 500 and exchange.status != 501:
        raise ProtocolFaultError(f"HTTP {exchange.status} for HEAD.")
    if exchange.body:
        raise ProtocolFaultError("An answer to HEAD has a body.")


def _allows_origin(exchange: Exchange) -> None:
    is_answered(exchange)
    allowed = exchange.headers.get("access-control-allow-origin")
    if allowed not in ("*", "https://app.example"):
        raise ProtocolFaultError(f"access-control-allow-origin is {allowed or 'missing'}.")


def _allows_preflight(exchange: Exchange) -> None:
    if exchange.status is None or exchange.status >= 300:
        raise ProtocolFaultError(f"HTTP {exchange.status} for a preflight request.")
    named = exchange.headers.get("access-control-allow-headers", "").lower()
    if "*" not in named and "x-api-key" not in named:
        raise ProtocolFaultError("access-control-allow-headers does not name x-api-key.")


def _is_free_again(first: Exchange, left: Exchange, second: Exchange) -> None:
    is_answered(first, second)
    if not left.hung_up:
        raise NotSupportedError("The answer was complete before the connection was closed.")
    before, after = (each.ended.at_ms if each.ended else 0.0 for each in (first, second))
    if after > _SOON_MS + 3 * before:
        raise ProtocolFaultError(
            f"A short request took {before:.0f} ms, and {after:.0f} ms after a client had left: it still worked."
        )


def _check(name: str, level: Any, title: str, expects: str, why: str, steps: Any, judge: Any, **more: Any) -> Check:
    more = {"source": DOCS["http"], "depends": ("answer.message",), **more}
    return Check(f"http.{name}", AREA, level, title, expects, why, steps=steps, judge=judge, **more)


CHECKS: Final = (
    _check("chunked", "should", "A body may come in chunks", "A message.",
           "HTTP/1.1 has bodies without a content-length.", (CHUNKED,), is_answered,
           source=DOCS["http1"]),
    _check("keep_alive", "should", "The connection stays open", "No connection: close.",
           "A new connection for each request costs up to three round trips.", (PLAIN,), _stays_open,
           source=DOCS["http1"]),
    _check("identity", "must", "An answer is not compressed unless asked", "No content-encoding.",
           "What was not asked for may not be readable.", (LONG,), _is_plain),
    _check("gzip", "should", "A compressed answer is what it says", "JSON, or gzip that unpacks to JSON.",
           "What says that it is gzip must be gzip.", (ASKS_FOR_GZIP,), _is_what_it_says),
    _check("compressed_body", "may", "A compressed body is taken or refused clearly", "A message, or HTTP 4xx.",
           "HTTP has 415 to say that it is not taken.", (COMPRESSED,), never_breaks),
    _check("head", "may", "HEAD is answered without a body", "No body, and no HTTP 5xx.",
           "By HTTP there is no body; one that comes spoils the next answer on the connection.",
           (HEAD,), _has_no_body),
    _check("cors", "may", "A browser may read the answer", "access-control-allow-origin",
           "By the Fetch standard a page can read the answer only with this header.", (FROM_A_PAGE,),
           _allows_origin,
           source=DOCS["cors"], optional=True),
    _check("preflight", "may", "A browser may ask first", "HTTP 2xx that allows x-api-key.",
           "By the Fetch standard a browser asks first where a key is sent.",
           (PREFLIGHT,), _allows_preflight, source=DOCS["cors"],
           depends=("http.cors",)),
    _check("hang_up", "should", "A client that leaves ends the work", "The next request is answered as soon as before.",
           "An answer that nobody reads any more is work and cost for nothing.",
           (PLAIN, HUNG_UP, _after), _is_free_again, depends=("stream.answers",)),
)  # fmt: skip
