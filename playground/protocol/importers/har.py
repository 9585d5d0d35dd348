"""JSON: a body, a list of messages, or a HAR file with a request to the Messages API in it."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

from playground.protocol.importers.found import Imported, ReadingError, finish, parse_json


def read_json(pasted: str) -> Imported:
    value = parse_json(pasted, pasted)
    if isinstance(value, dict) and isinstance(value.get("log"), dict) and "entries" in value["log"]:
        return _read_har(value["log"]["entries"], pasted)
    return finish(value, pasted=pasted)


def _read_har(entries: Any, pasted: str) -> Imported:
    requests = (
        [entry.get("request") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
    request = next((one for one in requests if _is_messages_call(one)), None)
    if request is None:
        raise ReadingError("No entry of the HAR file is a POST to …/messages.")
    posted = request.get("postData")
    text = posted.get("text") if isinstance(posted, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ReadingError("The HAR file does not hold the request's body.")
    if isinstance(posted, dict) and posted.get("encoding") == "base64":
        text = _decoded(text)
    found = request.get("headers")
    headers = [
        (header["name"], header.get("value"))
        for header in (found if isinstance(found, list) else [])
        if isinstance(header, dict) and isinstance(header.get("name"), str)
    ]
    return finish(text, pasted=pasted, url=request["url"], headers=headers)


def _is_messages_call(request: Any) -> bool:
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        return False
    try:
        path = urlsplit(request["url"]).path
    except ValueError:
        return False
    return str(request.get("method")).upper() == "POST" and path.rstrip("/").endswith("/messages")


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        raise ReadingError("The request's body in the HAR file is not text.") from None
