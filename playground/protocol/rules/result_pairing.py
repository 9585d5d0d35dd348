"""Pairs results with calls: every `tool_use` of an answer needs its `tool_result` first thing in the next turn.

Neighbouring messages of one role count as one turn, as the API merges them. Source: the vendor's pages on tool use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playground.protocol.rules.problems import Edit, Problem, Repair, shown
from playground.protocol.rules.request_view import Block, RequestView, Turn

MISSING_RESULT_TEXT = "No result was recorded."


@dataclass(frozen=True, slots=True)
class Exchange:
    """The calls of one assistant turn, and the user messages that come right after it."""

    calls: tuple[Block, ...]
    answers: tuple[Turn, ...]
    last_asking: Turn | None

    @property
    def results(self) -> list[Block]:
        return [block for turn in self.answers for block in turn.blocks if block.type == "tool_result"]


def exchanges(turns: tuple[Turn, ...]) -> Iterator[Exchange]:
    """The conversation cut before each user turn: what was called before it, and its messages."""
    calls: tuple[Block, ...] = ()
    asking: Turn | None = None
    answers: list[Turn] = []
    for turn in turns:
        if turn.role == "user":
            answers.append(turn)
            continue
        if answers:
            yield Exchange(calls, tuple(answers), asking)
            calls, asking, answers = (), None, []
        if turn.role == "assistant":
            calls += tuple(block for block in turn.blocks if block.type == "tool_use")
            asking = turn
    if answers or asking:
        yield Exchange(calls, tuple(answers), asking)


def result_rules(request: RequestView) -> Iterator[Problem]:
    """Yield the problems of the pairs of calls and results."""
    seen: set[str] = set()
    for number, exchange in enumerate(exchanges(request.turns)):
        for call in exchange.calls:
            yield from _call(call, seen)
        yield from _unanswered(exchange)
        # The calls of a continued thread are with the server.
        if not (number == 0 and request.continues_a_thread and not exchange.calls):
            yield from _unasked(exchange)
        yield from _late(exchange)


def _call(call: Block, seen: set[str]) -> Iterator[Problem]:
    call_id = _id(call)
    if call_id is not None and call_id in seen:
        yield Problem((*call.path, "id"), f"Another tool_use already has the ID {shown(call_id)}")
    elif call_id is not None:
        seen.add(call_id)


def _id(block: Block) -> str | None:
    value = block.members.get("id" if block.type == "tool_use" else "tool_use_id")
    return value if isinstance(value, str) else None


def unanswered(exchange: Exchange) -> list[Block]:
    """The calls that no result answers."""
    answered = {_id(result) for result in exchange.results}
    return [call for call in exchange.calls if _id(call) is not None and _id(call) not in answered]


def _unanswered(exchange: Exchange) -> Iterator[Problem]:
    missing = unanswered(exchange)
    if not missing:
        return
    noun = "result" if len(missing) == 1 else f"{len(missing)} results"
    repair = Repair(f"Add the missing {noun}", (_add_results(exchange, missing),))
    for call in missing:
        yield Problem(call.path, "This tool_use has no tool_result in the next user message", repair=repair)


def _add_results(exchange: Exchange, calls: list[Block]) -> Edit:
    """The edit that puts a result for each call where the API wants it: after the results that are there already."""
    results: list[Any] = [empty_result(call.members) for call in calls]
    if not exchange.answers:
        after = exchange.last_asking.index + 1 if exchange.last_asking else 0
        return ("insert", ("messages", after), {"role": "user", "content": results})
    turn = exchange.answers[0]
    content = turn.members.get("content")
    if isinstance(content, list):
        lead = next((at for at, block in enumerate(content) if not _is_result(block)), len(content))
        return ("set", (*turn.path, "content"), [*content[:lead], *results, *content[lead:]])
    rest = [{"type": "text", "text": content}] if isinstance(content, str) and content.strip() else []
    return ("set", (*turn.path, "content"), [*results, *rest])


def empty_result(call: dict[str, Any]) -> dict[str, Any]:
    """A `tool_result` that says that there is none; a toolset's name is repeated, as the API wants."""
    result = {"type": "tool_result", "tool_use_id": call.get("id")}
    if isinstance(call.get("toolset_name"), str):
        result["toolset_name"] = call["toolset_name"]
    return {**result, "content": MISSING_RESULT_TEXT, "is_error": True}


def _is_result(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_result"


def _unasked(exchange: Exchange) -> Iterator[Problem]:
    calls = {_id(call): call for call in exchange.calls}
    sizes = {turn.index: len(turn.blocks) for turn in exchange.answers}
    answered: set[str] = set()
    for result in exchange.results:
        call_id = _id(result)
        if call_id is None:
            continue
        # A message without content would be the next mistake, so its only block stays.
        is_only_block = sizes[int(result.path[1])] == 1
        remove = None if is_only_block else Repair("Remove this result", (("remove", result.path, None),))
        if call_id not in calls:
            message = "No tool_use in the assistant message before has this ID"
            yield Problem((*result.path, "tool_use_id"), message, repair=remove)
        elif call_id in answered:
            yield Problem((*result.path, "tool_use_id"), "This tool_use already has a result", repair=remove)
        else:
            yield from _toolset(calls[call_id], result)
        answered.add(call_id)


def _toolset(call: Block, result: Block) -> Iterator[Problem]:
    name = call.members.get("toolset_name")
    if isinstance(name, str) and result.members.get("toolset_name") != name:
        place = (*result.path, "toolset_name")
        repair = Repair("Set it to the toolset_name of the call", (("set", place, name),))
        yield Problem(place, "toolset_name must match that of the call", repair=repair)


def _late(exchange: Exchange) -> Iterator[Problem]:
    """Results that come after something else in their turn."""
    others = False
    for turn in exchange.answers:
        if turn.text is not None:
            others = others or bool(exchange.calls)
        for block in turn.blocks:
            if block.type != "tool_result":
                others = True
            elif others:
                yield Problem(block.path, "Results must come first in the message", repair=_first(turn))


def _first(turn: Turn) -> Repair | None:
    content = turn.members.get("content")
    if not isinstance(content, list):
        return None
    ordered = [*filter(_is_result, content), *(block for block in content if not _is_result(block))]
    return Repair("Move the results to the start", (("set", (*turn.path, "content"), ordered),))
