"""Pasted text to Python's syntax tree, without the prompts, magics and indentation of notebooks and terminals.

Lines keep their numbers, so that a problem can be placed.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from typing import Any

from playground.protocol.importers.result import ReadingError
from playground.protocol.json.received_json import try_loads

MOST_SYNTAX = 100_000  # brackets, commas, operators and line ends
SYNTAX = "[({,.:=+-*/\n"
MAGIC = re.compile(r"^[ \t]*(?:[%!?][^\n]*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)
CELL_MAGIC = re.compile(r"^%%(?!time|capture|timeit)\w+[^\n]*\n", re.MULTILINE)
PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:|   \.\.\.:)(?: |$)", re.MULTILINE)
CALL = re.compile(r"^[^\n]*\bmessages\b[\w.\s]*\.(?:create|stream|parse)\(|^[^\n]*\.(?:post|request)\(", re.MULTILINE)


def parse_python(pasted: str) -> tuple[ast.Module, str]:
    """The syntax tree and the text it was made from; raises ReadingError for text that is not Python."""
    if sum(map(pasted.count, SYNTAX)) > MOST_SYNTAX:
        raise ReadingError(f"The code has more than {MOST_SYNTAX:,} signs of syntax: paste the call alone.")
    source = without_prompts(pasted)
    problem: ReadingError | None = None
    for attempt in (source, *_cuts(source)):
        tree, failed_line, error = _parsed(attempt)
        if tree is not None:
            return tree, attempt
        problem = problem or error
        # What stands behind a line that is no Python is cut off: prose, output, a second language.
        before = "\n".join(attempt.split("\n")[: max(failed_line - 1, 0)])
        if CALL.search(before):
            tree, _, _ = _parsed(before)
            if tree is not None:
                return tree, before
    raise problem or ReadingError("This is not valid Python.")


def without_prompts(pasted: str) -> str:
    """The text as a file would hold it."""
    source = pasted.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    if len(PROMPT.findall(source)) and re.search(r"^[ \t]*(>>>|In \[)", source, re.MULTILINE):
        lines = source.split("\n")
        source = "\n".join(PROMPT.sub("", line, count=1) if PROMPT.match(line) else "" for line in lines)
    if "%" in source or "!" in source or "?" in source:
        source = MAGIC.sub("", source)
    return textwrap.dedent(source)


def _cuts(source: str) -> list[str]:
    """The text from the line of the call on, with its own indentation taken away; and as bare arguments."""
    cuts = []
    if match := CALL.search(source):
        start = match.start()
        indent = len(source[start:]) - len(source[start:].lstrip(" \t"))
        lines = source[start:].split("\n")
        cuts.append("\n" * source.count("\n", 0, start) + "\n".join(_outdented(line, indent) for line in lines))
    if call := as_call(source):
        cuts.append(call)
    return cuts


def as_call(source: str) -> str | None:
    """Arguments that were copied without the call around them, in a call; None for other text."""
    if re.match(r"\s*\w+[ \t]*=", source) and re.search(r"^[ \t]*(messages|max_tokens)[ \t]*=", source, re.MULTILINE):
        return f"client.messages.create({source}\n)"
    return None


def _outdented(line: str, indent: int) -> str:
    return line[indent:] if not line[:indent].strip() else line


def _parsed(source: str) -> tuple[ast.Module | None, int, ReadingError | None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # such as an unknown escape in a pasted string
            return ast.parse(source), 0, None
    except SyntaxError as error:
        line, column = error.lineno or 0, error.offset or 0
        return None, line, ReadingError(f"This is not valid Python: {error.msg}", line, column)
    except (ValueError, RecursionError, MemoryError):
        message = "This Python code cannot be read: it nests too deeply or holds a NUL."
        return None, 0, ReadingError(message)


def notebook_code(value: Any) -> str | None:
    """The code of a Jupyter notebook's cells, one after the other; None when the value is not a notebook."""
    cells = value.get("cells") if isinstance(value, dict) else None
    if not isinstance(cells, list) or not ("nbformat" in value or any(_is_code(cell) for cell in cells)):
        return None
    codes = []
    for cell in cells:
        if _is_code(cell):
            lines = cell.get("source", "")
            code = "".join(map(str, lines)) if isinstance(lines, list) else str(lines)
            codes.append("" if CELL_MAGIC.match(code) else code)
    return "\n".join(codes)


def _is_code(cell: Any) -> bool:
    return isinstance(cell, dict) and cell.get("cell_type") == "code"


def first_value(source: str) -> Any:
    """The JSON value of a notebook's text, or None: it may have more than the limits of a body."""
    return try_loads(source)
