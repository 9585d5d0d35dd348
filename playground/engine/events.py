"""The run events: what one run tells, step by step. Consumer, relay and recorder all read these and nothing else.

Times (`at_ms`) are milliseconds since the request was sent, by the monotonic clock. No event holds a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.protocol.stream.sse import ServerSentEvent

Pairs = tuple[tuple[str, str], ...]
EndState = Literal["completed", "failed", "interrupted", "cancelled"]
FailureKind = Literal[
    "connect",  # nobody listens, or no way there
    "dns",  # the name is not known
    "tls",  # no trusted encrypted connection
    "timeout",  # a limit in seconds was reached before the first byte
    "blocked",  # the address is not allowed; nothing was sent
    "http_status",  # the upstream answered 4xx or 5xx
    "not_json",  # neither JSON nor an event stream
    "not_a_message",  # JSON or an event stream, of something else
    "not_a_count",  # whatever it is, where tokens were to be counted
    "error_event",  # the upstream reported an error inside an answer that had begun with status 200
    "encoding",  # compressed although `identity` was asked for
    "redirect",  # not followed
    "protocol",  # not HTTP, or headers beyond the limits
    "reset",  # the connection ended before any answer; the upstream may have run the request
    "truncated",  # the answer ended early
    "idle",  # silence for too long
    "too_large",  # the answer, or one event of it
    "duration",  # the run as a whole took too long
    "server_stopping",
    "server_stopped",  # found after a restart
    "stopped",  # by the Stop button, or by a client that hung up
    "internal",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a run did not complete, in our words. `detail` holds the figures: status, limit, host,
    retry_after_s, …"""

    kind: FailureKind
    message: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Requested:
    """The request is about to leave. Secret header values are masked. `body_size` is in bytes."""

    at_ms: float
    method: str
    url: str
    headers: Pairs
    body_size: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Status line and headers have arrived; only headers on the allow-list are here."""

    at_ms: float
    status: int
    headers: Pairs


@dataclass(slots=True)  # not frozen: see ServerSentEvent
class Received:
    """Bytes of the answer's body, exactly as they came. Joined they are the whole body."""

    at_ms: float
    data: bytes


@dataclass(slots=True)  # not frozen: see ServerSentEvent
class Streamed:
    """One server-sent event. Numbers count from 1 without a gap; it ends at byte `end` of the received body."""

    at_ms: float
    number: int
    event: ServerSentEvent
    end: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of every run. `failure` is None exactly when the state is `completed`. `is_cut`: the body did not
    come to its end, whatever is wrong with it besides. `usage` is that of an answer in one piece."""

    at_ms: float
    state: EndState
    failure: Failure | None
    is_cut: bool = False
    usage: Mapping[str, Any] | None = field(default=None, compare=False)


RunEvent = Requested | Answered | Received | Streamed | Ended
