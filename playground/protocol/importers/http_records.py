"""HTTP requests inside other tools' JSON: HAR, Postman, Insomnia, Thunder Client, Hoppscotch, and our own exports.

Each writes a request as an object with an address, headers and a body under names that differ little.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from playground.protocol.importers.javascript_program import read_object
from playground.protocol.importers.result import JsonOf, RequestParts, pairs, shortened
from playground.protocol.json import json_text

ADDRESS = ("url", "endpoint", "uri", "href")
BODIES = (
    "postData",
    "body",
    "body_text",
    "body_base64",
    "data",
    "payload",
    "rawBody",
    "content",
    "rawModeData",
    "json_data",
)
MOST_VISITED = 200_000
NO_BODY = "Its body is not in the file."


def records_in(document: Any) -> Iterator[RequestParts]:
    """Every request that is recorded in the document, in its order; an object inside a request does not count."""
    variables = _postman_variables(document)
    visited = 0
    waiting: list[tuple[Any, str]] = [(document, "")]
    while waiting and visited < MOST_VISITED:
        value, label = waiting.pop()
        visited += 1
        if isinstance(value, list):
            waiting += [(item, label) for item in reversed(value)]
        elif isinstance(value, dict):
            named = value.get("name")
            label = named if isinstance(named, str) else label
            parts = _record(value, label, variables)
            if parts is not None:
                yield parts
            if parts is None or parts.body is None:
                inner = [(member, label) for name, member in value.items() if name not in ("response", "responses")]
                waiting += reversed(inner)


def _record(value: dict[str, Any], label: str, variables: dict[str, str]) -> RequestParts | None:
    url = next((text for name in ADDRESS if (text := _address(value.get(name)))), None) or _address_in_parts(value)
    if url is None or not ({"method", "headers", "header", *BODIES} & value.keys()):
        return None
    method = str(value.get("method") or "POST").upper()
    path, query = value.get("path"), value.get("query")
    if isinstance(path, str) and path.startswith("/") and "/v1/" not in url:
        url += path + (f"?{query}" if isinstance(query, str) and query else "")
    parts = RequestParts(None, _filled(url, variables), pairs(value.get("headers", value.get("header"))))
    parts.label = " ".join(filter(None, [method, shortened(url, 60), f"· {shortened(label, 40)}" if label else ""]))
    if method != "POST":
        parts.notes.append(f"It is a {method} request.")
        return parts
    inner = value.get("options")  # as the official client logs what it sends
    holders = [value, *([inner] if isinstance(inner, dict) else [])]
    body = next((one[name] for one in holders for name in BODIES if one.get(name) not in (None, "", {}, [])), None)
    parts.body = _body(body, "body_base64" in value, parts, variables)
    return parts


def _address(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("raw"), str):
        return str(value["raw"])
    host, path = value.get("host"), value.get("path")
    if not isinstance(host, list | str):
        return None
    name = ".".join(map(str, host)) if isinstance(host, list) else host
    way = "/".join(map(str, path)) if isinstance(path, list) else str(path or "").lstrip("/")
    return f"{value.get('protocol') or 'https'}://{name}/{way}"


def _address_in_parts(value: dict[str, Any]) -> str | None:
    """Return the address as proxies write it: `scheme`, `host` and `path` beside each other."""
    host, path = value.get("host", value.get("hostname")), value.get("path")
    if not isinstance(host, str) or not isinstance(path, str) or not path.startswith("/"):
        return None
    return f"{value.get('scheme') or value.get('protocol') or 'https'}://{host}{path}"


def _body(body: Any, is_base64: bool, parts: RequestParts, variables: dict[str, str]) -> Any:
    """The body as JSON text or value; what cannot be read is said in the notes, and None returned."""
    encoding = None
    for _ in range(3):  # {mode: raw, raw: "…"}, {mimeType, text}, {type: json, raw}, {contentType, body}
        if not isinstance(body, dict) or {"messages", "model"} & body.keys():
            break
        encoding = body.get("encoding", encoding)
        inner = next((body[name] for name in ("raw", "text", "body", "json", "data") if body.get(name)), None)
        if inner is None:
            kind = body.get("mode", body.get("mimeType", body.get("contentType")))
            if isinstance(kind, str):  # a form, a file, or a text that the tool did not keep
                parts.notes.append(f"Its body is not in the file ({shortened(kind, 40)}).")
                return None
            break
        body = inner
    if isinstance(body, dict | list):
        return JsonOf(body)
    if not isinstance(body, str) or not body.strip():
        parts.notes.append(NO_BODY)
        return None
    if encoding == "base64" or is_base64:
        try:
            body = base64.b64decode(body, validate=True).decode()
        except (binascii.Error, ValueError):
            parts.notes.append("Its body is not text.")
            return None
    if (variables and json_text.try_parse(body) is None) or "{{" in body:
        body = _filled(body, variables)
    if json_text.try_parse(body) is None and isinstance(value := read_object(body), dict):
        parts.notes.append("Its body has comments or commas that JSON has not; they were left out.")
        return JsonOf(value)
    return body


def _postman_variables(document: Any) -> dict[str, str]:
    holder = document.get("collection", document) if isinstance(document, dict) else None
    listed = holder.get("variable", holder.get("values")) if isinstance(holder, dict) else None
    return {name: value for name, value in pairs(listed) if isinstance(value, str)}


def _filled(text: str, variables: dict[str, str]) -> str:
    return (
        re.sub(r"\{\{([\w.-]{1,64})\}\}", lambda match: variables.get(match[1], match[0]), text) if variables else text
    )
