"""Checks the betas and extra headers of a request, and how many of them there may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playground.protocol.headers import is_masked, is_secret, refused_default_header
from playground.protocol.rules.problems import Problem

LONGEST = 2_000  # characters of a value
LONGEST_NAME = 100  # characters of a header's or a beta's name
MOST_HEADERS = 64
MOST_BETAS = 64
SAYS_NOTHING = frozenset({"", "text/event-stream", "*/*", "application/json"})  # sent whatever the body says
LONGEST_ACCEPT = 128
LONGEST_VERSION = 64
OF_THEIR_OWN = frozenset({"anthropic-version", "anthropic-beta", "accept", "content-type"})  # have a control each
_OF_ONE_SENDING = frozenset({"user-agent", "idempotency-key", "accept-encoding", "content-encoding"})
_OF_A_CLIENT = ("x-stainless-", "x-claude-", "x-app")
A_SECRET = "This looks like a credential. Put it into a connection, where it is stored encrypted."  # noqa: S105


@dataclass(frozen=True)
class HeaderProblem(Problem):
    """Its place is the control's own name: a header is no part of the body."""

    @property
    def place(self) -> str:
        return str(self.path[0])


def problem_of(index: int, name: str, value: str) -> HeaderProblem | None:
    """Return why the header at `index` cannot have this value. Secrets are refused: a draft is no place for them."""
    if len(value) > LONGEST:
        message: str | None = f"A header's value has at most {LONGEST:,} characters."
    else:
        message = A_SECRET if is_secret(name, value) else refused_default_header(name, value)
    return HeaderProblem((f":header {index}",), f"{name}: {message}") if message else None


def problem_of_betas(names: list[str]) -> str | None:
    """Return why a request cannot have these betas, in words; None when it can."""
    for name in names:
        if len(name) > LONGEST_NAME or refused_default_header("anthropic-beta", name):
            return f"{name[:60]} is not allowed in a header."
    return f"A request has at most {MOST_BETAS} betas." if len(names) > MOST_BETAS else None


def usable_betas(names: Iterable[str]) -> list[str]:
    """Return the betas that a draft takes over from elsewhere, each once."""
    fitting = (name for name in dict.fromkeys(names) if not is_masked(name))
    return [name for name in fitting if problem_of_betas([name]) is None][:MOST_BETAS]


def usable_version(text: str | None, otherwise: str) -> str:
    """The API version that a draft takes over from elsewhere: one that a header can hold, and so any database."""
    version = (text or "").strip()[:LONGEST_VERSION]
    return version if version and refused_default_header("anthropic-version", version) is None else otherwise


def usable_headers(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the headers that a draft takes over from elsewhere."""
    fitting = ([name, value] for name, value in pairs if len(name) <= LONGEST_NAME and len(value) <= LONGEST)
    return [pair for pair in fitting if _is_usable(*pair)][:MOST_HEADERS]


def own_headers(pairs: Iterable[tuple[str, str]], of_connection: Iterable[tuple[str, str]] = ()) -> list[list[str]]:
    """The headers of an earlier request that the next one like it has too, but for those that its connection added.

    What a client says of itself and of one sending stays with that: above all an idempotency key, with which nothing
    would be asked again, and an agent's session, which a request of this page is no part of.
    """
    added = {(name.lower(), value) for name, value in of_connection}
    named = ((name.lower(), value) for name, value in pairs)
    own = (pair for pair in named if pair not in added and pair[0] not in _OF_ONE_SENDING)
    return usable_headers(pair for pair in own if not pair[0].startswith(_OF_A_CLIENT))


def _is_usable(name: str, value: str) -> bool:
    is_own = name.lower() in OF_THEIR_OWN
    return (
        not is_own and not is_secret(name, value) and not is_masked(value) and not refused_default_header(name, value)
    )


def chosen_accept(typed: str) -> str | None:
    """The Accept that was chosen on purpose; None when it follows from whether the body asks for a stream."""
    return typed or None


def usable_accept(pairs: Iterable[tuple[str, str]]) -> str:
    """The Accept that headers from elsewhere name, for a draft; "" when it says no more than the body does."""
    named = [value.strip() for name, value in pairs if name.lower() == "accept"]
    value = ", ".join(each for each in named if each)
    is_usable = len(value) <= LONGEST_ACCEPT and refused_default_header("accept", value) is None
    return value if is_usable and value not in SAYS_NOTHING else ""
