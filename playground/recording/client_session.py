"""The session that a client says its request belongs to."""

from __future__ import annotations

from typing import Any

from playground.protocol.json.received_json import loads

_SESSION_HEADERS = ("x-session-id", "session-id", "x-claude-code-session-id")


def session_of(headers: Any, body: bytes) -> str:
    """Return the client's id of its session: a header, or the part of `metadata.user_id` after `_session_`."""
    named: dict[str, str] = {name.lower(): value for name, value in headers}
    for header in _SESSION_HEADERS:
        if named.get(header):
            return named[header]
    if b'"user_id"' not in body or b"session" not in body:
        return ""
    try:
        user = loads(body)["metadata"]["user_id"]
    except (ValueError, KeyError, TypeError):
        return ""
    if not isinstance(user, str):
        return ""
    try:
        parts = loads(user)  # some clients put JSON into this string
    except ValueError:
        return user.rpartition("_session_")[2] if "_session_" in user else ""
    session = parts.get("session_id") if isinstance(parts, dict) else None
    return session if isinstance(session, str) else ""
