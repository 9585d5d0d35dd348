"""curl commands, as documentation, terminals and browsers write them for a POSIX shell."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from playground.protocol.importers.curl_options import config_words, split_option, takes_argument
from playground.protocol.importers.result import ReadingError, RequestParts, position, shortened
from playground.protocol.importers.shell_parts import Command, Word
from playground.protocol.importers.shell_words import ShellReader
from playground.protocol.json import json_text

CURL = re.compile(r"(?<![\w.\-/])(?:[\w.~/\-]*/)?curl(?:\.exe|ie)?(?=[ \t\r\n\\])")
CURL_NAMES = ("curl", "curl.exe", "curlie")
# Words before which "curl" is what they are about, not a command that is run.
NOT_RUN = frozenset(
    [
        "echo",
        "which",
        "type",
        "man",
        "install",
        "add",
        "brew",
        "apt",
        "apt-get",
        "yum",
        "dnf",
        "apk",
        "pip",
        "choco",
        "winget",
        "printf",
        "grep",
    ]
)
DATA = {
    "--data", "--data-raw", "--data-binary", "--data-ascii", "--json", "--data-urlencode", "--expand-data",
    "--expand-json",
}  # fmt: skip
CREDENTIALS = {"--user", "--oauth2-bearer", "--cookie", "--cert", "--key", "--proxy-user", "--pass", "--netrc-file"}
UNREADABLE = {
    "--form": "a form", "--form-string": "a form", "--get": "a GET request", "--upload-file": "an upload",
    "--head": "a HEAD request",
}  # fmt: skip
MOST_CONFIGURED = 1000  # options and values of configuration files
DEEPEST_SHELL = 4
MOST_ATTEMPTS = 20  # places in a text where a command may begin


def read_curl(pasted: str) -> list[RequestParts]:
    """The requests of all curl commands in a script, or of those inside other text."""
    problem: ReadingError | None = None
    reader = ShellReader(pasted)
    try:
        requests = _requests(reader, pasted, only_first=False)
    except ReadingError as error:
        requests, problem = [], error
    if any(request.body is not None for request in requests):
        return requests
    # Prose around a command has quotes of its own: begin at each command instead.
    for match, _ in zip(CURL.finditer(pasted), range(MOST_ATTEMPTS), strict=False):
        reader = ShellReader(pasted, match.start(), count=reader.count)
        try:
            requests = _requests(reader, pasted, only_first=True)
        except ReadingError as error:
            problem = problem or error
            continue
        if any(request.body is not None for request in requests):
            return requests
    raise problem or ReadingError("The curl command has no body: it needs -d, --data or --json.")


def _requests(reader: ShellReader, pasted: str, *, only_first: bool) -> list[RequestParts]:
    """Return the requests that the reader's commands send; a command that cannot be read is passed over when another
    one can."""
    requests: list[RequestParts] = []
    problem: ReadingError | None = None
    try:
        for command in reader.commands():
            start = curl_index(command)
            try:
                if start is None:
                    requests += _of_inner_shell(command, reader)
                    continue
                requests += CurlCommand(command.words[start + 1 :], command.stdin, reader.files, pasted).requests()
            except ReadingError as error:
                problem = problem or error
            if only_first:
                break
    except ReadingError as error:
        problem = problem or error
    if problem and not any(request.body is not None for request in requests):
        raise problem
    return requests


def _of_inner_shell(command: Command, reader: ShellReader) -> list[RequestParts]:
    """Return the requests of a command that stands in one word of another one: `bash -c '…'`, `ssh host "…"`, `watch
    '…'`."""
    if command.words[0].text in NOT_RUN or reader.depth >= DEEPEST_SHELL:
        return []
    requests: list[RequestParts] = []
    for word in command.words[1:]:
        if CURL.search(word.text) and " " in word.text:
            inner = ShellReader(word.text, count=reader.count)
            inner.depth, inner.files, inner.variables = reader.depth + 1, reader.files, reader.variables
            requests += _requests(inner, word.text, only_first=False)
            reader.count = inner.count
    return requests


def curl_index(command: Command) -> int | None:
    """Return the place of curl's name in the command: first, or behind a prompt, sudo, env, time and the like."""
    for index, word in enumerate(command.words[:12]):
        if word.text.rpartition("/")[2] in CURL_NAMES:
            return index
        if word.text in NOT_RUN:
            return None
    return None


@dataclass(slots=True)
class _Operation:
    """The options between two `--next`."""

    urls: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    is_json: bool = False
    proto: str = "http"


class CurlCommand:
    """The options of one command, gathered in order. `words` follow the command's name."""

    def __init__(self, words: Iterable[Word], stdin: Word | None, files: Mapping[str, Word], pasted: str) -> None:
        self.words = list(words)
        self.stdin = stdin
        self.files = files
        self.pasted = pasted
        self.operation = _Operation()
        self.configured = 0
        self.inserted: deque[Word] = deque()  # options of a configuration file, still to be read

    def requests(self) -> list[RequestParts]:
        requests: list[RequestParts] = []
        rest = self._words()
        options_ended = False
        for word in rest:
            if options_ended or not word.text.startswith("-") or word.text == "-":
                if word.text and word.text != "-":
                    self.operation.urls.append(word.text)
                continue
            if word.text == "--":
                options_ended = True
                continue
            for option, glued in split_option(word.text):
                if option == "--next":
                    requests.append(self._request())
                    self.operation = _Operation()
                elif option in UNREADABLE:
                    self._refuse(f"{option} sends {UNREADABLE[option]}; a request has a JSON body.", word)
                elif takes_argument(option):
                    argument = Word(glued, word.offset, word.expansions) if glued is not None else next(rest, None)
                    if argument is None:
                        self._refuse(f"{option} has no value.", word)
                    else:
                        self._take(option, argument)
        return [*requests, self._request()]

    def _words(self) -> Iterator[Word]:
        """The words, with the options of each configuration file where it is named."""
        for word in self.words:
            while self.inserted:
                yield self.inserted.popleft()
            yield word
        while self.inserted:
            yield self.inserted.popleft()

    def _take(self, option: str, argument: Word) -> None:
        operation = self.operation
        if option in DATA:
            self._take_data(option, argument)
        elif option in ("--header", "--expand-header"):
            self._take_header(argument)
        elif option in ("--url", "--expand-url"):
            operation.urls.append(argument.text)
        elif option == "--url-query":
            operation.query.append(argument.text)
        elif option == "--proto-default":
            operation.proto = argument.text
        elif option in CREDENTIALS:
            operation.notes.append(f"The value of {option} was left out: credentials belong in a connection.")
        elif option == "--config":
            known = self.stdin if argument.text == "-" else self.files.get(argument.text)
            if known is None or (known.text == "" and known.expansions):
                operation.notes.append(
                    f"The options in the file {shortened(argument.text)} are not in the pasted text."
                )
            else:
                self.inserted.extend(config_words(known))
                self.configured += len(self.inserted)
                if self.configured > MOST_CONFIGURED:
                    self._refuse("The configuration files hold too many options.", argument)

    def _take_header(self, argument: Word) -> None:
        if argument.text.startswith("@"):
            file = self.files.get(argument.text[1:])
            lines = file.text.splitlines() if file else []
            if not file:
                self.operation.notes.append(f"The headers in {shortened(argument.text)} are not in the pasted text.")
        else:
            lines = [argument.text]
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon and line.rstrip().endswith(";"):
                name, colon = line.rstrip()[:-1], ";"
            if colon and name.strip() and (value.strip() or colon == ";"):
                self.operation.headers.append((name.strip(), value.strip()))

    def _take_data(self, option: str, argument: Word) -> None:
        operation = self.operation
        text = argument.text
        if option.endswith("json"):
            operation.is_json = True
        name, _, rest = text.partition("@") if option == "--data-urlencode" else ("", "", text[1:])
        reads_file = option != "--data-raw" and ("@" in text if name else text.startswith("@")) and "{" not in name
        if reads_file:
            known = (
                self.files.get(rest)
                or self.files.get(rest.removeprefix("./"))
                or (self.stdin if rest in ("-", "/dev/stdin") else None)
            )
            if known is None or (known.text == "" and known.expansions):
                what = "standard input" if rest in ("-", "/dev/stdin") else f"the file {shortened(rest)}"
                self._refuse(f"The body is in {what}: paste its content in place of {shortened(text)}.", argument)
            argument, text = known, known.text  # type: ignore[assignment,union-attr]
        if text.strip() in argument.expansions:
            self._refuse(f"The body is {shortened(text)}, which is not in the pasted text: paste its value.", argument)
        for expansion in argument.expansions:
            operation.notes.append(f"{shortened(expansion)} in the body was not run; it stands there as text.")
        operation.data.append((option, text))

    def _request(self) -> RequestParts:
        operation = self.operation
        body: str | None = None
        if operation.data:
            # --json joins its values as they are, the others with an ampersand.
            texts = [text for _, text in operation.data]
            body = ("" if operation.is_json else "&").join(texts)
            if any(option == "--data-urlencode" for option, _ in operation.data):
                body = self._urlencoded(body)
        url = next((one for one in operation.urls if "/messages" in one), next(iter(operation.urls), None))
        if url and "://" not in url:
            url = f"{operation.proto}://{url}"
        if url and operation.query:
            url += ("&" if "?" in url else "?") + "&".join(operation.query)
        return RequestParts(body, url, list(operation.headers), notes=operation.notes)

    def _urlencoded(self, body: str) -> str:
        """JSON given to --data-urlencode: surely meant as it is, although curl would encode it."""
        for text in (body, body.lstrip("="), unquote_plus(body)):
            if isinstance(json_text.try_parse(text), dict):
                self.operation.notes.append("curl would URL-encode this body; it was imported as JSON.")
                return text
        raise ReadingError("--data-urlencode sends form data; a request has a JSON body.")

    def _refuse(self, message: str, word: Word) -> None:
        raise ReadingError(message, *position(self.pasted, word.offset))
