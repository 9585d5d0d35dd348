"""The sandbox's reply, before it is bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Pace:
    """The speed of an answer, in seconds and in pieces of text per second."""

    first_token_s: float = 0.3
    tokens_per_s: float = 45.0
    between_blocks_s: float = 0.12
    ping_every_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A scripted message. `message` is whole, as `stream: false` would give it.

    `unfinished_json` maps the place of a tool call to the part of its input that max_tokens left. `breaks` is how the
    stream fails after `breaks_after` deltas: with an `error` event, or by just ending.
    """

    message: dict[str, Any]
    streamed: bool = True
    pace: Pace = Pace()
    unfinished_json: Mapping[int, str] = field(default_factory=dict)
    breaks: Literal["error", "truncated"] | None = None
    breaks_after: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error. `page` is an HTML body that a proxy would send instead of the API's JSON."""

    status: int
    type: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] | None = None
    page: str | None = None
