"""The figures of one run, gathered from its run events as they come: times, phases, usage, cost, how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from playground.engine.events import Answered, Ended, Received, Requested, RunEvent, Streamed
from playground.protocol import pricing
from playground.protocol.accumulator import Accumulator

PHASES = ("waiting", "thinking", "text", "tool_use")
_PHASE_OF_BLOCK = {
    "text": "text",
    "thinking": "thinking",
    "redacted_thinking": "thinking",
    "tool_use": "tool_use",
    "server_tool_use": "tool_use",
    "mcp_tool_use": "tool_use",
}
_GREATEST = 2**62  # databases end at 2**63; nobody's token count does
_JSON_UP_TO = 64 * 2**20
_REQUEST_ID_HEADERS = ("request-id", "x-request-id")


class Figures:
    """Feed every run event once. What is read before the end is the state so far."""

    def __init__(self) -> None:
        self.accumulator = Accumulator()
        self.http_status: int | None = None
        self.request_headers: list[tuple[str, str]] = []
        self.response_headers: list[tuple[str, str]] = []
        self.first_byte_ms: float | None = None
        self.first_token_ms: float | None = None
        self.received_size = 0
        self.event_count = 0
        self.ended: Ended | None = None
        self.phases: dict[str, float] = {}
        self._phase = "waiting"
        self._phase_since_ms = 0.0
        self._body = bytearray()  # of an answer that is no stream

    def add(self, event: RunEvent) -> None:
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
        if not self.event_count and len(self._body) < _JSON_UP_TO:
            self._body += event.data

    def _stream(self, event: Streamed) -> None:
        self.event_count = event.number
        self._body.clear()
        change = self.accumulator.add(event.event)
        if change is None or change.block_type is None:
            return
        if change.what == "block_opened":
            self._enter(_PHASE_OF_BLOCK.get(change.block_type, "waiting"), event.at_ms)
        if self.first_token_ms is None and change.added:
            self.first_token_ms = event.at_ms

    def _enter(self, phase: str, at_ms: float) -> None:
        spent_ms = max(0.0, at_ms - self._phase_since_ms)
        self.phases[self._phase] = round(self.phases.get(self._phase, 0.0) + spent_ms, 1)
        self._phase, self._phase_since_ms = phase, at_ms

    def _end(self, event: Ended) -> None:
        self.ended = event
        self._enter("waiting", event.at_ms)
        if self.event_count:
            self.accumulator.finish()
        elif self._body:
            try:
                self.accumulator = Accumulator.of_message(json.loads(self._body))
            except (ValueError, RecursionError):
                self._body.clear()  # told as the run's failure

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
        found = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), "")
        if not found and self.ended and self.ended.failure:
            found = self.ended.failure.detail.get("request_id") or ""
        return found if isinstance(found, str) else ""

    def tokens(self) -> dict[str, int | None]:
        """Token counts under the names of the run's columns; None where the upstream told nothing usable."""
        usage = self.accumulator.usage
        details = usage.get("output_tokens_details")
        return {
            "input_tokens": _count(usage, "input_tokens"),
            "output_tokens": _count(usage, "output_tokens"),
            "cache_write_tokens": _count(usage, "cache_creation_input_tokens"),
            "cache_read_tokens": _count(usage, "cache_read_input_tokens"),
            "thinking_tokens": _count(details, "thinking_tokens") if isinstance(details, Mapping) else None,
        }

    def cost_usd(self, model: str, *, is_sandbox: bool = False) -> Decimal | None:
        """What the answer cost by list price; None when the model's price or the usage is not known."""
        if is_sandbox:
            return Decimal(0)
        usage = {name: value for name, value in self.accumulator.usage.items() if value is not None}
        if not usage:
            return None
        answered_by = self.accumulator.message.get("model")
        try:
            cost = pricing.cost_usd(answered_by if isinstance(answered_by, str) else model, usage)
            if cost is None and answered_by != model:
                cost = pricing.cost_usd(model, usage)
        except (ValueError, TypeError, ArithmeticError):
            return None  # counts that are no counts
        return cost if cost is not None and 0 <= cost < 10**7 else None


def gather(events: Iterable[RunEvent]) -> Figures:
    """The figures of all these events."""
    figures = Figures()
    for event in events:
        figures.add(event)
    return figures


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _GREATEST else None
