"""Extended thinking: its blocks, its signatures and its budget."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, InconclusiveError, NotSupportedError, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS, WEATHER, WEATHER_QUESTION, assistant, create, user
from playground.conformance.judging import (
    blocks_of_type,
    count,
    events_of,
    is_answered,
    path,
    refused,
    refused_or_not_checked,
    tool_calls,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.check import Level, Step
    from playground.conformance.http_exchange import Exchange

AREA: Final = "thinking"
_QUESTION: Final = "How many prime numbers are there between 80 and 120? Think it through."
_ENABLED: Final = {"type": "enabled", "budget_tokens": 1024}
_ADAPTIVE: Final = {"type": "adaptive"}
ENABLED: Final = create(_QUESTION, max_tokens=2048, thinking=_ENABLED)
ADAPTIVE: Final = create(_QUESTION, max_tokens=2048, thinking=_ADAPTIVE)
ENABLED_STREAM: Final = create(_QUESTION, max_tokens=2048, thinking=_ENABLED, stream=True)
ADAPTIVE_STREAM: Final = create(_QUESTION, max_tokens=2048, thinking=_ADAPTIVE, stream=True)
_WITH_TOOLS: Final[dict[str, Any]] = {"max_tokens": 2048, "tools": [WEATHER]}
ENABLED_TOOLS: Final = create(WEATHER_QUESTION, thinking=_ENABLED, **_WITH_TOOLS)
ADAPTIVE_TOOLS: Final = create(WEATHER_QUESTION, thinking=_ADAPTIVE, **_WITH_TOOLS)
DISABLED: Final = create(max_tokens=256, thinking={"type": "disabled"})
OMITTED: Final = create(_QUESTION, max_tokens=2048, thinking=_ENABLED | {"display": "omitted"})
OMITTED_ADAPTIVE: Final = create(_QUESTION, max_tokens=2048, thinking=_ADAPTIVE | {"display": "omitted"})
SMALL_BUDGET: Final = create(max_tokens=2048, thinking={"type": "enabled", "budget_tokens": 100})
LARGE_BUDGET: Final = create(max_tokens=1024, thinking={"type": "enabled", "budget_tokens": 2048})


def _or_adaptive(other: Request) -> Callable[[list[Exchange]], Request | Exchange]:
    """Return the same request with adaptive thinking, where a model has no other."""

    def choose(before: list[Exchange]) -> Request | Exchange:
        status = before[0].status
        return other if status is not None and 400 <= status < 429 else before[0]

    return choose


_EITHER: Final = (ENABLED, _or_adaptive(ADAPTIVE))
_EITHER_STREAM: Final = (ENABLED_STREAM, _or_adaptive(ADAPTIVE_STREAM))
_EITHER_TOOLS: Final = (ENABLED_TOOLS, _or_adaptive(ADAPTIVE_TOOLS))


def _thinking(exchange: Exchange) -> list[dict[str, Any]]:
    is_answered(exchange)
    blocks = blocks_of_type(exchange, "thinking")
    if not blocks:
        raise InconclusiveError("The model did not think.")
    return blocks


def _has_block(_: Exchange, exchange: Exchange) -> None:
    for block in _thinking(exchange):
        if not isinstance(block.get("thinking"), str):
            raise ProtocolFaultError("A thinking block without its text.", member="content[0].thinking")


def _comes_first(_: Exchange, exchange: Exchange) -> None:
    _thinking(exchange)
    kinds = [block.get("type") for block in exchange.content]
    if kinds[0] not in ("thinking", "redacted_thinking"):
        raise ProtocolFaultError(f"The answer begins with {kinds[0]}; thinking comes first.", member="content[0].type")


def _is_signed(_: Exchange, exchange: Exchange) -> None:
    for block in _thinking(exchange):
        signature = block.get("signature")
        if not isinstance(signature, str) or not signature:
            raise ProtocolFaultError(f"The signature is {signature!r:.40}.", member="content[0].signature")


def _streams_thinking(_: Exchange, exchange: Exchange) -> None:
    _thinking(exchange)
    starts = [
        event
        for event in events_of(exchange.events, "content_block_start")
        if path(event.value, "content_block", "type") == "thinking"
    ]
    index = path(starts[0].value, "index") if starts else None
    deltas = [
        event for event in events_of(exchange.events, "content_block_delta") if path(event.value, "index") == index
    ]
    kinds = [path(event.value, "delta", "type") for event in deltas]
    if path(starts[0].value, "content_block", "thinking") != "":
        raise ProtocolFaultError(
            "A thinking block begins with an empty text.", event=starts[0].number, member="content_block.thinking"
        )
    wrong = next((event for event, kind in zip(deltas, kinds, strict=True) if kind not in _OWN_DELTAS), None)
    if wrong is not None:
        raise ProtocolFaultError(
            "A delta of another kind in a thinking block.", event=wrong.number, member="delta.type"
        )


_OWN_DELTAS: Final = ("thinking_delta", "signature_delta")


def _streams_signature(_: Exchange, exchange: Exchange) -> None:
    _thinking(exchange)
    signed = [
        event
        for event in events_of(exchange.events, "content_block_delta")
        if path(event.value, "delta", "type") == "signature_delta"
    ]
    if not signed or not path(signed[0].value, "delta", "signature"):
        raise ProtocolFaultError("The thinking block is not signed: there is no signature_delta.")


def _go_on(before: list[Exchange]) -> Request:
    """The next question, with the answer and its thinking before it."""
    exchange = before[1]
    _thinking(exchange)
    body = dict(exchange.request.body)  # type: ignore[arg-type]
    turns = [*body["messages"], assistant(exchange.message["content"]), user("Repeat after me: ready")]
    return Request({**body, "messages": turns})


def _go_on_altered(before: list[Exchange]) -> Request:
    exchange = before[1]
    _thinking(exchange)
    content = copy.deepcopy(exchange.message["content"])
    for block in content:
        if block.get("type") == "thinking":
            block["thinking"] = "Something else was thought."
    body = dict(exchange.request.body)  # type: ignore[arg-type]
    return Request({**body, "messages": [*body["messages"], assistant(content), user("Repeat after me: ready")]})


def _results(before: list[Exchange]) -> Request:
    exchange = before[1]
    _thinking(exchange)
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": "18 degrees"} for call in tool_calls(exchange)
    ]
    body = dict(exchange.request.body)  # type: ignore[arg-type]
    return Request({**body, "messages": [*body["messages"], assistant(exchange.message["content"]), user(results)]})


def _last_is_answered(*exchanges: Exchange) -> None:
    is_answered(exchanges[-1])


def _last_is_refused(*exchanges: Exchange) -> None:
    last = exchanges[-1]
    if last.status is not None and 200 <= last.status < 300:
        raise NotSupportedError("Signatures are not verified: altered thinking was taken.")
    refused(400, 422)(last)


def _does_not_think(exchange: Exchange) -> None:
    is_answered(exchange)
    if blocks_of_type(exchange, "thinking"):
        raise ProtocolFaultError("There is a thinking block, although thinking is disabled.", member="content")


def _is_omitted(_: Exchange, exchange: Exchange) -> None:
    for block in _thinking(exchange):
        if block.get("thinking") != "":
            raise ProtocolFaultError(
                "The thinking is shown, although its display is omitted.", member="content[0].thinking"
            )


def _counts_thinking(_: Exchange, exchange: Exchange) -> None:
    _thinking(exchange)
    details = exchange.usage.get("output_tokens_details")
    if details is None:
        raise NotSupportedError("The usage does not tell the tokens of thinking.")
    value = count(details if isinstance(details, dict) else {}, "thinking_tokens")
    total = count(exchange.usage, "output_tokens")
    if value is None or (total is not None and value > total):
        raise ProtocolFaultError(
            f"{value} of {total} output tokens are thinking.", member="usage.output_tokens_details.thinking_tokens"
        )


def _check(
    name: str, title: str, expects: str, why: str, judge: Callable[..., None], *steps: Step, level: Level = "should",
    depends: tuple[str, ...] = ("thinking.block",), **more: Any,
) -> Check:  # fmt: skip
    more = {"source": DOCS["thinking"], "needs": ("thinking",), "optional": True, **more}
    return Check(
        f"thinking.{name}", AREA, level, title, expects, why, steps=steps, judge=judge, depends=depends, **more
    )


CHECKS: Final = (
    _check("block", "Thinking comes as blocks of its own", "A thinking block with its text.",
           "Thinking has blocks of its own; inside the text it reads as the answer.", _has_block, *_EITHER,
           depends=("answer.message",)),
    _check("first", "Thinking comes before the answer", "The first block is thinking.",
           "Thinking stands before what it led to, and goes back in the same order.", _comes_first, *_EITHER),
    _check("signature", "Thinking is signed", "A signature that is not empty.",
           "The Vercel AI SDK refuses the block without it, and so does the API when it is sent back.",
           _is_signed, *_EITHER),
    _check("stream", "Thinking streams as thinking_delta", "An empty start and thinking_delta pieces.",
           "The Python client adds up these pieces only.", _streams_thinking, *_EITHER_STREAM,
           depends=("thinking.block", "stream.answers")),
    _check("stream_signature", "A stream signs the thinking before the block ends", "A signature_delta.",
           "Without it the answer cannot be sent back to the API.", _streams_signature, *_EITHER_STREAM,
           depends=("thinking.stream", "thinking.signature")),
    _check("sent_back", "Thinking is taken back", "A message.", "An answer goes back as it came.",
           _last_is_answered, *_EITHER, _go_on, optional=False, depends=("thinking.signature",)),
    _check("with_tools", "Thinking and its tool's result are taken back", "A message.",
           "With tools the API wants the thinking back.", _last_is_answered, *_EITHER_TOOLS,
           _results,
           optional=False, depends=("thinking.block", "tools.result")),
    _check("altered", "Altered thinking is refused", "HTTP 400.", "The API verifies the signature.", _last_is_refused,
           *_EITHER, _go_on_altered, level="may", depends=("thinking.signature", "thinking.sent_back")),
    _check("budget_minimum", "A budget below 1,024 tokens is refused", "HTTP 400.",
           "It is the API's smallest budget.", refused_or_not_checked(400,
           422),
           SMALL_BUDGET, level="may", bad_request=True),
    _check("budget_maximum", "A budget above max_tokens is refused", "HTTP 400.",
           "The budget is part of max_tokens.", refused_or_not_checked(400, 422), LARGE_BUDGET, level="may",
           bad_request=True),
    _check("disabled", "Thinking can be disabled", "A message without thinking.",
           "The reference has it, for models that can go without.",
           _does_not_think, DISABLED, depends=("answer.message",)),
    _check("omitted", "display omitted leaves the text out", "A thinking block with an empty text.",
           "The block is still sent back, signed.", _is_omitted, OMITTED, _or_adaptive(OMITTED_ADAPTIVE), level="may",
           source=DOCS["adaptive"]),
    _check("tokens", "The usage tells the tokens of thinking",
           "output_tokens_details.thinking_tokens, part of the output.",
           "Thinking is paid as output.", _counts_thinking, *_EITHER, level="may"),
)  # fmt: skip
