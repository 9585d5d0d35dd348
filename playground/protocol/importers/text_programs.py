"""Ruby, PHP, Go, Java and C#: programs that send their body as JSON text, or with literals much like JavaScript's.

Only the strings of a program are read, in order. The body is the one that is a JSON object; an address and headers
are those beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from playground.protocol.importers.literal_programs import body_literal
from playground.protocol.importers.program_strings import Text, texts_of
from playground.protocol.importers.result import ReadingError, RequestParts, Unknown
from playground.protocol.json import json_text

ADDRESS = re.compile(r"https?://\S+")
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,60}")
HEADER_LINE = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]*(.*)", re.DOTALL)
BETWEEN_NAME_AND_VALUE = re.compile(r"\s*(?:=>|,|:|\]\s*=|\)\s*=)\s*")
OFFICIAL_CALL = re.compile(r"\b[Mm]essages(?:\.|->)(?:New|NewStreaming|create|stream_raw|stream|Create)\(")
MOST_BODIES = 20


def read_text_program(pasted: str, language: str) -> list[RequestParts]:
    """The request in a program of this language."""
    texts = list(_joined(texts_of(pasted, language), pasted))
    bodies: list[Any] = _bodies(texts)
    if not bodies and language in ("ruby", "php") and (literal := body_literal(pasted)) is not None:
        bodies = [literal]
    if not bodies:
        raise ReadingError(
            "There is no JSON body in this code: only bodies that are written as JSON text can be read here."
        )
    url = next((each.text for each in texts if ADDRESS.fullmatch(each.text) and "/messages" in each.text), None)
    url = url or next((each.text for each in texts if ADDRESS.fullmatch(each.text)), None)
    parts = RequestParts(bodies[0], url)
    for text, following in zip(texts, [*texts[1:], Text("", 0, 0)], strict=True):
        between = pasted[text.end : following.start] if following.start else ""
        if HEADER.fullmatch(text.text) and _is_header(text.text):
            if BETWEEN_NAME_AND_VALUE.fullmatch(between):
                parts.headers.append((text.text, following.text))
            elif BETWEEN_NAME_AND_VALUE.match(between):
                parts.headers.append((text.text, Unknown(between.strip(" ,:=>")[:40])))
        elif (line := HEADER_LINE.fullmatch(text.text)) and _is_header(line[1]):
            parts.headers.append((line[1], line[2] or Unknown(between.strip(" .+")[:40])))
    parts.is_certain = parts.goes_to_messages or OFFICIAL_CALL.search(pasted) is not None
    return [parts]


def _is_header(name: str) -> bool:
    lower = name.lower()
    return lower.startswith(("anthropic-", "x-")) or lower in ("authorization", "content-type", "accept", "user-agent")


def _joined(texts: Iterator[Text], source: str) -> Iterator[Text]:
    """Strings that are put together with + or a dot, or that Java's `String.join("", …)` does, as one."""
    held: list[Text] = []
    joins = False
    for text in texts:
        between = source[held[-1].end : text.start] if held else ""
        is_joined = bool(held) and (
            re.fullmatch(r"\s*[+.]\s*", between) is not None
            or (joins and re.fullmatch(r"\s*,\s*", between) is not None)
        )
        if not is_joined:
            if held:
                yield _one(held)
            held = []
            joins = text.text == "" and text.before.endswith("String.join(")
        held.append(text)
    if held:
        yield _one(held)


def _one(texts: list[Text]) -> Text:
    return Text("".join(text.text for text in texts), texts[0].start, texts[-1].end, texts[0].before)


def _bodies(texts: list[Text]) -> list[Any]:
    """The strings that are JSON objects, the longest first."""
    candidates = sorted((each.text for each in texts if each.text.lstrip()[:1] == "{"), key=len, reverse=True)
    bodies = []
    for text in candidates[:MOST_BODIES]:
        value = json_text.try_parse(text)
        if isinstance(value, dict) and value:
            bodies.append(text)
    if not bodies and candidates and len(candidates[0]) > 20:
        json_error = _json_error(candidates[0])
        raise ReadingError(f"The body is not valid JSON: {json_error}")
    return bodies


def _json_error(text: str) -> str:
    try:
        json_text.parse(text)
    except json_text.JsonTextError as error:
        return error.message
    return "it is no object"
