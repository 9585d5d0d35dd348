"""Reading a POSIX shell script into simple commands, without running any of it.

What can be known without running is followed: variables that are assigned, files that a here-document writes, and the
output of `cat`, `echo` and `printf`. One pass over the text, in time proportional to its length.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from playground.protocol.importers.jq_filter import jq_output
from playground.protocol.importers.result import MOST_WORDS, ReadingError, position
from playground.protocol.importers.shell_parts import PIPED, Command, HereDocument, Word

ANSI_C = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b"}
ANSI_C_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL
)
ANSI_C_TEXT = re.compile(r"(?:[^'\\]++|\\.)*+'", re.DOTALL)
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|\{[^}]{0,200}\}|[@*#?$!-])")
BARE = re.compile(r"[^\s|;&<>()'\"\\$`]+")
IN_DOUBLE_QUOTES = re.compile(r'[^"\\$`]+')
CONTINUED_LINE = re.compile(r"\\\r?\n")
SEPARATOR = re.compile(r"\|\||&&|[\n|;&()]")
REDIRECT = re.compile(r"<<<|<<-?|\d*[<>]&?>?\|?")
ASSIGNMENT = re.compile(r"(?:export|local|declare|readonly|set)?\b\s*([A-Za-z_]\w*)=")
ARRAY = re.compile(r"[A-Za-z_]\w*\+?=")
ALL_OF = re.compile(r"\$\{(\w+)\[[@*]\]\}")
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
DEEPEST = 20  # commands within commands
# Words that may come before the name of a command.
BEFORE_A_COMMAND = frozenset(["then", "do", "else", "if", "while", "until", "time", "exec", "!", "{"])


class ShellReader:
    """Reads `source` command by command, from `at` on. `files` are the files that its commands wrote.

    `count` is how many words were read of the text before: there is one bound for all attempts at it.
    """

    def __init__(self, source: str, at: int = 0, *, count: int = 0) -> None:
        self.source = source
        self.at = at
        self.variables: dict[str, Word] = {}
        self.files: dict[str, Word] = {}
        self.arrays: dict[str, list[Word]] = {}
        self.count = count
        self.depth = 0

    def commands(self, *, inside: bool = False) -> Iterator[Command]:
        """The simple commands in order; those inside `$(…)` first. Stops after the closing bracket when `inside`.

        Raises ReadingError when a quote or a here-document does not end.
        """
        brackets = 0
        command = Command()
        chain: list[Command] = []  # a pipe, and whatever waits for the end of the line with it
        waiting: list[HereDocument] = []
        while self.at < len(self.source):
            character = self.source[self.at]
            if self._skipped(character):
                continue
            if character == "(" and command.words and ARRAY.fullmatch(command.words[-1].text):
                yield from self._array(command)
            elif match := SEPARATOR.match(self.source, self.at):
                self.at = match.end()
                self._count()
                brackets += {"(": 1, ")": -1}.get(character, 0)
                if character == "\n":
                    waiting = self._read_here_documents(waiting)
                    if not command.words and command.stdin is PIPED:
                        continue
                chain.append(command)
                command = Command(stdin=PIPED if match.group() == "|" else None)
                if match.group() != "|" and not waiting:
                    yield from self._completed(chain)
                    chain = []
                if inside and brackets < 0:
                    return
            elif (match := REDIRECT.match(self.source, self.at)) and not self.source.startswith("<(", self.at):
                self.at = match.end()
                self._redirect(match.group(), command, waiting)
            else:
                yield from self._word_of(command)
        self._check_end(waiting, inside)
        yield from self._completed([*chain, command])

    def _skipped(self, character: str) -> bool:
        """Step over a space, a line that goes on, or a comment; whether there was one."""
        if character != "\n" and character.isspace():
            self.at += 1
        elif match := CONTINUED_LINE.match(self.source, self.at):
            self.at = match.end()
        elif character == "#":
            end = self.source.find("\n", self.at)
            self.at = len(self.source) if end < 0 else end
        else:
            return False
        return True

    def _array(self, command: Command) -> Iterator[Command]:
        """The items of `name=(…)`."""
        self.at += 1
        items = Command()
        while self.at < len(self.source) and self.source[self.at] != ")":
            if self.source[self.at].isspace():
                self.at += 1
            elif self.source[self.at] == "#":
                self.at = (self.source.find("\n", self.at) + 1) or len(self.source)
            elif match := CONTINUED_LINE.match(self.source, self.at):
                self.at = match.end()
            elif self.source[self.at] in "|;&<>(":
                self.at += 1
            else:
                yield from self._word_of(items)
        self.at += 1
        name, is_more = command.words.pop().text.rstrip("="), False
        name, is_more = name.removesuffix("+"), name.endswith("+")
        self.arrays[name] = [*(self.arrays.get(name, []) if is_more else []), *items.words]

    def _with_arrays(self, words: list[Word]) -> list[Word]:
        """The words, with the items of an array in the place of its `"${name[@]}"`."""
        if not self.arrays:
            return words
        named = [(word, ALL_OF.fullmatch(word.text)) for word in words]
        return [item for word, match in named for item in (self.arrays.get(match[1], [word]) if match else [word])]

    def _read_here_documents(self, waiting: list[HereDocument]) -> list[HereDocument]:
        """Give their texts to the commands that wait for one; none waits any more."""
        for document in waiting:
            document.owner.stdin = self._here_document(document)
        return []

    def _check_end(self, waiting: list[HereDocument], inside: bool) -> None:
        if waiting:
            raise self._fault(f"The here-document {waiting[0].delimiter} has no text.", self.at)
        if inside:
            raise self._fault("A command in the text is not closed.", self.at)

    def _completed(self, commands: list[Command]) -> Iterator[Command]:
        """Yield the commands that have words, each with the output of the one before it where that was piped in."""
        previous: Command | None = None
        for command in commands:
            if command.stdin is PIPED:
                output = output_of(previous, self.files) if previous else None
                command.stdin = output or Word("", 0, list(PIPED.expansions))
            previous = command
            command.words = self._with_arrays(command.words)
            if command.words:
                self._remember(command)
                yield command

    def _remember(self, command: Command) -> None:
        if command.writes_to and (output := output_of(command, self.files)):
            self.files[command.writes_to] = output
        if command.words[0].text == "read" and command.stdin is not None and len(command.words) > 1:
            self.variables[command.words[-1].text] = command.stdin
        if command.words[0].text == "set":  # as fish assigns
            plain = [word for word in command.words[1:] if not word.text.startswith("-")]
            if len(plain) == 2:
                self.variables[plain[0].text] = plain[1]
        for word in command.words:
            match = ASSIGNMENT.match(word.text)
            if match and self.source.startswith(match[1], word.offset):
                self.variables[match[1]] = Word(word.text[match.end() :], word.offset, word.expansions)
            elif word.text not in ("export", "local", "declare", "readonly"):
                break

    def _redirect(self, operator: str, command: Command, waiting: list[HereDocument]) -> None:
        while self.source[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        start = self.at
        holder = Command()
        for _ in self._word_of(holder):
            pass
        word = holder.words[0]
        if operator == "<<<":
            command.stdin = word
        elif operator in ("<<", "<<-"):
            is_quoted = any(mark in self.source[start : self.at] for mark in "'\"\\")
            waiting.append(HereDocument(command, word.text, is_quoted, operator == "<<-"))
        elif operator.startswith("<"):
            command.stdin = self.files.get(word.text) or Word("", start, [f"< {word.text}"])
        elif operator in (">", "1>", ">|"):
            command.writes_to = word.text

    def _count(self) -> None:
        self.count += 1
        if self.count > MOST_WORDS:
            raise ReadingError(f"The text has more than {MOST_WORDS:,} words: paste the one command.")

    def _fault(self, message: str, offset: int) -> ReadingError:
        return ReadingError(message, *position(self.source, offset))

    # --- words -------------------------------------------------------------------------------------------------------

    def _word_of(self, command: Command) -> Iterator[Command]:
        """Read one word into `command`; yields the commands that stand inside it."""
        self._count()
        word = Word("", self.at)
        parts: list[str] = []
        while self.at < len(self.source):
            start, character = self.at, self.source[self.at]
            if match := BARE.match(self.source, start):
                parts.append(match.group())
                self.at = match.end()
            elif character == "'":
                end = self.source.find("'", start + 1)
                if end < 0:
                    raise self._fault("A single quote is not closed.", start)
                parts.append(self.source[start + 1 : end])
                self.at = end + 1
            elif self.source.startswith("$'", start):
                parts.append(self._ansi_c())
            elif character == '"' or self.source.startswith('$"', start):
                self.at = self.source.index('"', start) + 1
                yield from self._double_quoted(word, parts)
            elif character == "\\":
                following = self.source[start + 1 : start + 2]
                parts.append("" if following == "\n" else following)
                self.at += 2
            elif character in "$`":
                yield from self._expansion(word, parts)
            elif self.source.startswith("<(", start):
                known = yield from self._substitution()
                self.files[f"/dev/fd/{start}"] = known or Word("", start, [self.source[start : self.at]])
                parts.append(f"/dev/fd/{start}")
            else:
                break
        word.text = "".join(parts)
        command.words.append(word)

    def _double_quoted(self, word: Word, parts: list[str]) -> Iterator[Command]:
        start = self.at - 1
        while self.at < len(self.source):
            character = self.source[self.at]
            if match := IN_DOUBLE_QUOTES.match(self.source, self.at):
                parts.append(match.group())
                self.at = match.end()
            elif character == '"':
                self.at += 1
                return
            elif character == "\\":
                following = self.source[self.at + 1 : self.at + 2]
                parts.append(following.replace("\n", "") if following in ("$", "`", '"', "\\", "\n") else "\\")
                self.at += 2 if following in ("$", "`", '"', "\\", "\n") else 1
            else:
                yield from self._expansion(word, parts)
        raise self._fault("A double quote is not closed.", start)

    def _expansion(self, word: Word, parts: list[str]) -> Iterator[Command]:
        """A `$variable`, `$(command)` or `` `command` ``: its value when it is known; a lone dollar is itself."""
        start = self.at
        known: Word | None = None
        if self.source.startswith("$((", start) and (end := self.source.find("))", start, start + 200)) > 0:
            self.at = end + 2
        elif self.source.startswith("$(", start):
            known = yield from self._substitution()
        elif self.source[start] == "`":
            end = self.source.find("`", start + 1)
            if end < 0:
                raise self._fault("A command in the text is not closed.", start)
            self.at = end + 1
            if "curl" in self.source[start:end]:
                yield from ShellReader(self.source[start + 1 : end]).commands()
        elif match := VARIABLE.match(self.source, start):
            self.at = match.end()
            known = self.variables.get(match[1] or match[2] or "")
        else:
            self.at += 1
            parts.append("$")
            return
        if known is not None:
            parts.append(known.text)
            word.expansions += known.expansions
        else:
            parts.append(self.source[start : self.at])
            word.expansions.append(self.source[start : self.at])

    def _substitution(self) -> Generator[Command, None, Word | None]:
        """Step over `$(…)`, yielding its commands; returns what they print, when that is known."""
        start = self.at
        self.at += 2
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault(f"Commands nest more than {DEEPEST} deep.", start)
        last: Command | None = None
        for last in self.commands(inside=True):
            yield last
        self.depth -= 1
        output = output_of(last, self.files) if last else None
        if output is None:
            return None
        return Word(output.text.rstrip("\n"), output.offset, output.expansions)

    def _ansi_c(self) -> str:
        """The text of `$'…'`, as browsers write it when they copy a request."""
        match = ANSI_C_TEXT.match(self.source, self.at + 2)
        if match is None:
            raise self._fault("A quote is not closed.", self.at)
        self.at = match.end()
        plain = ANSI_C_ESCAPE.sub(_ansi_c_character, match.group()[:-1])
        # Characters beyond U+FFFF are written as two halves by some browsers.
        return PAIR.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), plain)

    def _here_document(self, document: HereDocument) -> Word:
        start = self.at
        lines: list[str] = []
        while self.at < len(self.source):
            end = self.source.find("\n", self.at)
            end = len(self.source) if end < 0 else end
            line = self.source[self.at : end].removesuffix("\r")
            line = line.lstrip("\t") if document.is_indented else line
            self.at = end + 1
            if line == document.delimiter:
                text = "".join(f"{line}\n" for line in lines)
                return Word(text, start) if document.is_quoted else self._expanded(text, start)
            lines.append(line)
        raise self._fault(f"The here-document {document.delimiter} is not closed.", start)

    def _expanded(self, text: str, offset: int) -> Word:
        """The text of an unquoted here-document: escapes are undone, known variables are filled in."""
        reader = ShellReader(text)
        reader.variables, reader.files, reader.depth = self.variables, self.files, self.depth
        word, parts = Word("", offset), []
        while reader.at < len(text):
            match = re.compile(r"[^\\$`]+").match(text, reader.at)
            if match:
                parts.append(match.group())
                reader.at = match.end()
            elif text[reader.at] == "\\":
                following = text[reader.at + 1 : reader.at + 2]
                parts.append(following.replace("\n", "") if following in ("$", "`", "\\", "\n") else "\\")
                reader.at += 2 if following in ("$", "`", "\\", "\n") else 1
            else:
                for _ in reader._expansion(word, parts):
                    pass
        word.text = "".join(parts)
        return word


def _ansi_c_character(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits or match[4]:
        return chr(min(int(digits, 16) if digits else int(match[4], 8), 0x10FFFF))
    return ANSI_C.get(match[5], match[5])


def output_of(command: Command, files: dict[str, Word]) -> Word | None:
    """Return what the command prints, when that can be told without running it."""
    words = command.words
    while words and (words[0].text in BEFORE_A_COMMAND or words[0].text == "sudo"):
        words = words[1:]
    if not words:
        return None
    name, arguments = words[0].text, words[1:]
    plain = [word for word in arguments if not word.text.startswith("-") or word.text == "-"]
    if name in ("cat", "tee", "jq") and (not plain or plain[0].text in ("-", ".") or name == "tee"):
        return command.stdin
    if name == "cat":
        return files.get(plain[0].text)
    if name == "jq":
        printed = jq_output([word.text for word in arguments], {name: word.text for name, word in files.items()})
        expansions = [one for word in arguments for one in word.expansions]
        return None if printed is None else Word(printed, words[0].offset, expansions)
    if name == "echo":
        flags = [word.text for word in arguments if re.fullmatch("-[neE]+", word.text)]
        text = " ".join(word.text for word in arguments[len(flags) :])
        if any("e" in flag for flag in flags):
            text = ANSI_C_ESCAPE.sub(_ansi_c_character, text)
        return Word(text, words[0].offset, [one for word in arguments for one in word.expansions])
    if name == "printf" and plain:
        return _printed(plain)
    return None


def _printed(arguments: list[Word]) -> Word:
    values = [word.text for word in arguments[1:]]
    expansions = [one for word in arguments for one in word.expansions]
    form = ANSI_C_ESCAPE.sub(_ansi_c_character, arguments[0].text)
    text = re.sub("%[sb%]", lambda match: "%" if match[0] == "%%" else values.pop(0) if values else "", form)
    return Word(text, arguments[0].offset, expansions)
