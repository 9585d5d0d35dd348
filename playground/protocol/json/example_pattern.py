"""A short text that a regular expression matches, for the expressions that JSON Schemas have in practice.

Understands literals, classes, escapes, groups, alternatives and quantifiers; not look-around or back references.
Anchors are taken to stand at the ends.
"""

from __future__ import annotations

import re

from playground.exceptions import PlaygroundError

_LONGEST = 200  # characters of the example
_ESCAPES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r"}
_CANDIDATES = "aA0_-. @/:#"


class _NotUnderstoodError(PlaygroundError):
    """The expression has something that is not read here."""


def example_of(pattern: str) -> str | None:
    """A text that the expression should match, or None when it is not understood. Never raises.

    The text is not tried against the expression: a stranger's expression can take forever to find no match.
    """
    try:
        return _Reader(pattern).whole()
    except (_NotUnderstoodError, re.error, RecursionError):
        return None


class _Reader:
    """Reads an expression from left to right and writes the shortest text it asks for."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def whole(self) -> str:
        text = self._alternatives()
        if self.at < len(self.pattern):
            raise _NotUnderstoodError
        return text

    def _next(self) -> str:
        if self.at >= len(self.pattern):
            raise _NotUnderstoodError
        self.at += 1
        return self.pattern[self.at - 1]

    def _sees(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _alternatives(self) -> str:
        """The text of the first one; the others are read and forgotten."""
        first = self._sequence()
        while self._sees("|"):
            self._sequence()
        return first

    def _sequence(self) -> str:
        parts: list[str] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self._quantified(self._atom()))
            if sum(map(len, parts)) > _LONGEST:
                raise _NotUnderstoodError
        return "".join(parts)

    def _atom(self) -> str:
        character = self._next()
        match character:
            case "^" | "$":
                return ""
            case ".":
                return "a"
            case "[":
                return self._class()
            case "(":
                return self._group()
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise _NotUnderstoodError
            case _:
                return character

    def _escape(self) -> str:
        character = self._next()
        if character not in _ESCAPES and character.isalnum():
            raise _NotUnderstoodError
        return _ESCAPES.get(character, character)

    def _group(self) -> str:
        if self._sees("?"):
            if self._sees("P<") or (self._sees("<") and self.pattern[self.at : self.at + 1] not in "=!"):
                while self._next() != ">":
                    pass
            elif not self._sees(":"):
                raise _NotUnderstoodError
        text = self._alternatives()
        if not self._sees(")"):
            raise _NotUnderstoodError
        return text

    def _class(self) -> str:
        begin = self.at - 1
        self._sees("^")
        self._sees("]")  # as the first member it is a character
        while (character := self._next()) != "]":
            if character == "\\":
                self._next()
        written = self.pattern[begin : self.at]
        if any(odd in written[1:] for odd in ("[", "--", "&&", "||", "~~")):
            raise _NotUnderstoodError  # Python warns that these may come to mean sets
        inside: str = re.sub(r"\\.", "", written[1:-1])
        candidates: list[str] = [*inside[:1], *_CANDIDATES]
        for candidate in candidates:
            if re.fullmatch(written, candidate):
                return candidate
        raise _NotUnderstoodError

    def _quantified(self, text: str) -> str:
        if self._sees("*"):
            times = 0
        elif self._sees("+"):
            times = 1
        elif self._sees("?"):
            times = 0
        elif repeat := re.compile(r"\{(\d{1,4})(?:,\d*)?\}").match(self.pattern, self.at):
            self.at = repeat.end()
            times = int(repeat[1])
        else:
            return text
        self._sees("?")  # a lazy quantifier asks for no less
        if len(text) * times > _LONGEST:
            raise _NotUnderstoodError
        return text * times
