"""The API's headers: versions, beta values, what is secret, what is kept, rate limits.

Header names are compared without regard to case. Headers are pairs, because a name can come twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from playground.protocol.catalogue.betas import BETAS as BETAS
from playground.protocol.whole_numbers import read_whole

Pairs = list[tuple[str, str]]

# Oldest first; nearly all compatible servers know the first only. Under the second temperature, top_p and top_k,
# documents in assistant turns and citations on user text are refused.
API_VERSIONS = ("2023-06-01", "2026-10-21")

SECRET_HEADERS = frozenset(
    {
        "x-api-key",
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "api-key",
        "x-goog-api-key",
        "x-amz-security-token",
        "cf-access-client-secret",
    }
)
# Gateways invent their own names for keys: any of these words in a name makes its value secret.
_SECRET_NAME = re.compile(r"(^|[-_])(key|apikey|token|secret|auth|authorization|password|credentials?)([-_]|$)")
# ... and a value that looks like a key is one, whatever its header is called.
_SECRET_VALUE = re.compile(
    r"\b(sk|pk|key|mp)-[A-Za-z0-9_-]{16,}|\bBearer\s+\S+|\beyJ[\w-]{10,}\.[\w-]{10,}", re.IGNORECASE
)
_COUNTS_NOT_SECRETS = re.compile(r"^anthropic-(ratelimit|priority)-|^x-ratelimit-|-tokens(-|$)")

# What these say is no secret, whoever set them and whatever it looks like.
PUBLIC_HEADERS = frozenset(
    {
        "anthropic-beta",
        "anthropic-version",
        "accept",
        "accept-encoding",
        "content-type",
        "content-encoding",
        "user-agent",
    }
)
_MASK_MARK = "•"

KEPT_RESPONSE_HEADERS = frozenset(
    {
        "content-type",
        "content-length",
        "content-encoding",
        "date",
        "server",
        "via",
        "request-id",
        "x-request-id",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "anthropic-organization-id",
        "anthropic-workspace-id",
        "anthropic-version",
        "cf-ray",
        "x-cache",
        "server-timing",
        "openai-processing-ms",
        "x-process-time",
    }
)
# Whose account with the upstream it is.
ACCOUNT_HEADERS = frozenset({"anthropic-organization-id", "anthropic-workspace-id"})
KEPT_RESPONSE_PREFIXES = ("anthropic-ratelimit-", "anthropic-priority-", "anthropic-fast-", "x-ratelimit-")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Set by the HTTP client, or they belong to one connection: RFC 9110, section 7.6.1.
_REFUSED_NAMES = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
    }
)


def mask(secret: str) -> str:
    """A secret as it may be shown: its last four characters, or nothing of it when it is short."""
    return _MASK_MARK * 4 + (secret[-4:] if len(secret) >= 12 else "")


def is_masked(value: str) -> bool:
    """Return whether this is the rest of a secret after masking. It stands for nothing that could be sent."""
    return _MASK_MARK in value


def beta_names(value: str) -> list[str]:
    """The names in a value of `anthropic-beta`, each once, without those that were masked."""
    names = (name.strip() for name in value.split(","))
    return list(dict.fromkeys(name for name in names if name and not is_masked(name)))


def unsendable(value: str) -> str | None:
    """Return why a header cannot carry this value, in words that do not repeat it; None when it can."""
    if is_masked(value):
        return "it is masked: what is shown of a secret stands in its place"
    if any(character in value for character in "\r\n\0"):
        return "it holds a line break or a NUL"
    if not value.isprintable() and any(ord(character) < 32 and character != "\t" for character in value):
        return "it holds a control character"
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return "it holds a character that no header can carry"
    return None


def masked_query(query: str) -> str:
    """A query as it may be stored and shown: the values of parameters that are named like secrets are masked."""
    pairs = (part.partition("=") for part in query.split("&"))
    return "&".join(
        f"{name}={mask(value)}" if value and is_secret(name, value) else name + equals + value
        for name, equals, value in pairs
    )


def sendable_query(query: str) -> str:
    """A stored query without the parameters whose values were masked."""
    return "&".join(part for part in query.split("&") if not is_masked(part))


def is_secret(name: str, value: str = "") -> bool:
    lower = name.strip().lower()
    if lower in PUBLIC_HEADERS:
        return False
    if lower in SECRET_HEADERS:
        return True
    named_secret = bool(_SECRET_NAME.search(lower)) and not _COUNTS_NOT_SECRETS.search(lower)
    return named_secret or bool(_SECRET_VALUE.search(value))


def mask_headers(pairs: Iterable[tuple[str, str]], secrets: Iterable[str] = ()) -> Pairs:
    """The headers with their secrets masked: by name, by how a value looks, and wherever one of `secrets` occurs."""
    known = sorted((secret for secret in secrets if secret), key=len, reverse=True)
    return [(name, _masked_value(name, value, known)) for name, value in pairs]


def _masked_value(name: str, value: str, known: list[str]) -> str:
    if is_secret(name, value):
        scheme, space, rest = value.partition(" ")
        if space and name.strip().lower() in ("authorization", "proxy-authorization"):
            return f"{scheme} {mask(rest)}"
        return mask(value)
    for secret in known:
        value = value.replace(secret, mask(secret))
    return value


def kept_response_headers(
    pairs: Iterable[tuple[str, str]], *, is_for_owner: bool = True, besides: frozenset[str] = frozenset()
) -> Pairs:
    """Return the headers of an answer that may be stored and shown: to the owner of the upstream's account, or to
    others. `besides` are lower-case names that are kept for this answer as well."""
    hidden = frozenset() if is_for_owner else ACCOUNT_HEADERS
    kept = [(name, value, name.lower()) for name, value in pairs]
    return [
        (name, value) for name, value, lower in kept if (_is_kept(lower) or lower in besides) and lower not in hidden
    ]


def _is_kept(name: str) -> bool:
    return name in KEPT_RESPONSE_HEADERS or name.startswith(KEPT_RESPONSE_PREFIXES)


def refused_default_header(name: str, value: str) -> str | None:
    """Return why this header cannot be added to every request of a connection, in words; None when it can."""
    if not _TOKEN.fullmatch(name):
        return "A header's name holds only letters, digits and !#$%&'*+-.^_`|~"
    if name.lower() in _REFUSED_NAMES:
        return f"{name} belongs to the transport and cannot be set here."
    if any(character in value for character in "\r\n\0"):
        return "A header's value cannot hold a line break or a NUL."
    if value != value.strip(" \t"):
        return "A header's value cannot begin or end with a space."
    if not all(character == "\t" or " " <= character <= "~" for character in value):
        return "A header's value holds visible ASCII characters only."
    return None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One gauge: `what` is requests, tokens, input-tokens or output-tokens, with `priority-` or `fast-` before it
    on those tiers. Numbers are None where the header is missing or is no number; `resets_at` has a time zone."""

    what: str
    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None

    @property
    def left(self) -> float | None:
        """The part of the limit that is left, 0 to 1."""
        if self.limit is None or self.remaining is None or self.limit <= 0:
            return None
        return min(1.0, max(0.0, self.remaining / self.limit))


_RATE_LIMIT = re.compile(r"^anthropic-(?:ratelimit-)?((?:(?:priority|fast)-)?(?:[a-z]+-)*?(?:requests|tokens))-(\w+)$")


def rate_limits(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[RateLimit]:
    """The gauges in an answer's headers, in the order they came."""
    limits: dict[str, dict[str, str]] = {}
    for name, value in _pairs(headers):
        match = _RATE_LIMIT.match(name.lower())
        if match and match[2] in ("limit", "remaining", "reset"):
            limits.setdefault(match[1], {})[match[2]] = value.strip()
    return [
        RateLimit(what, _count(parts.get("limit")), _count(parts.get("remaining")), _moment(parts.get("reset")))
        for what, parts in limits.items()
    ]


def retry_after_s(headers: Mapping[str, str] | Iterable[tuple[str, str]], now: datetime | None = None) -> float | None:
    """Seconds to wait as the answer asks, never negative: `retry-after-ms`, else `retry-after` in seconds or as a
    date (counted from `now`, by default the present). None when it does not ask, or not in a way that can be read."""
    values = {name.lower(): value.strip() for name, value in _pairs(headers)}
    if (milliseconds := _seconds(values.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if (text := values.get("retry-after")) is None:
        return None
    if (seconds := _seconds(text)) is not None:
        return seconds
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def _pairs(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return headers.items() if isinstance(headers, Mapping) else headers


def _seconds(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,9})?", text):
        return None
    return max(0.0, float(text))


def _count(text: str | None) -> int | None:
    return read_whole(text, longest=15)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if not 1970 <= moment.year < 9000:  # such as the zero time of Go; in another zone it may lie outside of all years
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
