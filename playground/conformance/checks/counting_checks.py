"""Counting tokens before sending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS, LONG_TEXT, PLAIN, WEATHER, user
from playground.conformance.checks.media_checks import PNG
from playground.conformance.judging import input_tokens, refused
from playground.protocol.endpoints import COUNT_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.http_exchange import Exchange

AREA: Final = "count_tokens"
_READY: Final = user("Repeat after me: ready")


def counting(**members: Any) -> Request:
    return Request({"messages": [_READY], **members}, path=COUNT_TOKENS)


COUNT: Final = counting()
COUNT_LONGER: Final = counting(messages=[user(f"{LONG_TEXT} Repeat after me: ready")])
COUNT_SYSTEM: Final = counting(system=LONG_TEXT)
COUNT_TOOLS: Final = counting(tools=[WEATHER | {"description": "Get the current weather. " * 40}])
COUNT_IMAGE: Final = counting(messages=[user([PNG, {"type": "text", "text": "Repeat after me: ready"}])])
COUNT_NOTHING: Final = Request({}, path=COUNT_TOKENS)
COUNT_WITH_BETA: Final = Request({"messages": [_READY]}, path=f"{COUNT_TOKENS}?beta=true")


def tokens(exchange: Exchange) -> int:
    exchange.require_success()
    body = exchange.json if isinstance(exchange.json, dict) else {}
    value = body.get("input_tokens")
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ProtocolFaultError(f"input_tokens is {value!r:.40}; a number above 0 is expected.", member="input_tokens")
    return value


def _counts(exchange: Exchange) -> None:
    tokens(exchange)


def _grows(least: int) -> Callable[[Exchange, Exchange], None]:
    def judge(shorter: Exchange, longer: Exchange) -> None:
        less, more = tokens(shorter), tokens(longer)
        if more < less + least:
            raise ProtocolFaultError(
                f"{more} tokens with it, {less} without: it is not counted.", member="input_tokens"
            )

    return judge


def _agrees(counted: Exchange, sent: Exchange) -> None:
    before = tokens(counted)
    after = input_tokens(sent)
    if abs(before - after) > max(12, after // 4):
        raise ProtocolFaultError(f"{before} tokens were counted and {after} used, for the same prompt.",
        member="input_tokens",
                                 step=0)  # fmt: skip


def _check(name: str, level: Any, title: str, expects: str, why: str, steps: Any, judge: Any, **more: Any) -> Check:
    more = {"depends": ("count_tokens.answers",), "optional": True, **more}
    return Check(f"count_tokens.{name}", AREA, level, title, expects, why, DOCS["counting"], steps, judge, **more)


_WHY: Final = "Claude Code decides by the count when to compact: what is left out is refused later."
CHECKS: Final = (
    _check("answers", "should", "Tokens are counted", '{"input_tokens": n}',
           "Claude Code decides by the count when to compact. Ollama has none.", (COUNT,), _counts,
           depends=("answer.message",)),
    _check("text", "should", "A longer text counts more", "More tokens.", _WHY, (COUNT, COUNT_LONGER), _grows(100)),
    _check("system", "should", "The system prompt is counted", "More tokens.", _WHY, (COUNT, COUNT_SYSTEM),
           _grows(100)),
    _check("tools", "should", "Tools are counted", "More tokens.", _WHY, (COUNT, COUNT_TOOLS), _grows(60),
           needs=("tools",)),
    _check("image", "may", "Images are counted", "More tokens.", _WHY, (COUNT, COUNT_IMAGE), _grows(3),
           needs=("vision",)),
    _check("agrees", "should", "The count agrees with the usage", "The same number, give or take a quarter.",
           "The count is an estimate of what will be paid.", (COUNT, PLAIN), _agrees,
           depends=("count_tokens.answers", "answer.input_tokens")),
    _check("beta_query", "must", "?beta=true is taken", '{"input_tokens": n}',
           "The Python client's beta methods add it to the address.", (COUNT_WITH_BETA,), _counts, optional=False),
    _check("refuses", "must", "A body without messages is refused", "HTTP 400 with an error.",
           "messages is required.", (COUNT_NOTHING,), refused(400, 422), bad_request=True,
           optional=False),
)  # fmt: skip
