"""What an event does to the message that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from playground.protocol.stream.growing_block import Field

Ending = Literal["open", "complete", "truncated", "failed"]
What = Literal[
    "message_started", "block_opened", "block_grew", "block_closed", "message_changed", "completed", "failed"
]


class Problem(NamedTuple):
    """Something odd about one event, which did not stop the message. Events count from 1; 0 is the message itself."""

    number: int
    text: str


@dataclass(slots=True)  # not frozen: one is made for every event
class Change:
    """The effect of one event on the message.

    `index` and `block_type` are the block's, None for a change of the message itself. For `block_grew`, `field` says
    what grew and `added` is the text added, empty for citations, signatures and deltas of unknown kinds. A block whose
    start is missing is seen here for the first time when it grows.
    """

    what: What
    index: int | None = None
    block_type: str | None = None
    field: Field | None = None
    added: str = ""
