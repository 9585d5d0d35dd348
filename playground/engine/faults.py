"""Words for what went wrong.

An HTTP client's error texts can hold the address with its secrets, or the key itself. None of them is shown or
stored: each kind of fault has its own sentence here, made of the host's name and our limits only.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError

from playground.engine.events import Failure
from playground.engine.guard import Blocked, NameUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator

_CERTIFICATE_WORDS: Final = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate chain holds a self-signed certificate",
    20: "the certificate's issuer is not known",
    21: "the certificate's issuer is not known",
    62: "the certificate is for another host",
    64: "the certificate is for another address",
}

_PROTOCOL_ERRORS: Final = (
    aiohttp.ClientResponseError,
    aiohttp.InvalidURL,
    HttpProcessingError,
    httpx.ProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    ValueError,
)


def host_of(url: str) -> str:
    """Host and port, the only parts of an address that are named in an error."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def name_in(address: str) -> str | None:
    """The host's name in an address that an upstream wrote: it may be none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and what aiohttp carries inside its connector errors."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inside = [cause.__cause__, getattr(cause, "os_error", None), getattr(cause, "certificate_error", None)]
        if isinstance(cause, BaseExceptionGroup):
            inside += cause.exceptions
        waiting += [each for each in inside if isinstance(each, BaseException)]


def before_answer(error: BaseException, url: str, *, connect_s: float) -> Failure:
    """Return why no status line came, from the exception that the client raised while sending."""
    host = host_of(url)
    chain = list(_chain(error))
    if any(isinstance(cause, Blocked) for cause in chain):
        return Failure("blocked", f"{host} may not be called: it is not allowed by this server.", {"host": host})
    if any(isinstance(cause, NameUnknown) for cause in chain):
        return Failure("dns", f"The name {urlsplit(url).hostname} is not known (no address found).", {"host": host})
    if certificate := next((cause for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)), None):
        words = _CERTIFICATE_WORDS.get(certificate.verify_code, "its certificate could not be verified")
        return Failure("tls", f"No trusted connection to {host}: {words}.", {"host": host})
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return Failure("tls", f"No encrypted connection to {host}: it does not speak TLS as expected.", {"host": host})
    # The transport has too few names (a lost connection becomes a connect time-out): aiohttp's own error is the truth.
    cause = next((cause for cause in chain if type(cause).__module__.startswith("aiohttp")), error)
    if isinstance(cause, aiohttp.ConnectionTimeoutError | httpx.ConnectTimeout):
        detail = {"host": host, "limit_s": connect_s}
        return Failure("timeout", f"No connection to {host} within {connect_s:g} seconds.", detail)
    if isinstance(cause, aiohttp.ClientConnectorError | httpx.ConnectError):
        return Failure("connect", f"No connection to {host}: {_connect_words(chain)}.", {"host": host})
    if isinstance(cause, _PROTOCOL_ERRORS):
        words = f"{host} did not answer with valid HTTP, or its headers exceed the limits."
        return Failure("protocol", words, {"host": host})
    words = f"{host} closed the connection before it answered. It may have processed the request."
    return Failure("reset", words, {"host": host, "may_have_run": True})


def _connect_words(chain: list[BaseException]) -> str:
    numbers = {cause.errno for cause in chain if isinstance(cause, OSError) and cause.errno}
    if any(isinstance(cause, ConnectionRefusedError) for cause in chain) or 111 in numbers:
        return "nothing is listening there (connection refused)"
    if numbers & {101, 113}:
        return "the network is unreachable"
    if any(isinstance(cause, TimeoutError | asyncio.TimeoutError) for cause in chain):
        return "it did not answer in time"
    return "the connection could not be made"


def first_byte(url: str, limit_s: float) -> Failure:
    host = host_of(url)
    words = f"{host} did not start to answer within {limit_s:g} seconds. It may have processed the request."
    return Failure("timeout", words, {"host": host, "limit_s": limit_s, "may_have_run": True})


def unreadable() -> Failure:
    words = "This server could not read the response as a message. All of its bytes were stored."
    return Failure("internal", words)


def truncated() -> Failure:
    return Failure("truncated", "The response ended early: the connection closed before the end of the message.")


def idle(limit_s: float) -> Failure:
    return Failure("idle", f"Nothing arrived for {limit_s:g} seconds.", {"limit_s": limit_s})


def duration(limit_s: float) -> Failure:
    words = f"The request took longer than {limit_s / 60:g} minutes, the limit for a request."
    return Failure("duration", words, {"limit_s": limit_s})


def too_large(limit_bytes: int, *, event: bool = False) -> Failure:
    what = "One event of the response" if event else "The response"
    words = f"{what} is larger than {limit_bytes / 2**20:g} MiB. The first part was stored."
    return Failure("too_large", words, {"limit_bytes": limit_bytes})


def too_many(limit: int, what: str) -> Failure:
    words = f"The response has more than {limit:,} {what}. The first part was stored."
    return Failure("too_large", words, {"limit": limit})


def too_large_together(limit_bytes: int) -> Failure:
    words = (
        f"All responses in progress on this server are larger than {limit_bytes / 2**20:g} MiB together, and this one "
        "is among the large ones. The first part was stored."
    )
    return Failure("too_large", words, {"limit_bytes": limit_bytes})


def encoding(name: str) -> Failure:
    words = "Compressed response refused. No compression was requested. The compressed bytes were stored."
    return Failure("encoding", words, {"encoding": name[:40]})


def redirect(status: int, location: str) -> Failure:
    """Only the target's host is named: the rest of the address can hold a secret."""
    is_path = "//" not in location[:16]
    target = None if is_path else name_in(location)
    where = target or ("another path" if is_path else "an address that cannot be read")
    words = f"The upstream redirects (HTTP {status}) to {where}. Redirects are not followed."
    return Failure("redirect", words, {"status": status, "target": target})
