"""Pasted text to tool definitions: a JSON Schema or a tool of any API's form, OpenAPI as
JSON or YAML, a Python or TypeScript function.

One pure function, `read_tools`: text in, a value out. Nothing is run, it never raises, and it takes time in proportion
to the text's length.
"""

from __future__ import annotations

import re

from playground.protocol.importers.result import ImportProblem, ReadingError
from playground.protocol.importers.tool_definitions.json_forms import read_json_tools
from playground.protocol.importers.tool_definitions.python_functions import read_python_tools
from playground.protocol.importers.tool_definitions.tool_collector import FoundTools, ToolCollector
from playground.protocol.importers.tool_definitions.typescript_functions import read_typescript_tools
from playground.protocol.importers.tool_definitions.yaml_forms import read_yaml_tools

__all__ = ["FoundTools", "read_tools"]

LONGEST_JSON = 8 * 1024 * 1024  # characters: descriptions of large APIs
LONGEST_CODE = 400_000  # characters
IS_PYTHON = re.compile(
    r"^[ \t]*(?:>>> )?(?:async[ \t]+)?def[ \t]+\w+|^[ \t]*class[ \t]+\w+[^\n{]*:[ \t]*$", re.MULTILINE
)
IS_TYPESCRIPT = re.compile(
    r"\bfunction\b|=>|^[ \t]*(?:export[ \t]+)?(?:interface|type|declare|const|let)\b", re.MULTILINE
)
BEGINS_AS_YAML = re.compile(r"(?:(?:#|---|%YAML)[^\n]*\n|[ \t\r]*\n)*[\w$-]+:(?=\s)")
IS_YAML = re.compile(r"^(?:openapi|swagger|paths|get|post|put|patch|delete|operationId):", re.MULTILINE)
NOTHING = (
    "There is no tool in this text. Paste a JSON Schema, a tool definition, an OpenAPI operation, a Python def, "
    "or a TypeScript function."
)


def read_tools(pasted: str) -> FoundTools | ImportProblem:
    """The tools in the text, or why there are none, with the line and column where that can be told."""
    text = pasted.removeprefix("\ufeff").strip("\n\r\t ")
    if fenced := re.fullmatch(r"```[^\n]*\n(.*?)\n?```", text, re.DOTALL):
        text = fenced[1]
    if not text:
        return ImportProblem(NOTHING)
    try:
        tools = _read(text)
    except ReadingError as unreadable:
        return unreadable.problem
    except RecursionError:
        return ImportProblem("The text nests too deeply.")
    return tools if tools.tools else ImportProblem(NOTHING)


def _read(text: str) -> FoundTools:
    collector = ToolCollector()
    if text[0] in "{[":
        _refuse_long(text, LONGEST_JSON)
        read_json_tools(text, collector)
        return collector.result()
    _refuse_long(text, LONGEST_CODE)
    if BEGINS_AS_YAML.match(text) and IS_YAML.search(text):
        read_yaml_tools(text, collector)
    elif IS_PYTHON.search(text):
        read_python_tools(text, collector)
    elif IS_TYPESCRIPT.search(text):
        read_typescript_tools(text, collector)
    return collector.result()


def _refuse_long(text: str, most: int) -> None:
    if len(text) > most:
        raise ReadingError(f"The text is longer than {most:,} characters: paste the one tool alone.")
