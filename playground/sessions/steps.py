"""One request of a session with what came of it, as plain values: what threads, causes and charts are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from playground.sessions.digest import HASH_BYTES, SECTIONS, Block, Call, Mark, Section


@dataclass(frozen=True, slots=True)
class Step:
    """`id` orders steps by their start. Times are seconds since the epoch. A token count is None when it was not told.

    `hashes` are the blocks of the prompt in order, `HASH_BYTES` each; `tools` and `system` say how many of them
    are tools and system blocks, the rest are content of messages.
    """

    id: str
    started_s: float
    ended_s: float
    model: str
    state: str = "completed"
    status: int | None = 200
    hashes: bytes = b""
    tools: int = 0
    system: int = 0
    marks: tuple[Mark, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    first_texts: tuple[bytes, ...] = ()
    input_tokens: int | None = None
    written_tokens: int | None = None
    written_1h_tokens: int = 0
    read_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    calls: tuple[Call, ...] = ()
    words: str = ""
    stop_reason: str = ""
    is_count: bool = False  # a request to count tokens: no message was answered, and none of the counts above is its
    counted_tokens: int | None = None
    diagnosis: Mapping[str, Any] | None = None  # what the API itself says of a miss
    has_digest: bool = True

    @property
    def length(self) -> int:
        """How many blocks the prompt has."""
        return len(self.hashes) // HASH_BYTES

    @property
    def before_messages(self) -> int:
        return self.tools + self.system

    @property
    def is_answered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300 and self.state in {"completed", "interrupted"}

    @property
    def total_tokens(self) -> int | None:
        if self.input_tokens is None and self.written_tokens is None and self.read_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.written_tokens or 0) + (self.read_tokens or 0)

    @property
    def cached_tokens(self) -> int:
        """Tokens that were in the cache after this request."""
        return (self.read_tokens or 0) + (self.written_tokens or 0)

    def section(self, name: Section) -> bytes:
        """The hashes of one section."""
        if name == "messages":
            return self.hashes[(self.tools + self.system) * HASH_BYTES :]
        if name == "tools":
            return self.hashes[: self.tools * HASH_BYTES]
        return self.hashes[self.tools * HASH_BYTES : (self.tools + self.system) * HASH_BYTES]

    def block_hash(self, number: int) -> bytes:
        return self.hashes[number * HASH_BYTES : (number + 1) * HASH_BYTES]


class Sections(Protocol):
    """Anything that has the hashes of a request by section: a step, or a digest."""

    def section(self, name: Section) -> bytes:
        """The hashes of one section."""


def break_within(name: Section, one: Sections, other: Sections) -> int | None:
    """The first block of a section at which one request no longer reads what the other left in the cache.

    Any difference of tools or system breaks the prefix. Messages may go on: one side simply ending is no difference.
    """
    left, right = one.section(name), other.section(name)
    if left == right:
        return None
    shared = common_blocks(left, right)
    goes_on = name == "messages" and shared * HASH_BYTES == min(len(left), len(right))
    return None if goes_on else shared


def first_break(one: Sections, other: Sections) -> tuple[Section, int] | None:
    """Section and block of the first difference in the order of the prompt; None for ordinary growth."""
    for name in SECTIONS:
        number = break_within(name, one, other)
        if number is not None:
            return name, number
    return None


def common_blocks(one: bytes, other: bytes) -> int:
    """Return how many blocks two lists of hashes have in common from the start."""
    most = min(len(one), len(other))
    if one[:most] == other[:most]:
        return most // HASH_BYTES
    low, high = 0, most // HASH_BYTES  # the first `low` blocks agree, the first `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        end = middle * HASH_BYTES
        if one[low * HASH_BYTES : end] == other[low * HASH_BYTES : end]:
            low = middle
        else:
            high = middle
    return low


def path_of(number: int, step: Step, blocks: Mapping[bytes, Block]) -> str:
    """The place of a block in the body: `tools[3]`, `system[0]`, `messages[2].content[1]`."""
    if number < step.tools:
        return f"tools[{number}]"
    if number < step.before_messages:
        return f"system[{number - step.tools}]"
    message, inside = -1, 0
    for at in range(step.before_messages, min(number, step.length - 1) + 1):
        known = blocks.get(step.block_hash(at))
        if known is None or known.starts_message:
            message, inside = message + 1, 0
        else:
            inside += 1
    return f"messages[{max(message, 0)}].content[{inside}]"
