"""The shape of an answer in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from playground.conformance.check import Check, ProtocolFaultError
from playground.conformance.checks.common_requests import DOCS, PLAIN, create
from playground.conformance.judging import count, is_answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.http_exchange import Exchange

AREA: Final = "answer"
STOP_REASONS: Final = frozenset(
    {
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "compaction",
    }
)
ANOTHER: Final = create("Repeat after me: another answer")


def _member(name: str, accepts: Callable[[object], bool], expected: str) -> Callable[[Exchange], None]:
    def judge(exchange: Exchange) -> None:
        body = exchange.json if isinstance(exchange.json, dict) else {}
        if name not in body:
            raise ProtocolFaultError(f"{name} is missing; it must be {expected}.", member=name)
        if not accepts(body[name]):
            raise ProtocolFaultError(f"{name} is {body[name]!r:.80}; it must be {expected}.", member=name)

    return judge


def _is_json(exchange: Exchange) -> None:
    is_answered(exchange)
    if not isinstance(exchange.json, dict):
        raise ProtocolFaultError("The body is not a JSON object, although no stream was asked for.")


def _says_json(exchange: Exchange) -> None:
    if not exchange.content_type.lower().startswith("application/json"):
        raise ProtocolFaultError(f"The content type is {exchange.content_type or 'missing'}; it must be JSON's.")


def _has_blocks(exchange: Exchange) -> None:
    is_answered(exchange)
    for place, block in enumerate(exchange.json["content"]):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise ProtocolFaultError(f"Block {place} has no type.", member=f"content[{place}]")
        if block["type"] == "text" and not isinstance(block.get("text"), str):
            raise ProtocolFaultError(f"Block {place} is text without a text.", member=f"content[{place}].text")
    if not exchange.json["content"]:
        raise ProtocolFaultError("The content is empty, although the model was asked for a word.", member="content")


def _counts(name: str) -> Callable[[Exchange], None]:
    def judge(exchange: Exchange) -> None:
        value = count(exchange.usage, name)
        if value is None or value <= 0:
            value_sent = exchange.usage.get(name, "missing")
            raise ProtocolFaultError(f"usage.{name} is {value_sent!r:.40}; it must be above 0.", member=f"usage.{name}")

    return judge


def _cache_counts(exchange: Exchange) -> None:
    for name in ("cache_creation_input_tokens", "cache_read_input_tokens"):
        value = exchange.usage.get(name, "missing")
        if value is not None and count(exchange.usage, name) is None:
            raise ProtocolFaultError(f"usage.{name} is {value!r:.40}; a number or null is expected.", member="usage")


def _differ(first: Exchange, second: Exchange) -> None:
    is_answered(first, second)
    if first.message.get("id") == second.message.get("id"):
        raise ProtocolFaultError(f"Two answers have the id {first.message.get('id')!r:.60}.", member="id")


def _known_stop(exchange: Exchange) -> None:
    reason = exchange.message.get("stop_reason")
    if reason not in STOP_REASONS:
        raise ProtocolFaultError(f"stop_reason is {reason!r:.60}, which the API does not have.", member="stop_reason")


_REFERENCE = DOCS["messages"]
_TYPED = "The reference has the member in every message; typed code reads it without asking."


def _shape(name: str, title: str, expects: str, judge: Callable[[Exchange], None], why: str = _TYPED) -> Check:
    return Check(
        f"answer.{name}", AREA, "must", title, expects, why, _REFERENCE, (PLAIN,), judge, depends=("answer.message",)
    )  # fmt: skip


CHECKS: Final = (
    Check(
        "answer.message", AREA, "must", "A plain question is answered",
        "HTTP 200 with a JSON object that is a message.",
        "Nothing else works without it.", _REFERENCE, (PLAIN,), _is_json,
    ),
    _shape(
        "content_type", "The content type is JSON's", "content-type: application/json", _says_json,
        "The Python client hands over bare text where the content type is not JSON's.",
    ),
    _shape("type", "type is message", '"type": "message"', _member("type", lambda value: value == "message",
           "message")),
    _shape(
        "role", "role is assistant", '"role": "assistant"', _member("role", lambda value: value == "assistant",
        "assistant"),
        "The answer goes into the next request as it is, and there a turn needs its role.",
    ),
    _shape(
        "id", "id is a text", "A text that is not empty.",
        _member("id", lambda value: isinstance(value, str) and bool(value), "a text"),
    ),
    _shape(
        "model", "model is named", "The model that answered.",
        _member("model", lambda value: isinstance(value, str) and bool(value), "a text"),
        "Prices go by the model that answered, which may be another than was asked for.",
    ),
    _shape("content", "content is a list of typed blocks", "A list of objects, each with its type.", _has_blocks),
    _shape(
        "stop_reason", "stop_reason is one of the API's", "end_turn, max_tokens, tool_use, … and not stop or length.",
        _known_stop,
        "The reference lists the reasons; OpenAI's words (stop, length) are not among them.",
    ),
    Check(
        "answer.stop_sequence", AREA, "should", "stop_sequence is there, if only as null", '"stop_sequence": null',
        "The reference has the member in every message. Ollama leaves it out.",
        _REFERENCE, (PLAIN,), _member("stop_sequence", lambda value: value is None, "null where none was hit"),
        depends=("answer.message",),
    ),
    _shape(
        "input_tokens", "usage.input_tokens counts", "A number above 0.", _counts("input_tokens"),
        "The Vercel AI SDK refuses a message without it; 0 makes every prompt look empty.",
    ),
    _shape(
        "output_tokens", "usage.output_tokens counts", "A number above 0.", _counts("output_tokens"),
        "Costs are worked out from it. The Vercel AI SDK refuses a message without it.",
    ),
    Check(
        "answer.cache_tokens", AREA, "may", "usage tells the cache's counts",
        "cache_creation_input_tokens and cache_read_input_tokens, 0 or null where nothing is cached.",
        "A prompt's size is the sum of the three counts. vLLM leaves two of them out unless caching is on.",
        _REFERENCE, (PLAIN,), _cache_counts, depends=("answer.message",),
    ),
    Check(
        "answer.ids_differ", AREA, "should", "Each answer has an id of its own", "Two answers, two ids.",
        "The id names one message: two answers under one id cannot be told apart.",
        _REFERENCE, (PLAIN, ANOTHER), _differ, depends=("answer.id",),
    ),
)  # fmt: skip
