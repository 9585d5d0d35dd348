"""Foreign text to words that can be searched, the same way for what is stored and for what is asked.

Both databases get nothing but plain words from here, so that a search finds the same on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

MOST_CHARACTERS = 100_000  # of one run; what comes later is not found
LONGEST_WORD = 60
# Chinese, Japanese and Korean are written without spaces: each sign is a word, and a phrase finds several.
_SIGN = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGN}]|[^\W_{_SIGN}]+")
_LONGEST_WITHOUT_SPACE = 2_000  # longer is no language but data
NO_TEXT = frozenset({"data", "signature", "encrypted_content", "encrypted_stdout", "media_type", "type", "id"})


def words(text: str) -> list[str]:
    """Lower-case words without accents, in their order."""
    plain = unicodedata.normalize("NFKD", text[:MOST_CHARACTERS]).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign)) if not plain.isascii() else plain
    return [word[:LONGEST_WORD] for word in _WORD.findall(unicodedata.normalize("NFC", plain))]


def is_language(text: str) -> bool:
    return len(text) <= _LONGEST_WITHOUT_SPACE or " " in text


def texts_in(value: Any, room: int = MOST_CHARACTERS) -> list[str]:
    """The strings inside a JSON value that people may look for: no base64, signatures, ids or types."""
    texts: list[str] = []
    waiting = [value]
    while waiting and room > 0:
        item = waiting.pop()
        if isinstance(item, str):
            if is_language(item):
                texts.append(item[:room])
                room -= len(item)
        elif isinstance(item, dict):
            waiting.extend(item[name] for name in reversed(item) if name not in NO_TEXT)
        elif isinstance(item, list):
            waiting.extend(reversed(item))
    return texts
