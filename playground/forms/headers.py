"""What is wrong with the betas and extra headers of a request, and how many of them there may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playground.protocol.headers import is_secret, refused_default_header
from playground.protocol.problems import Problem

LONGEST = 2_000  # characters of a value
LONGEST_NAME = 100  # characters of a header's or a beta's name
MOST_HEADERS = 64
MOST_BETAS = 64
A_SECRET = "This looks like a credential: put it into a connection, where it is kept encrypted."  # noqa: S105


@dataclass(frozen=True)
class HeaderProblem(Problem):
    """Its place is the control's own name: a header is no part of the body."""

    @property
    def place(self) -> str:
        return str(self.path[0])


def problem_of(index: int, name: str, value: str) -> HeaderProblem | None:
    """Why the value of this header, the one at `index`, is not taken. A draft is no place for a secret."""
    if len(value) > LONGEST:
        message: str | None = f"A header's value has at most {LONGEST:,} characters."
    else:
        message = A_SECRET if is_secret(name, value) else refused_default_header(name, value)
    return HeaderProblem((f":header {index}",), f"{name}: {message}") if message else None


def problem_of_betas(names: list[str]) -> str | None:
    """Why a request cannot have these betas, in words."""
    for name in names:
        if len(name) > LONGEST_NAME or refused_default_header("anthropic-beta", name):
            return f"{name[:60]} cannot stand in a header."
    return f"A request has at most {MOST_BETAS} betas." if len(names) > MOST_BETAS else None


def usable_betas(names: Iterable[str]) -> list[str]:
    """Those of them, each once, that a draft takes over from elsewhere."""
    return [name for name in dict.fromkeys(names) if problem_of_betas([name]) is None][:MOST_BETAS]


def usable_headers(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Those of the headers that a draft takes over from elsewhere."""
    fitting = ([name, value] for name, value in pairs if len(name) <= LONGEST_NAME and len(value) <= LONGEST)
    return [pair for pair in fitting if not refused_default_header(*pair)][:MOST_HEADERS]
