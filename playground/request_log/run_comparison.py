"""Two runs beside each other: figures, requests block by block, answers word by word."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from playground.models import Run
from playground.protocol.foreign_text import storable, truncated
from playground.rendering import formatting
from playground.rendering.formatting import UNKNOWN
from playground.request_log.request_body import MOST_READ, parse
from playground.request_log.rows import cost_words, status_words
from playground.sessions.digest import digest_of
from playground.sessions.steps import first_break

MOST_WORDS = 4_000  # on each side; comparing costs their product in the worst case
MOST_SHOWN = 4_000  # characters of one block
MOST_DIFFERENCES = 100  # blocks, and members beside the prompt, of each that many are shown
MOST_BY_WORDS = 20  # of those blocks are compared word by word
MOST_MATCHED = 1_000  # blocks on each side that are looked for in other places; more are compared place by place
_WORD = re.compile(r"\s+|[\w]+|[^\w\s]")
Placed = tuple[str, str, Any]  # path, role, block
# How the API lays a prompt out, and so what a change makes it read again.
_ORDER = ("tools", "system", "messages")


@dataclass(frozen=True)
class Piece:
    """Some words of one side. `kind` is same, removed (only on the left) or added (only on the right)."""

    kind: str
    text: str


@dataclass(frozen=True)
class Difference:
    """One place of the two requests. A side that lacks it is empty."""

    path: str
    left: list[Piece]
    right: list[Piece]
    breaks_cache: bool = False


@dataclass(frozen=True)
class Comparison:
    figures: list[tuple[str, str, str, str]]  # name, left, right, how much more the right one has
    parameters: list[Difference]
    blocks: list[Difference]
    more: int  # places that differ too, and are not shown
    same_blocks: int
    same_until: str  # how far the prompts agree, in words
    answer_left: list[Piece]
    answer_right: list[Piece]
    answers_are_same: bool
    problem: str = ""  # why the requests could not be compared


def compare(left: Run, right: Run) -> Comparison:
    """Compare what is kept of two runs."""
    one, other = _body(left), _body(right)
    problem = ""
    parameters: list[Difference] = []
    blocks: list[Difference] = []
    more, same, until = 0, 0, ""
    if one is None or other is None:
        problem = "One of the requests was not stored, is not a JSON object, or is too large to compare."
    else:
        differing = list(_parameters(one, other))
        parameters = [_parameter(name, one, other) for name in differing[:MOST_DIFFERENCES]]
        blocks, more, same, until = _blocks(one, other)
        more += len(differing) - len(parameters)
    texts = _answer_text(left), _answer_text(right)
    answers = word_difference(*texts)
    return Comparison(
        list(_figures(left, right)), parameters, blocks, more, same, until, *answers, texts[0] == texts[1], problem
    )


def _body(run: Run) -> dict[str, Any] | None:
    data = run.request_body
    return parse(data) if data is not None and len(data) <= MOST_READ else None


# --- Figures ---


def _figures(left: Run, right: Run) -> Iterator[tuple[str, str, str, str]]:
    yield "status", status_words(left.state, left.http_status)[0], status_words(right.state, right.http_status)[0], ""
    yield "model", left.model, right.model, ""
    yield "connection", left.connection_name, right.connection_name, ""
    yield "stop_reason", left.stop_reason or UNKNOWN, right.stop_reason or UNKNOWN, ""
    for name, column in (("first token", "first_token_ms"), ("duration", "duration_ms")):
        a, b = getattr(left, column), getattr(right, column)
        yield name, formatting.duration(a), formatting.duration(b), _more(a, b, formatting.duration)
    for name, column in (
        ("tokens in", "total_input_tokens"),
        ("from cache", "cache_read_tokens"),
        ("to cache", "cache_write_tokens"),
        ("tokens out", "output_tokens"),
        ("thinking", "thinking_tokens"),
    ):
        a, b = getattr(left, column), getattr(right, column)
        yield name, formatting.count(a), formatting.count(b), _more(a, b, formatting.count)
    a, b = left.cost_usd, right.cost_usd
    yield "cost", cost_words(a), cost_words(b), _more(a, b, cost_words)


def _more(left: Any, right: Any, write: Any) -> str:
    if left is None or right is None or write(abs(right - left)) == write(left - left):
        return ""
    sign = "+" if right > left else "\u2212"
    share = f"{100 * abs(right - left) / left:.0f}" if left else ""
    part = " (<1\u00a0%)" if share == "0" else f" ({sign}{share}\u00a0%)" if share else ""
    return f"{sign}{write(abs(right - left))}{part}"


# --- Requests ---


def _parameters(left: dict[str, Any], right: dict[str, Any]) -> Iterator[str]:
    """Members that differ, but for those that are compared block by block."""
    for name in dict.fromkeys([*left, *right]):
        if name not in _ORDER and _canonical(left.get(name)) != _canonical(right.get(name)):
            yield name


def _parameter(name: str, left: dict[str, Any], right: dict[str, Any]) -> Difference:
    sides = [storable(_short(body[name])) if name in body else "" for body in (left, right)]
    return Difference(name, [Piece("removed", sides[0])], [Piece("added", sides[1])], name == "model")


def _blocks(left: dict[str, Any], right: dict[str, Any]) -> tuple[list[Difference], int, int, str]:
    """Blocks that differ, in the order in which a prompt is read; the first one is where a cached prefix ends. Then how
    many more differ, how many are the same, and how far the prompts agree."""
    ours, theirs = list(_laid_out(left)), list(_laid_out(right))
    is_broken = first_break(digest_of(left), digest_of(right)) is not None
    differences: list[Difference] = []
    more = same = 0
    until = ""
    for kind, a, b, c, d in _matched([_comparable(*each) for each in ours], [_comparable(*each) for each in theirs]):
        if kind == "equal":
            same += b - a
            if not differences:
                until = ours[b - 1][0]
            continue
        # What only stands after all that the other request has is the next turn: what was cached is read.
        goes_on = (a == len(ours) or c == len(theirs)) and not differences
        count = max(b - a, d - c)
        shown = min(count, MOST_DIFFERENCES - len(differences))
        more += count - shown
        for index in range(shown):
            left_block = ours[a + index] if a + index < b else None
            right_block = theirs[c + index] if c + index < d else None
            by_words = len(differences) < MOST_BY_WORDS
            differences.append(
                _difference(
                    left_block,
                    right_block,
                    by_words=by_words,
                    breaks_cache=is_broken and not differences and not goes_on,
                )
            )
    return differences, more, same, until


def _matched(ours: list[str], theirs: list[str]) -> Iterable[tuple[str, int, int, int, int]]:
    """Yield how to make one list of the other, as `difflib` tells it."""
    if max(len(ours), len(theirs)) <= MOST_MATCHED:
        return difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    opcodes, begin, both = [], 0, min(len(ours), len(theirs))
    for is_same, run in groupby(range(both), lambda place: ours[place] == theirs[place]):
        end = begin + len(list(run))
        opcodes.append(("equal" if is_same else "replace", begin, end, begin, end))
        begin = end
    return [*opcodes, ("replace", both, len(ours), both, len(theirs))]


def _laid_out(body: dict[str, Any]) -> Iterator[Placed]:
    """Path, role and value of every block. Text instead of a list counts as one text block, as it does for the API."""
    tools = body.get("tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else []):
        yield f"tools[{number}]", "", tool
    yield from _content("system", "system", body.get("system"))
    messages = body.get("messages")
    for number, message in enumerate(messages if isinstance(messages, list) else []):
        if isinstance(message, dict):
            yield from _content(f"messages[{number}].content", str(message.get("role")), message.get("content"))
        else:
            yield f"messages[{number}]", "", message


def _content(path: str, role: str, content: Any) -> Iterator[Placed]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for number, block in enumerate(content if isinstance(content, list) else []):
        yield f"{path}[{number}]", role, block


def _comparable(_path: str, role: str, block: Any) -> str:
    """Cache marks say where to cut, not what is in the prompt: they are left out."""
    if isinstance(block, dict):
        block = {name: value for name, value in block.items() if name != "cache_control"}
    return f"{role} {_canonical(block)}"


def _difference(left: Placed | None, right: Placed | None, *, by_words: bool, breaks_cache: bool) -> Difference:
    path = (left or right or ("",))[0]
    if left is None or right is None or not by_words:
        gone = [Piece("removed", _text_of(left[2]))] if left else []
        new = [Piece("added", _text_of(right[2]))] if right else []
        return Difference(path, gone, new, breaks_cache)
    pieces = word_difference(_text_of(left[2]), _text_of(right[2]))
    return Difference(path, *pieces, breaks_cache)


def _text_of(block: Any) -> str:
    if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str):
        text = block["text"]
    else:
        text = json.dumps(block, indent=2, ensure_ascii=False)
    return storable(truncated(text, MOST_SHOWN))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return truncated(text, 600)


# --- Answers ---


def _answer_text(run: Run) -> str:
    """The answer's blocks as one text."""
    message = run.message()
    content = message.get("content") if isinstance(message, dict) else None
    parts = []
    for block in content if isinstance(content, list) else []:
        if isinstance(block, dict) and isinstance(block.get("text"), str):
            parts.append(block["text"])
        elif isinstance(block, dict) and block.get("type") == "thinking":
            continue
        elif isinstance(block, dict):
            plain = {name: value for name, value in block.items() if name != "id"}
            parts.append(json.dumps(plain, indent=2, ensure_ascii=False))
    return storable("\n\n".join(parts))


def word_difference(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces. Texts that are too long are told whole, as different."""
    if left == right:
        return ([Piece("same", left)], [Piece("same", right)]) if left else ([], [])
    ours, theirs = _WORD.findall(left), _WORD.findall(right)
    if max(len(ours), len(theirs)) > MOST_WORDS:
        return _one("removed", left), _one("added", right)
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=len(ours) + len(theirs) > 1_000)
    for kind, a, b, c, d in matcher.get_opcodes():
        pieces[0].extend(_one("same" if kind == "equal" else "removed", "".join(ours[a:b])))
        pieces[1].extend(_one("same" if kind == "equal" else "added", "".join(theirs[c:d])))
    return pieces


def _one(kind: str, text: str) -> list[Piece]:
    return [Piece(kind, text)] if text else []
