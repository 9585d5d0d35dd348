"""Problems of a body, and the repairs that one click makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from playground.protocol.foreign_text import truncated
from playground.protocol.json import paths
from playground.protocol.json.paths import JsonValue, Path

Severity = Literal["error", "warning"]
Operation = Literal["set", "remove", "insert"]
Edit = tuple[Operation, Path, Any]


@dataclass(frozen=True, slots=True)
class Repair:
    """Edits, made in this order, that take the problem away. `betas` are header values to add besides."""

    label: str
    edits: tuple[Edit, ...] = ()
    betas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at one place, in plain words.

    "error": the API refuses the request. "warning": it may accept it, or other servers may not.
    """

    path: Path
    message: str
    severity: Severity = "error"
    repair: Repair | None = None

    @property
    def place(self) -> str:
        """The path as text, as in `messages[2].content[0]`."""
        return paths.to_text(self.path)


def shown(text: str) -> str:
    """A foreign text inside a message: short, and quoted with escapes when it is more than plain words.

    Half surrogates and control characters would otherwise reach a page, and the first cannot be sent at all.
    """
    short = truncated(text, 60)
    return short if short.isprintable() and short else repr(short)


def repaired(body: JsonValue, repair: Repair) -> JsonValue:
    """The body after the repair. Raises `PathError` when the body is no longer the one it was made for."""
    for operation, path, value in repair.edits:
        if operation == "set":
            body = paths.put(body, path, value)
        elif operation == "insert":
            body = paths.insert(body, path, value)
        else:
            body = paths.remove(body, path)
    return body
