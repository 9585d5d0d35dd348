"""Roles, and the forms that content may have."""

from __future__ import annotations

from typing import Any, Final

from playground.conformance.check import Check
from playground.conformance.checks.common_requests import DOCS, LONG_TEXT, PLAIN, assistant, create, user
from playground.conformance.judging import counts_more, is_answered, taken_or_refused

AREA: Final = "content"
_READY: Final = {"type": "text", "text": "Repeat after me: ready"}
TEXTS: Final = create([{"type": "text", "text": LONG_TEXT}, _READY])
HISTORY: Final = create([user(f"Keep this in mind. {LONG_TEXT}"), assistant("I will."), user("Repeat after me: ready")])
NEIGHBOURS: Final = create([user(f"Keep this in mind. {LONG_TEXT}"), user("Repeat after me: ready")])
_SEARCH_RESULT: Final[dict[str, Any]] = {
    "type": "search_result",
    "source": "https://example.com/lighthouse",
    "title": "Lighthouse",
    "content": [{"type": "text", "text": "The lighthouse was built in 1870."}],
}


def _check(name: str, level: Any, title: str, why: str, request: Any, *, optional: bool = False) -> Check:
    return Check(
        f"content.{name}", AREA, level, title, "A message." if not optional else "A message, or HTTP 4xx.", why,
        DOCS["working"] if name != "search_result" else DOCS["search_results"], (request,),
        taken_or_refused if optional else is_answered, depends=("answer.message",), optional=optional,
    )  # fmt: skip


def _counted(name: str, level: Any, title: str, why: str, request: Any) -> Check:
    return Check(
        f"content.{name}", AREA, level, title, "A message that counts what was added.", why, DOCS["working"],
        (PLAIN, request), counts_more(60), depends=("answer.message", "answer.input_tokens"),
    )  # fmt: skip


CHECKS: Final = (
    _check("blocks", "must", "Content may be a list of blocks",
           "The reference takes a text or a list of blocks.", create([_READY])),
    _counted("several_texts", "must", "Several text blocks are all read",
             "Each block is part of the prompt.", TEXTS),
    _counted("history", "must", "Earlier turns are read",
           "The messages are all that is remembered of a conversation.", HISTORY),
    _counted("neighbours", "should", "Two user turns in a row are merged",
             "The API merges turns of one role; it drops none.", NEIGHBOURS),
    _check("assistant_blocks", "must", "An assistant's turn may be a list of blocks",
           "An answer is a list of blocks, and goes back as it came.",
           create([user("Hello"), assistant([{"type": "text", "text": "Good day."}]), user("Repeat after me: ready")])),
    _check("prefill", "may", "The beginning of an answer is continued or refused clearly",
           "Models before the 4.6 generation go on from it; newer ones refuse it.",
           create([user("Name a colour."), assistant("The colour is")]), optional=True),
    _check("system_role", "may", "A system message between turns is taken or refused clearly",
           "Claude Code puts such turns in between; where SGLang refused them, it gave up.",
           create([user("Hello"), {"role": "system", "content": "Be brief."}]), optional=True),
    _check("trailing_newlines", "should", "Text that ends in line breaks is taken",
           "Only an assistant's last turn may not end in white space.",
           create("Repeat after me: ready\n\n")),
    _check("search_result", "may", "A search_result block is taken or refused clearly",
           "It is a block of the reference; dropped in silence, the answer is made without it.",
           create([_SEARCH_RESULT, {"type": "text", "text": "Repeat after me: ready"}]), optional=True),
)  # fmt: skip
