"""Summaries of a body: its turns, a title, the words to search, and how far two bodies agree."""

from __future__ import annotations

import hashlib
from typing import Any

from playground.protocol.foreign_text import storable
from playground.protocol.json import json_text
from playground.search.terms import texts_in

LONGEST_TITLE = 70
UNTITLED = "Untitled conversation"


def parse(body_text: str) -> dict[str, Any]:
    """The body as an object; empty when what was typed is not an object."""
    body = json_text.try_parse(body_text)
    return body if isinstance(body, dict) else {}


def turns(body: dict[str, Any]) -> list[Any]:
    messages = body.get("messages")
    return messages if isinstance(messages, list) else []


def text_of(content: Any) -> str:
    """The first readable text of a message's content."""
    if isinstance(content, str):
        return content
    for block in content if isinstance(content, list) else []:
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(text := block.get("text"), str):
            return text
    return ""


def proposed_title(body: dict[str, Any]) -> str:
    """The beginning of the first turn that has text, cut between words."""
    for turn in turns(body):
        text = " ".join(text_of(turn.get("content")).split()) if isinstance(turn, dict) else ""
        if text:
            return storable(text if len(text) <= LONGEST_TITLE else _cut(text), 200)
    return UNTITLED


def _cut(text: str) -> str:
    head = text[:LONGEST_TITLE]
    return (head.rsplit(" ", 1)[0] if " " in head[20:] else head) + "…"


def texts(body: dict[str, Any]) -> list[str]:
    return texts_in([body.get("system"), turns(body)])


def is_blank_turn(turn: Any) -> bool:
    """Was nothing said in it yet?"""
    content = turn.get("content") if isinstance(turn, dict) else turn
    if not isinstance(content, list):
        return not content
    return all(isinstance(block, dict) and block.get("type") == "text" and not block.get("text") for block in content)


def said(turns: list[Any]) -> list[Any]:
    """The turns without the empty ones at their end, which wait for words."""
    end = len(turns)
    while end and is_blank_turn(turns[end - 1]):
        end -= 1
    return turns[:end]


def chain(body: dict[str, Any]) -> list[str]:
    """Return for each turn a digest of it and all before it: equal entries mean that the bodies agree up to there."""
    digests: list[str] = []
    before = b""
    for turn in said(turns(body)):
        before = hashlib.sha256(before + json_text.dump(turn, indent=None).encode()).digest()
        digests.append(before.hex()[:16])
    return digests
