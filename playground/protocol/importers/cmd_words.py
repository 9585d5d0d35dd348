"""curl commands for the Windows command prompt: its carets and quotes, then the rules of the C runtime's arguments.

Chrome, Edge and Firefox copy requests so. Commands that people write by hand often leave a backslash out, as in
`\\"a \\"word\\" b\\"`; they are read a second time by what they mean.
"""

from __future__ import annotations

import re

from playground.protocol.importers.curl import CURL, CurlCommand
from playground.protocol.importers.result import ReadingError, RequestParts
from playground.protocol.importers.shell_parts import Word
from playground.protocol.json import json_text

IS_CMD = re.compile(r"\^\"|\^[ \t]*\r?\n|\"\"|^[A-Za-z]:\\[^\n>]*>", re.MULTILINE)
SET = re.compile(r"^[ \t]*@?set[ \t]+\"?(\w+)=([^\"\r\n]*)", re.MULTILINE | re.IGNORECASE)
VARIABLE = re.compile(r"%(\w+)%")
CARET = re.compile(r"\^(\r?\n(?:\r?\n)?|.)", re.DOTALL)


def looks_like_cmd(pasted: str) -> bool:
    return bool(CURL.search(pasted) and IS_CMD.search(pasted))


def read_cmd(pasted: str) -> list[RequestParts]:
    """The request of the first curl command. Raises ReadingError when neither way of reading gives a JSON body."""
    match = CURL.search(pasted)
    if match is None:
        raise ReadingError("There is no curl command in the text.")
    source = _with_variables(pasted[match.end() :], pasted[: match.start()])
    first: list[RequestParts] | None = None
    problem: ReadingError | None = None
    for words in (_argument_words(_without_carets(source)), _plain_words(_without_carets(source))):
        try:
            requests = CurlCommand([Word(text, match.start()) for text in words], None, {}, pasted).requests()
        except ReadingError as error:
            problem = problem or error
            continue
        if any(request.body is not None and json_text.try_parse(str(request.body)) is not None for request in requests):
            return requests
        first = first or requests
    if first and any(request.body is not None for request in first):
        return first
    raise problem or ReadingError("The curl command has no body: it needs -d, --data or --json.")


def _with_variables(source: str, before: str) -> str:
    """`%NAME%`, where a line before the command has `set NAME=value`."""
    known = {match[1].lower(): match[2] for match in SET.finditer(before)}
    return VARIABLE.sub(lambda match: known.get(match[1].lower(), match[0]), source) if known else source


def _without_carets(source: str) -> str:
    """The command line behind the prompt's own escapes. A caret in quotes is a caret, except before a line's end."""
    if '^"' in source:
        text = CARET.sub(_caret, source)
    else:
        text = re.sub(r"\"\^\r?\n\r?\n\"", "\n", source)  # how Firefox puts a line break into a value
        text = re.sub(r"\^[ \t]*\r?\n", " ", text)
    return text


def _caret(match: re.Match[str]) -> str:
    if match[1][0] in "\r\n":
        return "\n" if match[1].count("\n") == 2 else " "
    return match[1]


ARGUMENT = re.compile(r'(?P<slashes>\\+)|(?P<quote>")|(?P<space>[ \t\r\n]+)|(?P<text>[^\\" \t\r\n]+)')


def _argument_words(line: str) -> list[str]:
    """Split a command line as the Microsoft C runtime does; a line break outside of quotes ends it."""
    words: list[str] = []
    parts: list[str] = []
    is_quoted = has_word = False
    at = 0
    while match := ARGUMENT.match(line, at):
        at = match.end()
        if match["slashes"]:
            count = len(match["slashes"])
            if line[at : at + 1] == '"':
                parts.append("\\" * (count // 2) + ('"' if count % 2 else ""))
                at += count % 2
            else:
                parts.append(match["slashes"])
            has_word = True
        elif match["quote"]:
            has_word = True
            if is_quoted and line[at : at + 1] == '"':
                parts.append('"')
                at += 1
            else:
                is_quoted = not is_quoted
        elif match["space"] and not is_quoted:
            if has_word:
                words.append("".join(parts))
            parts, has_word = [], False
            if "\n" in match["space"]:
                break
        else:
            parts.append(match.group())
            has_word = True
    return [*words, "".join(parts)] if has_word else words


PLAIN_WORD = re.compile(r'"((?:[^"\\]++|\\"|\\)*+)(?:"|\Z)|\'([^\']*+)(?:\'|\Z)|([^\s"\']+)')


def _plain_words(line: str) -> list[str]:
    r"""Each `\"` is a quote and every other backslash itself: how it looks to whoever wrote only that escape."""
    return [
        match[1].replace('\\"', '"') if match[1] is not None else match[2] or match[3] or ""
        for match in PLAIN_WORD.finditer(line)
    ]
