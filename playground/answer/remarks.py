"""One line under the answer for each thing that was asked for and not done, or done otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.protocol.catalogue.block_types import block_type
from playground.protocol.errors import read_error
from playground.rendering import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.answer.drawing import Drawing
    from playground.protocol.stream.accumulator import Accumulator

_MOST_MAX_TOKENS = 2**40
_LONGEST_WORDS = 300  # of an upstream's


def remarks(drawing: Drawing) -> list[str]:
    """Return the remarks on a message; none while it goes on, and none when it failed: then the failure is what
    counts."""
    ended = drawing.figures.ended
    if ended is None or ended.state != "completed" or drawing.about.is_count:
        return []
    return [*_of_the_transport(drawing), *_of_the_request(drawing, drawing.about.body)]


def _of_the_transport(drawing: Drawing) -> Iterator[str]:
    figures = drawing.figures
    if figures.is_too_large_to_read:
        yield f"The response is one object of {formatting.size(figures.received_size)}: too large to read, but stored."
        return
    if drawing.about.asked_for_stream and not figures.event_count:
        yield "A stream was requested, but the response came as one object."
    if figures.accumulator.lacks_message_stop:
        yield "The stream ended without message_stop. It had a stop_reason, so the message is complete."
    yield from _of_what_came_after(figures.accumulator)
    if figures.accumulator.stop_reason is None:
        yield "The response has no stop_reason: it does not say why it ended or whether it is complete."


def _of_what_came_after(message: Accumulator) -> Iterator[str]:
    """Yield remarks on what a stream held behind the end of its message."""
    if message.late_error is not None:
        error = read_error(message.late_error)
        words = f"{error.type}: {error.message}"[:_LONGEST_WORDS]
        yield f"The message was complete, but an error event came after its end: {words}"
    others = dict.fromkeys(type_ for type_ in message.came_after if type_ != "error")
    if others:
        yield f"Further events came after the end of the message: {', '.join(others)[:_LONGEST_WORDS]}"


def _of_the_request(drawing: Drawing, body: dict[str, Any]) -> Iterator[str]:
    types = {drawn.type for drawn in drawing.blocks}
    if missing := _forced_tool_missing(drawing, body.get("tool_choice")):
        yield missing
    thinking = body.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind == "enabled" and not any(block_type(each).is_thinking for each in types):
        yield "Thinking was requested, but the response has none."
    limit, tokens = body.get("max_tokens"), drawing.figures.tokens()["output_tokens"]
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit < _MOST_MAX_TOKENS:
        return
    if tokens is not None and tokens > limit:
        yield f"The response reports {tokens:,} output tokens, more than the max_tokens of {limit:,}."


def _forced_tool_missing(drawing: Drawing, choice: Any) -> str:
    """Return why the call that `tool_choice` asked for is not in the answer; empty if it is, or if none was
    asked for."""
    kind = choice.get("type") if isinstance(choice, dict) else None
    if kind not in {"any", "tool"}:
        return ""
    called = [drawn.name for drawn in drawing.blocks if drawn.block.takes_input]
    if kind == "any" or not isinstance(choice.get("name"), str):
        return "" if called else "tool_choice required a tool call, but the response has none."
    name = choice["name"]
    return "" if name in called else f"tool_choice required a call of {name[:100]}, but the response has none."
