"""Describes what a conversation has of each part, so that its owner knows what a choice is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from playground.conversations import body_summary
from playground.protocol.catalogue.block_types import block_type
from playground.rendering.formatting import plural
from playground.sharing.allow_list import PARAMETERS

NOUNS = {"tool_results": "result", "thinking": "block", "attachments": "file"}
MOST_NAMES = 6


def contents(body: dict[str, Any], answers: list[dict[str, Any]], branch_count: int = 0) -> dict[str, str]:
    """Part -> words; a part of which there is nothing is not in it. `answers` are messages in the API's shape."""
    counted: Counter[str] = Counter()
    for block in _blocks([*body_summary.turns(body), *answers]):
        type_ = block_type(block.get("type"))
        if type_.tool_step == "result" and block.get("content"):
            counted["tool_results"] += 1
        elif type_.share_part:
            counted[type_.share_part] += 1
    words = {part: plural(count, NOUNS[part]) for part, count in counted.items()}
    if system := body.get("system"):
        words["system"] = size_of(system)
    if names := _tool_names(body):
        words["tools"] = ", ".join(names[:MOST_NAMES]) + (" …" if len(names) > MOST_NAMES else "")
    if given := [name for name in PARAMETERS if name in body]:
        words["parameters"] = ", ".join(given)
    if answers:
        words["figures"] = words["replay"] = plural(len(answers), "response")
    if branch_count:
        words["branches"] = plural(branch_count, "other version")
    return words


def contents_of_session(snapshot: dict[str, Any]) -> dict[str, str]:
    """Describe what the copy of a session has of each part, with every part in it."""
    steps = snapshot["steps"]
    messages = [message for step in steps for message in step.get("new", ())]
    answers = [{"role": "assistant", "content": step["answer"]} for step in steps if step.get("answer")]
    heads: dict[str, Any] = {}
    for step in steps:
        heads = step.get("head", {}) | heads
    words = contents(heads | {"messages": messages}, answers)
    words |= {"turns": plural(len(messages) + len(answers), "message"), "figures": plural(len(steps), "step")}
    return words


def size_of(system: Any) -> str:
    texts = (
        [system]
        if isinstance(system, str)
        else [str(block.get("text", "")) for block in _blocks([{"content": system}])]
    )
    return plural(sum(map(len, texts)), "character")


def _blocks(messages: list[Any]) -> Iterator[dict[str, Any]]:
    """Blocks of messages, also those inside results."""
    waiting = [message.get("content") for message in messages if isinstance(message, dict)]
    while waiting:
        content = waiting.pop()
        for block in content if isinstance(content, list) else []:
            if isinstance(block, dict):
                yield block
                waiting.append(block.get("content"))


def _tool_names(body: dict[str, Any]) -> list[str]:
    tools = body["tools"] if isinstance(body.get("tools"), list) else []
    return [str(tool.get("name") or tool.get("type")) for tool in tools if isinstance(tool, dict)]
