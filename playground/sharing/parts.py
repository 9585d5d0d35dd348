"""The parts of a conversation that its owner includes or leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """`of` names what it is a part of: "conversation", "run", "session", "report"."""

    name: str
    label: str
    help: str
    included: bool  # unless the owner says otherwise
    of: tuple[str, ...] = ("conversation", "run", "session")


EVERYTHING = ("conversation", "run", "session", "report")


PARTS = (
    Part(
        "turns",
        "Messages",
        "what is new in each step, and its response; the steps in words are always included",
        True,
        ("session",),
    ),
    Part("system", "System prompt", "the instructions before the first message", False),
    Part("tools", "Tools", "names, descriptions and schemas; tool_choice", True),
    Part("tool_results", "Tool results", "the output of tools and searches", True),
    Part("thinking", "Thinking", "the model's thinking, in messages and in the replay", False),
    Part("attachments", "Images and documents", "full files", True),
    Part("parameters", "Parameters", "max_tokens, temperature, thinking and the like; version and beta headers", True),
    Part("figures", "Timings, tokens and cost", "the figures of each response", True),
    Part(
        "replay", "Replay and events", "the response's events with their original timing", True, ("conversation", "run")
    ),
    Part("branches", "Branches", "other versions of messages that you tried", False, ("conversation",)),
    Part("evidence", "Requests and responses", "requests, responses and curl of each finding", True, ("report",)),
    Part(
        "server",
        "The server's address and the connection's name",
        "otherwise only the model is named, and the address is masked wherever it stands",
        False,
        ("report",),
    ),
    Part("name", "Your name", "“shared by” with your user name", False, EVERYTHING),
    Part("description", "Title in link previews", "otherwise previews do not show what is shared", False, EVERYTHING),
)
NAMES = frozenset(part.name for part in PARTS)
DEFAULTS = frozenset(part.name for part in PARTS if part.included)


def chosen(names: Iterable[str]) -> frozenset[str]:
    """Only names that exist."""
    return NAMES & frozenset(names)
