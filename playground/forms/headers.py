"""What is wrong with a value typed for one of the request's extra headers."""

from __future__ import annotations

from dataclasses import dataclass

from playground.protocol.headers import is_secret, refused_default_header
from playground.protocol.problems import Problem

LONGEST = 2_000  # characters of a value
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
