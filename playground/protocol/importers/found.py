"""What an import gives, and the pieces that all importers share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playground.protocol import json_text
from playground.protocol.headers import is_secret

# Headers that say nothing about the request's meaning: a browser or a client adds them by itself.
OWN_ACCOUNT = frozenset(
    [
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "dnt",
        "host",
        "origin",
        "pragma",
        "priority",
        "referer",
        "te",
        "transfer-encoding",
        "upgrade-insecure-requests",
        "user-agent",
    ]
)
MADE_BY_CLIENTS = re.compile(r"^(:|sec-|x-stainless-|cf-|x-forwarded-)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Imported:
    """A request read from pasted text. Credentials are never in it; `notes` say in words what was left out."""

    body: dict[str, Any]
    version: str | None = None
    betas: tuple[str, ...] = ()
    base_url: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """Why the text could not be read. Lines and columns count from 1; 0 is nowhere in particular."""

    message: str
    line: int = 0
    column: int = 0


class ReadingError(Exception):
    """Inside the importers only: carries the problem out to `read`."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.problem = ImportProblem(message, line, column)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only running the code would give: an environment variable, a file, a call."""

    source: str
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class JsonOf:
    """JSON text made from a value, as `json.dumps` and `JSON.stringify` make it."""

    value: Any


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - text.rfind("\n", 0, offset)


def parse_json(text: str, pasted: str) -> Any:
    """The value of JSON text that was found in `pasted`, where its problems are then placed."""
    try:
        return json_text.parse(text)
    except json_text.JsonTextError as error:
        start = pasted.find(text)
        line, column = position(pasted, start + error.offset) if start >= 0 else (error.line, error.column)
        raise ReadingError(f"The body is not valid JSON: {error.message}", line, column) from None


def finish(
    body: Any,
    *,
    pasted: str,
    url: str | None = None,
    headers: Iterable[tuple[str, Any]] = (),
    betas: Iterable[Any] = (),
    notes: Iterable[str] = (),
) -> Imported:
    """Sort what was found into an `Imported`; raises ReadingError when the body is no object."""
    said = list(notes)
    if isinstance(body, JsonOf):
        body = body.value
    if isinstance(body, str):
        body = parse_json(body, pasted)
    if isinstance(body, list):
        body = {"messages": body}
    if not isinstance(body, dict):
        raise ReadingError("The body of a request is a JSON object; this is not one.")
    version, kept, found_betas = None, [], [beta for beta in betas if isinstance(beta, str)]
    for name, value in headers:
        lower = name.lower()
        if lower in OWN_ACCOUNT or MADE_BY_CLIENTS.match(lower):
            continue
        if is_secret(lower, value if isinstance(value, str) else ""):
            said.append(f"The value of {lower} was left out: credentials belong in a connection.")
        elif not isinstance(value, str):
            said.append(f"The value of {lower} is not in the pasted text.")
        elif lower == "anthropic-version":
            version = value.strip() or None
        elif lower == "anthropic-beta":
            found_betas += [beta.strip() for beta in value.split(",") if beta.strip()]
        else:
            kept.append((lower, value))
    return Imported(
        body=_without_unknowns(body, "", said),
        version=version,
        betas=tuple(dict.fromkeys(found_betas)),
        base_url=_base_url(url, said),
        headers=tuple(kept),
        notes=tuple(dict.fromkeys(said)),
    )


def _without_unknowns(value: Any, path: str, notes: list[str]) -> Any:
    if isinstance(value, Unknown):
        what = "read from a file: attach it again" if value.is_file else "not in the pasted text"
        notes.append(f"{path} is {what} ({value.source}).")
        return ""
    if isinstance(value, JsonOf):
        return json_text.dump(_without_unknowns(value.value, path, notes), indent=None)
    if isinstance(value, Mapping):
        return {
            name: _without_unknowns(member, f"{path}.{name}" if path else name, notes) for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_unknowns(item, f"{path}[{number}]", notes) for number, item in enumerate(value)]
    return value


def _base_url(url: str | None, notes: list[str]) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        notes.append("The address could not be read; choose a connection.")
        return None
    if parts.username or parts.password:
        notes.append("The user name and password in the address were left out.")
    path = re.sub(r"(/v1)?/messages(/count_tokens)?/?$", "", parts.path).removesuffix("/v1").rstrip("/")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{path}"
