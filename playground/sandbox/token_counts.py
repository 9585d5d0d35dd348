"""Text cut into pieces about as long as tokens, and token counts: an approximation, the same every time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PIECE = re.compile(r"\s*\w{1,8}|\s*[^\w\s]{1,3}|\s+")
_COUNTED_EXACTLY = 100_000  # characters; longer texts are estimated from their length


def pieces(text: str) -> list[str]:
    """Cut a text into pieces; joined they are the text again."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    if len(text) > _COUNTED_EXACTLY:
        return len(text) // 4
    return sum(1 for _ in _PIECE.finditer(text))


def count_json(value: Any) -> int:
    return count(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def count_block(block: Any) -> int:
    """Tokens of one content block, or of content that is a string."""
    if isinstance(block, str):
        return count(block)
    if not isinstance(block, Mapping):
        return 1
    match block.get("type"):
        case "text" | "thinking":
            return count(str(block.get("text") or block.get("thinking") or ""))
        case "image":
            return 85 + min(1_500, source_size(block) // 256)
        case "document":
            return _count_document(block)
        case "tool_result":
            return 8 + count_content(block.get("content"))
        case _:
            return count_json({name: value for name, value in block.items() if name != "cache_control"})


def count_content(content: Any) -> int:
    if isinstance(content, list):
        return sum(count_block(block) for block in content)
    return count_block(content) if content else 0


def source_size(block: Mapping[str, Any]) -> int:
    """Bytes of a base64 or text source; 0 for sources that are elsewhere."""
    source = block.get("source")
    data = source.get("data") if isinstance(source, Mapping) else None
    if not isinstance(data, str):
        return 0
    if isinstance(source, Mapping) and source.get("type") == "text":
        return len(data.encode("utf-8", "replace"))
    return len(data) * 3 // 4 - data[-2:].count("=")


def _count_document(block: Mapping[str, Any]) -> int:
    source = block.get("source")
    if not isinstance(source, Mapping):
        return 1
    about = count(str(block.get("title") or "")) + count(str(block.get("context") or ""))
    if source.get("type") == "text":
        return about + count(str(source.get("data") or ""))
    if source.get("type") == "content":
        return about + count_content(source.get("content"))
    return about + 1_500 * (1 + source_size(block) // 30_000)
