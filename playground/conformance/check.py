"""One check: the requests to send, the answers expected, and why they matter. The catalogue is in `checks/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from playground.conformance.witnesses import WITNESSES
from playground.exceptions import PlaygroundError
from playground.protocol.endpoints import MESSAGES

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange
    from playground.conformance.witnesses import Witness

Level = Literal["must", "should", "may"]
Status = Literal["passed", "failed", "unsupported", "inconclusive", "skipped"]
Credential = Literal["usual", "none", "wrong", "x-api-key", "bearer"]
Need = Literal["thinking", "vision", "documents", "pdf", "structured", "tools", "failing_model"]

LEVELS: Final[tuple[Level, ...]] = ("must", "should", "may")
STATUSES: Final[tuple[Status, ...]] = ("passed", "failed", "unsupported", "inconclusive", "skipped")
OMIT: Final = "\0omit"  # in place of a body's model: leave it out
FAILING_MODEL: Final = "\0failing"  # in place of a body's model: the one that is known to fail in mid-stream
_CHARACTERS_PER_TOKEN: Final = 4


@dataclass(frozen=True, eq=False)
class Request:
    """One request of a check. Two checks share a request when they name the same object.

    `body` is a JSON object without its model, which is put in when it is sent; or a function of the model, for bytes
    that are no JSON or too large to keep. `hang_up_after`: close the connection after so many events.
    `version` None sends no `anthropic-version`.
    """

    body: Mapping[str, Any] | Callable[[str], bytes] | None = None
    method: str = "POST"
    path: str = MESSAGES
    headers: tuple[tuple[str, str], ...] = ()
    credential: Credential = "usual"
    version: str | None = "2023-06-01"
    chunked: bool = False
    hang_up_after: int | None = None

    def body_for(self, model: str, failing_model: str = "") -> bytes:
        """The bytes to send, with `model` in them."""
        if self.body is None:
            return b""
        if not isinstance(self.body, Mapping):
            return self.body(model)
        body = {"model": model, **self.body}
        if body["model"] == OMIT:
            del body["model"]
        elif body["model"] == FAILING_MODEL:
            body["model"] = failing_model
        return to_json(body)

    def path_for(self, model: str) -> str:
        return self.path.replace("{model}", model)

    @property
    def streams(self) -> bool:
        return isinstance(self.body, Mapping) and self.body.get("stream") is True

    def expected_tokens(self) -> tuple[int, int]:
        """Input and output tokens, as an estimate for the price: the output is as long as it may be."""
        if self.method != "POST" or self.path.partition("?")[0] != MESSAGES:
            return 0, 0
        size = len(self.body_for("model").replace(b"  ", b""))
        most = self.body.get("max_tokens") if isinstance(self.body, Mapping) else 0
        return size // _CHARACTERS_PER_TOKEN, most if isinstance(most, int) and most > 0 else 0


Step = Request | Callable[["list[Exchange]"], "Request | Exchange"]


@dataclass(frozen=True)
class Check:
    """One thing that a server does or leaves out.

    `steps` are sent one after the other; a function makes its request of the answers before it, or names one of them
    to be judged in its place. `judge` reads all answers and raises one of the three below, or returns: passed.
    `optional`: to refuse clearly is no fault. `bad_request`: the server should answer with an error, for which nobody
    pays. `source` is the API's documentation. `why` names clients and servers only where `witnesses` say the same.
    """

    id: str
    area: str
    level: Level
    title: str
    expects: str
    why: str
    source: str
    steps: tuple[Step, ...]
    judge: Callable[..., None]
    needs: tuple[Need, ...] = ()
    depends: tuple[str, ...] = ()
    optional: bool = False
    bad_request: bool = False

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """The clients that break without it, and the servers that were found without it; each with its source."""
        return WITNESSES.get(self.id, ())

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests that are known before anything is sent."""
        return tuple(step for step in self.steps if isinstance(step, Request))

    def expected_tokens(self) -> tuple[int, int]:
        """Input and output tokens of one try."""
        if self.bad_request:
            return 0, 0
        known = [step.expected_tokens() if isinstance(step, Request) else (400, 200) for step in self.steps]
        return sum(into for into, _ in known), sum(out for _, out in known)


class ProtocolFaultError(PlaygroundError):
    """The answer breaks the protocol. `event` is the number of the offending event, from 1; `member` the path of the
    offending member, in that event or in the body; `step` which of the check's answers it is in, from 0, by default
    the last."""

    def __init__(self, message: str, *, event: int | None = None, member: str = "", step: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.event = event
        self.member = member
        self.step = step


class NotSupportedError(PlaygroundError):
    """The server refuses clearly what it need not have, or has no such thing."""


class InconclusiveError(PlaygroundError):
    """The model answered something from which nothing can be told: worth another try."""


class AnswerRefusedError(PlaygroundError):
    """A request that is well formed was refused with an error that can be read. A fault, unless the check is of
    something optional."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status


class BusyError(PlaygroundError):
    """The server had no time: 429, 503 or 529. Nothing can be told of it."""


@dataclass(frozen=True)
class Evidence:
    """The offending answer, as far as it is shown. `events` are [number, at_ms, name, data]; `marked` is the number of
    the offending one. An answer without events has `body`. `member` is the offending path, "" when it is none."""

    http_status: int | None = None
    content_type: str = ""
    events: tuple[tuple[int, float, str, str], ...] = ()
    event_count: int = 0
    marked: int | None = None
    body: str = ""
    member: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Sent:
    """A request as it was sent, secrets masked; `body` is cut when it is long, `size` is in bytes."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str
    size: int


@dataclass(frozen=True)
class Result:
    """The outcome of one check. `run_ids` are the runs of its last try; costs are of the requests that this check was
    the first to send."""

    id: str
    status: Status
    message: str = ""
    tries: int = 1
    evidence: Evidence | None = None
    sent: tuple[Sent, ...] = ()
    run_ids: tuple[str, ...] = ()
    failed_step: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


def to_json(value: Any) -> bytes:
    """JSON as clients write it; half a surrogate pair, which is no UTF-8, makes all of it ASCII."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
