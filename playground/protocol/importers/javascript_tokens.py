"""JavaScript text to tokens: enough of the language to read values that are written out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.protocol.importers.found import ReadingError, position

TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/|^\#![^\n]*)
  | (?P<number>0[xXoObB][0-9A-Fa-f_]+n?|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?n?)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<dots>\.\.\.)
  | (?P<sign>\?\.|=>|[^\s`"'])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|(\r\n|[\n\r\u2028\u2029])|(.))", re.DOTALL
)
SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is name, number, string, computed (a template with `${…}`), dots, sign or end."""

    kind: str
    text: str
    offset: int


def tokens(source: str) -> list[Token]:
    """All tokens but space and comments, and one of kind "end". Raises ReadingError at a string that does not close."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        if source[at] == "`":
            token, at = _template(source, at)
            found.append(token)
            continue
        match = TOKEN.match(source, at)
        if match is None:
            raise ReadingError("A quote is not closed.", *position(source, at))
        kind = str(match.lastgroup)
        if kind == "quoted":
            found.append(Token("string", unescaped(match.group()[1:-1]), at))
        elif kind != "space":
            found.append(Token(kind, match.group(), at))
        at = match.end()
    return [*found, Token("end", "", at)]


def _template(source: str, start: int) -> tuple[Token, int]:
    at, computed = start + 1, False
    while at < len(source):
        if source[at] == "\\":
            at += 2
        elif source[at] == "`":
            text = source[start + 1 : at].replace("\r\n", "\n")
            return Token("computed" if computed else "string", text if computed else unescaped(text), start), at + 1
        else:
            computed = computed or source.startswith("${", at)
            at += 1
    raise ReadingError("A template literal is not closed.", *position(source, start))


def unescaped(text: str) -> str:
    """The text that a string literal means; halves of one character that stand together become that character."""
    if "\\" not in text:
        return text
    plain = ESCAPE.sub(_character, text)
    return re.sub(
        "[\ud800-\udbff][\udc00-\udfff]",
        lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"),
        plain,
    )


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits:
        return chr(min(int(digits, 16), 0x10FFFF))
    if match[4]:
        return ""
    return SHORT.get(match[5], match[5])
