"""Error types, their HTTP statuses, and error bodies in and out.

Upstreams that speak the Messages API do not all speak its error shape: `parse_error` reads what they send instead
(OpenAI's shape, FastAPI's `detail`, a plain string, HTML, nothing) and always has something to show.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from playground.protocol.foreign_text import truncated
from playground.protocol.json.received_json import loads, try_loads
from playground.protocol.whole_numbers import read_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR_TYPES: dict[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_TYPES_BY_STATUS = {status: type_ for type_, status in ERROR_TYPES.items()}
_MESSAGE_LIMIT = 2_000  # characters of a foreign text that serve as a message; the whole is in the raw body
# What the members at the top are called in which servers put their words, the most telling first.
_MESSAGE_MEMBERS = ("detail", "message", "Message", "error_description", "msg", "status_msg", "reason", "description")
_STATUS_PHRASES = {status.phrase.lower() for status in HTTPStatus}
_EVENT_DATA = re.compile(r"\A\s*(?:event:[^\n]*\n)?data:[ ]?(\{[^\n]*\})")
_NO_WORDS = {"", "none", "null", "undefined"}  # LiteLLM wrote the word "None" where it had nothing


@dataclass(frozen=True)
class ApiError:
    """An error answer, as read. `raw` is the whole body as text; bytes that are not UTF-8 are replaced."""

    type: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    raw: str = ""

    @property
    def error_code(self) -> str | None:
        """The stable cause, where the API gives one. Messages change: never match on them."""
        code = self.details.get("error_code")
        return code if isinstance(code, str) else None


def type_of_status(status: int) -> str:
    """The error type that the API uses for an HTTP status."""
    if error_type := _TYPES_BY_STATUS.get(status):
        return error_type
    return "invalid_request_error" if 400 <= status < 500 else "api_error"


def error_body(
    type: str,  # noqa: A002 - the API's own word
    message: str,
    request_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An error in the API's shape, as a body or as the data of an `error` event."""
    error: dict[str, Any] = {"type": type, "message": message}
    if details:
        error["details"] = dict(details)
    body: dict[str, Any] = {"type": "error", "error": error}
    if request_id is not None:
        body["request_id"] = request_id
    return body


def parse_error(status: int, body: bytes, content_type: str | None = None) -> ApiError:
    """Read an error answer of any shape. `status` gives the type where the body names none. Never raises."""
    raw = _decoded(body)
    if not raw.strip():
        return ApiError(type_of_status(status), f"{_status_words(status)} with an empty body.", raw=raw)
    if "html" in (content_type or "").lower() or raw.lstrip()[:1] == "<":
        return ApiError(type_of_status(status), _page_title(raw) or f"{_status_words(status)}: a web page.", raw=raw)
    match = _EVENT_DATA.search(raw)
    try:
        value = loads(match[1] if match else raw.removeprefix("\ufeff"))
        if isinstance(value, str) and value.lstrip()[:1] == "{":  # encoded twice
            value = loads(value)
    except ValueError:
        return ApiError(type_of_status(status), _shorten(raw), raw=raw)
    return read_error(value, status, raw)


def _decoded(body: bytes) -> str:
    """UTF-8 as a rule; UTF-16 where a mark at the front says so."""
    try:
        return body.decode("utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    except UnicodeError:
        return body.decode("utf-8", "replace")


def read_error(value: Any, status: int = 500, raw: str | None = None) -> ApiError:
    """Read an error that is parsed already, such as the data of an `error` event. Never raises."""
    raw = json.dumps(value, ensure_ascii=False, default=str) if raw is None else raw
    value = unwrapped(value)
    members: Mapping[str, Any] = value if isinstance(value, dict) else {}
    inner = members.get("error")
    inside: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
    inside = _told_in_words(inside)
    message = (
        _any_words(inside.get("message"))
        or _any_words([members[name] for name in _MESSAGE_MEMBERS if members.get(name)][:1])
        or _any_words(inner)
        or _any_words(members.get("errors"))
        or _words(members.get("title"))
        or _words(value)
        or f"{_status_words(status)}: {_shorten(raw)}"
    )
    if _words(inner) and isinstance(inner, str) and message not in (inner, _words(members.get("detail"))):
        message = message if inner.lower() in _STATUS_PHRASES else f"{inner}: {message}"
    return ApiError(
        type=_words(inside.get("type")) or _own_type(members) or type_of_status(_status_in(inside) or status),
        message=_shorten(message),
        details=_details(inside),
        request_id=_words(members.get("request_id")),
        raw=raw,
    )


def unwrapped(value: Any) -> Any:
    """Google's APIs wrap an error in a list; here it is without, and any other value as it is."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and is_error(value[0]):
        return value[0]
    return value


def is_error(value: Mapping[str, Any]) -> bool:
    """Return whether this JSON object is an error and nothing else, in the API's shape or OpenAI's."""
    return value.get("type") == "error" or is_bare_error(value)


def is_bare_error(value: Mapping[str, Any]) -> bool:
    """OpenAI's shape: {"error": {...}} and no type. A message, or a list of models, has content or data beside it."""
    error = value.get("error")
    has_error = isinstance(error, dict | str) and bool(error)
    return has_error and not any(name in value for name in ("type", "content", "data"))


def _told_in_words(inside: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error; what a gateway hands on as JSON in its message's place is read."""
    text = inside.get("message")
    if not isinstance(text, str) or text.lstrip()[:2] not in ('{"', "{ ") or len(text) > 100_000:
        return inside
    parsed = try_loads(text)
    error = parsed.get("error") if isinstance(parsed, dict) else None
    return error if isinstance(error, dict) and _words(error.get("message")) else inside


def _own_type(members: Mapping[str, Any]) -> str | None:
    """Some servers put type and message at the top: {"object": "error", "type": ..., "message": ...}.

    RFC 9457 has an address there, which is no type of ours.
    """
    type_ = _words(members.get("type"))
    return None if type_ is None or type_ == "error" or ":" in type_ or "/" in type_ else type_


def _status_in(inside: Mapping[str, Any]) -> int | None:
    """The HTTP status that some errors repeat as their code: inside a stream it is the only one."""
    code = inside.get("code", inside.get("status"))
    code = read_whole(code, longest=3) if isinstance(code, str) else code
    return code if isinstance(code, int) and 400 <= code < 600 else None


def _details(inside: Mapping[str, Any]) -> dict[str, Any]:
    """The API's `details`; for other shapes what stands beside the message (param, code, metadata)."""
    if isinstance(details := inside.get("details"), dict):
        return dict(details)
    beside = {name: value for name, value in inside.items() if name not in ("type", "message")}
    return {name: value for name, value in beside.items() if value is not None and value != "None"}


def _any_words(value: Any, depth: int = 0) -> str | None:
    """The words in a message of any shape: text, FastAPI's list of {loc, msg, type}, names with lists of texts."""
    if depth > 3:
        return None
    if isinstance(value, list):
        lines = [words for one in value[:20] if (words := _any_words(one, depth + 1))]
        return "; ".join(lines) or None
    if not isinstance(value, dict):
        return _words(value)
    if words := _words(value.get("msg")):
        where = value.get("loc")
        path = ".".join(str(step) for step in where if step != "body") if isinstance(where, list) else ""
        return f"{path}: {words}" if path else words
    for name in (*_MESSAGE_MEMBERS, "error", "text"):
        if name in value and (words := _any_words(value[name], depth + 1)):
            return words
    fields = {str(name): words for name, one in list(value.items())[:20] if (words := _listed(one))}
    return "; ".join(f"{name}: {words}" for name, words in fields.items()) or None


def _listed(value: Any) -> str | None:
    """Rails and others: a field's name with a list of what is wrong with it."""
    return ", ".join(filter(None, map(_words, value[:20]))) or None if isinstance(value, list) else None


def _words(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip().lower() not in _NO_WORDS else None


def _page_title(page: str) -> str | None:
    """The words of a web page's title, of its first heading, or of an error in XML."""
    for tag in ("title", "h1", "pre", "message", "code"):
        if match := re.search(
            rf"<{tag}\b[^>]{{0,500}}>(.{{0,500}}?)</{tag}",
            page[: 100_000 if tag == "title" else 20_000],
            re.IGNORECASE | re.DOTALL,
        ):
            text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", match[1])).split())
            if text and text.lower() != "error":  # which says nothing: Express has its words in the text
                return text
    return None


def _status_words(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _shorten(text: str) -> str:
    return truncated(text.strip(), _MESSAGE_LIMIT)
