"""The difference between two versions, line by line of their indented JSON."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from playground.conversations import body_summary
from playground.models import ConversationVersion
from playground.protocol.foreign_text import truncated
from playground.protocol.json import json_text

MOST_LINES = 6_000  # comparing costs their product in the worst case
LONGEST_LINE = 2_000
CONTEXT = 3
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is added, removed, same or gap; the text of a gap says which line of the newer version comes next."""

    kind: str
    text: str


def lines_of(version: ConversationVersion) -> list[str]:
    body = body_summary.parse(version.body_text)
    text = json_text.dump(body) if body else version.body_text
    settings = {name: value for name, value in version.settings.items() if value}
    return _cut(text + "\n" + json_text.dump({"settings": settings}))


def difference(old: ConversationVersion, new: ConversationVersion) -> list[Line] | None:
    """Return the changes from `old` to `new`; None when they are too long to be compared."""
    return _difference(lines_of(old), lines_of(new))


def difference_of(old: str, new: str) -> list[Line] | None:
    """Return the changes from one text to another; None when they are too long to be compared."""
    return _difference(_cut(old), _cut(new))


def _cut(text: str) -> list[str]:
    return [truncated(line, LONGEST_LINE) for line in text.split("\n")]


def _difference(before: list[str], after: list[str]) -> list[Line] | None:
    if max(len(before), len(after)) > MOST_LINES:
        return None
    lines: list[Line] = []
    for text in list(difflib.unified_diff(before, after, n=CONTEXT, lineterm=""))[2:]:
        mark, rest = text[:1], text[1:]
        if mark == "@":
            number = _HUNK.match(text)
            lines.append(Line("gap", f"Line {number[1]}" if number else ""))
        else:
            lines.append(Line({"+": "added", "-": "removed"}.get(mark, "same"), rest))
    return lines[1:] if lines and lines[0] == Line("gap", "Line 1") else lines
