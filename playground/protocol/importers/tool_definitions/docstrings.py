"""Descriptions out of docstrings and JSDoc: of the whole, and of each parameter."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

SECTION = re.compile(
    r"^(args|arguments|parameters|params|returns?|yields?|raises|examples?|notes?|attributes|see also)[ \t]*:?[ \t]*$",
    re.IGNORECASE,
)
PARAMETERS = {"args", "arguments", "parameters", "params", "attributes"}
FIELD = re.compile(r"^:(?:param|parameter|arg)[ \t]+(?:[^:\n]+[ \t])?(\*{0,2}\w+)[ \t]*:[ \t]*(.*)$")
NAMED = re.compile(r"^(\*{0,2}\w+)[ \t]*(?:\([^()\n]*\))?[ \t]*(?::[ \t]*(.*))?$")
TAG = re.compile(r"^@(\w+)[ \t]*(.*)$")
JSDOC_PARAMETER = re.compile(r"^(?:\{[^}]*\}[ \t]*)?\[?([\w$.]+)(?:=[^\]]*)?\]?[ \t]*(?:-[ \t]*)?(.*)$")


@dataclass
class Described:
    """The descriptions in a docstring: of the whole, and of each name."""

    text: str = ""
    names: dict[str, str] = field(default_factory=dict)


def read_docstring(docstring: str) -> Described:
    """Google's, NumPy's or Sphinx's style; anything else is description throughout."""
    lines = textwrap.dedent(docstring.expandtabs()).strip("\n").split("\n")
    if len(lines) > 1:
        lines = [lines[0].strip(), *textwrap.dedent("\n".join(lines[1:])).split("\n")]
    described, text, section = Described(), [], ""
    indent, current = -1, ""
    for at, line in enumerate(lines):
        bare = line.strip()
        if tagged := FIELD.match(bare):
            section, current, indent = "field", tagged[1].strip("*"), _indent(line)
            described.names[current] = tagged[2]
        elif bare.startswith(":") and section == "field":
            section = "other"
        elif heading := SECTION.match(bare):
            section = "parameters" if heading[1].lower() in PARAMETERS else "other"
            indent, current = -1, ""
        elif section == "parameters" and bare and not set(bare) <= {"-"}:
            indent, current = _parameter_line(line, lines, at, indent, current, described)
        elif section == "field" and bare and _indent(line) > indent:
            described.names[current] += f" {bare}"
        elif not section:
            text.append(line.rstrip())
    described.text = "\n".join(text).strip()
    return described


def _parameter_line(
    line: str, lines: list[str], at: int, indent: int, current: str, described: Described
) -> tuple[int, str]:
    """A line of a section of parameters: a new name at the section's own indentation, else more about the last one."""
    indent = _indent(line) if indent < 0 else indent
    named = NAMED.match(line.strip()) if _indent(line) <= indent else None
    if named:
        is_numpy = at + 1 < len(lines) and _indent(lines[at + 1]) > _indent(line)
        current = named[1].strip("*")
        described.names[current] = "" if is_numpy and " : " in line else (named[2] or "")
    elif current:
        described.names[current] = f"{described.names[current]} {line.strip()}".strip()
    return indent, current


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def read_jsdoc(comment: str) -> Described:
    """The inside of a `/** … */`."""
    lines = [re.sub(r"^[ \t]*\*?[ \t]?", "", line).strip() for line in comment.split("\n")]
    described, text, current = Described(), [], None
    for line in lines:
        tag = TAG.match(line)
        if tag and tag[1] in ("param", "arg", "argument", "property") and (named := JSDOC_PARAMETER.match(tag[2])):
            current = named[1].rpartition(".")[2]
            described.names[current] = named[2].strip()
        elif tag:
            current = ""
            if tag[1] == "description":
                text.append(tag[2])
        elif current:
            described.names[current] = f"{described.names[current]} {line}".strip()
        elif current is None:
            text.append(line)
    described.text = "\n".join(text).strip()
    return described
