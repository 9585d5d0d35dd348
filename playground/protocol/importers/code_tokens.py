"""The tokens of Java and C# programs: strings with what they mean, names, numbers and signs, without comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playground.protocol.importers.program_strings import LANGUAGES, texts_of

_CODE = re.compile(r"(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)[A-Za-z]?|(?P<sign>\S)")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is a string's text, else the token as it is written; a number is without separators and suffix."""

    kind: str
    value: str
    start: int
    end: int


def tokens_of(source: str, language: str) -> list[Token]:
    """All tokens of the program, in order."""
    tokens: list[Token] = []
    at = 0
    for text in texts_of(source, language):
        tokens += _between(source, at, text.start, language)
        tokens.append(Token("string", text.text, text.start, text.end))
        at = text.end
    return [*tokens, *_between(source, at, len(source), language)]


def _between(source: str, first: int, last: int, language: str) -> Iterator[Token]:
    code = LANGUAGES[language][0].sub(lambda comment: " " * len(comment[0]), source[first:last])
    for match in _CODE.finditer(code):
        kind = match.lastgroup or ""
        value = match[kind].replace("_", "") if kind == "number" else match[kind]
        yield Token(kind, value, first + match.start(), first + match.end())


class Cursor:
    """Reads tokens one after the other. Behind the last one stands a token of no kind."""

    def __init__(self, source: str, language: str) -> None:
        self.source = source
        self.tokens = tokens_of(source, language)
        self.at = 0
        self._end = Token("", "", len(source), len(source))
        self._closes = self._matching()

    def ahead(self, by: int = 0) -> Token:
        """The token to read next, or one behind it."""
        index = self.at + by
        return self.tokens[index] if index < len(self.tokens) else self._end

    def accept(self, *values: str) -> bool:
        """Read these names and signs, if all of them come next."""
        if any(self.ahead(by).value != value or self.ahead(by).kind == "string" for by, value in enumerate(values)):
            return False
        self.at += len(values)
        return True

    def find(self, *values: str) -> Iterator[int]:
        """Yield each place at which these names and signs follow each other."""
        for index in range(len(self.tokens) - len(values) + 1):
            these = self.tokens[index : index + len(values)]
            if all(token.value == value and token.kind != "string" for token, value in zip(these, values, strict=True)):
                yield index

    def close_of(self, index: int) -> int:
        """The index of the bracket that closes the one at `index`; behind the last token if nothing does."""
        return self._closes.get(index, len(self.tokens))

    def text(self, first: int, last: int) -> str:
        """The source from one token up to another, without that one."""
        if first >= min(last, len(self.tokens)):
            return ""
        return self.source[self.tokens[first].start : self.tokens[min(last, len(self.tokens)) - 1].end]

    def _matching(self) -> dict[int, int]:
        closes: dict[int, int] = {}
        opened: list[Any] = []
        for index, token in enumerate(self.tokens):
            if token.kind != "sign":
                continue
            if token.value in _CLOSING:
                opened.append((index, _CLOSING[token.value]))
            elif opened and token.value == opened[-1][1]:
                closes[opened.pop()[0]] = index
        return closes
