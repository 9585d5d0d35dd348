"""PowerShell: Invoke-WebRequest and Invoke-RestMethod as browsers copy them and people write them, and curl.exe."""

from __future__ import annotations

import re
from typing import Any

from playground.protocol.importers.curl import CurlCommand
from playground.protocol.importers.result import (
    MOST_WORDS,
    JsonOf,
    ReadingError,
    RequestParts,
    Unknown,
    pairs,
    position,
    shortened,
)
from playground.protocol.importers.shell_parts import Word
from playground.protocol.json import json_text

COMMAND = re.compile(r"(?<![\w-])(Invoke-WebRequest|Invoke-RestMethod|iwr|irm|curl\.exe|curl)(?![\w-])", re.IGNORECASE)
IS_POWERSHELL = re.compile(
    r"\bInvoke-(WebRequest|RestMethod)\b|(?<![\w-])(iwr|irm)\s+[-\"'$@h]|^PS [A-Z]:\\|\bcurl\.exe\b[^\n]*`\r?$|"
    r"\bcurl\.exe\b[^\n]* '|^[ \t]*\$\w+[ \t]*=[ \t]*[@'\"\[({]|'[ \t]*\|[ \t]*curl\.exe\b",
    re.IGNORECASE | re.MULTILINE,
)
SPACE = re.compile(r"(?:[ \t]|`\r?\n)+")
BLANK = re.compile(r"(?:\s|`\r?\n|#[^\n]*|;)+")
END_OF_HERE_STRING = re.compile(r"\n[ \t]*(['\"])@")
HERE_STRING = re.compile(r"@(['\"])[ \t]*\r?\n(.*?)\r?\n[ \t]*\1@", re.DOTALL)
SINGLE = re.compile(r"'((?:[^']|'')*+)'")
DOUBLE = re.compile(r'"((?:[^"`]|`.|"")*+)"', re.DOTALL)
VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>(?:env:)?\w+)\}|(?P<name>(?:env:)?\w+))(?P<members>(?:\.\w+)*)", re.IGNORECASE
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?![\w.])")
BAREWORD = re.compile(r"[^\s;|&(){}'\"`,@#$][^\s;|&(){}'\"`,]*")
ASSIGNMENT = re.compile(r"\$(\w+)((?:\.\w+|\[['\"][^'\"\n]{1,100}['\"]\])?)[ \t]*(\+?=)(?!=)")
ADD = re.compile(r"\$(\w+)(?:\.Headers)?\.Add\(", re.IGNORECASE)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0", "e": "\x1b"}
IN_DOUBLE = re.compile(
    r"`(.)|\"\"|\$\(\[char\](0x[0-9a-fA-F]{1,6}|\d{1,7})\)|\$\{(\w+)\}|\$((?:env:)?\w+)|\$\([^()]*\)",
    re.DOTALL | re.IGNORECASE,
)
CONSTANTS = {"true": True, "false": False, "null": None}
PIPE = re.compile(r"[ \t]*\|\s*(?:`\r?\n\s*)?(?=(?:Invoke-|iwr|irm|curl))", re.IGNORECASE)
TO_JSON = re.compile(r"ConvertTo-Json\b", re.IGNORECASE)
OPTIONS = ("uri", "method", "body", "headers", "contenttype")
SLASHES = re.compile(r'(\\*)"')
DEEPEST = 100
ENDS = ("", "\n", "\r", ";", "|", ")", "}")  # what ends a command
SWITCH = re.compile("-[A-Za-z]")
OF_INVOKE = re.compile(r"\s+-(Uri|Method|Body)\b", re.IGNORECASE)
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def read_powershell(pasted: str) -> list[RequestParts]:
    """Every request in the text, in order."""
    return _Reader(pasted).read()


class _Reader:
    """One pass over the text: assignments are remembered, commands read, everything else stepped over."""

    def __init__(self, pasted: str) -> None:
        self.pasted = pasted
        self.at = 0
        self.depth = self.count = 0
        self.variables: dict[str, Any] = {}
        self.requests: list[RequestParts] = []
        self.problem: ReadingError | None = None
        self.piped: Any = None  # a value that goes to the next command
        # Where the last text of each kind ends: no search for an end goes on behind it.
        self.last_end = {match[1]: match.end() for match in END_OF_HERE_STRING.finditer(pasted)}

    def read(self) -> list[RequestParts]:
        while self.at < len(self.pasted):
            self._tick()
            if self._match(BLANK):
                continue
            start = self.at
            try:
                self._statement()
            except ReadingError as error:
                self.problem = self.problem or error
            self.at = max(self.at, start + 1)
        if not self.requests and self.problem:
            raise self.problem
        return self.requests

    def _statement(self) -> None:
        if match := self._match(ASSIGNMENT):
            self._assign(match)
        elif match := self._match(ADD):
            name, value = self._value(), (self._match(re.compile(r"\s*,\s*")), self._value())[1]
            self.variables.setdefault(match[1].lower(), {})
            if isinstance(self.variables[match[1].lower()], dict) and isinstance(name, str):
                self.variables[match[1].lower()][name] = value
        elif match := self._match(COMMAND):
            piped, self.piped = self.piped, None
            if match[1].lower().startswith("curl") and not OF_INVOKE.match(self.pasted, self.at):
                self._curl(piped)
            else:
                self._invoke(piped)
        elif self._here_string() or self._match(SINGLE) or self._match(DOUBLE) or self._match(VARIABLE):
            end, self.at = self.at, self._last.start()
            value = self._term()
            self.at = max(self.at, end)
            self.piped = value if self._match(PIPE) else None
            return
        elif self._match(BAREWORD):
            pass
        elif self.pasted[self.at] in "'\"":
            raise self._unended()

    def _unended(self) -> ReadingError:
        fault = self._fault("A quote is not closed.")
        self.at = len(self.pasted)
        return fault

    def _here_string(self) -> re.Match[str] | None:
        is_ended = self.at < self.last_end.get(self.pasted[self.at + 1 : self.at + 2], 0)
        return self._match(HERE_STRING) if is_ended else None

    def _assign(self, match: re.Match[str]) -> None:
        name, place, sign = match[1].lower(), match[2], match[3]
        self._match(re.compile(r"\s*"))
        command = COMMAND.match(self.pasted, self.at)
        if command:  # $response = Invoke-RestMethod …: read as the next statement
            return
        value = self._pipeline()
        held = self.variables.get(name)
        if place:
            if isinstance(held, dict):
                held[place.strip(".[]'\"")] = value
        elif sign == "+=" and isinstance(held, str) and isinstance(value, str):
            self.variables[name] = held + value
        elif sign == "+=" and isinstance(held, list):
            self.variables[name] = held + (value if isinstance(value, list) else [value])
        else:
            self.variables[name] = value

    # --- commands ----------------------------------------------------------------------------------------------------

    def _invoke(self, piped: Any) -> None:
        options: dict[str, Any] = {}
        while self.at < len(self.pasted):
            self._tick()
            self._match(SPACE)
            if self._match(re.compile(r"#[^\n]*")):
                continue
            if self._match(re.compile(r"-(\w+):?")):
                name = _full_name(self._last[1].lower())
                self._match(SPACE)
                following = self.pasted[self.at : self.at + 1]
                is_switch = following in ENDS or SWITCH.match(self.pasted, self.at) is not None
                options[name] = True if is_switch else self._value()
            elif self._match(re.compile(r"@(\w+)")):
                splat = self.variables.get(self._last[1].lower())
                if isinstance(splat, dict):
                    options |= {_full_name(str(name).lower()): value for name, value in splat.items()}
            elif self.pasted[self.at : self.at + 1] in ENDS:
                break
            else:
                options.setdefault("uri", self._value())
        url = options.get("uri")
        headers = pairs(options.get("headers"))
        if isinstance(options.get("contenttype"), str):
            headers.append(("content-type", options["contenttype"]))
        body = options.get("body", piped)
        self.requests.append(RequestParts(body, url if isinstance(url, str) else None, headers))

    def _curl(self, piped: Any) -> None:
        words: list[Word] = []
        while self.at < len(self.pasted):
            self._tick()
            self._match(SPACE)
            if self.pasted[self.at : self.at + 1] in ("", "\n", "\r", ";", "|"):
                break
            start = self.at
            value = self._value() if self.pasted[start] in "'\"@$(" else self._word()
            words.append(Word(value if isinstance(value, str) else str(value), start))
        stdin = Word(piped, self.at) if isinstance(piped, str) else None
        for request in CurlCommand(words, stdin, {}, self.pasted).requests():
            if isinstance(request.body, str) and json_text.try_parse(request.body) is None:
                # Windows PowerShell leaves it to the writer to put a backslash before each quote.
                request.body = SLASHES.sub(lambda match: "\\" * (len(match[1]) // 2) + '"', request.body)
            self.requests.append(request)

    def _word(self) -> str:
        match = re.compile(r"[^\s;|'\"]+").match(self.pasted, self.at)
        self.at = match.end() if match else self.at + 1
        return match.group() if match else ""

    # --- values ------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self.count += 1
        if self.count > MOST_WORDS:
            raise ReadingError(f"The text has more than {MOST_WORDS:,} words: paste the one command.")

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.pasted, self.at)
        if match:
            self._last = match
            self.at = match.end()
        return match

    def _fault(self, message: str) -> ReadingError:
        return ReadingError(message, *position(self.pasted, self.at))

    def _pipeline(self) -> Any:
        """A value, and what `| ConvertTo-Json` makes of it."""
        items = [self._value()]
        while self._match(re.compile(r"\s*,\s*")):
            items.append(self._value())
        value: Any = items if len(items) > 1 else items[0]
        while self._match(re.compile(r"[ \t]*\|\s*([\w-]+)")):
            name = self._last[1].lower()
            while self._match(re.compile(r"[ \t]+-\w+(?:[ \t]+[\w$]+)?")):
                pass
            value = JsonOf(value) if name == "convertto-json" else value if name.startswith("out-") else Unknown(name)
        return value

    def _value(self) -> Any:
        self._tick()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault("This value nests too deeply.")
        value = self._term()
        while self._match(re.compile(r"[ \t]*\+[ \t]*")):
            other = self._term()
            is_same = type(value) is type(other) and isinstance(value, str | list)
            value = value + other if is_same else Unknown("a sum")
        self.depth -= 1
        return value

    def _term(self) -> Any:
        self._match(SPACE)
        if match := self._here_string():
            return match[2] if match[1] == "'" else self._expanded(match[2])
        if match := self._match(SINGLE):
            return match[1].replace("''", "'")
        if match := self._match(DOUBLE):
            return self._expanded(match[1])
        if self._match(re.compile(r"(?:\[(?:ordered|pscustomobject|hashtable)\]\s*)?@\{", re.IGNORECASE)):
            return self._hash()
        if self._match(re.compile(r"@?\(")):
            is_list = self._last.group() == "@("
            items = self._items(")")
            return items if is_list else items[0] if len(items) == 1 else items
        if match := self._match(re.compile(r"\[[\w.\[\]]+\](?:::\w+(?:\.\w+)*)?")):
            if match.group().startswith("[System.Text.Encoding") or match.group().lower().startswith("[text.encoding"):
                self._match(re.compile(r"\("))
                return self._items(")")[0]
            return self._value()
        if self._match(TO_JSON):
            return self._converted()
        if match := self._match(VARIABLE):
            return self._variable(match)
        if match := self._match(NUMBER):
            return json_text.parse_number(match.group())
        if match := self._match(BAREWORD):
            return match.group()
        raise (
            self._unended() if self.pasted[self.at : self.at + 1] in ("'", '"') else self._fault("A value is missing.")
        )

    def _converted(self) -> Any:
        """`ConvertTo-Json -InputObject $body -Depth 9`."""
        value: Any = Unknown("ConvertTo-Json")
        while self._match(SPACE):
            if self._match(re.compile(r"-(?:Depth|EnumsAsStrings|EscapeHandling)\b[ \t]*\d*", re.IGNORECASE)):
                continue
            if self.pasted[self.at : self.at + 1] in ENDS:
                break
            if not self._match(re.compile(r"-\w+:?")):
                value = JsonOf(self._term())
        return value

    def _variable(self, match: re.Match[str]) -> Any:
        name = (match["braced"] or match["name"]).lower()
        if name in CONSTANTS:
            return CONSTANTS[name]
        value = self.variables.get(name, Unknown(match.group()))
        for member in match["members"].split(".")[1:]:
            value = value.get(member, Unknown(match.group())) if isinstance(value, dict) else Unknown(match.group())
        return value

    def _items(self, closing: str) -> list[Any]:
        items: list[Any] = []
        while not self._match(re.compile(re.escape(closing))):
            if self._match(re.compile(r"[\s,;]+|#[^\n]*")):
                continue
            if self.at >= len(self.pasted):
                raise self._fault(f"{closing} is missing at the end.")
            items.append(self._pipeline_in_brackets())
        return items

    def _pipeline_in_brackets(self) -> Any:
        value = self._value()
        if self._match(re.compile(r"\s*\|\s*ConvertTo-Json[^)\n]*", re.IGNORECASE)):
            return JsonOf(value)
        return value

    def _hash(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not self._match(re.compile(r"\}")):
            if self._match(re.compile(r"[\s;]+|#[^\n]*")):
                continue
            self._tick()
            name = key.group() if (key := self._match(re.compile(r"[\w-]+"))) else self._term()
            if not self._match(re.compile(r"\s*=\s*")):
                raise self._fault("= belongs here.")
            members[name if isinstance(name, str) else str(name)] = self._pipeline()
        return members

    def _expanded(self, text: str) -> str:
        def one(match: re.Match[str]) -> str:
            if match[1]:
                return ESCAPES.get(match[1], match[1])
            if match.group() == '""':
                return '"'
            if match[2]:
                return chr(min(int(match[2], 0), 0x10FFFF))
            value = self.variables.get((match[3] or match[4] or "").lower())
            if isinstance(value, JsonOf):
                return shortened(match.group())
            return value if isinstance(value, str) else match.group()

        text = IN_DOUBLE.sub(one, text)
        return PAIR.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)


def _full_name(name: str) -> str:
    """The option that a shortened name means, as PowerShell takes it."""
    return next((option for option in OPTIONS if option.startswith(name)), name)
