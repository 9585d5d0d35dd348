"""The result of the readers of tool definitions, and the limits that hold for all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
MOST_TOOLS = 200
LONGEST_NAME = 128  # characters, as the API takes them
MOST_NODES = 50_000  # types and schemas in all
DEEPEST = 12  # of types inside of types; what is deeper may be anything


@dataclass(frozen=True, slots=True)
class FoundTools:
    """Tools as the API takes them, with notes on what was left out or is not known."""

    tools: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()


class ToolCollector:
    """Takes tools and notes, each note once."""

    def __init__(self) -> None:
        self.tools: list[dict[str, Any]] = []
        self.notes: dict[str, None] = {}
        self.nodes = 0

    @property
    def is_full(self) -> bool:
        return len(self.tools) >= MOST_TOOLS

    def takes_another_type(self) -> bool:
        """Types that name each other make an endless schema of a small text: beyond so many they may be anything."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            self.note("There are too many types in this text: the later ones may be anything.")
        return self.nodes <= MOST_NODES

    def add(self, name: str, description: str, schema: Schema) -> None:
        """A tool with a name that the API takes."""
        tool: dict[str, Any] = {"name": tool_name(name) or f"tool_{len(self.tools) + 1}"}
        if description.strip():
            tool["description"] = description.strip()
        self.add_whole(tool | {"input_schema": schema})

    def add_whole(self, tool: dict[str, Any]) -> None:
        if not self.is_full:
            self.tools.append(tool)
        else:
            self.note(f"Only the first {MOST_TOOLS} tools were read.")

    def note(self, words: str) -> None:
        self.notes[words] = None

    def result(self) -> FoundTools:
        return FoundTools(tuple(self.tools), tuple(list(self.notes)[:20]))


def tool_name(text: str) -> str:
    """The text as a tool's name: letters, digits, _ and -."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text.strip()).strip("_")[:LONGEST_NAME]


def object_of(properties: dict[str, Schema], required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return schema | {"required": required} if required else schema


def union_of(options: list[Schema]) -> Schema:
    """One schema for several: literals become one list of allowed values."""
    options = [each for at, each in enumerate(options) if each not in options[:at]]
    if len(options) == 1:
        return options[0]
    if options and all("enum" in each and set(each) <= {"type", "enum"} for each in options):
        types = {each.get("type") for each in options}
        values = [value for each in options for value in each["enum"]]
        return (
            {"type": options[0]["type"], "enum": values} if len(types) == 1 and None not in types else {"enum": values}
        )
    return {"anyOf": options} if options and {} not in options else {}


def enum_of(values: list[Any]) -> Schema:
    """Allowed values, with their type when they have one."""
    names = {_type_of(value) for value in values}
    name = names.pop() if len(names) == 1 else None
    return {"type": name, "enum": values} if name else {"enum": values}


def _type_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    return next(
        (name for kind, name in ((str, "string"), (int, "integer"), (float, "number")) if isinstance(value, kind)), None
    )
