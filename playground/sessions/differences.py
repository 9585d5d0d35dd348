"""Finds where two requests of a thread first differ, to the character, and which of their messages are the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.protocol.foreign_text import storable

AROUND = 60  # characters of an excerpt on each side of the first difference
MOST_EXCERPT = 160


@dataclass(frozen=True)
class FirstDifference:
    """The first place at which two requests differ, to the character, with an excerpt of each."""

    path: str
    character: int | None
    before: str
    after: str

    @property
    def place(self) -> str:
        return self.path if self.character is None else f"{self.path}, character {self.character:,}"


def first_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> FirstDifference | None:
    """The first place in the order of the cache at which what both requests hold differs."""
    for name in ("model", "tools", "system", "messages"):
        difference = _difference(name, before.get(name), after.get(name), is_list_growing=name == "messages")
        if difference is not None:
            return difference
    for name in ("tool_choice", "thinking", "speed"):
        difference = _difference(name, before.get(name), after.get(name))
        if difference is not None:
            return difference
    return None


def _difference(path: str, left: Any, right: Any, *, is_list_growing: bool = False) -> FirstDifference | None:
    left, right = _plain(left), _plain(right)
    if left == right:
        return None
    if isinstance(left, str) and isinstance(right, str):
        return _text_difference(path, left, right)
    if isinstance(left, list) and isinstance(right, list):
        for number, (one, other) in enumerate(zip(left, right, strict=False)):
            if (difference := _difference(f"{path}[{number}]", one, other)) is not None:
                return difference
        if is_list_growing or len(left) == len(right):  # the same but for cache marks inside
            return None
        return FirstDifference(f"{path}[{min(len(left), len(right))}]", None, *_ends(left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        for name in dict.fromkeys([*left, *right]):
            if (difference := _difference(f"{path}.{name}", left.get(name), right.get(name))) is not None:
                return difference
        return None
    return FirstDifference(path, None, _excerpt(left), _excerpt(right))


def _plain(value: Any) -> Any:
    """Return the value without cache marks, and a bare string as the block it stands for."""
    if isinstance(value, dict):
        bare = {name: each for name, each in value.items() if name != "cache_control"}
        if isinstance(bare.get("content"), str):
            bare["content"] = [{"type": "text", "text": bare["content"]}]
        return bare
    return value


def _text_difference(path: str, left: str, right: str) -> FirstDifference:
    at = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    begin = max(0, at - AROUND // 2)
    cut = "…" if begin else ""
    return FirstDifference(
        path,
        at + 1,
        storable(cut + left[begin : at + AROUND]) or "(empty)",
        storable(cut + right[begin : at + AROUND]) or "(empty)",
    )


def _ends(left: list[Any], right: list[Any]) -> tuple[str, str]:
    at = min(len(left), len(right))
    return (_excerpt(left[at]) if len(left) > at else "nothing", _excerpt(right[at]) if len(right) > at else "nothing")


def _excerpt(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return storable(text[:MOST_EXCERPT]) + ("…" if len(text) > MOST_EXCERPT else "")


def same_messages(messages: Sequence[Mapping[str, Any]], before: Mapping[str, Any] | None) -> int:
    """Return how many messages both requests begin with."""
    theirs = before.get("messages") if before else None
    if not isinstance(theirs, list):
        return 0
    same = 0
    for one, other in zip(messages, theirs, strict=False):
        if _bare(one) != _bare(other):
            break
        same += 1
    return same


def _bare(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items()}
    return [_bare(each) for each in value] if isinstance(value, list) else value
