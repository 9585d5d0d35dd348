"""The strings of Ruby, PHP, Go, Java and C# programs, in order, in time proportional to the program's length."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playground.protocol.importers.javascript_tokens import unescaped
from playground.protocol.importers.result import MOST_WORDS, ReadingError


@dataclass(slots=True)
class Text:
    """One string of the program, and where it stands there; `before` is the code since the one before."""

    text: str
    start: int
    end: int
    before: str = ""


def _single(text: str) -> str:
    """Single quotes of Ruby and PHP: only the backslash and the quote mean something in them."""
    return re.sub(r"\\([\\'])", r"\1", text)


def _as_it_is(text: str) -> str:
    return text


def _java_block(text: str) -> str:
    lines = text.split("\n")
    indent = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
    stripped = "\n".join(line[indent:].rstrip() if line.strip() else "" for line in lines)
    # Two escapes are the block's own: a line that goes on, and a space that is not stripped.
    return unescaped(re.sub(r"\\(.)", _of_a_block, stripped, flags=re.DOTALL))


def _of_a_block(escape: re.Match[str]) -> str:
    return {"\n": "", "s": " "}.get(escape[1], escape[0])


# One pattern for each way to write a string, its text in the group `t`; what does not end goes to the end of the text.
Way = tuple[re.Pattern[str], Callable[[str], str]]
DOUBLE: Way = (re.compile(r'"(?P<t>(?:[^"\\]++|\\.)*+)(?:"|\\?\Z)', re.DOTALL), unescaped)
SINGLE: Way = (re.compile(r"'(?P<t>(?:[^'\\]++|\\.)*+)(?:'|\\?\Z)", re.DOTALL), _single)
BACKQUOTED: Way = (re.compile(r"`(?P<t>[^`]*+)(?:`|\Z)"), _as_it_is)
VERBATIM: Way = (re.compile(r'\$?@\$?"(?P<t>(?:[^"]++|"")*+)(?:"|\Z)'), lambda text: text.replace('""', '"'))
TEXT_BLOCK: Way = (re.compile(r'"""[ \t]*\n(?P<t>(?:[^"\\]++|\\.|"(?!""))*+)(?:"""|\\?\Z)', re.DOTALL), _java_block)
QUOTES: Way = (re.compile(r'"{3,}+(?P<t>)'), _as_it_is)  # a row of quotes that opens nothing
LINE_COMMENT = re.compile(r"//[^\n]*|/\*(?s:.*?)(?:\*/|\Z)")
HASH_COMMENT = re.compile(r"#(?![{\[])[^\n]*|/\*(?s:.*?)(?:\*/|\Z)|//[^\n]*")
RUBY_COMMENT = re.compile(r"(?<![\w$&'\"])#(?!\{)[^\n]*")
# What opens a here-document; the first group is the tag of one in which nothing is escaped.
RUBY_HERE = re.compile(r"<<[~-]?(?:'(\w+)'|\"?([A-Z]\w*)\"?)[^\n]*\n")
PHP_HERE = re.compile(r"<<<(?:'(\w+)'|\"?(\w+)\"?)[ \t]*\n")
CSHARP_HERE = re.compile(r'("{3,}+)[ \t]*\n')
LAST_LINE = re.compile(r'^[ \t]*(\w++|"{3,}+)', re.MULTILINE)
# For each language its comments, its here-documents, and the other ways to write a string.
LANGUAGES: dict[str, tuple[re.Pattern[str], re.Pattern[str] | None, tuple[Way, ...]]] = {
    "ruby": (RUBY_COMMENT, RUBY_HERE, (DOUBLE, SINGLE)),
    "php": (HASH_COMMENT, PHP_HERE, (DOUBLE, SINGLE)),
    "go": (LINE_COMMENT, None, (BACKQUOTED, DOUBLE)),
    "java": (LINE_COMMENT, None, (TEXT_BLOCK, DOUBLE)),
    "csharp": (LINE_COMMENT, CSHARP_HERE, (QUOTES, VERBATIM, DOUBLE)),
}
STARTS = re.compile(r"[\"'`@$<#/]")


def texts_of(source: str, language: str) -> Iterator[Text]:
    """Every string of the program; one that does not end goes to the end of the text."""
    comment, here, ways = LANGUAGES[language]
    last_lines = _last_lines(source) if here else {}
    at = count = end = 0
    while start := STARTS.search(source, at):
        at = start.start()
        if match := comment.match(source, at):
            at = match.end()
            continue
        text = _here_document(source, at, here, last_lines) if here else None
        for pattern, meaning in ways if text is None else ():
            if match := pattern.match(source, at):
                text = Text(meaning(match["t"]), at, match.end())
                break
        if text is None:
            at += 1
            continue
        text.before = source[end:at][-40:]
        yield text
        at = end = text.end
        count += 1
        if count > MOST_WORDS:
            raise ReadingError(f"The code has more than {MOST_WORDS:,} strings: paste the request alone.")


def _last_lines(source: str) -> dict[str, list[int]]:
    """Return where lines begin with a word or a row of quotes that may end a here-document."""
    lines: dict[str, list[int]] = {}
    for match in LAST_LINE.finditer(source):
        lines.setdefault(match[1], []).append(match.start())
    return lines


def _here_document(source: str, at: int, opening: re.Pattern[str], last_lines: dict[str, list[int]]) -> Text | None:
    match = opening.match(source, at)
    if match is None:
        return None
    tag = next(group for group in match.groups() if group is not None)
    starts = last_lines.get(tag, [])
    index = bisect_left(starts, match.end())
    if index == len(starts):
        return None
    text = textwrap.dedent(source[match.end() : max(starts[index] - 1, match.end())])
    is_raw = match.group(1) is not None
    last = LAST_LINE.match(source, starts[index])
    return Text(text if is_raw else unescaped(text), at, last.end() if last else starts[index])
