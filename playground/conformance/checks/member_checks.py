"""The members of a request: each is honoured, or refused in a way that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, InconclusiveError, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS, LONG_TEXT, PLAIN, create, user
from playground.conformance.judging import (
    count,
    counts_more,
    is_answered,
    never_breaks,
    taken_or_refused,
)

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "members"
_COUNTING: Final = "Repeat after me: alpha bravo charlie delta echo foxtrot"
SHORT: Final = create("Write a long story about a lighthouse.", max_tokens=5)
STOPPED: Final = create(_COUNTING, stop_sequences=["delta"])
STOPPED_BY_EITHER: Final = create(_COUNTING, stop_sequences=["zulu", "charlie"])
STOPPED_STREAM: Final = create(_COUNTING, stop_sequences=["delta"], stream=True)
SYSTEM: Final = create(system=f"You are brief. {LONG_TEXT}")
SYSTEM_BLOCKS: Final = create(system=[{"type": "text", "text": "You are brief."}, {"type": "text", "text": LONG_TEXT}])


def _ends_at_max_tokens(exchange: Exchange) -> None:
    is_answered(exchange)
    tokens = count(exchange.usage, "output_tokens")
    words = len(exchange.text.split())
    if words > 8 or (tokens is not None and tokens > 5):
        raise ProtocolFaultError(
            f"max_tokens was 5; the answer has {words} words and tells {tokens} output tokens.",
            member="usage.output_tokens",
        )


def _says_max_tokens(exchange: Exchange) -> None:
    is_answered(exchange)
    tokens = count(exchange.usage, "output_tokens")
    if exchange.message.get("stop_reason") == "end_turn" and (tokens is None or tokens < 5):
        raise InconclusiveError("The answer was short enough to end by itself.")
    if exchange.message.get("stop_reason") != "max_tokens":
        raise ProtocolFaultError(
            f"stop_reason is {exchange.message.get('stop_reason')!r:.40} where max_tokens cut the answer.",
            member="stop_reason",
        )


def _stops_before(word: str, after: str) -> Any:
    def judge(exchange: Exchange) -> None:
        is_answered(exchange)
        if word in exchange.text:
            raise ProtocolFaultError(
                f"The answer holds the stop sequence {word!r} and goes on.", member="content[0].text"
            )
        if after not in exchange.text and exchange.message.get("stop_reason") != "stop_sequence":
            raise InconclusiveError("The model said something else, in which the stop sequence does not occur.")

    return judge


def _names_stop(word: str) -> Any:
    def judge(exchange: Exchange) -> None:
        is_answered(exchange)
        message = exchange.message
        if "charlie" not in exchange.text and "bravo" not in exchange.text:
            raise InconclusiveError("The model said something else, in which the stop sequence does not occur.")
        if message.get("stop_reason") != "stop_sequence":
            raise ProtocolFaultError(
                f"stop_reason is {message.get('stop_reason')!r:.40} where a stop sequence was hit.",
                member="stop_reason",
            )
        if message.get("stop_sequence") != word:
            raise ProtocolFaultError(
                f"stop_sequence is {message.get('stop_sequence')!r:.40}; {word!r} was hit.", member="stop_sequence"
            )

    return judge


def _names_stop_at_the_end(exchange: Exchange) -> None:
    is_answered(exchange)
    if not exchange.is_stream:
        raise InconclusiveError("The response is not a stream.")
    last = [event for event in exchange.events if event.type == "message_delta"][-1:]
    if exchange.message.get("stop_reason") != "stop_sequence":
        raise InconclusiveError("The model did not reach the stop sequence.")
    if exchange.message.get("stop_sequence") != "delta":
        raise ProtocolFaultError(
            "stop_sequence is missing at the end of the stream.",
            event=last[0].number if last else None,
            member="delta.stop_sequence",
        )


def _is_no_stream(exchange: Exchange) -> None:
    is_answered(exchange)
    if exchange.is_stream:
        raise ProtocolFaultError("stream was false and a stream came.", event=1, member="stream")


_BETAS: Final[dict[str, str]] = {
    "context_management": "context-management-2025-06-27",
    "mcp_servers": "mcp-client-2025-11-20",
    "compaction": "compact-2026-09-04",
    "thread": "message-threads-2026-08-12",
    "fallbacks": "server-side-fallback-2026-06-01",
    "fallback_credit_token": "fallback-credit-2026-06-01",
    "billing_policy": "user-profiles-billing-2026-10-01",
    "output_format": "structured-outputs-2025-11-13",
    "task_budget": "task-budgets-2026-03-13",
}
_SCHEMA: Final = {
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
    "additionalProperties": False,
}
# Name, value, why it matters, where it is documented.
OPTIONAL: Final[tuple[tuple[str, Any, str, str], ...]] = (
    ("service_tier", "auto", "auto is the default, and says the same as leaving it out.", DOCS["tiers"]),
    ("speed", "standard", "standard is the default, and says the same as leaving it out.", DOCS["messages"]),
    ("inference_geo", "us",
           "It keeps a request in one place: taken in silence, it promises what is not done.", DOCS["messages"]),
    ("container", None, "null says the same as leaving it out.", DOCS["skills"]),
    ("diagnostics", {"previous_message_id": None}, "A null id marks a conversation's first turn.", DOCS["caching"]),
    ("context_management", {"edits": []},
           "Claude Code sends it; where it was refused, every one of its requests failed.", DOCS["context"]),
    ("mcp_servers", [], "An empty list says the same as none.", DOCS["mcp"]),
    ("compaction", None, "null says the same as leaving it out.", DOCS["compaction"]),
    ("thread", None, "null says the same as leaving it out.", DOCS["messages"]),
    ("fallbacks", None, "null says the same as leaving it out.", DOCS["messages"]),
    ("fallback_credit_token", None, "null says the same as leaving it out.", DOCS["messages"]),
    ("billing_policy", None, "null says the same as leaving it out.", DOCS["messages"]),
    ("output_format", {"type": "json_schema", "schema": _SCHEMA},
     "It is the older name of output_config.format.", DOCS["structured"]),
    ("cache_control", {"type": "ephemeral"}, "It puts the cache mark on the last block that can bear one.",
     DOCS["caching"]),
)  # fmt: skip
OPTIONAL_REQUESTS: Final[dict[str, Request]] = {
    name: Request(
        {"max_tokens": 64, "messages": [user("Repeat after me: ready")], name: value},
        headers=(("anthropic-beta", _BETAS[name]),) if name in _BETAS else (),
    )
    for name, value, _, _ in OPTIONAL
}


def _optional(name: str, why: str, source: str) -> Check:
    return Check(
        f"members.{name}", AREA, "may", f"{name} is taken or refused clearly",
        "A message, or HTTP 4xx with an error that can be read.", why, source,
        (OPTIONAL_REQUESTS[name],), taken_or_refused, depends=("answer.message",), optional=True,
    )  # fmt: skip


def _taken(name: str, value: Any, title: str, why: str, *, optional: bool = False, level: Any = "must") -> Check:
    members = value if isinstance(value, dict) else {name: value}
    return Check(
        f"members.{name}", AREA, level, title, "A message.", why, DOCS["messages"], (create(**members),), is_answered,
        depends=("answer.message",), optional=optional,
    )  # fmt: skip


CHECKS: Final = (
    Check(
        "members.max_tokens", AREA, "must", "max_tokens bounds the answer", "An answer of at most 5 tokens.",
        "It is the only bound on an answer's length, cost and time that every request has.",
        DOCS["messages"], (SHORT,), _ends_at_max_tokens,
        depends=("answer.message",),
    ),
    Check(
        "members.max_tokens_reason", AREA, "must", "stop_reason tells that max_tokens ended it",
        '"stop_reason": "max_tokens"',
        "Only so can an answer that was cut be told from a complete one.", DOCS["stop_reasons"], (SHORT,),
        _says_max_tokens, depends=("members.max_tokens",),
    ),
    _taken("max_tokens_1", {"max_tokens": 1}, "max_tokens 1 is taken",
           "1 is within the range that the reference gives.", level="should"),
    Check(
        "members.max_tokens_0", AREA, "may", "max_tokens 0 is taken or refused clearly", "A message, or HTTP 4xx.",
        "It warms the prompt cache and nothing else.", DOCS["caching"], (create(max_tokens=0),), taken_or_refused,
        depends=("answer.message",), optional=True,
    ),
    Check(
        "members.system", AREA, "must", "system as a text reaches the model",
        "More input tokens than without it.",
        "The reference takes a text here; what is dropped in silence is never followed.", DOCS["messages"],
        (PLAIN, SYSTEM), counts_more(60), depends=("answer.message", "answer.input_tokens"),
    ),
    Check(
        "members.system_blocks", AREA, "must", "system as text blocks reaches the model",
        "More input tokens than without it.",
        "Claude Code sends its instructions as blocks; only they can bear a cache mark.",
        DOCS["messages"], (PLAIN, SYSTEM_BLOCKS), counts_more(60), depends=("answer.message", "answer.input_tokens"),
    ),
    _taken("system_empty", {"system": ""}, "An empty system text is taken",
           "An empty text is a text.", level="should"),
    Check(
        "members.stream_false", AREA, "must", "stream false gives JSON", "One JSON object.",
        "false is the default; a stream in its place cannot be parsed as JSON.", DOCS["messages"],
        (create(stream=False),), _is_no_stream, depends=("answer.message",),
    ),
    Check(
        "members.stop_sequences", AREA, "must", "stop_sequences end the answer", "The text ends before the sequence.",
        "What follows the sequence was not asked for, and is paid.", DOCS["messages"],
        (STOPPED,), _stops_before("delta", "charlie"), depends=("answer.message",),
    ),
    Check(
        "members.stop_sequence_named", AREA, "must", "The stop sequence that was hit is named",
        '"stop_reason": "stop_sequence", "stop_sequence": "delta"',
        "With several sequences only this tells which was hit. Ollama never tells.",
        DOCS["stop_reasons"], (STOPPED,), _names_stop("delta"), depends=("members.stop_sequences",),
    ),
    Check(
        "members.stop_sequences_several", AREA, "should", "Any of several stop sequences ends the answer",
        "The text ends before the one that comes first.", "The list is a list of alternatives.",
        DOCS["messages"], (STOPPED_BY_EITHER,), _stops_before("charlie", "bravo"),
        depends=("members.stop_sequences",),
    ),
    Check(
        "members.stop_sequence_streamed", AREA, "should", "A stream names the stop sequence too",
        '"stop_sequence": "delta" in message_delta',
        "message_delta is the only place for it in a stream. vLLM left it out there.", DOCS["streaming"],
        (STOPPED_STREAM,), _names_stop_at_the_end, depends=("members.stop_sequence_named", "stream.answers"),
    ),
    _taken("metadata", {"metadata": {"user_id": "user-0001"}}, "metadata.user_id is taken",
           "The reference has it, for an opaque id of the user."),
    _taken("metadata_null", {"metadata": {"user_id": None}}, "metadata.user_id may be null",
           "The reference allows null.", level="should"),
    _taken("temperature", 0, "temperature is taken",
           "The version 2023-06-01 has it; only newer models refuse it.", optional=True, level="should"),
    _taken("top_p", 0.9, "top_p is taken", "As temperature.", optional=True, level="should"),
    _taken("top_k", 40, "top_k is taken", "As temperature.", optional=True, level="should"),
    _taken("effort", {"output_config": {"effort": "low"}}, "output_config.effort is taken",
           "It is the reference's way to bound how much a model works.", optional=True, level="should"),
    _taken("tools_empty", {"tools": []}, "An empty list of tools is taken",
           "An empty list says the same as none.", level="should"),
    *(_optional(name, why, source) for name, _, why, source in OPTIONAL),
    Check(
        "members.unknown", AREA, "should", "An unknown member is ignored or refused clearly", "A message, or HTTP 4xx.",
        "The API adds members within a version; HTTP 500 for one reads as a failure that may pass.", DOCS["errors"],
        (create(playground_unknown_member=True),), never_breaks, depends=("answer.message",), bad_request=False,
    ),
)  # fmt: skip
