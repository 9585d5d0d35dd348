"""Judgements that several checks share. Each reads one answer and raises when it is not as it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.conformance.check import BusyError, InconclusiveError, NotSupportedError, ProtocolFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playground.conformance.http_exchange import Event, Exchange


def is_answered(*exchanges: Exchange) -> None:
    """Each is a message."""
    for step, exchange in enumerate(exchanges):
        try:
            _ = exchange.message
        except ProtocolFaultError as fault:
            raise ProtocolFaultError(fault.message, event=fault.event, member=fault.member, step=step) from None


def taken_or_refused(exchange: Exchange) -> None:
    """A message, or a refusal that can be read: what breaks clients is everything between."""
    try:
        is_answered(exchange)
    except ProtocolFaultError as fault:
        raise ProtocolFaultError(f"Neither taken nor refused clearly. {fault.message}", event=fault.event) from None


def never_breaks(exchange: Exchange) -> None:
    """A message or a clear refusal: both are as good."""
    status = exchange.status
    if status is not None and 400 <= status < 500 and status != 429:
        if exchange.error is None or not exchange.body:
            raise ProtocolFaultError(f"HTTP {status} without a word why.")
        return
    is_answered(exchange)


def refused(*statuses: int, error_type: str = "") -> Callable[[Exchange], None]:
    """A judge of requests that must be refused: one of the statuses, and a message in the body."""
    expected = " or ".join(map(str, statuses))

    def judge(exchange: Exchange) -> None:
        status = exchange.status
        if status is None:
            exchange.require_success()
        if status in (429, 503, 529):
            raise BusyError(f"HTTP {status}")
        if status not in statuses:
            hint = " The request was taken." if status is not None and 200 <= status < 300 else ""
            raise ProtocolFaultError(f"HTTP {status} where {expected} was expected.{hint}")
        error = exchange.error
        if error is None or not exchange.body.strip():
            raise ProtocolFaultError(f"HTTP {status} with an empty body: nobody learns what was wrong.")
        if error_type and error.type != error_type:
            raise ProtocolFaultError(
                f"The error's type is {error.type}; for this {error_type} is expected.", member="error.type"
            )

    return judge


def refused_or_not_checked(*statuses: int) -> Callable[[Exchange], None]:
    """Expect a refusal where a server may have no such rule: taking the request is no fault, but no support either."""
    judge = refused(*statuses)

    def judge_leniently(exchange: Exchange) -> None:
        if exchange.status is not None and 200 <= exchange.status < 300:
            is_answered(exchange)
            raise NotSupportedError("Not checked: the request was taken.")
        judge(exchange)

    return judge_leniently


def count(usage: dict[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def input_tokens(exchange: Exchange) -> int:
    """All input tokens that the answer tells, cached ones included. Inconclusive when it tells none."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [count(exchange.usage, name) for name in names]
    total = sum(value for value in counts if value is not None)
    if not total:
        raise InconclusiveError("The answer tells no input tokens, from which this could be seen.")
    return total


def counts_more(least: int) -> Callable[[Exchange, Exchange], None]:
    """The second prompt has more in it, so it must count at least so many tokens more than the first."""

    def judge(shorter: Exchange, longer: Exchange) -> None:
        is_answered(shorter, longer)
        less, more = input_tokens(shorter), input_tokens(longer)
        if more < less + least:
            raise ProtocolFaultError(
                f"{more} input tokens with it, {less} without: it does not reach the model, or is not counted.",
                member="usage.input_tokens",
            )

    return judge


def blocks_of_type(exchange: Exchange, kind: str) -> list[dict[str, Any]]:
    return [block for block in exchange.content if block.get("type") == kind]


def tool_calls(exchange: Exchange) -> list[dict[str, Any]]:
    """The calls in an answer. Inconclusive when the model made none."""
    calls = blocks_of_type(exchange, "tool_use")
    if not calls:
        raise InconclusiveError("The model called no tool.")
    return calls


def require_stream(exchange: Exchange) -> list[Event]:
    """The events but pings. A fault when the answer is no stream."""
    exchange.require_success()
    if not exchange.is_stream:
        raise ProtocolFaultError("The answer is no stream of events.")
    return [event for event in exchange.events if event.type != "ping"]


def events_of(events: Iterable[Event], kind: str) -> list[Event]:
    return [event for event in events if event.type == kind]


def first_of(exchange: Exchange, kind: str) -> Event:
    """The first event of a type. A fault when there is none."""
    event = next((each for each in require_stream(exchange) if each.type == kind), None)
    if event is None:
        raise ProtocolFaultError(f"There is no {kind} in the stream.")
    return event


def path(value: Any, *names: str | int) -> Any:
    """A member inside members; None when one of them is missing."""
    for name in names:
        if isinstance(name, int):
            value = value[name] if isinstance(value, list) and len(value) > name else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value
