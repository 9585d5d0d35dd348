"""A step in words: the tool and its main argument, the first line of a text, or why it was refused."""

from __future__ import annotations

from playground.sessions.steps import Step


def words_of(step: Step, *, error: str = "") -> str:
    """Tell a step in words, on one line. `error` is the API's type of error."""
    if step.state == "running":
        return "Counting tokens" if step.is_count else "In progress"
    if not step.is_answered:
        ended = f"Refused: {step.status}" if step.status else step.state.capitalize()
        words = f"{ended}, {error}" if error else ended
        return f"Token count {words[0].lower()}{words[1:]}" if step.is_count else words
    if step.is_count:
        return "Counted tokens" + ("" if step.counted_tokens is None else f": {step.counted_tokens:,}")
    if len(step.calls) == 1:
        return f"{step.calls[0].name} {step.calls[0].argument}".strip()
    if step.calls:
        return f"{len(step.calls)} calls: {', '.join(call.name for call in step.calls)}"
    return f"“{step.words}”" if step.words else "No text"
