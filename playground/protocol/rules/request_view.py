"""A request body as the rules see it: turns, blocks and tools, whatever else is in it. Never raises on odd values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.protocol.catalogue.known_models import ModelFacts, facts_of
from playground.protocol.json.paths import JsonValue, Path
from playground.protocol.rules.problems import shown

Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """A content block that is an object with a type, and where it stands."""

    path: Path
    type: str
    members: Members


@dataclass(frozen=True, slots=True)
class Turn:
    """One message that is an object. `blocks` leaves out what is no block; `text` is content given as a string."""

    index: int
    role: str
    members: Members
    blocks: tuple[Block, ...]
    text: str | None

    @property
    def path(self) -> Path:
        return ("messages", self.index)

    def has(self, *types: str) -> bool:
        """Return whether one of its blocks has one of these types."""
        return any(block.type in types for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Tool:
    """An entry of `tools` that is an object. `type` is "custom" when it has none."""

    path: Path
    type: str
    name: str | None
    members: Members


@dataclass(frozen=True)
class RequestView:
    """One request, as the rules read it."""

    body: Members
    version: str
    betas: frozenset[str]
    facts: ModelFacts | None
    turns: tuple[Turn, ...] = field(default=())
    tools: tuple[Tool, ...] = field(default=())

    def part(self, name: str) -> Members:
        """A member of the body that is an object; empty when it is not."""
        value = self.body.get(name)
        return value if isinstance(value, dict) else {}

    def part_type(self, name: str) -> str:
        """The type of a member of the body that is an object with one, else ""."""
        value = self.part(name).get("type")
        return value if isinstance(value, str) else ""

    @property
    def model(self) -> str:
        """The model's id, for messages."""
        value = self.body.get("model")
        return shown(value) if isinstance(value, str) else "This model"

    @property
    def continues_a_thread(self) -> bool:
        """Whether earlier messages are with the server and not in the body."""
        return self.part_type("thread") == "continue"

    def blocks(self) -> Iterator[tuple[Turn, Block]]:
        """Every block of every turn, in order; not those inside other blocks."""
        for turn in self.turns:
            for block in turn.blocks:
                yield turn, block


def view(body: Members, version: str, betas: Collection[str], capabilities: Mapping[str, Any] | None) -> RequestView:
    """The view of a body. `capabilities` as for `known_models.facts_of`."""
    model = body.get("model")
    facts = facts_of(model if isinstance(model, str) else "", capabilities)
    return RequestView(body, version, frozenset(betas), facts, tuple(_turns(body)), tuple(_tools(body)))


def _turns(body: Members) -> Iterator[Turn]:
    messages = body.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            role, content = message.get("role"), message.get("content")
            place = ("messages", index, "content")
            yield Turn(
                index,
                role if isinstance(role, str) else "",
                message,
                blocks_in(content, place),
                content if isinstance(content, str) else None,
            )


def blocks_in(content: JsonValue, place: Path) -> tuple[Block, ...]:
    """The blocks of a list of blocks; none of anything else."""
    if not isinstance(content, list):
        return ()
    return tuple(
        Block((*place, index), block["type"], block)
        for index, block in enumerate(content)
        if isinstance(block, dict) and isinstance(block.get("type"), str)
    )


def _tools(body: Members) -> Iterator[Tool]:
    tools = body.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, dict):
            kind, name = tool.get("type"), tool.get("name")
            yield Tool(
                ("tools", index),
                "custom" if kind is None else kind if isinstance(kind, str) else "",
                name if isinstance(name, str) else None,
                tool,
            )
