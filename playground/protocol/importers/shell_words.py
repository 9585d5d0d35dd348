"""Reading a POSIX shell command line into words, without running any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playground.protocol.importers.found import ReadingError, position

ANSI_C = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}
VARIABLE = re.compile(r"\$(\w+|\{[^}]*\}|[@*#?$!-])")


@dataclass(slots=True)
class Word:
    """One word; `expansions` are the variables and commands in it, left as they were written."""

    text: str
    offset: int
    expansions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Command:
    """The words of one simple command and what it reads on standard input."""

    words: list[Word]
    stdin: Word | None = None


class ShellReader:
    """Reads `source` command by command."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def commands(self) -> list[Command]:
        """All simple commands, in order. Raises ReadingError when a quote or a here-document does not end."""
        found: list[Command] = []
        command = Command([])
        waiting: list[tuple[Command, str, bool, bool]] = []
        while self.at < len(self.source):
            character = self.source[self.at]
            if character in " \t\r":
                self.at += 1
            elif self.source.startswith(("\\\n", "\\\r\n"), self.at):
                self.at = self.source.index("\n", self.at) + 1
            elif character == "#":
                self._skip_comment()
            elif character == "\n":
                self.at += 1
                for owner, delimiter, quoted, dash in waiting:
                    owner.stdin = self._here_document(delimiter, quoted=quoted, dash=dash)
                waiting = []
                found.append(command)
                command = Command([])
            elif character in "|;&()":
                self.at += 1
                found.append(command)
                command = Command([])
            elif match := re.compile(r"<<<|<<-?|\d*[<>]&?>?").match(self.source, self.at):
                self.at = match.end()
                self._redirect(match.group(), command, waiting)
            else:
                command.words.append(self._word())
        if waiting:
            raise ReadingError(f"The here-document {waiting[0][1]} has no text.", *position(self.source, self.at))
        return [one for one in [*found, command] if one.words]

    def _redirect(self, operator: str, command: Command, waiting: list[tuple[Command, str, bool, bool]]) -> None:
        self._skip_blanks()
        start = self.at
        word = self._word()
        if operator == "<<<":
            command.stdin = word
        elif operator in ("<<", "<<-"):
            quoted = any(mark in self.source[start : self.at] for mark in "'\"\\")
            waiting.append((command, word.text, quoted, operator == "<<-"))
        elif operator.startswith("<"):
            command.stdin = Word("", start, [f"< {word.text}"])

    def _skip_blanks(self) -> None:
        while self.at < len(self.source) and self.source[self.at] in " \t":
            self.at += 1

    def _skip_comment(self) -> None:
        end = self.source.find("\n", self.at)
        self.at = len(self.source) if end < 0 else end

    def _word(self) -> Word:
        word = Word("", self.at)
        parts: list[str] = []
        while self.at < len(self.source) and self.source[self.at] not in " \t\r\n|;&<>()":
            character = self.source[self.at]
            if character == "'":
                parts.append(self._until_single_quote())
            elif self.source.startswith("$'", self.at):
                self.at += 1
                parts.append(self._ansi_c())
            elif character == '"' or self.source.startswith('$"', self.at):
                self.at = self.source.index('"', self.at) + 1
                parts.append(self._double_quoted(word))
            elif character == "\\":
                following = self.source[self.at + 1 : self.at + 2]
                parts.append("" if following == "\n" else following)
                self.at += 2
            elif character in "$`":
                parts.append(self._expansion(word))
            else:
                parts.append(character)
                self.at += 1
        word.text = "".join(parts)
        return word

    def _unended(self, what: str, start: int) -> ReadingError:
        return ReadingError(f"{what} is not closed.", *position(self.source, start))

    def _until_single_quote(self) -> str:
        start, end = self.at, self.source.find("'", self.at + 1)
        if end < 0:
            raise self._unended("A single quote", start)
        self.at = end + 1
        return self.source[start + 1 : end]

    def _double_quoted(self, word: Word) -> str:
        start = self.at - 1
        parts: list[str] = []
        while self.at < len(self.source):
            character = self.source[self.at]
            if character == '"':
                self.at += 1
                return "".join(parts)
            if character == "\\" and self.source[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                parts.append(self.source[self.at + 1].replace("\n", ""))
                self.at += 2
            elif character in "$`":
                parts.append(self._expansion(word))
            else:
                parts.append(character)
                self.at += 1
        raise self._unended("A double quote", start)

    def _expansion(self, word: Word) -> str:
        """A `$variable`, `$(command)` or `` `command` ``, kept as written and noted; a lone dollar is itself."""
        start = self.at
        if self.source.startswith("$(", start) or self.source[start] == "`":
            end = self._end_of_command(start)
        elif match := VARIABLE.match(self.source, start):
            end = match.end()
        else:
            self.at += 1
            return "$"
        self.at = end
        word.expansions.append(self.source[start:end])
        return self.source[start:end]

    def _end_of_command(self, start: int) -> int:
        if self.source[start] == "`":
            end = self.source.find("`", start + 1) + 1
        else:
            depth, end = 0, 0
            for offset in range(start + 1, len(self.source)):
                depth += {"(": 1, ")": -1}.get(self.source[offset], 0)
                if not depth:
                    end = offset + 1
                    break
        if not end:
            raise self._unended("A command in the text", start)
        return end

    def _ansi_c(self) -> str:
        """The text of `$'…'`, as browsers write it when they copy a request."""
        start = self.at
        parts: list[str] = []
        self.at += 1
        while self.at < len(self.source):
            character = self.source[self.at]
            self.at += 1
            if character == "'":
                # Characters beyond U+FFFF are written as two halves by some browsers.
                return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
            if character != "\\":
                parts.append(character)
                continue
            match = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})").match(
                self.source, self.at
            )
            if match:
                self.at = match.end()
                digits, octal = match[1] or match[2] or match[3], match[4]
                parts.append(chr(min(int(octal, 8) if octal else int(digits, 16), 0x10FFFF)))
            else:
                following = self.source[self.at : self.at + 1]
                parts.append(ANSI_C.get(following, following))
                self.at += 1
        raise self._unended("A quote", start)

    def _here_document(self, delimiter: str, *, quoted: bool, dash: bool) -> Word:
        start = self.at
        lines: list[str] = []
        while self.at < len(self.source):
            end = self.source.find("\n", self.at)
            end = len(self.source) if end < 0 else end
            line = self.source[self.at : end].removesuffix("\r")
            line = line.lstrip("\t") if dash else line
            self.at = end + 1
            if line == delimiter:
                text = "".join(f"{line}\n" for line in lines)
                return Word(text, start) if quoted else _expanded(text, start)
            lines.append(line)
        raise self._unended(f"The here-document {delimiter}", start)


def _expanded(text: str, offset: int) -> Word:
    """The text of an unquoted here-document: three escapes are undone, variables and commands stay as written."""
    reader = ShellReader(text)
    word, parts = Word("", offset), []
    while reader.at < len(text):
        character = text[reader.at]
        if character == "\\" and text[reader.at + 1 : reader.at + 2] in ("$", "`", "\\", "\n"):
            parts.append(text[reader.at + 1].replace("\n", ""))
            reader.at += 2
        elif character in "$`":
            parts.append(reader._expansion(word))
        else:
            parts.append(character)
            reader.at += 1
    word.text = "".join(parts)
    return word
