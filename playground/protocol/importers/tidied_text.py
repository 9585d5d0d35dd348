"""Text as word processors, chats and web pages changed it on its way, with the signs that its author typed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
DASHES = re.compile("(?<![^\\s`])([\u2013\u2014\u2212])(?=\\w)")  # where an option begins
SINGLE = str.maketrans("\u2018\u2019\u201a\u201b\u2032", "'''''")
DOUBLE = str.maketrans("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"' * 7)
CHANGED = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad\u00a0\u2000-\u200a\u202f\u205f\u3000\u2013\u2014\u2212"
                     "\u2018-\u201f\u2032\u2033\u00ab\u00bb]")  # fmt: skip
ENTITY = re.compile("&(?:quot|#34|#39|#x27|apos|lt|gt);")
TRAILING_BLANK = re.compile(r"([\\`^])[ \t]+(?=\r?\n)")
TAG = re.compile(r"</?(?:pre|code|span|div|p|br)\b[^<>]{0,200}>", re.IGNORECASE)
CONTINUATION = re.compile(r"^[ \t]*(?:\w*quote|pipe|heredoc|cmdand|cmdsubst|More\?|)(?:>{1,2}|(?<=\?)) ?", re.MULTILINE)
LONGEST = 200_000  # characters: what is longer was not written in a word processor


def tidied(text: str) -> Iterator[tuple[str, str]]:
    """Other readings of a text in which no request was found, the smallest change first, each with a note."""
    if len(text) > LONGEST:
        return
    plain = TRAILING_BLANK.sub(r"\1", text)
    if CHANGED.search(text):
        plain = DASHES.sub(_hyphens, SPACES.sub(" ", INVISIBLE.sub("", plain)))
    if plain != text:
        yield plain, "Unusual spaces and dashes were read as plain ones."
    if CONTINUATION.search(text):
        yield CONTINUATION.sub("", plain), "The prompts before continued lines were left out."
    note = "Typographic quotes were read as plain ones."
    for attempt in (plain.translate(SINGLE), plain.translate(DOUBLE), plain.translate(SINGLE | DOUBLE)):
        if attempt != plain:
            yield attempt, note
    if ENTITY.search(text):
        yield html.unescape(TAG.sub("", text)), "Entities of HTML were read as the characters that they stand for."


def _hyphens(match: re.Match[str]) -> str:
    return "-" if match[1] != "\u2014" else "--"
