"""The difference between two versions, line by line of their indented JSON."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from playground.conversations import reading
from playground.models import ConversationVersion
from playground.protocol import json_text

MOST_LINES = 6_000  # comparing costs their product in the worst case
LONGEST_LINE = 2_000
CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is added, removed, same or gap."""

    kind: str
    text: str


def lines_of(version: ConversationVersion) -> list[str]:
    body = reading.parse(version.body_text)
    text = json_text.dump(body) if body else version.body_text
    settings = {name: value for name, value in version.settings.items() if value}
    whole = text + "\n" + json_text.dump({"settings": settings})
    return [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in whole.split("\n")]


def difference(old: ConversationVersion, new: ConversationVersion) -> list[Line] | None:
    """What changed from `old` to `new`; None when they are too long to be compared."""
    before, after = lines_of(old), lines_of(new)
    if max(len(before), len(after)) > MOST_LINES:
        return None
    found: list[Line] = []
    for text in list(difflib.unified_diff(before, after, n=CONTEXT, lineterm=""))[2:]:
        mark, rest = text[:1], text[1:]
        if mark == "@":
            found.append(Line("gap", ""))
        else:
            found.append(Line({"+": "added", "-": "removed"}.get(mark, "same"), rest))
    return found[1:] if found and found[0].kind == "gap" else found
