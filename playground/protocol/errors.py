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
_NO_WORDS = {"", "none", "null", "undefined"}  # LiteLLM wrote the word "None" where it had nothing


@dataclass(frozen=True)
class ApiError:
    """What an error answer says. `raw` is the whole body as text; bytes that are not UTF-8 are replaced."""

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
    if found := _TYPES_BY_STATUS.get(status):
        return found
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
    raw = body.decode("utf-8", "replace")
    if not raw.strip():
        return ApiError(type_of_status(status), f"{_status_words(status)} with an empty body.", raw=raw)
    if "html" in (content_type or "").lower() or raw.lstrip()[:1] == "<":
        return ApiError(type_of_status(status), _page_title(raw) or f"{_status_words(status)}: a web page.", raw=raw)
    try:
        value = json.loads(raw.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return ApiError(type_of_status(status), _shorten(raw), raw=raw)
    return read_error(value, status, raw)


def read_error(value: Any, status: int = 500, raw: str | None = None) -> ApiError:
    """The same for JSON that is parsed already, such as the data of an `error` event. Never raises."""
    raw = json.dumps(value, ensure_ascii=False, default=str) if raw is None else raw
    members: Mapping[str, Any] = value if isinstance(value, dict) else {}
    inner = members.get("error")
    inside: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
    message = (
        _words(inside.get("message"))
        or _words(inner)
        or _detail_words(members.get("detail"))
        or _words(members.get("message"))
        or _words(value)
        or f"{_status_words(status)}: {_shorten(raw)}"
    )
    return ApiError(
        type=_words(inside.get("type")) or _own_type(members) or type_of_status(status),
        message=_shorten(message),
        details=_details(inside),
        request_id=_words(members.get("request_id")),
        raw=raw,
    )


def _own_type(members: Mapping[str, Any]) -> str | None:
    """Some servers put type and message at the top: {"object": "error", "type": ..., "message": ...}."""
    type_ = _words(members.get("type"))
    return None if type_ == "error" else type_


def _details(inside: Mapping[str, Any]) -> dict[str, Any]:
    """The API's `details`; for other shapes what stands beside the message (param, code, metadata)."""
    if isinstance(details := inside.get("details"), dict):
        return dict(details)
    beside = {name: value for name, value in inside.items() if name not in ("type", "message")}
    return {name: value for name, value in beside.items() if value is not None and value != "None"}


def _detail_words(detail: Any) -> str | None:
    """FastAPI's `detail`: words, or a list of {loc, msg, type}."""
    if not isinstance(detail, list):
        return _words(detail) or (_words(detail.get("message")) if isinstance(detail, dict) else None)
    lines = []
    for item in detail:
        if isinstance(item, dict) and (said := _words(item.get("msg"))):
            where = item.get("loc")
            path = ".".join(str(step) for step in where if step != "body") if isinstance(where, list) else ""
            lines.append(f"{path}: {said}" if path else said)
        elif said := _words(item):
            lines.append(said)
    return "; ".join(lines) or None


def _words(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip().lower() not in _NO_WORDS else None


def _page_title(page: str) -> str | None:
    """The words of a web page's title, or of its first heading."""
    for tag in ("title", "h1"):
        if found := re.search(
            rf"<{tag}\b[^>]{{0,500}}>(.{{0,500}}?)</{tag}", page[:100_000], re.IGNORECASE | re.DOTALL
        ):
            text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1])).split())
            if text:
                return text
    return None


def _status_words(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _shorten(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + "…"
