"""Makes an `Imported` of what a reader found: headers sorted, credentials left out, unknown values made visible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from playground.protocol.catalogue.parameters import BODY
from playground.protocol.headers import is_secret
from playground.protocol.importers.result import (
    LONGEST_TEXT,
    MOST_TOKENS,
    Imported,
    JsonOf,
    ReadingError,
    RequestParts,
    Unknown,
    parse_json,
)
from playground.protocol.importers.shapes import unwrap_body
from playground.protocol.json import json_text

# Headers that say nothing about the request's meaning: a browser or a client adds them by itself.
MADE_BY_CLIENTS = frozenset(
    [
        "accept-encoding",
        "accept-language",
        "alt-used",
        "anthropic-dangerous-direct-browser-access",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "dnt",
        "expect",
        "host",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "origin",
        "pragma",
        "priority",
        "proxy-connection",
        "referer",
        "save-data",
        "te",
        "transfer-encoding",
        "upgrade-insecure-requests",
        "user-agent",
        "x-requested-with",
    ]
)
MADE_BY_CLIENTS_PREFIX = re.compile(r"^(:|sec-|x-stainless-|cf-|x-forwarded-|postman-)", re.IGNORECASE)
KNOWN = frozenset(parameter.name for parameter in BODY.members)
# Top-level members whose value is text, so that a placeholder can stand in them.
TEXTS = frozenset(
    {"model", "system", "content", "text", "title", "context", "description", "name", "id", "url", "type"}
)
TEXTS |= {"tool_use_id", "file_id", "media_type", "role"}


def assemble(parts: RequestParts, pasted: str) -> Imported:
    """Sort what was found into an `Imported`; raises ReadingError when there is no request in it."""
    notes = list(parts.notes)
    body = _body_of(parts, pasted, notes)
    headers = _Headers(notes)
    headers.betas = [beta for beta in parts.betas if isinstance(beta, str)]
    for name, value in parts.headers:
        headers.take(name, value)
    url = re.sub(r"#.*", "", parts.url, flags=re.DOTALL) if parts.url else None
    query = url.partition("?")[2] if url else ""
    if query:
        notes.append(f"The query of the address (?{query[:80]}) is not sent from here.")
    return Imported(
        body=body,
        version=headers.version,
        betas=tuple(dict.fromkeys(headers.betas)),
        base_url=_base_url(url, notes),
        headers=tuple(headers.kept),
        notes=tuple(dict.fromkeys(notes)),
        accept=headers.accept,
        query=query,
    )


def _body_of(parts: RequestParts, pasted: str, notes: list[str]) -> dict[str, Any]:
    body = parts.body.value if isinstance(parts.body, JsonOf) else parts.body
    if isinstance(body, str):
        body = parse_json(body, pasted)
    if isinstance(body, Unknown):
        raise ReadingError(f"The body is {body.source}, which is not in the pasted text. Paste its value too.")
    body = unwrap_body(body, notes)
    if not isinstance(body, dict):
        raise ReadingError("The body of a request is a JSON object; this is not one.")
    if not body:
        raise ReadingError("The body of this request is empty: there is nothing to import.")
    if not parts.is_certain and not parts.goes_to_messages and not KNOWN & body.keys():
        names = ", ".join(list(body)[:6])
        raise ReadingError(f"This is not a request to the Messages API: its body has {names}, but no messages.")
    resolved: dict[str, Any] = _Resolver(notes).resolve(body, (), "")
    if not resolved or not any(not isinstance(value, Unknown) for value in body.values()):
        raise ReadingError("Nothing of this request is written out in the pasted text.")
    for name in ("model", "max_tokens", "messages"):
        if name not in resolved and name not in body:
            notes.append(f"The text has no {name}: add it here.")
    return resolved


class _Headers:
    """The headers of one request, sorted by what they mean."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.version: str | None = None
        self.accept: str | None = None
        self.betas: list[str] = []
        self.kept: list[tuple[str, str]] = []

    def take(self, name: str, value: Any) -> None:
        lower = name.strip().lower()
        if not lower or lower in MADE_BY_CLIENTS or MADE_BY_CLIENTS_PREFIX.match(lower):
            return
        if is_secret(lower, value if isinstance(value, str) else ""):
            self.notes.append(f"The value of {lower} was left out: credentials belong in a connection.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.kept.append((lower, json_text.spelling(value)))
        elif not isinstance(value, str):
            self.notes.append(f"The value of {lower} is not in the pasted text.")
        elif lower == "accept":
            # What a browser or a client accepts by itself says nothing; a draft has one Accept of its own.
            self.accept = self.accept if "*/*" in value else value.strip() or None
        elif lower == "anthropic-version":
            self.version = value.strip() or None
        elif lower == "anthropic-beta":
            self.betas += [beta.strip() for beta in value.split(",") if beta.strip()]
        else:
            self.kept.append((lower, value))


class _Resolver:
    """Makes a JSON value of what code gave: placeholders for texts that are not known, other unknown values left out.

    `room` bounds the nodes and `characters` the text: code can put one list into itself many times over.
    """

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.room = 2 * MOST_TOKENS
        self.characters = LONGEST_TEXT

    def resolve(self, value: Any, path: tuple[str | int, ...], where: str) -> Any:
        self.room -= 1
        if self.room < 0 or self.characters < 0 or len(path) > 100:
            raise ReadingError("The request that this code makes is too large or nests too deeply.")
        if isinstance(value, str):
            self.characters -= len(value)
            return value
        if isinstance(value, JsonOf):
            return json_text.dump(self.resolve(value.value, (*path, ""), where), indent=None)
        if isinstance(value, Mapping):
            return self._object(value, path, where)
        if isinstance(value, list | tuple):
            return self._list(value, path, where)
        return value

    def _object(self, value: Mapping[Any, Any], path: tuple[str | int, ...], where: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, member in value.items():
            if not isinstance(name, str):
                self.notes.append(f"A name in {where or 'the body'} is not text; it was left out.")
                continue
            place = f"{where}.{name}" if where else name
            member = _known(member)
            if isinstance(member, Unknown):
                stand_in = _stand_in(member, name, is_top=not path)
                self._note(member, place, stand_in)
                if stand_in is not None:
                    result[name] = stand_in
            else:
                result[name] = self.resolve(member, (*path, name), place)
        return result

    def _list(self, value: Iterable[Any], path: tuple[str | int, ...], where: str) -> list[Any]:
        result: list[Any] = []
        name = path[-1] if path else ""
        for number, item in enumerate(value):
            place = f"{where}[{number}]"
            item = _known(item)
            if isinstance(item, Unknown):
                stand_in = _item_stand_in(item, str(name))
                self._note(item, place, stand_in)
                if stand_in is not None:
                    result.append(stand_in)
            else:
                result.append(self.resolve(item, (*path, number), place))
        return result

    def _note(self, unknown: Unknown, place: str, stand_in: Any) -> None:
        what = "is read from a file: attach it again" if unknown.is_file else "is not in the pasted text"
        outcome = "it was left out" if stand_in is None else f"{unknown.placeholder} stands there"
        self.notes.append(f"{place} {what} ({unknown.source}); {outcome if stand_in != '' else 'it is empty'}.")


def _known(value: Any) -> Any:
    """The value, if JSON can hold it: functions and objects of the pasted code are not known."""
    is_json = value is None or isinstance(value, str | int | float | Mapping | list | tuple | JsonOf | Unknown)
    return value if is_json else Unknown("an object of the code")


def _stand_in(unknown: Unknown, name: str, *, is_top: bool) -> Any:
    if is_top and name == "messages":
        return [{"role": "user", "content": unknown.placeholder}]
    if name == "data":  # base64: no placeholder can stand in it
        return ""
    if name == "role":
        return None
    return unknown.placeholder if name in TEXTS else None


def _item_stand_in(unknown: Unknown, name: str) -> Any:
    if unknown.source.startswith("*"):  # a list of unknown length
        return None
    if name == "messages":
        return {"role": "user", "content": unknown.placeholder}
    if name == "content":
        return {"type": "text", "text": unknown.placeholder}
    return unknown.placeholder if name == "stop_sequences" else None


def _base_url(url: str | None, notes: list[str]) -> str | None:
    if not url or url.startswith("/"):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or re.search(r"[\s{}$<>%]", host):
        notes.append("The address could not be read; choose a connection.")
        return None
    if parts.username or parts.password:
        notes.append("The user name and password in the address were left out.")
    path = re.sub(r"(/v1)?/messages(/count_tokens)?/?$", "", parts.path).rstrip("/").removesuffix("/v1").rstrip("/")
    name = f"[{host}]" if ":" in host else host
    is_usual = port is None or (parts.scheme, port) in (("https", 443), ("http", 80))
    return f"{parts.scheme}://{name}{'' if is_usual else f':{port}'}{path}"
