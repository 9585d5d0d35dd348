"""The figures of one run, gathered from its run events as they come: times, phases, usage, cost, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeGuard

from playground.engine import faults
from playground.engine.events import Answered, Ended, Received, Requested, RunEvent, Streamed
from playground.protocol import pricing
from playground.protocol.catalogue.block_types import PHASES, block_type
from playground.protocol.endpoints import token_count_in
from playground.protocol.json.received_json import LARGEST_READ, read_json_body
from playground.protocol.stream.accumulator import Accumulator

# No run counts more: a context of ten million tokens, read ten times over by server tools. What an upstream claims
# beyond it, or below nothing, would spoil every sum that it went into.
MOST_TOKENS = 100_000_000
_COUNTS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_REQUEST_ID_HEADERS = ("request-id", "x-request-id")


class Figures:
    """Feed every run event once. What is read before the end is the state so far.

    `add` never raises: an answer that this code cannot read is a fault of ours, named in `fault`. The run has failed
    then, and only its bytes are counted.
    """

    def __init__(self, read_body: Callable[[], bytes] | None = None, *, endpoint: str = "messages") -> None:
        """`read_body` gives the whole answer at its end, where it is kept anyway; else its bytes are gathered here.

        The answer of `endpoint` "count_tokens" is a number, `counted_tokens`, which nobody was charged for: it is no
        message, and none of `tokens`.
        """
        self._read_whole_body = read_body
        self.is_count = endpoint == "count_tokens"
        self.accumulator = Accumulator()
        self.http_status: int | None = None
        self.request_headers: list[tuple[str, str]] = []
        self.response_headers: list[tuple[str, str]] = []
        self.first_byte_ms: float | None = None
        self.first_token_ms: float | None = None
        self.received_size = 0
        self.event_count = 0
        self.ended: Ended | None = None
        self.fault: Exception | None = None
        self.phases: dict[str, float] = {}
        self._phase: str = "waiting"
        self._phase_since_ms = 0.0
        self._body = bytearray()  # of an answer that is no stream
        self._counted: int | None = None  # as the upstream claims

    def add(self, event: RunEvent) -> None:
        try:
            self._take(event)
        except Exception as fault:
            self.fail(fault)

    def fail(self, fault: Exception) -> None:
        """Give up reading the message. The run fails, unless it has failed for a reason of its own."""
        self.fault = self.fault or fault
        self.accumulator = type(self.accumulator)()
        self._counted = None
        self._body.clear()
        if self.ended is not None and self.ended.failure is None:
            self.ended = replace(self.ended, state="failed", failure=faults.unreadable())

    def _take(self, event: RunEvent) -> None:
        match event:
            case Streamed():
                self._stream(event)
            case Received():
                self._receive(event)
            case Requested():
                self.request_headers = list(event.headers)
            case Answered():
                self.http_status = event.status
                self.response_headers = list(event.headers)
            case Ended():
                self._end(event)

    def _receive(self, event: Received) -> None:
        if self.first_byte_ms is None:
            self.first_byte_ms = event.at_ms
        self.received_size += len(event.data)
        gathers = self._read_whole_body is None and not self.event_count and self.fault is None
        if gathers and self.received_size <= LARGEST_READ:
            self._body += event.data

    def _stream(self, event: Streamed) -> None:
        self.event_count = event.number
        if self.fault is not None or self.is_count:
            return
        self._body.clear()
        change = self.accumulator.add(event.event)
        if change is None or change.block_type is None:
            return
        if change.what == "block_opened":
            self._enter(block_type(change.block_type).phase, event.at_ms)
        if self.first_token_ms is None and change.added:
            self.first_token_ms = event.at_ms

    def _enter(self, phase: str, at_ms: float) -> None:
        spent_ms = max(0.0, at_ms - self._phase_since_ms)
        self.phases[self._phase] = round(self.phases.get(self._phase, 0.0) + spent_ms, 1)
        self._phase, self._phase_since_ms = phase, at_ms

    def _end(self, event: Ended) -> None:
        self.ended = event
        self._enter("waiting", event.at_ms)
        if self.fault is not None:
            self.fail(self.fault)
        elif self.event_count:
            self.accumulator.finish()
        elif self.received_size:
            self._read_body()

    def _read_body(self) -> None:
        """The message of an answer that came in one piece, or its number. What is neither is told as the run's
        failure."""
        body, self._body = self._body, bytearray()
        if self.is_too_large_to_read:
            return
        value, problem = read_json_body(body if self._read_whole_body is None else self._read_whole_body())
        if problem is None and self.is_count:
            self._counted = token_count_in(value)
        elif problem is None:
            self.accumulator = Accumulator.of_message(value)

    @property
    def is_too_large_to_read(self) -> bool:
        """Whether this is an answer in one piece that is kept as bytes only."""
        return not self.event_count and self.received_size > LARGEST_READ

    def phases_until(self, now_ms: float) -> dict[str, float]:
        """The phases with the one that still lasts, in milliseconds; order as in `PHASES`."""
        spent = dict(self.phases)
        if self.ended is None:
            spent[self._phase] = spent.get(self._phase, 0.0) + max(0.0, now_ms - self._phase_since_ms)
        return {phase: spent[phase] for phase in PHASES if spent.get(phase)}

    @property
    def has_message(self) -> bool:
        """Whether anything that can be called a message has come, be it in part."""
        return bool(self.accumulator.blocks) or "id" in self.accumulator.message

    @property
    def request_id(self) -> str:
        headers = {name.lower(): value for name, value in self.response_headers}
        request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), "")
        if not request_id and self.ended and self.ended.failure:
            request_id = self.ended.failure.detail.get("request_id") or ""
        return request_id if isinstance(request_id, str) else ""

    def tokens(self) -> dict[str, int | None]:
        """Token counts under the names of the run's columns; None where the upstream told nothing usable."""
        return token_counts(self.accumulator.usage)

    @property
    def counted_tokens(self) -> int | None:
        """The answer to a request to count tokens, brought into the range of what can be."""
        return None if self._counted is None else max(0, min(self._counted, MOST_TOKENS))

    @property
    def has_impossible_counts(self) -> bool:
        """Whether the upstream claims counts that cannot be: `tokens` brings them into the range that can."""
        usage = self.accumulator.usage
        details = usage.get("output_tokens_details")
        claimed = [self._counted, *(usage.get(name) for name in _COUNTS)]
        claimed.append(details.get("thinking_tokens") if isinstance(details, Mapping) else None)
        return any(_is_number(value) and not 0 <= value <= MOST_TOKENS for value in claimed)

    def cost_usd(self, model: str, *, is_sandbox: bool = False) -> Decimal | None:
        """Return the answer's cost by list price; None when the model's price or the usage is not known."""
        if self.is_count:
            return None
        if is_sandbox:
            return Decimal(0)
        usage = {name: value for name, value in self.accumulator.usage.items() if value is not None}
        if not usage or self.has_impossible_counts:
            return None
        answered_by = self.accumulator.message.get("model")
        try:
            cost = pricing.cost_usd(answered_by if isinstance(answered_by, str) else model, usage)
            if cost is None and answered_by != model:
                cost = pricing.cost_usd(model, usage)
        except (ValueError, TypeError, ArithmeticError):
            return None  # counts that are no counts
        return cost if cost is not None and 0 <= cost < 10**7 else None


def gather(events: Iterable[RunEvent], *, endpoint: str = "messages") -> Figures:
    """The figures of all these events."""
    figures = Figures(endpoint=endpoint)
    for event in events:
        figures.add(event)
    return figures


def token_counts(usage: Mapping[str, Any]) -> dict[str, int | None]:
    """The counts of a `usage` under the names of the run's columns, each within what can be."""
    details = usage.get("output_tokens_details")
    return {
        "input_tokens": _count(usage, "input_tokens"),
        "output_tokens": _count(usage, "output_tokens"),
        "cache_write_tokens": _count(usage, "cache_creation_input_tokens"),
        "cache_read_tokens": _count(usage, "cache_read_input_tokens"),
        "thinking_tokens": _count(details, "thinking_tokens") if isinstance(details, Mapping) else None,
    }


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    """The count, brought into the range of what can be; None when it is no number."""
    value = usage.get(name)
    return max(0, min(int(value), MOST_TOKENS)) if _is_number(value) else None


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
