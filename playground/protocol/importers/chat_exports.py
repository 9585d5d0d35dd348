"""Exported conversations of ShareGPT, claude.ai and ChatGPT: messages, without a model or settings."""

from __future__ import annotations

from typing import Any

from playground.protocol.importers.result import RequestParts, shortened

SPEAKERS = {
    "human": "user", "user": "user", "prompter": "user", "gpt": "assistant", "chatgpt": "assistant",
    "assistant": "assistant", "bot": "assistant", "model": "assistant", "claude": "assistant",
}  # fmt: skip
MOST_MESSAGES = 20_000


def conversation(value: Any) -> RequestParts | None:
    """The messages of one exported conversation; None when the object is not one."""
    if not isinstance(value, dict):
        return None
    for read, name in ((_claude, "chat_messages"), (_sharegpt, "conversations"), (_chatgpt, "mapping")):
        if name in value and (turns := read(value[name])):
            title = value.get("name") or value.get("title") or value.get("id")
            return _parts(turns, title if isinstance(title, str) else "")
    return None


def _parts(turns: list[tuple[str, str]], title: str) -> RequestParts:
    system = "\n\n".join(text for role, text in turns if role == "system")
    messages: list[dict[str, Any]] = []
    for role, text in turns:
        if role != "system" and text.strip():
            messages.append({"role": role, "content": text})
    body: dict[str, Any] = {"system": system} if system else {}
    body["messages"] = messages
    notes = ["This is an exported conversation: only its texts were taken."]
    return RequestParts(body, notes=notes, label=shortened(title, 60))


def _claude(messages: Any) -> list[tuple[str, str]]:
    """`chat_messages` of claude.ai: `sender` and `text`, or `content` with blocks."""
    turns = []
    for message in messages if isinstance(messages, list) else []:
        role = SPEAKERS.get(str(message.get("sender"))) if isinstance(message, dict) else None
        if role:
            blocks = message.get("content")
            texts = (
                [block.get("text") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
            )
            text = "\n\n".join(text for text in texts if isinstance(text, str)) or message.get("text")
            turns.append((role, text if isinstance(text, str) else ""))
    return turns


def _sharegpt(messages: Any) -> list[tuple[str, str]]:
    """`conversations` of ShareGPT: `from` and `value`, and spellings of them that data sets use."""
    turns = []
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, dict):
            return []
        speaker = str(message.get("from", message.get("role", ""))).lower()
        text = message.get("value", message.get("content"))
        role = "system" if speaker == "system" else SPEAKERS.get(speaker)
        if role and isinstance(text, str):
            turns.append((role, text))
    return turns


def _chatgpt(mapping: Any) -> list[tuple[str, str]]:
    """`mapping` of ChatGPT: a tree of messages; the branch that was written last."""
    if not isinstance(mapping, dict):
        return []
    nodes = {name: node for name, node in mapping.items() if isinstance(node, dict)}
    roots = [name for name, node in nodes.items() if node.get("parent") not in nodes]
    at, turns = (roots[0] if roots else None), []
    for _ in range(min(len(nodes), MOST_MESSAGES)):
        node = nodes.get(at) if isinstance(at, str) else None
        if node is None:
            break
        if (turn := _chatgpt_turn(node.get("message"))) and turn[1].strip():
            turns.append(turn)
        children = node.get("children")
        at = children[-1] if isinstance(children, list) and children else None
    return turns


def _chatgpt_turn(message: Any) -> tuple[str, str] | None:
    author, content = (message.get("author"), message.get("content")) if isinstance(message, dict) else (None, None)
    if not isinstance(author, dict) or not isinstance(content, dict):
        return None
    role = "system" if author.get("role") == "system" else SPEAKERS.get(str(author.get("role")))
    parts = content.get("parts")
    texts = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    return (role, "\n".join(texts)) if role else None
