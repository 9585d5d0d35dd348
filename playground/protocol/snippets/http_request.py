"""The request that a snippet is written from, and the files that its large base64 becomes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from playground.protocol.endpoints import Endpoint, path_of
from playground.protocol.headers import is_secret
from playground.protocol.json import json_text

API_KEY_VARIABLE = "ANTHROPIC_API_KEY"
ACCESS_KEY_VARIABLE = "PLAYGROUND_KEY"  # an access key of this server
LARGE_BASE64 = 1024  # characters; shorter data stays in the text, longer data is read from a file
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "text/plain": "txt",
}
SENT_ANYWAY = frozenset({"x-api-key", "authorization", "content-type"})
# A value that was masked for showing holds one of these.
MASK_MARKS = ("•", "…", "***")


# RFC 3986, 3.4; the percent sign is of escapes that are there already.
_IN_A_QUERY = "!$&'()*+,-./:;=?@_~%"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
UNUSUAL = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that the snippet reads in place of base64 text."""

    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Header:
    """One request header; `variable` is the environment variable that holds a secret value."""

    name: str
    value: str
    variable: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class SnippetRequest:
    """One request to show as source text.

    `base_url` may end in a path or in `/v1`. `auth_style` is `x-api-key` or `bearer`. `extra_headers` may hold secrets,
    masked or real: neither is ever written, an environment variable stands there. `attachments` maps the exact string
    at a base64 source's `data` (the data, or a reference to it) to the file to read instead.
    """

    body: Any
    base_url: str = "https://api.anthropic.com"
    auth_style: str = "x-api-key"
    version: str = "2023-06-01"
    betas: tuple[str, ...] = ()
    accept: str | None = None
    extra_headers: tuple[tuple[str, str], ...] = ()
    attachments: Mapping[str, AttachedFile] = field(default_factory=dict)
    query: str = ""  # of the address, without its question mark
    endpoint: Endpoint = "messages"
    calls_playground: bool = False  # this server's own relay, with one of its access keys

    @property
    def streams(self) -> bool:
        return isinstance(self.body, dict) and self.body.get("stream") is True

    @property
    def client_base_url(self) -> str:
        """The base URL as the official clients take it: they append `/v1/messages` themselves."""
        return self.base_url.rstrip("/").removesuffix("/v1").rstrip("/")

    @property
    def url(self) -> str:
        return self.client_base_url + self.path

    @property
    def key_variable(self) -> str:
        return ACCESS_KEY_VARIABLE if self.calls_playground else API_KEY_VARIABLE

    @property
    def path(self) -> str:
        """The path, with every character escaped that several languages refuse in an address, and curl takes for a
        pattern."""
        query = quote(_STRAY_PERCENT.sub("%25", self.query), safe=_IN_A_QUERY)
        return path_of(self.endpoint, query)

    def query_members(self) -> dict[str, str] | None:
        """The query as names and values, as the official clients take it; None when it would be spelled differently.

        Older clients send `beta=true` by themselves with betas; said twice it is sent once.
        """
        members = parse_qsl(self.query, keep_blank_values=True)
        return dict(members) if len(dict(members)) == len(members) and urlencode(members) == self.query else None

    def own_headers(self) -> list[Header]:
        """The headers beyond the API's own, secrets replaced by variables."""
        kept = [(name, value) for name, value in self.extra_headers if name.lower() not in SENT_ANYWAY]
        return [_own_header(name, value) for name, value in kept]

    def credential_header(self) -> Header:
        if self.auth_style == "bearer":
            return Header("authorization", "", self.key_variable, "Bearer ")
        return Header("x-api-key", "", self.key_variable)

    def headers(self) -> list[Header]:
        """All headers of the request, the credential first."""
        headers = [self.credential_header(), Header("anthropic-version", self.version)]
        if self.betas:
            headers.append(Header("anthropic-beta", ",".join(self.betas)))
        headers.append(Header("content-type", "application/json"))
        if self.accept:
            headers.append(Header("accept", self.accept))
        return headers + self.own_headers()

    def client_headers(self) -> list[Header]:
        """The headers beyond those that an official client sends by itself: its credential and the content type."""
        return [header for header in self.headers()[1:] if header.name != "content-type"]

    def files(self) -> dict[str, AttachedFile]:
        """The strings of the body that stand for a file's bytes, with the file to read for each."""
        files: dict[str, AttachedFile] = {}
        for source in base64_sources(self.body):
            data = source["data"]
            if data in files:
                continue
            known = self.attachments.get(data)
            media_type = known.media_type if known else str(source.get("media_type") or "")
            if known or (len(data) >= LARGE_BASE64 and is_canonical_base64(data)):
                taken = {file.name for file in files.values()}
                files[data] = AttachedFile(_free_name(known.name if known else "", media_type, taken), media_type)
        return files


def base64_sources(value: Any) -> Iterator[dict[str, Any]]:
    """The base64 sources of the body, in its order."""
    if isinstance(value, dict):
        if value.get("type") == "base64" and isinstance(value.get("data"), str):
            yield value
        for member in value.values():
            yield from base64_sources(member)
    elif isinstance(value, list):
        for item in value:
            yield from base64_sources(item)


def is_canonical_base64(text: str) -> bool:
    """Return whether encoding the decoded bytes gives exactly `text` again, so that a file can stand for it."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        return False


def json_source(value: Any) -> str:
    """JSON text fit for source code: indented, exact numbers, and no character that cannot be seen."""
    return UNUSUAL.sub(_visible, json_text.dump(value, indent=2))


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if is_plain(character) or character == "\n":
        return character
    point = ord(character)
    if point < 0x10000:
        return f"\\u{point:04x}"
    point -= 0x10000
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"


def is_plain(character: str) -> bool:
    """Return whether a character may stand in source text as it is.

    Controls, half surrogates and characters that turn the writing direction may not: what is copied must be what was
    seen. The two joiners stay, as emoji and several scripts need them.
    """
    return character.isprintable() or character in "\u200c\u200d"


def _own_header(name: str, value: str) -> Header:
    clean = " ".join(value.split("\r")).replace("\n", " ").strip()
    if is_secret(name, clean) or any(mark in clean for mark in MASK_MARKS):
        prefix = "Bearer " if name.lower() == "authorization" and clean[:7].lower() == "bearer " else ""
        return Header(name, "", re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "HEADER", prefix)
    return Header(name, clean)


def _free_name(wished: str, media_type: str, taken: set[str]) -> str:
    kind = media_type.partition("/")[0] if media_type.startswith("image/") else "document"
    extension = EXTENSIONS.get(media_type, "bin")
    stem, _, ending = re.sub(r"[^A-Za-z0-9._-]+", "-", wished).strip("-.").rpartition(".")
    if wished and (stem or ending):
        stem, extension = (stem, ending) if stem else (ending, extension)
        if f"{stem}.{extension}" not in taken:
            return f"{stem}.{extension}"
        kind = stem
    number = 1
    while f"{kind}-{number}.{extension}" in taken:
        number += 1
    return f"{kind}-{number}.{extension}"
