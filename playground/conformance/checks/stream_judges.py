"""Judges of a stream's events: each reads one answer or two, and raises at the offending event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import InconclusiveError, ProtocolFaultError
from playground.conformance.checks.answer_checks import STOP_REASONS
from playground.conformance.judging import (
    count,
    events_of,
    first_of,
    is_answered,
    path,
    refused,
    require_stream,
)
from playground.protocol.catalogue.block_types import DELTA_TYPES, EVENT_TYPES
from playground.protocol.errors import ERROR_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.http_exchange import Exchange

NAMES: Final = frozenset(EVENT_TYPES)
_TOO_SHORT_TO_TELL_MS: Final = 300


def is_stream(exchange: Exchange) -> None:
    is_answered(exchange)
    require_stream(exchange)


def content_type(exchange: Exchange) -> None:
    if not exchange.content_type.lower().startswith("text/event-stream"):
        raise ProtocolFaultError(f"The content type is {exchange.content_type or 'missing'}.")


def starts(exchange: Exchange) -> None:
    first = require_stream(exchange)[0]
    if first.type != "message_start":
        raise ProtocolFaultError(
            f"The stream begins with {first.type or 'an event without a type'}.", event=first.number
        )


def start_message(exchange: Exchange) -> None:
    event = first_of(exchange, "message_start")
    message = path(event.value, "message")
    wrong = next((name for name, accepts in _OPENING.items() if not accepts(path(message, name))), None)
    if wrong is not None:
        raise ProtocolFaultError(
            f"message.{wrong} is {path(message, wrong)!r:.60} in message_start.",
            event=event.number,
            member=f"message.{wrong}",
        )


_OPENING: Final[dict[str, Callable[[Any], bool]]] = {
    "id": lambda value: isinstance(value, str) and bool(value),
    "type": lambda value: value == "message",
    "role": lambda value: value == "assistant",
    "model": lambda value: isinstance(value, str) and bool(value),
    "content": lambda value: value == [],
    "stop_reason": lambda value: value is None,
}


def start_usage(exchange: Exchange) -> None:
    event = first_of(exchange, "message_start")
    usage = path(event.value, "message", "usage")
    value = count(usage if isinstance(usage, dict) else {}, "input_tokens")
    if not value:
        raise ProtocolFaultError(
            f"input_tokens is {path(usage, 'input_tokens')!r:.20} in message_start.",
            event=event.number,
            member="message.usage.input_tokens",
        )


def blocks_in_order(exchange: Exchange) -> None:
    open_index: Any = None
    for event in require_stream(exchange):
        if not event.type.startswith("content_block_"):
            continue
        index = path(event.value, "index")
        if event.type == "content_block_start":
            if open_index is not None:
                raise ProtocolFaultError(
                    f"Block {index} begins before block {open_index} has ended.", event=event.number
                )
            open_index = index
        elif open_index is None or index != open_index:
            raise ProtocolFaultError(f"{event.type} of block {index}, which is not open.", event=event.number)
        elif event.type == "content_block_stop":
            open_index = None
    if open_index is not None:
        raise ProtocolFaultError(f"Block {open_index} is never stopped.", event=exchange.event_count)


def indices(exchange: Exchange) -> None:
    for place, event in enumerate(events_of(require_stream(exchange), "content_block_start")):
        index = path(event.value, "index")
        if index != place or isinstance(index, bool):
            raise ProtocolFaultError(
                f"Block number {place} has the index {index!r:.20}.", event=event.number, member="index"
            )


def names_match(exchange: Exchange) -> None:
    for event in exchange.events:
        if event.type and event.name != event.type:
            raise ProtocolFaultError(
                f"The event is called {event.name or 'nothing'}, its data says {event.type}.", event=event.number
            )


def known(exchange: Exchange) -> None:
    for event in exchange.events:
        if event.value is not None and event.type not in NAMES:
            raise ProtocolFaultError(f"An event of the type {event.type or 'nothing'!s:.40}.", event=event.number)


def is_json(exchange: Exchange) -> None:
    for event in exchange.events:
        if not isinstance(event.value, dict) and event.data.strip() != "[DONE]":
            raise ProtocolFaultError("The data is not a JSON object.", event=event.number)


def no_done(exchange: Exchange) -> None:
    for event in exchange.events:
        if event.data.strip() == "[DONE]":
            raise ProtocolFaultError("data: [DONE] is OpenAI's; this API ends with message_stop.", event=event.number)


def deltas_at_home(exchange: Exchange) -> None:
    kinds: dict[Any, Any] = {}
    for event in require_stream(exchange):
        index = path(event.value, "index")
        if event.type == "content_block_start":
            kinds[index] = path(event.value, "content_block", "type")
        elif event.type == "content_block_delta" and index in kinds:
            delta = path(event.value, "delta", "type")
            home = DELTA_TYPES[delta].home if isinstance(delta, str) and delta in DELTA_TYPES else None
            is_input = delta == "input_json_delta" and str(kinds[index]).endswith("tool_use")
            if home is not None and home != kinds[index] and not is_input:
                raise ProtocolFaultError(
                    f"{delta} for block {index}, which is {kinds[index]}.", event=event.number, member="delta.type"
                )


def text_start(exchange: Exchange) -> None:
    for event in events_of(require_stream(exchange), "content_block_start"):
        block = path(event.value, "content_block")
        if path(block, "type") == "text" and path(block, "text") != "":
            raise ProtocolFaultError(
                f"A text block begins with text {path(block, 'text')!r:.40}; it must be there and empty.",
                event=event.number,
                member="content_block.text",
            )


def message_delta(exchange: Exchange) -> None:
    event = first_of(exchange, "message_delta")
    last = events_of(require_stream(exchange), "message_delta")[-1]
    reason = path(last.value, "delta", "stop_reason")
    if reason not in STOP_REASONS:
        raise ProtocolFaultError(
            f"stop_reason is {reason!r:.60} at the end.", event=last.number, member="delta.stop_reason"
        )
    blocks = events_of(require_stream(exchange), "content_block_stop")
    if blocks and event.number < blocks[-1].number:
        raise ProtocolFaultError("message_delta comes before the last block has ended.", event=event.number)


def final_usage(exchange: Exchange) -> None:
    event = events_of([first_of(exchange, "message_delta"), *require_stream(exchange)], "message_delta")[-1]
    usage = path(event.value, "usage")
    value = count(usage if isinstance(usage, dict) else {}, "output_tokens")
    if not value:
        raise ProtocolFaultError(
            f"output_tokens is {path(usage, 'output_tokens')!r:.20} at the end.",
            event=event.number,
            member="usage.output_tokens",
        )


def usage_grows(exchange: Exchange) -> None:
    """The counts of message_delta are totals, so they are never below those of message_start."""
    start = path(first_of(exchange, "message_start").value, "message", "usage", "output_tokens")
    last = events_of(require_stream(exchange), "message_delta")
    if not last or not isinstance(start, int):
        return
    end = path(last[-1].value, "usage", "output_tokens")
    if isinstance(end, int) and end < start:
        raise ProtocolFaultError(
            f"output_tokens is {end} at the end and was {start} before: it is a total, not a difference.",
            event=last[-1].number,
            member="usage.output_tokens",
        )


def usage_agrees(streamed: Exchange, whole: Exchange) -> None:
    is_answered(streamed, whole)
    first, second = count(streamed.usage, "input_tokens"), count(whole.usage, "input_tokens")
    if not first or not second:
        raise InconclusiveError("One of the two tells no input tokens.")
    if abs(first - second) > max(3, second // 10):
        raise ProtocolFaultError(
            f"The same prompt counts {first} input tokens in a stream and {second} in JSON.",
            event=events_of(streamed.events, "message_start")[0].number,
            member="message.usage.input_tokens",
            step=0,
        )


def stops(exchange: Exchange) -> None:
    if not events_of(require_stream(exchange), "message_stop"):
        raise ProtocolFaultError("The stream ends without message_stop.", event=exchange.event_count)


def nothing_after(exchange: Exchange) -> None:
    stop = first_of(exchange, "message_stop")
    for event in exchange.events[stop.number :]:
        if event.type != "ping" and event.data.strip() != "[DONE]":
            raise ProtocolFaultError(f"{event.type or 'An event'} after message_stop.", event=event.number)


def pings(exchange: Exchange) -> None:
    if not any(event.type == "ping" for event in exchange.events):
        raise ProtocolFaultError("No ping came in the stream.")


def is_not_buffered(exchange: Exchange) -> None:
    events = require_stream(exchange)
    total = exchange.events[-1].at_ms
    if total < _TOO_SHORT_TO_TELL_MS:
        return  # nobody waits for what is here at once
    if (stop := next((event for event in events if event.type == "message_stop"), None)) is None:
        return
    first_delta = next((event for event in events if event.type == "content_block_delta"), events[0])
    if stop.at_ms - first_delta.at_ms < total * 0.05 and len(events_of(events, "content_block_delta")) >= 5:
        raise ProtocolFaultError(
            f"The first delta came after {first_delta.at_ms:.0f} ms and the end after {stop.at_ms:.0f} ms: "
            "the stream was held back until it was complete.",
            event=first_delta.number,
        )


def several_deltas(exchange: Exchange) -> None:
    deltas = events_of(require_stream(exchange), "content_block_delta")
    if len(exchange.text) < 60:
        raise InconclusiveError("The answer is too short to tell.")
    if len(deltas) < 3:
        raise ProtocolFaultError(
            f"{len(exchange.text)} characters came in {len(deltas)} deltas.", event=deltas[0].number
        )


def same_model(streamed: Exchange, whole: Exchange) -> None:
    is_answered(streamed, whole)
    if streamed.answered_by != whole.answered_by:
        start = events_of(streamed.events, "message_start")
        raise ProtocolFaultError(
            f"The stream names the model {streamed.answered_by!r:.60}, JSON {whole.answered_by!r:.60}.",
            event=start[0].number if start else None,
            member="message.model",
            step=0,
        )


def not_cached(exchange: Exchange) -> None:
    value = exchange.headers.get("cache-control", "").lower()
    if "no-cache" not in value and "no-store" not in value:
        raise ProtocolFaultError(f"cache-control is {value or 'missing'}; no-cache is expected.")


def fails_in_order(exchange: Exchange) -> None:
    exchange.require_success()
    error = next((event for event in exchange.events if event.type == "error"), None)
    if error is None:
        raise ProtocolFaultError("The stream broke off without an error event.", event=exchange.event_count or None)
    kind, message = path(error.value, "error", "type"), path(error.value, "error", "message")
    if kind not in ERROR_TYPES or not isinstance(message, str):
        raise ProtocolFaultError(f"The error's type is {kind!r:.60}.", event=error.number, member="error.type")


def error_before_stream(exchange: Exchange) -> None:
    if exchange.status == 200 and exchange.is_stream:
        raise ProtocolFaultError("A bad request was answered with HTTP 200 and a stream.", event=1)
    refused(400, 422)(exchange)
    if exchange.content_type.lower().startswith("text/event-stream"):
        raise ProtocolFaultError("The refusal has the content type of a stream.")
