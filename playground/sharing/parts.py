"""The parts of a conversation that its owner includes or leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    label: str
    help: str
    included: bool  # unless the owner says otherwise


PARTS = (
    Part("system", "System prompt", "the instructions before the first turn", False),
    Part("tools", "Tools", "names, descriptions and schemas; tool_choice", True),
    Part("tool_results", "Tool results", "what tools and searches gave back", True),
    Part("thinking", "Thinking", "the model's thinking, in turns and in the replay", False),
    Part("attachments", "Images and documents", "with all their bytes", True),
    Part("parameters", "Parameters", "max_tokens, temperature, thinking and the like; version and beta headers", True),
    Part("figures", "Timings, tokens and cost", "the figures of each answer", True),
    Part("replay", "Replay and events", "the answer's events with their original timing", True),
    Part("branches", "Branches", "other versions of turns that you tried", False),
    Part("name", "Your name", "“shared by” with your user name", False),
    Part("description", "Title in link previews", "otherwise previews say nothing of what is shared", False),
)
NAMES = frozenset(part.name for part in PARTS)
DEFAULTS = frozenset(part.name for part in PARTS if part.included)


def chosen(names: Iterable[str]) -> frozenset[str]:
    """Only names that exist."""
    return NAMES & frozenset(names)
