"""Pasted text to a request: JSON of any kind, commands, or code of many languages. Nothing is run.

One pure function, `read`: text in, a value out. It never raises, and takes time in proportion to the text's length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from playground.protocol.importers.assembly import assemble
from playground.protocol.importers.cmd_words import looks_like_cmd, read_cmd
from playground.protocol.importers.curl import CURL, read_curl
from playground.protocol.importers.fenced_code import fenced_blocks
from playground.protocol.importers.frameworks import read_framework
from playground.protocol.importers.http_clients import IS_OTHER_CLIENT, read_other_clients
from playground.protocol.importers.http_text import IS_HTTP, read_http
from playground.protocol.importers.javascript_program import read_javascript, read_object
from playground.protocol.importers.json_documents import read_embedded, read_json, read_logged, requests_in
from playground.protocol.importers.powershell import IS_POWERSHELL, read_powershell
from playground.protocol.importers.python_parsing import first_value, notebook_code
from playground.protocol.importers.python_program import read_python
from playground.protocol.importers.result import ImportChoice, Imported, ImportProblem, ReadingError, RequestParts
from playground.protocol.importers.sse_capture import IS_SSE, read_sse
from playground.protocol.importers.text_programs import read_text_program
from playground.protocol.importers.tidied_text import tidied
from playground.protocol.json import json_text

__all__ = ["ImportChoice", "ImportProblem", "Imported", "read"]

LONGEST = 32 * 1024 * 1024  # characters, as for a body
LONGEST_PROGRAM = 8 * 1024 * 1024  # of commands and code, which may hold base64
MOST_LOOKED_AT = 100_000  # characters from which the language is told
MOST_OPTIONS = 100  # requests of one file among which can be chosen
Reader = Callable[[str], list[RequestParts]]

REFUSED_JSON = re.compile(r"stands twice|^Nested more|^More than|^A number of more|string does not end")
TYPOGRAPHIC_NAME = re.compile(
    "[{,]\\s*[\u2018\u2019\u201c\u201d\u201e\u00ab]\\w+[\u2018\u2019\u201c\u201d\u201f\u00bb]\\s*:"
)
MEMBERS = re.compile(
    r"\s*(?:model|messages|max_tokens|system|tools)['\"]?\s*:(?=[^\n]*[,\[{`'\"])"
)  # without their braces
IS_LANGUAGE = {
    "php": re.compile(r"<\?php|^[ \t]*\$\w+ = (curl_init|stream_context_create|new \\?\w)|\$\w+->\w+", re.MULTILINE),
    "go": re.compile(r"^package \w+|\bhttp\.NewRequest(WithContext)?\(|:= (`|http\.)", re.MULTILINE),
    "java": re.compile(r"^import (static )?java|\bpublic (final )?class \w+|HttpRequest\.newBuilder", re.MULTILINE),
    "csharp": re.compile(r"^using [\w.]+;|\bnew HttpRequestMessage\(|\bnew (HttpClient|RestRequest)\b", re.MULTILINE),
    "ruby": re.compile(r"::Client\.new|^require ['\"][a-z/_]+['\"]$|\bNet::HTTP\b|<<~'?[A-Z]{2,}", re.MULTILINE),
}  # fmt: skip
IS_JAVASCRIPT = re.compile(
    r"^[ \t]*//|^[ \t]*(export |async )?(const|let|var|function) |=>|\bfetch\(|\baxios\b|\brequire\(|===|"
    r"^import [\w{*].* from ['\"]|^[ \t]*\}\)?;[ \t]*$|\bnew [A-Z]\w*\(",
    re.MULTILINE,
)
IS_PYTHON = re.compile(
    r"^[ \t]*(>>> )?(import [\w.]+( as \w+)?[ \t]*(,|$|#)|from [\w.]+ import )|^[ \t]*(async )?def \w+\(|"
    r"\b(True|False|None)\b|^[ \t]*(with|for) .*:[ \t]*$|^[ \t]*[%!]\w+|^[ \t]*\w+ = \w*\.?Anthropic\(",
    re.MULTILINE,
)
SIGNS: dict[Reader, re.Pattern[str]] = {read_javascript: IS_JAVASCRIPT, read_python: IS_PYTHON}


def read(pasted: str) -> Imported | ImportChoice | ImportProblem:
    """Tell what the text is by its form, and read it. Never raises: what cannot be read is an ImportProblem."""
    text = pasted.removeprefix("\ufeff")
    if not text.strip():
        return ImportProblem("Paste a request: JSON, a curl command, a HAR file, or code that sends it.")
    if len(text) > LONGEST:
        return ImportProblem("The text is longer than a request may be (32 MiB).")
    result = _read_blocks(text)
    if isinstance(result, ImportProblem):
        for attempt, note in tidied(text):
            other = _read_blocks(attempt)
            if isinstance(other, Imported):
                return replace(other, notes=(*other.notes, note))
    return result


def _read_blocks(text: str) -> Imported | ImportChoice | ImportProblem:
    problem: ImportProblem | None = None
    for block in fenced_blocks(text):
        result = _read(block)
        if not isinstance(result, ImportProblem):
            return result
        problem = problem or result
    return problem or ImportProblem("There is no request in this text.")


def _read(text: str) -> Imported | ImportChoice | ImportProblem:
    """The result of the first reader that finds a request; else the problem of the likeliest one."""
    problem: ImportProblem | None = None
    for reader in _readers(text):
        try:
            requests = read_embedded(text, anywhere=problem is None) if reader is read_embedded else reader(text)
            if requests:
                return _chosen(requests, text, is_code=reader not in (_json, read_embedded, read_logged))
        except ReadingError as unreadable:
            if reader is read_framework:
                return unreadable.problem
            # Of text that has no sign of a language it says nothing that it is not that language.
            sign = SIGNS.get(reader)
            is_syntax = unreadable.problem.message.startswith("This is not valid")
            is_guess = is_syntax and sign is not None and not sign.search(text, 0, MOST_LOOKED_AT)
            problem = problem or (None if is_guess else unreadable.problem)
        except RecursionError:
            problem = problem or ImportProblem("The text nests too deeply.")
    return problem or ImportProblem(
        "There is no request in this text. Paste JSON, a curl command, a HAR file, or code that calls messages.create "
        "or posts to /v1/messages."
    )


def _readers(text: str) -> Iterator[Reader]:
    """The readers that may understand the text, the likeliest first."""
    start = text.lstrip()[:1]
    if start and start in '{["':
        yield _json
        if start == "[" or not _looks_like_code(text):
            yield _object
    if len(text) > LONGEST_PROGRAM:
        yield _too_long
        return
    if MEMBERS.match(text):
        yield lambda source: _object("{" + source.rstrip().rstrip(",") + "}")
    if IS_SSE.match(text):
        yield read_sse
    if IS_HTTP.match(text):
        yield read_http
    if IS_POWERSHELL.search(text, 0, MOST_LOOKED_AT):
        yield read_powershell
    if "curl" in text and CURL.search(text):
        if looks_like_cmd(text):
            yield read_cmd
        yield read_curl
    if IS_OTHER_CLIENT.search(text, 0, MOST_LOOKED_AT):
        yield read_other_clients
    for language, sign in IS_LANGUAGE.items():
        if sign.search(text, 0, MOST_LOOKED_AT):
            yield lambda source, language=language: read_text_program(source, language)  # type: ignore[misc]
    is_python = bool(IS_PYTHON.search(text, 0, MOST_LOOKED_AT))
    is_javascript = bool(IS_JAVASCRIPT.search(text, 0, MOST_LOOKED_AT))
    yield from (read_javascript, read_python) if is_javascript and not is_python else (read_python, read_javascript)
    yield read_framework
    yield read_embedded
    yield read_logged


def _looks_like_code(text: str) -> bool:
    return bool(re.match(r"\s*\{\s*\w+\s*[;(]", text))


def _too_long(_text: str) -> list[RequestParts]:
    raise ReadingError("Commands and code are read up to 8 MiB: paste the one request, or its body as JSON.")


def _json(text: str) -> list[RequestParts]:
    """JSON of any kind, a notebook among it."""
    if '"cells"' in text and (code := notebook_code(first_value(text))) is not None:
        return read_python(code)
    return read_json(text)


def _object(text: str) -> list[RequestParts]:
    """An object as code writes it, without the code around it; no JSON that was refused for what it holds."""
    if TYPOGRAPHIC_NAME.search(text, 0, MOST_LOOKED_AT):  # read when its quotes are plain ones
        return []
    if REFUSED_JSON.search(_json_problem(text)):
        return []
    value = read_object(text)
    if not isinstance(value, dict | list):
        return []
    return requests_in(value)


def _json_problem(text: str) -> str:
    try:
        json_text.parse(text)
    except json_text.JsonTextError as error:
        return error.message
    return ""


def _chosen(requests: list[RequestParts], text: str, *, is_code: bool) -> Imported | ImportChoice:
    """The one request; of several in a file all that can be imported, of several in code the first one.

    Raises ReadingError when none can be.
    """
    options: list[tuple[str, Imported]] = []
    problem: ReadingError | None = None
    to_messages = [parts for parts in requests if parts.goes_to_messages]
    for parts in to_messages or requests:
        if len(options) == MOST_OPTIONS:
            break
        try:
            options.append((parts.label, assemble(parts, text)))
        except ReadingError as error:
            problem = problem or error
        if is_code and options:
            break
    if not options:
        raise problem or ReadingError("There is no request in this text.")
    left_out = len(to_messages or requests) - len(options)
    first = options[0][1]
    if len(options) == 1:
        return _with_note(first, left_out) if is_code and left_out else first
    return ImportChoice(tuple(options), left_out=left_out if len(options) == MOST_OPTIONS else 0)


def _with_note(first: Imported, others: int) -> Imported:
    note = f"The text sends {others + 1} requests; this is the first one."
    return replace(first, notes=(*first.notes, note))
