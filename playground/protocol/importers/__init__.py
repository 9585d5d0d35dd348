"""Pasted text to a request: JSON, a HAR file, a curl command, or code of the official clients. Nothing is run."""

from __future__ import annotations

import re

from playground.protocol.importers.curl import read_curl
from playground.protocol.importers.found import Imported, ImportProblem, ReadingError
from playground.protocol.importers.har import read_json
from playground.protocol.importers.javascript_code import read_javascript
from playground.protocol.importers.python_code import parse_python, read_python

__all__ = ["ImportProblem", "Imported", "read"]

LONGEST = 32 * 1024 * 1024  # characters, as for a body
# Lines before the command itself: comments, exported variables, a prompt.
CURL_COMMAND = re.compile(
    r"\A(?:[ \t\r]*(?:#[^\n]*|export[ \t][^\n]*)?\n)*"
    r"[ \t]*[$%]?[ \t]*(?:\w+=\S*\s+)*(?:time\s+)?(?:\S*/)?curl(?:\.exe)?\s"
)
PYTHON_LINE = re.compile(r"^(import \w+|from \w[\w.]* import |\w+ = \w*\.?Anthropic\()", re.MULTILINE)


def read(pasted: str) -> Imported | ImportProblem:
    """Tell what the text is by its form, and read it. Never raises: what cannot be read is an ImportProblem."""
    text = pasted.removeprefix("\ufeff")
    if not text.strip():
        return ImportProblem("Paste a request: JSON, a curl command, a HAR file, Python or JavaScript.")
    if len(text) > LONGEST:
        return ImportProblem("The text is longer than a request may be (32 MiB).")
    try:
        return _read(text)
    except ReadingError as unreadable:
        return unreadable.problem
    except RecursionError:
        return ImportProblem("The text nests too deeply.")


def _read(text: str) -> Imported:
    if text.lstrip()[0] in "{[":
        return read_json(text)
    if CURL_COMMAND.match(text):
        return read_curl(text)
    try:
        tree = parse_python(text)
    except ReadingError:
        if (
            PYTHON_LINE.search(text)
            and "require(" not in text
            and not re.search(r"^(const|let|var) ", text, re.MULTILINE)
        ):
            raise
        return read_javascript(text)
    return read_python(text, tree)
