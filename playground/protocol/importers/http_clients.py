"""Requests of the command-line clients beside curl: wget, HTTPie (`http`, `https`) and xh (`xh`, `xhs`)."""

from __future__ import annotations

import re
from typing import Any

from playground.protocol.importers.result import JsonOf, ReadingError, RequestParts, Unknown, shortened
from playground.protocol.importers.shell_parts import Command, Word
from playground.protocol.importers.shell_words import ShellReader
from playground.protocol.json import json_text

IS_OTHER_CLIENT = re.compile(
    r"(?:^|[|;&(]|[$%#>])[ \t]*(?:wget|https?|xhs?)[ \t]+(?:-|POST\b|post\b|[\"']?(?:https?://|:?[\w.:{$]*/))",
    re.MULTILINE,
)
WGET_BODY = frozenset({"--post-data", "--body-data"})
WGET_BODY_FILE = frozenset({"--post-file", "--body-file"})
WGET_WITH_ARGUMENT = frozenset({"-O", "-o", "-T", "-t", "-U", "-P", "-w", "--header", "--method", "--output-document"})
HTTPIE_WITH_ARGUMENT = frozenset(
    ["-a", "--auth", "-A", "--auth-type", "-o", "--output", "-p", "--print", "-s", "--style", "--timeout", "--proxy"]
)
HTTPIE_WITH_ARGUMENT |= {
    "--verify",
    "--session",
    "--cert",
    "--cert-key",
    "--pretty",
    "-B",
    "--bearer",
    "--max-redirects",
}
ITEM = re.compile(r"((?:[^:=@\\]|\\.){1,1000}?)(:=@|=@|:=|==|=|:|@)(.*)", re.DOTALL)
STEP = re.compile(r"\[(\w*)\]")
LONGEST_LIST = 200


def read_other_clients(pasted: str) -> list[RequestParts]:
    """The requests of all such commands in a script."""
    reader = ShellReader(pasted)
    requests: list[RequestParts] = []
    problem: ReadingError | None = None
    for command in reader.commands():
        for index, word in enumerate(command.words[:6]):
            name = word.text.rpartition("/")[2]
            try:
                if name == "wget":
                    requests += _wget(command.words[index + 1 :], reader.files)
                elif name in ("http", "https", "xh", "xhs"):
                    requests += _httpie(name, command, index, reader.files)
                else:
                    continue
            except ReadingError as error:
                problem = problem or error
            break
    if not requests and problem:
        raise problem
    return requests


def _wget(words: list[Word], files: dict[str, Word]) -> list[RequestParts]:
    parts = RequestParts(None)
    rest = iter(words)
    for word in rest:
        name, equals, value = word.text.partition("=")
        is_known = name in WGET_WITH_ARGUMENT or name in WGET_BODY or name in WGET_BODY_FILE
        if not word.text.startswith("-"):
            parts.url = parts.url if parts.url and "/messages" in parts.url else word.text
        elif is_known:
            argument = Word(value, word.offset, word.expansions) if equals else next(rest, Word("", word.offset))
            if name == "--header":
                header, _, text = argument.text.partition(":")
                parts.headers.append((header.strip(), text.strip()))
            elif name in WGET_BODY:
                parts.body = _known(argument, parts.notes)
            elif name in WGET_BODY_FILE:
                parts.body = _file(argument.text, files)
    if parts.body is None:
        raise ReadingError("The wget command has no body: it needs --post-data or --body-data.")
    return [_with_scheme(parts, "http")]


def _httpie(name: str, command: Command, index: int, files: dict[str, Word]) -> list[RequestParts]:
    words, raw = command.words[index + 1 :], None
    items: list[Word] = []
    rest = iter(words)
    for word in rest:
        option, equals, value = word.text.partition("=")
        if option == "--raw":
            raw = Word(value, word.offset, word.expansions) if equals else next(rest, None)
        elif option in HTTPIE_WITH_ARGUMENT:
            if not equals:
                next(rest, None)
        elif not word.text.startswith("-"):
            items.append(word)
    if items and re.fullmatch("[A-Za-z]{3,7}", items[0].text):
        method = items.pop(0).text.upper()
        if method != "POST":
            raise ReadingError(f"This is a {method} request.")
    if not items:
        raise ReadingError(f"The command {name} has no address.")
    parts = RequestParts(None, items[0].text)
    body = _members(items[1:], parts, files)
    piped = raw or command.stdin
    parts.body = JsonOf(body) if body else _known(piped, parts.notes) if piped is not None else None
    if parts.body is None:
        raise ReadingError(f"The command {name} has no body.")
    return [_with_scheme(parts, "https" if name in ("https", "xhs") else "http")]


def _members(items: list[Word], parts: RequestParts, files: dict[str, Word]) -> dict[str, Any]:
    """Return the members that HTTPie's items mean: `Header:value`, `text=value`, `json:=value`,
    `nested[0][name]=value`."""
    body: dict[str, Any] = {}
    for item in items:
        match = ITEM.fullmatch(item.text)
        if match is None:
            parts.notes.append(f"{shortened(item.text)} was not understood.")
            continue
        name, sign, text = re.sub(r"\\(.)", r"\1", match[1]), match[2], match[3]
        if sign == ":":
            parts.headers.append((name, Unknown(text) if item.expansions else text))
            continue
        if sign == "==":
            parts.url = f"{parts.url}{'&' if '?' in (parts.url or '') else '?'}{name}={text}"
            continue
        value: Any = _file(text, files) if sign in ("=@", ":=@") else text
        if sign.startswith(":="):
            value = _json(value, name)
        _put(body, name, value)
    return body


def _json(value: Any, name: str) -> Any:
    parsed = json_text.try_parse(value) if isinstance(value, str) else value
    if parsed is None and value != "null":
        raise ReadingError(f"The value of {shortened(name)} is not valid JSON.")
    return parsed


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    """`a[0][b]=v` puts v into the object that is the first item of the list a."""
    root = name.partition("[")[0]
    steps: list[str] = [root, *STEP.findall(name[len(root) :])]
    at: Any = body
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh = value if following is None else [] if following.isdigit() or not following else {}
        if isinstance(at, list):
            index = int(step) if step.isdigit() else len(at)
            if index > LONGEST_LIST:
                raise ReadingError(f"The list {shortened(root)} is too long.")
            at += [None] * (index + 1 - len(at))
            at[index] = fresh if following is None or at[index] is None else at[index]
            at = at[index]
        elif isinstance(at, dict):
            at[step] = fresh if following is None else at.get(step, fresh)
            at = at[step]


def _known(word: Word, notes: list[str]) -> Any:
    if word.text == "" and word.expansions:
        raise ReadingError(f"The body is {shortened(word.expansions[0])}: paste its content.")
    if word.text.strip() in word.expansions:
        raise ReadingError(
            f"The body is {shortened(word.text.strip())}, which is not in the pasted text: paste its value."
        )
    notes += [f"{shortened(one)} in the body was not run; it stands there as text." for one in word.expansions]
    return word.text


def _file(name: str, files: dict[str, Word]) -> Any:
    known = files.get(name)
    if known is None:
        raise ReadingError(f"The body is in the file {shortened(name)}: paste its content.")
    return known.text


def _with_scheme(parts: RequestParts, scheme: str) -> RequestParts:
    url = parts.url or ""
    if url.startswith(":"):  # HTTPie's short form of localhost
        url = f"localhost{url}" if re.match(r":\d", url) else f"localhost{url[1:]}"
    parts.url = url if "://" in url or not url else f"{scheme}://{url}"
    return parts
