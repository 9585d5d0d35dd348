"""The parts of a conversation that its owner includes or leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CONVERSATION = ("conversation", "run")
MESSAGES = (*CONVERSATION, "session")
REPORT = ("report",)
EVERYTHING = (*MESSAGES, *REPORT)


@dataclass(frozen=True, slots=True)
class Part:
    """`of` names what it is a part of: "conversation", "run", "session", "report".

    `included` names those that it is in unless the owner says otherwise.
    """

    name: str
    label: str
    help: str
    included: tuple[str, ...]
    of: tuple[str, ...] = MESSAGES


PARTS = (
    Part(
        "turns",
        "Messages",
        "What is new in each step, and its response; the steps in words are always included",
        ("session",),
        ("session",),
    ),
    Part("system", "System prompt", "The instructions before the first message", ()),
    Part("tools", "Tools", "Names, descriptions and schemas; tool_choice", MESSAGES),
    Part("tool_results", "Tool results", "The output of tools and searches", MESSAGES),
    Part("thinking", "Thinking", "The model's thinking, in messages and in the replay", ()),
    Part("attachments", "Images and documents", "Full files", MESSAGES),
    Part(
        "parameters",
        "Parameters",
        "max_tokens, temperature, thinking and the like; version and beta headers",
        MESSAGES,
    ),
    # Who reads a conversation comes for its words; who reads a session comes for its times, tokens and costs.
    Part("figures", "Timings, tokens and cost", "The figures of each response", ("session",)),
    Part("replay", "Replay and events", "The response's events with their original timing", CONVERSATION, CONVERSATION),
    Part("branches", "Branches", "Other versions of messages that you tried", (), ("conversation",)),
    Part("evidence", "Requests and responses", "Requests, responses and curl of each finding", REPORT, REPORT),
    Part(
        "server",
        "The server's address and the connection's name",
        "Otherwise only the model is named, and the address is masked wherever it stands",
        (),
        REPORT,
    ),
    Part("name", "Your name", "“Shared by” with your user name", (), EVERYTHING),
    Part("description", "Title in link previews", "Otherwise previews do not show what is shared", (), EVERYTHING),
)
NAMES = frozenset(part.name for part in PARTS)


def defaults(kind: str) -> frozenset[str]:
    """The parts that a copy of this kind of thing has unless its owner says otherwise."""
    return frozenset(part.name for part in PARTS if kind in part.included)


def chosen(names: Iterable[str]) -> frozenset[str]:
    """Only names that exist."""
    return NAMES & frozenset(names)
