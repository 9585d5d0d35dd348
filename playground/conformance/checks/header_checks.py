"""Credentials, versions, betas and the headers of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, NotSupportedError, ProtocolFaultError, Request
from playground.conformance.checks.answer_checks import ANOTHER
from playground.conformance.checks.common_requests import DOCS, PLAIN, user
from playground.conformance.checks.error_checks import NO_MESSAGES
from playground.conformance.judging import (
    is_answered,
    never_breaks,
    path,
    refused_or_not_checked,
    taken_or_refused,
)
from playground.protocol.headers import rate_limits

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "headers"
_BODY: Final = {"max_tokens": 64, "messages": [user("Repeat after me: ready")]}
_STAINLESS: Final = (
    ("x-stainless-lang", "python"),
    ("x-stainless-package-version", "2.12.0"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-runtime", "CPython"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-timeout", "600"),
    ("anthropic-dangerous-direct-browser-access", "true"),
    ("x-app", "cli"),
)


def _request(**how: Any) -> Request:
    return Request(_BODY, **how)


X_API_KEY: Final = _request(credential="x-api-key")
BEARER: Final = _request(credential="bearer")
WRONG_KEY: Final = _request(credential="wrong")
NO_KEY: Final = _request(credential="none")
NEW_VERSION: Final = _request(version="2026-10-21")
UNKNOWN_VERSION: Final = _request(version="2001-01-01")
NO_VERSION: Final = _request(version=None)
OLD_BETAS: Final = _request(
    headers=(("anthropic-beta", "prompt-caching-2024-07-31,token-counting-2024-11-01,extended-cache-ttl-2025-04-11"),)
)
NEW_BETAS: Final = _request(
    headers=(("anthropic-beta", "interleaved-thinking-2025-05-14,context-management-2025-06-27"),)
)
UNKNOWN_BETA: Final = _request(headers=(("anthropic-beta", "playground-no-such-beta"),))
BETA_QUERY: Final = _request(path="/v1/messages?beta=true")
CLIENT_HEADERS: Final = _request(headers=_STAINLESS)
ACCEPTS_EVENTS: Final = _request(headers=(("accept", "text/event-stream"),))
CHARSET: Final = _request(headers=(("content-type", "application/json; charset=utf-8"),))


def _request_id(exchange: Exchange) -> str:
    return exchange.headers.get("request-id") or ""


def _has_id(exchange: Exchange) -> None:
    is_answered(exchange)
    if not _request_id(exchange):
        raise ProtocolFaultError("The header request-id is missing.")


def _ids_differ(first: Exchange, second: Exchange) -> None:
    _has_id(first)
    _has_id(second)
    if _request_id(first) == _request_id(second):
        raise ProtocolFaultError(f"Two answers have the request-id {_request_id(first)}.")


def _error_has_id(exchange: Exchange) -> None:
    if not _request_id(exchange):
        raise ProtocolFaultError("An error has no header request-id, just where it is needed.")


def _id_in_error(exchange: Exchange) -> None:
    request_id = path(exchange.json, "request_id")
    if request_id is None:
        raise NotSupportedError("The error has no request_id.")
    if request_id != _request_id(exchange):
        raise ProtocolFaultError(
            f"request_id is {request_id!r:.60} in the error and {_request_id(exchange)!r:.60} in the header.",
            member="request_id",
        )


def _has_rate_limits(exchange: Exchange) -> None:
    limits = [name for name in exchange.headers if name.startswith("anthropic-ratelimit-")]
    if not limits:
        raise NotSupportedError("There are no headers anthropic-ratelimit-….")
    for gauge in rate_limits(exchange.headers):
        if gauge.limit is None or gauge.remaining is None or gauge.resets_at is None:
            raise ProtocolFaultError(
                f"The rate limit of {gauge.what} has no limit, remaining and reset that can be read."
            )


def _check(name: str, level: Any, title: str, expects: str, why: str, steps: Any, judge: Any, **more: Any) -> Check:
    more = {"source": DOCS["overview"], "depends": ("answer.message",), **more}
    return Check(f"headers.{name}", AREA, level, title, expects, why, steps=steps, judge=judge, **more)


_WRONG: Final = "401 is the status that says so; any other points elsewhere."
CHECKS: Final = (
    _check("x_api_key", "should", "The key is taken in x-api-key", "A message.",
           "The Python client before 2.0 sends it so.", (X_API_KEY,), is_answered),
    _check("bearer", "should", "The key is taken as a bearer token", "A message.",
           "The Python client sends it so since 2.0, and no x-api-key.", (BEARER,), is_answered),
    _check("wrong_key", "should", "A wrong key is refused with 401", "HTTP 401 with authentication_error.", _WRONG,
           (WRONG_KEY,), refused_or_not_checked(401), source=DOCS["errors"], bad_request=True),
    _check("no_key", "should", "A missing key is refused with 401", "HTTP 401 with authentication_error.", _WRONG,
           (NO_KEY,), refused_or_not_checked(401), source=DOCS["errors"], bad_request=True),
    _check("new_version", "should", "anthropic-version 2026-10-21 is taken", "A message.",
           "The Python client sends it since 2.0.", (NEW_VERSION,), is_answered, source=DOCS["versions"],
           optional=True),
    _check("unknown_version", "should", "An unknown version is ignored or refused clearly", "A message, or HTTP 400.",
           "Versions and betas are added over time: one that is not known must break nothing.",
           (UNKNOWN_VERSION,), never_breaks, source=DOCS["versions"]),
    _check("no_version", "should", "A missing version is ignored or refused clearly", "A message, or HTTP 400.",
           "The API wants it. A server may be more lenient; it must not break.",
           (NO_VERSION,), never_breaks, source=DOCS["versions"]),
    _check("old_betas", "must", "Betas that are no longer needed are taken", "A message.",
           "The API accepts them and no longer needs them.", (OLD_BETAS,), is_answered, source=DOCS["betas"]),
    _check("betas", "must", "A list of betas is taken", "A message.",
           "Claude Code sends them with its requests, and wants them taken.",
           (NEW_BETAS,), is_answered, source=DOCS["betas"]),
    _check("unknown_beta", "should", "An unknown beta is ignored or refused clearly", "A message, or HTTP 400.",
           "Versions and betas are added over time: one that is not known must break nothing.",
           (UNKNOWN_BETA,), never_breaks, source=DOCS["betas"]),
    _check("beta_query", "must", "?beta=true is taken", "A message.",
           "The Python client's beta methods add it to the address; Claude Code sends it too.", (BETA_QUERY,),
           is_answered,
           source=DOCS["betas"]),
    _check("client_headers", "must", "The official clients' own headers are taken", "A message.",
           "The Python client and Claude Code send x-stainless-… with each request.",
           (CLIENT_HEADERS,), is_answered),
    _check("accept", "should", "accept: text/event-stream is taken", "A message.",
           "It names the type of a stream; HTTP 406 refuses a good request.", (ACCEPTS_EVENTS,), taken_or_refused),
    _check("charset", "must", "A content type with a charset is taken", "A message.",
           "By HTTP it is part of a content type.", (CHARSET,), is_answered, source=DOCS["http"]),
    _check("request_id", "should", "Answers have a request-id", "request-id: …",
           "It names the request where a fault is reported; the Python client has it with each answer.",
           (PLAIN,), _has_id,
           source=DOCS["errors"]),
    _check("request_ids_differ", "should", "Each answer has a request-id of its own", "Two answers, two ids.",
           "An id of several requests names none.", (PLAIN, ANOTHER), _ids_differ, source=DOCS["errors"],
           depends=("headers.request_id",)),
    _check("error_request_id", "should", "Errors have a request-id", "request-id: …", "It is needed just there.",
           (NO_MESSAGES,), _error_has_id, source=DOCS["errors"], depends=("errors.no_messages",), bad_request=True),
    _check("request_id_in_error", "may", "An error repeats its request-id", "request_id as in the header.",
           "A body that is stored has lost its headers.", (NO_MESSAGES,), _id_in_error, source=DOCS["errors"],
           depends=("headers.error_request_id",), bad_request=True),
    _check("rate_limits", "may", "Rate limits are told", "limit, remaining and reset of each.",
           "They tell how much is left before a refusal.", (PLAIN,), _has_rate_limits, source=DOCS["limits"]),
)  # fmt: skip
