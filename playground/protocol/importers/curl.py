"""A curl command, as documentation and browsers write it."""

from __future__ import annotations

from playground.protocol.importers.found import Imported, ReadingError, finish, position
from playground.protocol.importers.shell_words import Command, ShellReader, Word

DATA = {"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"}
# Other options with an argument: it is skipped, and must not be taken for the address.
WITH_ARGUMENT = frozenset(
    [
        "-A",
        "--user-agent",
        "-b",
        "--cookie",
        "-c",
        "--cookie-jar",
        "-C",
        "--continue-at",
        "-D",
        "--dump-header",
        "-e",
        "--referer",
        "-E",
        "--cert",
        "--cacert",
        "--capath",
        "--cert-type",
        "--ciphers",
        "--connect-timeout",
        "--connect-to",
        "--key",
        "--key-type",
        "-K",
        "--config",
        "--limit-rate",
        "-m",
        "--max-time",
        "--max-redirs",
        "--noproxy",
        "-o",
        "--output",
        "--pass",
        "-P",
        "--ftp-port",
        "-Q",
        "--quote",
        "-r",
        "--range",
        "--resolve",
        "--retry",
        "--retry-delay",
        "--retry-max-time",
        "-t",
        "--telnet-option",
        "-T",
        "--upload-file",
        "-u",
        "--user",
        "-U",
        "--proxy-user",
        "-w",
        "--write-out",
        "-x",
        "--proxy",
        "-X",
        "--request",
        "-y",
        "--speed-time",
        "-Y",
        "--speed-limit",
        "-z",
        "--time-cond",
        "--unix-socket",
        "--oauth2-bearer",
        "--trace",
        "--trace-ascii",
        "--stderr",
    ]
)
UNREADABLE = {
    "-F": "a form",
    "--form": "a form",
    "--data-urlencode": "form data",
    "-G": "a GET request",
    "--get": "a GET request",
    "-T": "an upload",
    "--upload-file": "an upload",
}


def read_curl(pasted: str) -> Imported:
    command = next((one for one in ShellReader(pasted).commands() if _curl_index(one) is not None), None)
    if command is None:
        raise ReadingError("There is no curl command in the text.")
    return _Curl(command, pasted).read()


def _curl_index(command: Command) -> int | None:
    names = [word.text.rpartition("/")[2] for word in command.words[:8]]
    return next((index for index, name in enumerate(names) if name in ("curl", "curl.exe")), None)


class _Curl:
    """The options of one command, gathered in order."""

    def __init__(self, command: Command, pasted: str) -> None:
        self.pasted = pasted
        self.stdin = command.stdin
        self.words = command.words[(_curl_index(command) or 0) + 1 :]
        self.url: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.data: list[str] = []
        self.notes: list[str] = []

    def read(self) -> Imported:
        rest = iter(self.words)
        for word in rest:
            option, glued = _split_option(word.text)
            if option in UNREADABLE:
                self._refuse(f"{option} sends {UNREADABLE[option]}; a request has a JSON body.", word)
            if option in DATA or option in ("-H", "--header", "--url") or option in WITH_ARGUMENT:
                argument = Word(glued, word.offset, word.expansions) if glued is not None else next(rest, None)
                if argument is None:
                    self._refuse(f"{option} has no value.", word)
                else:
                    self._take(option, argument)
            elif not option.startswith("-"):
                self.url = self.url or word.text
        if not self.data:
            raise ReadingError("The curl command has no body: it needs -d, --data or --json.")
        return finish("&".join(self.data), pasted=self.pasted, url=self.url, headers=self.headers, notes=self.notes)

    def _take(self, option: str, argument: Word) -> None:
        if option in DATA:
            self._take_data(option, argument)
        elif option in ("-H", "--header"):
            name, found, value = argument.text.partition(":")
            if found and name.strip():
                self.headers.append((name.strip(), value.strip()))
        elif option == "--url":
            self.url = argument.text
        elif option in ("-u", "--user", "--oauth2-bearer", "-b", "--cookie"):
            self.notes.append(f"The value of {option} was left out: credentials belong in a connection.")

    def _take_data(self, option: str, argument: Word) -> None:
        if argument.text.startswith("@") and option != "--data-raw":
            if argument.text != "@-" or self.stdin is None or self.stdin.text == "":
                self._refuse(f"The body is in a file ({argument.text[1:]}): paste its text instead.", argument)
            argument = self.stdin or argument
        for expansion in argument.expansions:
            self.notes.append(f"{expansion} in the body was not run; it stands there as text.")
        self.data.append(argument.text)

    def _refuse(self, message: str, word: Word) -> None:
        raise ReadingError(message, *position(self.pasted, word.offset))


def _split_option(text: str) -> tuple[str, str | None]:
    """`-XPOST` is -X with POST, `-sSd` ends in an option whose value follows, `--data=x` is taken too."""
    if text.startswith("--"):
        name, equals, value = text.partition("=")
        return (name, value) if equals else (text, None)
    if not text.startswith("-") or len(text) < 2:
        return text, None
    for index in range(1, len(text)):
        option = "-" + text[index]
        if option in DATA or option in WITH_ARGUMENT or option in ("-H", "-F"):
            return option, text[index + 1 :] or None
    return "-" + text[1], None
