"""Fenced blocks of code in prose, as answers, issues and documentation have them."""

from __future__ import annotations

import re
from collections.abc import Iterator

FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
PROMISING = re.compile(r"messages|curl|fetch|model", re.IGNORECASE)
MOST_BLOCKS = 20


def fenced_blocks(text: str) -> Iterator[str]:
    """The blocks that may hold a request, in order, and then the text itself; only the text when there is no fence.

    A block keeps its place: line breaks stand before it for the lines above.
    """
    fences = [match for match, _ in zip(FENCE.finditer(text), range(2 * MOST_BLOCKS), strict=False)]
    if not fences or text.lstrip()[:1] in ("{", "["):
        yield text
        return
    opening: re.Match[str] | None = None
    blocks = 0
    for fence in fences:
        if opening is None:
            opening = fence
        elif fence[1].startswith(opening[1]) or fence is fences[-1]:
            block = text[opening.end() + 1 : fence.start()]
            if PROMISING.search(block):
                blocks += 1
                yield _unindented(block, text, opening)
            opening = None
    if opening is not None:  # a fence that is never closed
        blocks += 1
        yield _unindented(text[opening.end() + 1 :], text, opening)
    if not blocks:
        yield text


def _unindented(block: str, text: str, opening: re.Match[str]) -> str:
    prefix = opening.group()[: len(opening.group()) - len(opening.group().lstrip(" \t>"))]
    if prefix:
        block = "\n".join(line.removeprefix(prefix) for line in block.split("\n"))
    return "\n" * (text.count("\n", 0, opening.end()) + 1) + block
