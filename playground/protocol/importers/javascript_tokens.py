"""JavaScript and TypeScript text to tokens: enough of the language to read values that are written out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.protocol.importers.result import MOST_WORDS, ReadingError

TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*(?s:.*?)(?:\*/|\Z)|^\#![^\n]*)
  | (?P<number>0[xXoObB][0-9A-Fa-f_]+n?|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?n?)
  | (?P<name>[A-Za-z_$\u0080-\uffff][\w$]*)
  | (?P<quoted>"(?:[^"\\\n]++|\\.)*+(?:"|\\?\Z|(?=\n))|'(?:[^'\\\n]++|\\.)*+(?:'|\\?\Z|(?=\n)))
  | (?P<dots>\.\.\.)
  | (?P<sign>\?\.(?!\d)|=>|\*\*|\|\|=?|&&|\?\?=?|[=!]==?|[+\-*/|&?]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|(\r\n|[\n\r\u2028\u2029])|(.))", re.DOTALL
)
IN_TEMPLATE = re.compile(r"[^`\\${}]++|\\.|\$\{|[`{}$]|\\\Z", re.DOTALL)
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
CLOSING = {"(": ")", "[": "]", "{": "}"}
BRACE = re.compile(r"[{}]")
STARTS_STATEMENT = frozenset(
    [
        "const",
        "let",
        "var",
        "function",
        "async",
        "if",
        "for",
        "while",
        "return",
        "await",
        "class",
        "export",
        "import",
        "try",
        "throw",
    ]
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is name, number, string, template (with `${…}`, its text as written), dots, sign or end.

    `starts_line` says that a line break stands before it.
    """

    kind: str
    text: str
    offset: int
    starts_line: bool = False


def tokens(source: str) -> list[Token]:
    """All tokens but space and comments, and one of kind "end". A quote that does not close ends with its line."""
    tokens: list[Token] = []
    at = 0
    starts_line = True
    while at < len(source):
        if source[at] == "`":
            token, end = _template(source, at, starts_line)
            tokens.append(token)
            at, starts_line = end, False
            continue
        match = TOKEN.match(source, at)
        if match is None:
            break
        kind, text = str(match.lastgroup), match.group()
        if kind == "space":
            starts_line = starts_line or "\n" in text
        else:
            is_quoted = kind == "quoted"
            is_closed = is_quoted and len(text) > 1 and text[-1] == text[0]
            token_text = unescaped(text[1:-1] if is_closed else text[1:]) if is_quoted else text
            tokens.append(Token("string" if is_quoted else kind, token_text, at, starts_line))
            starts_line = False
            if len(tokens) > MOST_WORDS:
                raise ReadingError(f"The code has more than {MOST_WORDS:,} words and signs: paste the call alone.")
        at = match.end()
    return [*tokens, Token("end", "", len(source), starts_line=True)]


def _template(source: str, start: int, starts_line: bool) -> tuple[Token, int]:
    """A template literal; the braces and templates inside its `${…}` belong to it."""
    at = start + 1
    nesting: list[str] = ["`"]
    computed = False
    while nesting:
        match = IN_TEMPLATE.match(source, at)
        if match is None:
            return Token("template", source[start + 1 :], start, starts_line), len(source)
        at, mark = match.end(), match.group()
        if mark == "`":
            if nesting[-1] == "`":
                nesting.pop()
            else:
                nesting.append("`")
        elif mark == "${" and nesting[-1] == "`":
            computed = True
            nesting.append("{")
        elif mark == "{" and nesting[-1] == "{":
            nesting.append("{")
        elif mark == "}" and nesting[-1] == "{":
            nesting.pop()
    text = source[start + 1 : at - 1].replace("\r\n", "\n")
    token = (
        Token("template", text, start, starts_line)
        if computed
        else Token("string", unescaped(text), start, starts_line)
    )
    return token, at


def matching(tokens: list[Token]) -> dict[int, int]:
    """Return for each opening bracket the index of the one that closes it; one that nothing closes goes to the end."""
    pairs: dict[int, int] = {}
    open_ones: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        if token.text in "([{":
            open_ones.append(index)
        elif token.text in ")]}":
            # Brackets that do not match are passed over, as far as one further out does.
            for back in range(len(open_ones) - 1, max(len(open_ones) - 4, -1), -1):
                if CLOSING[tokens[open_ones[back]].text] == token.text:
                    pairs[open_ones[back]] = index
                    del open_ones[back:]
                    break
    end = len(tokens) - 1
    return pairs | {index: end for index in range(len(tokens)) if tokens[index].text in CLOSING and index not in pairs}


def unescaped(text: str) -> str:
    """The text that a string literal means; halves of one character that stand together become that character."""
    if "\\" not in text:
        return text
    plain = ESCAPE.sub(_character, text)
    return PAIR.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), plain)


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits:
        return chr(min(int(digits, 16), 0x10FFFF))
    if match[4]:
        return ""
    return SHORT.get(match[5], match[5])


def end_of_braces(text: str, at: int) -> int:
    """Return the index behind the brace that closes the one before `at`."""
    depth = 1
    for match in BRACE.finditer(text, at):
        depth += 1 if match.group() == "{" else -1
        if not depth:
            return match.end()
    return len(text)
