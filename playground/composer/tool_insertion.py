"""Ready tools put into a body: each under a name that no other tool has."""

from __future__ import annotations

from typing import Any

from playground.composer.new_items import ChangeError
from playground.protocol import body as edit
from playground.protocol.json.paths import MISSING, get

LONGEST_NAME = 128


def with_tools(body: Any, tools: list[dict[str, Any]]) -> tuple[Any, list[str]]:
    """The body with these tools at the end of its own, and their names in it. Raises `ChangeError`."""
    present = get(body, ("tools",))
    if present is MISSING or present is None:
        present = []
    if not isinstance(present, list):
        raise ChangeError("“tools” is not a list: fix it first")
    taken = {tool.get("name") for tool in present if isinstance(tool, dict)}
    added, names = [], []
    for tool in tools:
        name = free_name(str(tool.get("name", "tool")), taken)
        taken.add(name)
        names.append(name)
        added.append({**tool, "name": name})
    return edit.set(body, ("tools",), [*present, *added]), names


def free_name(name: str, taken: set[Any]) -> str:
    """The name itself, or with the first number that makes it a new one."""
    numbered = (f"{name[: LONGEST_NAME - 5]}_{number}" for number in range(2, 10_000))
    return name if name not in taken else next(each for each in numbered if each not in taken)
