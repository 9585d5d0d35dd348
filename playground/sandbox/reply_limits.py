"""Ends an answer: at a stop sequence, at max_tokens, or when everything is said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.sandbox.thinking_replies import sign
from playground.sandbox.token_counts import pieces

Blocks = list[dict[str, Any]]


@dataclass(frozen=True)
class Ended:
    """The blocks that were said, and why no more. Token counts are of the output."""

    blocks: Blocks
    stop_reason: str
    stop_sequence: str | None = None
    unfinished_json: Mapping[int, str] = field(default_factory=dict)
    tokens: int = 0
    thinking_tokens: int = 0


def end(blocks: Blocks, body: Mapping[str, Any], stop_reason: str | None = None) -> Ended:
    """Cut an answer as the request says. `stop_reason` is for an answer that is not cut."""
    blocks, stopped_by = _stop_at(blocks, body.get("stop_sequences") or [])
    if stopped_by is not None:
        stop_reason = "stop_sequence"
    elif stop_reason is None:
        called = any(block["type"] == "tool_use" for block in blocks)
        stop_reason = "tool_use" if called else "end_turn"
    return _spend(blocks, body["max_tokens"], stop_reason, stopped_by)


def _stop_at(blocks: Blocks, sequences: Iterable[str]) -> tuple[Blocks, str | None]:
    """Up to the first stop sequence in a text; the sequence itself is not part of the answer."""
    for place, block in enumerate(blocks):
        if block["type"] != "text":
            continue
        places = [(at, sequence) for sequence in sequences if sequence and (at := block["text"].find(sequence)) >= 0]
        if places:
            at, sequence = min(places)
            return [*blocks[:place], block | {"text": block["text"][:at]}], sequence
    return blocks, None


def _spend(blocks: Blocks, budget: int, stop_reason: str, stop_sequence: str | None) -> Ended:
    fitting: Blocks = []
    spent = thought = 0
    for block in blocks:
        words = _words_of(block)
        left = budget - spent
        spent += min(len(words), left)
        thought += min(len(words), left) if block["type"] in ("thinking", "redacted_thinking") else 0
        if len(words) > left:
            unfinished = {}
            if left > 0:
                if block["type"] in ("tool_use", "server_tool_use"):
                    unfinished = {len(fitting): "".join(words[:left])}
                fitting.append(_cut(block, "".join(words[:left])))
            return Ended(fitting, "max_tokens", None, unfinished, spent, thought)
        fitting.append(block)
    return Ended(fitting, stop_reason, stop_sequence, {}, max(spent, 1), thought)


def _words_of(block: Mapping[str, Any]) -> list[str]:
    """The output tokens of a block; results of server tools are input, they cost none."""
    match block["type"]:
        case "text":
            return pieces(block["text"])
        case "thinking":
            return pieces(block["thinking"] or "hidden " * 60)
        case "compaction":
            return pieces(block["content"])
        case "redacted_thinking":
            return pieces("hidden " * 30)
        case "tool_use" | "server_tool_use":
            return pieces(json.dumps(block["input"], ensure_ascii=False))
        case _:
            return []


def _cut(block: dict[str, Any], text: str) -> dict[str, Any]:
    match block["type"]:
        case "text":
            return block | {"text": text}
        case "compaction":
            return block | {"content": text}
        case "thinking":
            shown = text if block["thinking"] else ""
            return block | {"thinking": shown, "signature": sign(text)}
        case "tool_use" | "server_tool_use":
            return block | {"input": {}}
        case _:
            return block
