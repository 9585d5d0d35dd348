"""Examples of tools' output: kept beside the request under the tool's name, and never sent.

A draft keeps the text as it was typed, so that a mistake in it can be mended; what cannot be read makes no form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.protocol.json import json_text
from playground.protocol.rules.problems import Problem
from playground.protocol.whole_numbers import read_whole

PREFIX = ":output-example "
LONGEST = 100_000  # characters of one example
MOST = 100
Examples = dict[str, str]


@dataclass(frozen=True)
class ExampleProblem(Problem):
    """Its place is the control's own name: an example is no part of the body."""

    @property
    def place(self) -> str:
        return str(self.path[0])


def names_of(body: Any) -> list[str]:
    """The tools' names in their order; "" for one that has none."""
    tools = body.get("tools") if isinstance(body, dict) else None
    return [name_of(tool) for tool in tools] if isinstance(tools, list) else []


def name_of(tool: Any) -> str:
    name = tool.get("name") if isinstance(tool, dict) else None
    return name if isinstance(name, str) else ""


def control_of(index: int) -> str:
    """The name of the control for the tool at this place."""
    return f"{PREFIX}tools[{index}]"


def typed(examples: Examples, body: Any, posted: Mapping[str, str]) -> Examples:
    """The examples with what was typed; an emptied one goes."""
    names, changed = names_of(body), dict(examples)
    for field, text in posted.items():
        if not field.startswith(PREFIX):
            continue
        index = read_whole(field.removeprefix(PREFIX).removeprefix("tools[").removesuffix("]"))
        if index is None or index >= len(names):
            continue
        if not text.strip():
            changed.pop(names[index], None)
        elif names[index] in changed or len(changed) < MOST:
            changed[names[index]] = text[:LONGEST].replace("\r\n", "\n")
    return changed


def renamed(examples: Examples, before: Any, after: Any) -> Examples:
    """The examples under the new names of tools that were renamed."""
    old, new = names_of(before), names_of(after)
    if not examples or len(old) != len(new):
        return examples
    moved = {a: b for a, b in zip(old, new, strict=True) if a != b and a not in new and b not in examples}
    return {moved.get(name, name): text for name, text in examples.items()} if moved else examples


def problems(examples: Examples, body: Any) -> list[ExampleProblem]:
    """Examples that are no JSON, each with the line. They keep nothing from being sent."""
    problems = []
    for index, name in enumerate(names_of(body)):
        if name not in examples:
            continue
        try:
            json_text.parse(examples[name])
        except json_text.JsonTextError as error:
            where = f"at line {error.line}, column {error.column}"
            message = f"The output example is not JSON: {error.message}, {where}"
            problems.append(ExampleProblem((control_of(index),), message, "warning"))
    return problems
