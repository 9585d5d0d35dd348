"""Finds why a prompt cache missed, where the two requests first differ, what it cost, and whether it could be avoided.

A step misses when less was read from the cache than its parent had left there. Causes are asked in the order below and
the first that holds is named. What a change spoils: tools, model and beta headers everything; `speed` and the system
prompt themselves and all messages; `tool_choice`, `thinking` and images only the messages.
Source: the vendor's pages on prompt caching and tool use; `messages-api.md` of the project's notes has the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from playground.protocol import pricing
from playground.protocol.catalogue.known_models import cache_minimum_tokens
from playground.sessions.digest import PARAMETERS, Block, Section
from playground.sessions.steps import Step, break_within, common_blocks, path_of
from playground.sessions.threads import Place, Threads

Cause = Literal[
    "first_request", "below_minimum", "model_changed", "tools_changed", "system_changed", "messages_rewritten",
    "compacted", "parameters_changed", "marks_removed", "ttl_expired", "look_back", "likely_server_side", "unknown",
]  # fmt: skip
LOOK_BACK_BLOCKS = 20  # a read looks for an earlier entry at most so many blocks before a mark
TTL_S = {"5m": 300.0, "1h": 3_600.0}
_LEAST_LOST_TOKENS = 64  # fewer are rounding: a server counts tokens, we count blocks
_LEAST_LOST_PART = 0.02
WORDS: dict[str, str] = {
    "first_request": "first request",
    "below_minimum": "below the minimum length",
    "model_changed": "model changed",
    "tools_changed": "tools changed",
    "system_changed": "system prompt changed",
    "messages_rewritten": "messages rewritten",
    "compacted": "history compacted",
    "parameters_changed": "parameters changed",
    "marks_removed": "cache marks removed",
    "ttl_expired": "TTL expired",
    "look_back": "outside the look-back window",
    "likely_server_side": "likely server side",
    "unknown": "unknown",
}
ADVICE: dict[str, str] = {
    "first_request": "Nothing could be read yet. The next request of this agent reads what this one wrote.",
    "below_minimum": "A prompt this short is never cached. Nothing to do.",
    "model_changed": "Each model has a cache of its own. Keep one model per thread.",
    "tools_changed": "Tools stand first in the prompt, so a change there spoils everything after it. Send the same "
    "tools in the same order from the first request on, and load rare ones with defer_loading.",
    "system_changed": "Move what changes (date, git status, session ids) out of the system prompt and into the newest "
    "user message. What stands before the change was still read.",
    "messages_rewritten": "An earlier message is no longer the same. Append instead of editing, "
    "or edit rarely and all at once.",
    "compacted": "The client replaced its history by a summary. That is expected, and later requests cost less.",
    "parameters_changed": "The cache is kept under this member too. Keep it the same within a thread.",
    "marks_removed": "This request has no cache_control mark, so nothing was looked up. "
    "Mark the last block of each request.",
    "ttl_expired": "The entry was not used for longer than it lives. "
    "A TTL of one hour lasts longer and costs more to write.",
    "look_back": "More than 20 blocks were added since the last mark. Put another mark in between.",
    "likely_server_side": "Both requests begin with the same content and the entry should have lived. "
    "The server may have routed them apart or dropped the entry.",
    "unknown": "The requests themselves are not kept, or the one before is missing.",
}
# Not a fault of the client, so never counted as avoidable.
EXPECTED: frozenset[str] = frozenset({"first_request", "below_minimum", "compacted"})
_CHANGES: frozenset[str] = frozenset(
    {
        "model_changed",
        "tools_changed",
        "system_changed",
        "messages_rewritten",
        "parameters_changed",
        "marks_removed",
        "look_back",
    }
)
_API_WORDS = {
    "model_changed": "model_changed",
    "tools_changed": "tools_changed",
    "system_changed": "system_changed",
    "messages_changed": "messages_rewritten",
}


@dataclass(frozen=True, slots=True)
class Miss:
    """`path` is the first difference; `before` and `after` are words where no body is needed to tell them.

    `lost_tokens` were in the cache and paid for again; `cost_usd` is what that cost beyond a hit, None without a price.
    `api_reason` is the API's own word for it, where it gave one.
    """

    step: str
    parent: str
    cause: Cause
    path: str = ""
    before: str = ""
    after: str = ""
    lost_tokens: int = 0
    cost_usd: float | None = 0.0
    is_avoidable: bool = False
    ttl: str = ""
    gap_s: float = 0.0
    known_from: str = ""
    api_reason: str = ""

    @property
    def words(self) -> str:
        named = WORDS[self.cause]
        return f"{named} ({self.ttl})" if self.cause == "ttl_expired" else named

    @property
    def is_expected(self) -> bool:
        return self.cause in EXPECTED


def misses_of(threads: Threads, blocks: Mapping[bytes, Block]) -> list[Miss]:
    """Every miss of a session, oldest first. Ordinary growth of a conversation is not a miss."""
    steps = {step.id: step for thread in threads.threads for step in thread.steps}
    causes = []
    for step in sorted(steps.values(), key=lambda each: (each.started_s, each.id)):
        place = threads.places[step.id]
        if step.is_answered and not step.is_count and not threads.threads[place.thread].is_side:
            miss = miss_of(step, steps.get(place.parent), place, blocks)
            if miss is not None:
                causes.append(miss)
    return _with_avoidable_ttl(causes, steps)


def miss_of(step: Step, parent: Step | None, place: Place, blocks: Mapping[bytes, Block]) -> Miss | None:
    """Return why this step read less than its parent left in the cache; None if it did not."""
    if step.read_tokens is None and step.written_tokens is None:
        return None  # the server tells no counts: nothing is known, and nothing is guessed
    read = step.read_tokens or 0
    if parent is None:
        if read or not step.marks:
            return None
        below = _is_below_minimum(step)
        return Miss(step.id, "", "below_minimum" if below else "first_request", known_from="no request came before")
    lost = parent.cached_tokens - read
    if parent.cached_tokens == 0:
        if read == 0 and step.marks and _is_below_minimum(step):
            return Miss(step.id, parent.id, "below_minimum", known_from="token counts and the model's minimum")
        return None
    if lost < max(_LEAST_LOST_TOKENS, _LEAST_LOST_PART * parent.cached_tokens):
        return None
    gap_s = step.started_s - parent.started_s
    miss = Miss(step.id, parent.id, "unknown", lost_tokens=lost, gap_s=gap_s, api_reason=reason_of_the_api(step))
    miss = _named(miss, step, parent, place, blocks)
    cost = 0.0 if miss.is_expected else _extra_cost(step, lost)
    return replace(miss, cost_usd=cost, is_avoidable=miss.cause in _CHANGES)


def _named(miss: Miss, step: Step, parent: Step, place: Place, blocks: Mapping[bytes, Block]) -> Miss:
    if not (step.has_digest and parent.has_digest):
        known_cause = _API_WORDS.get(miss.api_reason)
        if known_cause is not None:
            return replace(miss, cause=known_cause, known_from="what the API says; the requests are not kept")  # type: ignore[arg-type]
        return replace(miss, known_from="the requests are not kept")
    seen = "the blocks of both requests"
    if step.model != parent.model:
        return replace(
            miss, cause="model_changed", path="model", before=parent.model, after=step.model, known_from=seen
        )
    for section in ("tools", "system"):
        if (changed := _changed_section(section, step, parent, blocks)) is not None:
            return replace(miss, cause=f"{section}_changed", known_from=seen, **changed)  # type: ignore[arg-type]
        if (changed := _changed_parameter(section, step, parent)) is not None:
            return replace(miss, cause="parameters_changed", known_from=seen, **changed)  # type: ignore[arg-type]
    if place.is_rewritten:
        first = step.before_messages + common_blocks(step.section("messages"), parent.section("messages"))
        before, after = _labels(first, step, parent, blocks)
        cause: Cause = "compacted" if place.is_compacted else "messages_rewritten"
        return replace(
            miss, cause=cause, path=path_of(first, step, blocks), before=before, after=after, known_from=seen
        )
    if (changed := _changed_parameter("messages", step, parent)) is not None:
        return replace(miss, cause="parameters_changed", known_from=seen, **changed)  # type: ignore[arg-type]
    if _has_images(step, blocks) and not _has_images(parent, blocks):
        return replace(
            miss, cause="parameters_changed", path="messages", before="no image", after="an image", known_from=seen
        )
    return _same_content(miss, step, parent)


def _same_content(miss: Miss, step: Step, parent: Step) -> Miss:
    """Return the causes that are left when both requests begin alike."""
    if not step.marks:
        return replace(miss, cause="marks_removed", known_from="the marks of both requests")
    ttl = "1h" if parent.marks and all(mark.ttl == "1h" for mark in parent.marks) else "5m"
    # What is gone was written or read last by the parent: the entry with the shortest life goes first.
    if miss.gap_s > TTL_S[ttl]:
        return replace(miss, cause="ttl_expired", ttl=ttl, known_from="the time between both requests")
    if parent.marks:
        last = parent.marks[-1].at
        if all(not last <= mark.at <= last + LOOK_BACK_BLOCKS for mark in step.marks):
            return replace(miss, cause="look_back", known_from="the marks of both requests")
    return replace(miss, cause="likely_server_side", known_from="the blocks of both requests and the time between them")


def _changed_section(
    section: Section, step: Step, parent: Step, blocks: Mapping[bytes, Block]
) -> dict[str, str] | None:
    number = break_within(section, step, parent)
    if number is None:
        return None
    now, before = step.section(section), parent.section(section)
    offset = 0 if section == "tools" else step.tools
    own = step.block_hash(offset + number) if number < len(now) // 8 else b""
    others_offset = 0 if section == "tools" else parent.tools
    theirs = parent.block_hash(others_offset + number) if number < len(before) // 8 else b""
    return {
        "path": f"{section}[{number}]",
        "before": _label_of(theirs, blocks),
        "after": _label_of(own, blocks),
    }


def _changed_parameter(section: Section, step: Step, parent: Step) -> dict[str, str] | None:
    """The first member that differs among those that spoil the cache from this section on."""
    for name in sorted({*step.parameters, *parent.parameters}):
        if PARAMETERS.get(name, "tools" if name == "anthropic-beta" else "system") != section:
            continue
        before, after = parent.parameters.get(name, ""), step.parameters.get(name, "")
        if before != after:
            return {"path": name, "before": before or "not set", "after": after or "not set"}
    return None


def _labels(number: int, step: Step, parent: Step, blocks: Mapping[bytes, Block]) -> tuple[str, str]:
    theirs = number - step.before_messages + parent.before_messages
    return _label_of(parent.block_hash(theirs), blocks), _label_of(step.block_hash(number), blocks)


def _label_of(key: bytes, blocks: Mapping[bytes, Block]) -> str:
    if not key:
        return "nothing"
    known = blocks.get(key)
    return (known.label or known.kind) if known else ""


def _has_images(step: Step, blocks: Mapping[bytes, Block]) -> bool:
    hashes = (step.block_hash(number) for number in range(step.before_messages, step.length))
    return any((known := blocks.get(key)) is not None and known.image_tokens for key in hashes)


def _is_below_minimum(step: Step) -> bool:
    return not step.cached_tokens and (step.total_tokens or 0) < cache_minimum_tokens(step.model)


def reason_of_the_api(step: Step) -> str:
    """The API's own word for a miss, where it gave one."""
    reason = (step.diagnosis or {}).get("cache_miss_reason")
    name = reason.get("type") if isinstance(reason, Mapping) else None
    return name if isinstance(name, str) else ""


def _extra_cost(step: Step, lost: int) -> float | None:
    """US dollars that `lost` tokens cost beyond a read: they were written again, or paid as plain input."""
    rates = pricing.rates(step.model, step.total_tokens or 0)
    if rates is None:
        return None
    written = min(lost, step.written_tokens or 0)
    hour = min(written, step.written_1h_tokens)
    paid = (written - hour) * rates.cache_write_5m + hour * rates.cache_write_1h + (lost - written) * rates.input
    return float((paid - lost * rates.cache_read) / 1_000_000)


@dataclass(frozen=True, slots=True)
class TtlPlan:
    """The effect of a choice of TTL on the session's bill, in US dollars; negative saves."""

    name: str
    change_usd: float

    @property
    def saved_usd(self) -> float:
        return -self.change_usd


def ttl_plans(misses: Iterable[Miss], steps: Mapping[str, Step]) -> list[TtlPlan]:
    """5 minutes everywhere, 1 hour everywhere, and 1 hour for tools and system only, the cheapest first."""
    expired = [miss for miss in misses if miss.cause == "ttl_expired"]
    saved = sum(miss.cost_usd or 0.0 for miss in expired if miss.ttl == "5m" and miss.gap_s <= TTL_S["1h"])
    extra_all, extra_head, saved_head = 0.0, 0.0, 0.0
    for step in steps.values():
        rates = pricing.rates(step.model, step.total_tokens or 0)
        if rates is None or not step.length:
            continue
        short = max(0, (step.written_tokens or 0) - step.written_1h_tokens)
        more = float(rates.cache_write_1h - rates.cache_write_5m) / 1_000_000
        extra_all += short * more
        extra_head += short * more * step.before_messages / step.length if not step.read_tokens else 0.0
    for miss in expired:
        step = steps[miss.step]
        if miss.ttl == "5m" and miss.gap_s <= TTL_S["1h"] and step.length:
            saved_head += (miss.cost_usd or 0.0) * step.before_messages / step.length
    plans = [
        TtlPlan("5 minutes everywhere", 0.0),
        TtlPlan("1 hour everywhere", extra_all - saved),
        TtlPlan("1 hour for tools and system", extra_head - saved_head),
    ]
    return sorted(plans, key=lambda plan: plan.change_usd)


def _with_avoidable_ttl(misses: list[Miss], steps: Mapping[str, Step]) -> list[Miss]:
    """An expired entry counts as avoidable only where a longer TTL would have paid over the whole session."""
    best = ttl_plans(misses, steps)[0]
    pays = best.change_usd < 0
    return [
        replace(miss, is_avoidable=pays and miss.ttl == "5m" and miss.gap_s <= TTL_S["1h"])
        if miss.cause == "ttl_expired"
        else miss
        for miss in misses
    ]
