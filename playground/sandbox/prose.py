"""Writes the talker's answers: markdown that reacts to the last user turn. The same question gets the same answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from playground.sandbox.request_reader import Request
from playground.sandbox.texts import (
    CLOSINGS,
    CODE,
    COMMON_WORDS,
    GREETINGS,
    OPENINGS,
    POEMS,
    POINTS,
    SIMULATED,
    STORIES,
    TABLES,
)

Item = TypeVar("Item")

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
_LANGUAGES = {
    "python": ("python",),
    "typescript": ("typescript",),
    "javascript": ("javascript", "node", r"js\b"),
    "sql": ("sql", "postgres"),
    "bash": ("bash", "shell", "terminal"),
    "rust": ("rust",),
    "go": ("golang", r"go (?:code|program|function)"),
    "html": ("html",),
    "json": ("json",),
}


def answer(request: Request) -> str:
    """The whole text. On the first turn it ends by saying that this is a simulation."""
    if request.prefill is not None:
        return _go_on(request)
    parts = [_on_attachments(request), _on_text(request)]
    if request.answers_before == 0 or request.says("simulat", "real model", "are you real", "who are you"):
        parts.append(SIMULATED)
    return "\n\n".join(part for part in parts if part)


def pick(items: Sequence[Item], seed: int) -> Item:
    return items[seed % len(items)]


def topic_of(text: str) -> str:
    """Return the topic of a text: its first one or two telling words."""
    words = [word for word in re.findall(r"[^\W\d_]{3,20}", text) if word.lower() not in COMMON_WORDS]
    return " ".join(words[:2]) or "that"


def _on_attachments(request: Request) -> str:
    if not request.attachments:
        return ""
    listed = [f"- I see {attachment}." for attachment in request.attachments]
    return "Thank you, this arrived:\n\n" + "\n".join(listed) if len(listed) > 1 else listed[0][2:]


def _on_text(request: Request) -> str:
    if quoted := re.match(r"(?is)(?:please\s+)?(?:repeat after me|repeat|say|echo)\s*:?\s+(.+)", request.text):
        return quoted[1].strip(' \n"“”')
    if sum_ := _arithmetic(request.text):
        return sum_
    parts = [part for languages, write in _REQUESTS if request.says(*languages) for part in [write(request)]]
    if parts:
        return "\n\n".join(parts[:3])
    if not request.text:
        return "" if request.attachments else "You sent no text, so here is a question back: what shall we try?"
    return _in_general(request)


def _greet(request: Request) -> str:
    return (
        f"{pick(GREETINGS, request.seed)} I can answer in *prose*, tell a **story**, draw a **table**, write some "
        "**code**, make a **list**, or call the `tools` you define. Try:\n\n"
        "- “Write a Python function, and compare it in a table”\n"
        "- “Tell me a story”\n"
        "- “List five ideas for a rainy day”"
    )


def _story(request: Request) -> str:
    title = pick(list(STORIES), request.seed)
    return f"## {title}\n\n{STORIES[title]}"


def _poem(request: Request) -> str:
    title = "Haiku" if request.says("haiku") else pick(list(POEMS), request.seed)
    return f"### {title}\n\n{POEMS[title]}"


def _code(request: Request) -> str:
    languages = [name for name, words in _LANGUAGES.items() if request.says(*words)] or ["python"]
    shown = [CODE[name] for name in languages[:2]]
    return "\n\n".join([*shown, "Inline code looks like `this`; the block above can be copied."])


def _table(request: Request) -> str:
    """The table whose title shares a word with the question, with as many rows as were asked for; else any."""
    languages = _stems(request.text)
    title = next((each for each in TABLES if languages & _stems(each)), None)
    if title is None:
        title = pick(list(TABLES), request.seed)
        return f"### {title}\n\n{TABLES[title]}"
    head, line, *rows = TABLES[title].splitlines()
    count = _number_in(request.text) or len(rows)
    return "\n".join([f"### {title}\n", head, line, *rows[:count]])


def _stems(text: str) -> set[str]:
    """Beginnings of the words that tell what a text is about."""
    words = (word.lower() for word in re.findall(r"[^\W\d_]{3,}", text))
    return {word[:5] for word in words if word not in COMMON_WORDS} - {"compa", "table"}


def _number_in(text: str) -> int | None:
    """The first number in a text, up to 99 as digits or up to eight as a word."""
    if number := re.search(r"\b(\d{1,2})\b", text):
        return max(int(number[1]), 1)
    named = re.search(rf"\b({'|'.join(_NUMBERS)})\b", text, re.IGNORECASE)
    return _NUMBERS.index(named[1].lower()) + 1 if named else None


def _list(request: Request) -> str:
    count = min(_number_in(request.text) or 4, len(POINTS))
    chosen = [POINTS[(request.seed + place) % len(POINTS)] for place in range(count)]
    lines = [f"{place}. **{what}**: {why}." for place, (what, why) in enumerate(chosen, 1)]
    return "\n".join(lines)


def _markdown(request: Request) -> str:
    return (
        "# Everything at once\n\nA paragraph with *emphasis*, **strong words**, `code`, ~~regret~~ and "
        "[a link](https://example.com/).\n\n> A quotation, which goes on\n> for two lines.\n\n"
        "1. First\n   - nested\n   - twice\n2. Second\n\n---\n\n" + _table(request) + "\n\n" + _code(request)
    )


def _about(request: Request) -> str:
    return (
        "I am the **sandbox**: an upstream built into the playground, so that a request can be tried without a key. "
        "I speak the wire format of the Messages API, down to events and headers, but I do not think: my answers are "
        "picked and filled in by rules."
    )


def _in_general(request: Request) -> str:
    topic = topic_of(request.text)
    opening = pick(OPENINGS, request.seed).format(topic=topic, Topic=topic[:1].upper() + topic[1:])
    points = [POINTS[(request.seed // 7 + place * 3) % len(POINTS)] for place in range(3)]
    lines = "\n".join(f"- **{what}**: {why}." for what, why in points)
    return f"{opening}\n\n{lines}\n\n{pick(CLOSINGS, request.seed // 11)}"


def _go_on(request: Request) -> str:
    """The rest of an answer whose beginning the request brought along."""
    begun = request.prefill or ""
    if begun.rstrip().endswith(("{", "[")):
        return '"simulated": true}' if begun.rstrip().endswith("{") else '"simulated"]'
    return " and so it went on, one line after the other, until the sandbox had nothing left to add."


def _arithmetic(text: str) -> str | None:
    sum_asked = re.fullmatch(r"[^\d]*?(-?\d{1,9})\s*([-+*x/])\s*(-?\d{1,9})[^\d]*", text)
    if sum_asked is None:
        return None
    left, sign, right = int(sum_asked[1]), sum_asked[2], int(sum_asked[3])
    if sign == "/":
        value = f"{left / right:,.10g}" if right else "not a number, whatever the sandbox may pretend"
    else:
        value = f"{ {'+': left + right, '-': left - right}.get(sign, left * right):,}"
    return f"{left} {sign} {right} is **{value}**."


_REQUESTS = (
    ((r"who are you", r"what are you", r"are you (?:a )?(?:real|human|bot|claude)"), _about),
    (("everything", r"markdown (?:test|sample|demo)", "all of markdown"), _markdown),
    ((r"stor(?:y|ies)\b", r"tales?\b"), _story),
    (("poem", "verse", "haiku", "rhyme"), _poem),
    ((r"tables?\b", r"compare\b", "comparison"), _table),
    ((r"lists?\b", "steps", "ideas", "tips", "ways to", "bullet"), _list),
    (
        (
            r"code\b",
            "function",
            "script",
            "program",
            "python",
            "javascript",
            "typescript",
            "sql",
            "bash",
            "rust",
            "json",
        ),
        _code,
    ),
    ((r"hello\b", r"hi\b", r"hey\b", "good (?:morning|evening)", r"help\b"), _greet),
)
