"""Prompt caching: the marks, and the figures it leaves in the usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, InconclusiveError, NotSupportedError, ProtocolFaultError
from playground.conformance.checks.common_requests import DOCS, WEATHER, create, user
from playground.conformance.judging import (
    count,
    input_tokens,
    is_answered,
    refused_or_not_checked,
)

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "caching"
_MARK: Final = {"type": "ephemeral"}
_BOOK: Final = " ".join(
    f"Entry {number}: wind from the west, {number % 17} ships, lamp lit." for number in range(1, 301)
)
MARKED_TEXT: Final = create([{"type": "text", "text": "Repeat after me: ready", "cache_control": _MARK}])
MARKED_SYSTEM: Final = create(system=[{"type": "text", "text": "Be brief.", "cache_control": _MARK}])
MARKED_TOOL: Final = create(tools=[WEATHER | {"cache_control": _MARK}])
MARKED_HOUR: Final = create(system=[{"type": "text", "text": "Be brief.", "cache_control": _MARK | {"ttl": "1h"}}])
_LONG: Final[dict[str, Any]] = {
    "max_tokens": 32,
    "system": [{"type": "text", "text": f"You keep a logbook. {_BOOK}", "cache_control": _MARK}],
}
WRITING: Final = create("Repeat after me: ready", **_LONG)
READING: Final = create("Repeat after me: again", **_LONG)
BAD_LIFETIME: Final = create(system=[{"type": "text", "text": "Be brief.", "cache_control": _MARK | {"ttl": "2 days"}}])
BAD_MARK: Final = create(system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "for ever"}}])
FIVE_MARKS: Final = create(
    [user([{"type": "text", "text": f"Part {number}.", "cache_control": _MARK} for number in range(1, 6)])]
)
_NAMES: Final = ("cache_creation_input_tokens", "cache_read_input_tokens")


def _then_read(_: list[Exchange]) -> Any:
    return READING


def _figures(exchange: Exchange) -> None:
    is_answered(exchange)
    values = [exchange.usage.get(name) for name in _NAMES]
    if all(value is None for value in values):
        raise NotSupportedError("The usage tells nothing of a cache.")
    for name, value in zip(_NAMES, values, strict=True):
        if count(exchange.usage, name) is None or (value or 0) < 0:
            raise ProtocolFaultError(f"usage.{name} is {value!r:.40}.", member=f"usage.{name}")


def _total_stays(first: Exchange, second: Exchange) -> None:
    """Cached or not, a prompt has the same number of tokens."""
    is_answered(first, second)
    before, after = input_tokens(first), input_tokens(second)
    if not any(count(second.usage, name) for name in _NAMES):
        raise NotSupportedError("Nothing was cached.")
    if abs(before - after) > max(20, before // 20):
        raise ProtocolFaultError(
            f"The three counts add up to {before} the first time and to {after} the second, for the same prefix.",
            member="usage",
        )


def _is_read(first: Exchange, second: Exchange) -> None:
    is_answered(first, second)
    written, read = (count(first.usage, _NAMES[0]) or 0), (count(second.usage, _NAMES[1]) or 0)
    again = count(second.usage, _NAMES[0]) or 0
    if read:
        if read > input_tokens(second):
            raise ProtocolFaultError(f"{read} tokens were read, more than the prompt has.", member=f"usage.{_NAMES[1]}")
        return
    if not written and not count(first.usage, _NAMES[1]):
        raise NotSupportedError("Nothing was cached.")
    if not again:
        raise ProtocolFaultError(
            f"{written} tokens were written; the same prefix was then neither read nor written again.",
            member=f"usage.{_NAMES[1]}",
        )
    raise InconclusiveError("The prefix was written again: the entry was not there yet, or on another machine.")


def _detail_adds_up(exchange: Exchange) -> None:
    is_answered(exchange)
    detail = exchange.usage.get("cache_creation")
    if detail is None:
        raise NotSupportedError("The usage does not tell the lifetimes of what was written.")
    parts = detail if isinstance(detail, dict) else {}
    total = sum(count(parts, name) or 0 for name in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"))
    written = count(exchange.usage, _NAMES[0]) or 0
    if total != written:
        raise ProtocolFaultError(f"{written} tokens were written, by lifetime {total}.", member="usage.cache_creation")


def _check(name: str, level: Any, title: str, expects: str, why: str, steps: Any, judge: Any, **more: Any) -> Check:
    more = {"depends": ("answer.message",), "source": DOCS["caching"], **more}
    return Check(f"caching.{name}", AREA, level, title, expects, why, steps=steps, judge=judge, **more)


_AGENTS = "Any block may bear the mark; a server without a cache has nothing to do for it."
CHECKS: Final = (
    _check("mark_text", "must", "A cache mark on a text is taken", "A message.", _AGENTS, (MARKED_TEXT,), is_answered),
    _check("mark_system", "must", "A cache mark on the system prompt is taken", "A message.", _AGENTS, (MARKED_SYSTEM,),
           is_answered),
    _check("mark_tool", "must", "A cache mark on a tool is taken", "A message.", _AGENTS, (MARKED_TOOL,), is_answered,
           needs=("tools",)),
    _check("mark_hour", "should", "A cache mark for an hour is taken", "A message.",
           "An hour is one of the two lifetimes of the reference.", (MARKED_HOUR,), is_answered, optional=True),
    _check("figures", "should", "The usage tells what was written and read", "Two counts, none below 0.",
           "Costs cannot be worked out without them.", (WRITING,), _figures, optional=True),
    _check("read", "should", "A prefix that was written is read the next time",
           "cache_read_input_tokens above 0 for the second request.",
           "A mark costs at the first request and saves at the second.", (WRITING, _then_read), _is_read,
           depends=("caching.figures",)),
    _check("total", "should", "The three counts add up to the prompt",
           "The same sum for the same prefix, written or read.",
           "A prompt's size does not depend on the cache.",
           (WRITING, _then_read), _total_stays, depends=("caching.read",)),
    _check("lifetimes", "may", "What was written is told by lifetime", "cache_creation adds up to what was written.",
           "An hour costs more than five minutes.", (WRITING,), _detail_adds_up, depends=("caching.figures",),
           optional=True),
    _check("bad_mark", "may", "A cache mark of an unknown type is refused", "HTTP 400.",
           "A misspelt mark would cost full price without a word.", (BAD_MARK,), refused_or_not_checked(400, 422),
           bad_request=True),
    _check("bad_lifetime", "may", "A cache mark with an unknown lifetime is refused", "HTTP 400.",
           "As a mark of an unknown type.", (BAD_LIFETIME,), refused_or_not_checked(400, 422), bad_request=True),
    _check("five_marks", "may", "More than four cache marks are refused", "HTTP 400.",
           "The API takes four.", (FIVE_MARKS,), refused_or_not_checked(400, 422),
           bad_request=True),
)  # fmt: skip
