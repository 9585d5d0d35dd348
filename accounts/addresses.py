"""Cleans and checks what is typed as a connection's base URL, credential and default headers. The engine's guard
decides whether an address may be called, at the moment of the call: a name can point elsewhere by then."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from accounts.exceptions import AccountsError

LONGEST_SECRET = 4096
MOST_HEADERS = 32

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HOST = re.compile(r"[0-9A-Za-z]([0-9A-Za-z._-]*[0-9A-Za-z.])?|[0-9A-Fa-f:.]+")
_ENDINGS = ("/v1/messages/count_tokens", "/v1/messages", "/v1/models", "/v1")

# Headers the playground sets itself, or that would change how the request is framed.
REFUSED_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "accept",
        "accept-encoding",
        "anthropic-version",
        "proxy-authorization",
        "proxy-connection",
        "cookie",
    }
)


class ConnectionValueError(AccountsError, ValueError):
    """A typed value that cannot be used. The text says why, and never repeats a secret."""


def clean_base_url(typed: str) -> str:
    """The address without a trailing `/v1` or slash, scheme and host in lower case. Raises `ConnectionValueError`."""
    text = typed.strip()
    if not text.isascii() or re.search(r"[\s\\<>\"{}|^`]", text) or any(ord(character) < 33 for character in text):
        raise ConnectionValueError(
            "The address contains a character that is not allowed. Write international names as xn--…."
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConnectionValueError("This is not an address: the host or the port cannot be read.") from None
    if parts.scheme not in {"http", "https"}:
        raise ConnectionValueError("The address must start with https:// or http://.")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise ConnectionValueError("Remove the user name and password from the address. The key has its own field.")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise ConnectionValueError("The address has no host, as in https://api.example.com.")
    if port == 0:
        raise ConnectionValueError("No server listens on port 0.")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ConnectionValueError("Remove everything from ? or # on.")
    path = parts.path.rstrip("/")
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    return f"{parts.scheme}://{parts.netloc.lower()}{path.rstrip('/')}"


def clean_credential(typed: str) -> str:
    """The credential as it goes into a header: without blanks or a pasted `Bearer`. Raises `ConnectionValueError`."""
    credential = re.sub(r"^bearer\s+", "", typed.strip(), flags=re.IGNORECASE)
    if len(credential) > LONGEST_SECRET:
        raise ConnectionValueError(f"A credential has at most {LONGEST_SECRET} characters.")
    if not all(33 <= ord(character) < 127 for character in credential):
        raise ConnectionValueError(
            "The credential contains a space, a line break or a character that is not allowed in a header."
        )
    return credential


def check_header(name: str, value: str) -> None:
    """Raises `ConnectionValueError` for a header that cannot or may not be sent along with every request."""
    lowered = name.lower()
    if not _TOKEN.fullmatch(name):
        raise ConnectionValueError("A header name may contain only letters, digits and -.")
    if lowered in REFUSED_HEADERS or lowered.startswith("proxy-"):
        raise ConnectionValueError(f"{name} is set by the playground and cannot be changed here.")
    if lowered in {"authorization", "x-api-key"}:
        raise ConnectionValueError(f"{name} carries the credential. Enter it in the credential field.")
    if len(value) > LONGEST_SECRET:
        raise ConnectionValueError(f"The value of {name} is longer than {LONGEST_SECRET} characters.")
    if not value or not all(32 <= ord(character) < 127 or character == "\t" for character in value):
        raise ConnectionValueError(
            f"The value of {name} is empty, or contains a character that is not allowed in a header."
        )


def check_headers(headers: list[tuple[str, str]]) -> None:
    """Raises `ConnectionValueError` for the first header of the list that cannot be used."""
    if len(headers) > MOST_HEADERS:
        raise ConnectionValueError(f"At most {MOST_HEADERS} default headers.")
    seen: set[str] = set()
    for name, value in headers:
        check_header(name, value)
        if name.lower() in seen:
            raise ConnectionValueError(f"{name} is given twice.")
        seen.add(name.lower())
