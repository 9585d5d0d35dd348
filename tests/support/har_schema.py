"""The HAR 1.2 format as a JSON Schema, written after its specification: what must be there, and of which type.

Names that begin with an underscore are free for whoever writes an archive.
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}
TIME = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$",
}
SPAN = {"type": "number", "minimum": -1}


def exactly(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these members, and with `comment` and underscored ones if it likes."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}) | {"comment": TEXT},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def many(kind: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": kind}


PAIR = exactly({"name": TEXT, "value": TEXT})
COOKIE = exactly(
    {"name": TEXT, "value": TEXT},
    {"path": TEXT, "domain": TEXT, "expires": TEXT, "httpOnly": {"type": "boolean"}, "secure": {"type": "boolean"}},
)
POST_DATA = exactly(
    {"mimeType": TEXT, "text": TEXT},
    {"params": many(exactly({"name": TEXT}, {"value": TEXT, "fileName": TEXT, "contentType": TEXT}))},
)
REQUEST = exactly(
    {
        "method": TEXT,
        "url": {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*://"},
        "httpVersion": TEXT,
        "cookies": many(COOKIE),
        "headers": many(PAIR),
        "queryString": many(PAIR),
        "headersSize": WHOLE,
        "bodySize": WHOLE,
    },
    {"postData": POST_DATA},
)
CONTENT = exactly(
    {"size": {"type": "integer", "minimum": 0}, "mimeType": TEXT},
    {"compression": WHOLE, "text": TEXT, "encoding": {"const": "base64"}},
)
RESPONSE = exactly(
    {
        "status": WHOLE,
        "statusText": TEXT,
        "httpVersion": TEXT,
        "cookies": many(COOKIE),
        "headers": many(PAIR),
        "content": CONTENT,
        "redirectURL": TEXT,
        "headersSize": WHOLE,
        "bodySize": WHOLE,
    }
)
TIMINGS = exactly(
    {"send": SPAN, "wait": SPAN, "receive": SPAN}, {"blocked": SPAN, "dns": SPAN, "connect": SPAN, "ssl": SPAN}
)
ENTRY = exactly(
    {
        "startedDateTime": TIME,
        "time": {"type": "number", "minimum": 0},
        "request": REQUEST,
        "response": RESPONSE,
        "cache": {"type": "object"},
        "timings": TIMINGS,
    },
    {"pageref": TEXT, "serverIPAddress": TEXT, "connection": TEXT},
)
CREATOR = exactly({"name": TEXT, "version": TEXT})
HAR = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **exactly(
        {
            "log": exactly(
                {"version": {"const": "1.2"}, "creator": CREATOR, "entries": many(ENTRY)},
                {"browser": CREATOR, "pages": many({"type": "object"})},
            )
        }
    ),
}
