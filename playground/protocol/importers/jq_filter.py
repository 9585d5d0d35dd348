"""Computes what `jq -n` prints when its filter is one object whose values are written out or given with `--arg`."""

from __future__ import annotations

import json
import re
from typing import Any

from playground.protocol.importers.javascript_program import Program
from playground.protocol.importers.result import ReadingError, Unknown
from playground.protocol.json import json_text

WITH_TWO = frozenset({"--arg", "--argjson", "--rawfile", "--slurpfile"})
WITH_ONE = frozenset({"--indent", "-f", "--from-file", "-L"})
IN_TEXT = re.compile(r"\\\((\$\w+)\)")
LONGEST_FILTER = 200_000
LONGEST_RESULT = 4 * 1024 * 1024


def jq_output(arguments: list[str], files: dict[str, str]) -> str | None:
    """The JSON text, or None when it takes more than jq's objects, names and literals to tell."""
    names: dict[str, Any] = {}
    filters: list[str] = []
    at = 0
    has_no_input = False
    while at < len(arguments):
        word = arguments[at]
        if word in WITH_TWO and at + 2 < len(arguments):
            names[f"${arguments[at + 1]}"] = _argument(word, arguments[at + 2], files)
            at += 3
        elif word in WITH_ONE:
            at += 2
        else:
            has_no_input = has_no_input or word == "--null-input" or bool(re.fullmatch("-[A-Za-z]*n[A-Za-z]*", word))
            if not word.startswith("-"):
                filters.append(word)
            at += 1
    if not has_no_input or len(filters) != 1 or len(filters[0]) > LONGEST_FILTER:
        return None
    value = _value(filters[0], names)
    return None if value is None else json_text.dump(value, indent=None)


def _argument(option: str, text: str, files: dict[str, str]) -> Any:
    if option == "--argjson":
        return json_text.try_parse(text)
    return text if option == "--arg" else files.get(text, Unknown(f"the file {text}"))


def _value(source: str, names: dict[str, Any]) -> Any:
    if (plain := json_text.try_parse(source)) is not None:
        return plain
    texts = {name: json.dumps(value)[1:-1] for name, value in names.items() if isinstance(value, str)}
    if len(source) + sum(len(texts.get(match[1], "")) for match in IN_TEXT.finditer(source)) > LONGEST_RESULT:
        return None
    source = IN_TEXT.sub(lambda match: texts.get(match[1], match[0]), source)
    program = Program(source)
    program.names = dict(names)
    try:
        value = program.value()
    except ReadingError:
        return None
    is_whole = program.ahead().kind == "end" and isinstance(value, dict)
    return value if is_whole and not _has_unknown(value) else None


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_unknown, value.values()))
    return any(map(_has_unknown, value)) if isinstance(value, list) else isinstance(value, Unknown)
