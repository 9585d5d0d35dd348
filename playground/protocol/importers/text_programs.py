"""Ruby, PHP, Go, Java and C#: programs that send their body as JSON text, or with literals much like JavaScript's.

Only the strings of a program are read, in order. The body is the one that is a JSON object; an address and headers
are those beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from urllib.parse import urlencode

from playground.protocol.importers.literal_programs import body_literal
from playground.protocol.importers.program_strings import Text, texts_of
from playground.protocol.importers.result import JsonOf, ReadingError, RequestParts, Unknown
from playground.protocol.importers.typed_clients import CLIENT_VERSION, PHP_CALL, Call, php_call, read_call
from playground.protocol.json import json_text

ADDRESS = re.compile(r"https?://\S+")
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,60}")
HEADER_LINE = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]*(.*)", re.DOTALL)
BETWEEN_NAME_AND_VALUE = re.compile(r"\s*(?:=>|,|:|\]\s*=|\)\s*=)\s*(?:JsonSerializer\.SerializeToElement\()?")
OFFICIAL_CALL = re.compile(r"\b[Mm]essages(?:\.|->)(?:New|NewStreaming|create|stream_raw|stream|Create)\(")
MOST_BODIES = 20


def read_text_program(pasted: str, language: str) -> list[RequestParts]:
    """The request in a program of this language."""
    texts = list(_joined(texts_of(pasted, language), pasted))
    url = next((each.text for each in texts if ADDRESS.fullmatch(each.text) and "/messages" in each.text), None)
    url = url or next((each.text for each in texts if ADDRESS.fullmatch(each.text)), None)
    parts = _parts(pasted, language, _bodies(texts), url)
    _add_headers(parts, texts, pasted)
    if language == "csharp" and "AnthropicClient" in pasted and not any(_is_version(name) for name, _ in parts.headers):
        parts.headers.append(("anthropic-version", CLIENT_VERSION))
    parts.is_certain = parts.is_certain or parts.goes_to_messages or OFFICIAL_CALL.search(pasted) is not None
    return [parts]


def _parts(pasted: str, language: str, bodies: list[str], url: str | None) -> RequestParts:
    """The request without its headers: of a typed client's call, of JSON text, or of a literal."""
    has_named_arguments = language == "php" and PHP_CALL.search(pasted) is not None
    has_literal = has_named_arguments or (not bodies and language in ("ruby", "php"))
    literal = body_literal(pasted) if has_literal else None
    if has_named_arguments and literal is not None:
        call: Call | None = php_call(pasted, literal.value)
    else:
        call = read_call(pasted, language, json_text.parse(bodies[0]) if bodies else None)
    if call is not None and call[0]:
        body, query, notes = call
        return RequestParts(JsonOf(body), _with_query(url, query), notes=notes, is_certain=True)
    if not bodies and literal is None:
        raise ReadingError(
            "There is no JSON body in this code: only bodies that are written as JSON text can be read here."
        )
    return RequestParts(bodies[0] if bodies else literal, url)


def _with_query(url: str | None, query: dict[str, str]) -> str | None:
    return f"{url}?{urlencode(query)}" if url and query else url


def _is_version(name: str) -> bool:
    return name.lower() == "anthropic-version"


def _add_headers(parts: RequestParts, texts: list[Text], pasted: str) -> None:
    for text, following in zip_longest(texts, texts[1:], fillvalue=Text("", 0, 0)):
        between = pasted[text.end : following.start] if following.start else ""
        if HEADER.fullmatch(text.text) and _is_header(text.text):
            if BETWEEN_NAME_AND_VALUE.fullmatch(between):
                parts.headers.append((text.text, following.text))
            elif BETWEEN_NAME_AND_VALUE.match(between):
                parts.headers.append((text.text, Unknown(between.strip(" ,:=>")[:40])))
        elif (line := HEADER_LINE.fullmatch(text.text)) and _is_header(line[1]):
            parts.headers.append((line[1], line[2] or Unknown(between.strip(" .+")[:40])))


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


def _bodies(texts: list[Text]) -> list[str]:
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
    return "it is not an object"
