"""Decides which of the given tools the sandbox calls, and with what input."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from playground.protocol.json.example_input import Hint, example_input
from playground.sandbox.request_reader import Request, blocks_of
from playground.sandbox.texts import COMMON_WORDS

_MOST_CALLS = 3  # in one answer
_MOST_ROUNDS = 3  # in one conversation, of calls that nobody asked for
_AGENTS = re.compile(r"task|agent|spawn|delegate|workflow", re.IGNORECASE)
_REMINDERS = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)  # what agents add to the user's words
# Inputs for the tools whose schema only the API knows, by the beginning of their type.
_INPUTS_OF_KNOWN_TOOLS: dict[str, dict[str, Any]] = {
    "bash_": {"command": "ls -la"},
    "text_editor_": {"command": "view", "path": "/tmp/notes.txt"},  # noqa: S108 - a text, no file
    "memory_": {"command": "view", "path": "/memories"},
    "computer_20": {"action": "screenshot"},
}
_TOOLSETS = {"computer_toolset_": ("computer", "screenshot"), "browser_toolset_": ("browser", "list_tabs")}
_SENTENCE_NAMES = ("query", "question", "expression", "text", "prompt", "message", "search", "input", "description")


def calls(request: Request, *, eager: bool) -> list[dict[str, Any]]:
    """The tool_use blocks of the answer, maybe none.

    A tool is called when the request forces it or the text names it. `eager`, which is what `sandbox-tools` is, calls
    one that the text merely hints at, or just any; but it starts no agents unasked, each of which would ask it again.
    """
    tools = [tool for tool in request.body.get("tools") or [] if _can_be_called(tool)]
    choice = request.body.get("tool_choice") or {"type": "auto"}
    kind = choice.get("type")
    if not tools or kind == "none" or (kind == "auto" and request.tool_results):
        return []
    if kind == "tool":
        tools = [tool for tool in tools if _name(tool) == choice.get("name")]
    elif named := [tool for tool in tools if _is_named(tool, request.text)]:
        tools = named
    elif kind == "auto" and (not eager or _has_called_enough(request)):
        return []
    elif relevant := [tool for tool in tools if _is_hinted_at(tool, request.text)]:
        tools = relevant
    elif kind == "auto":
        tools = [tool for tool in tools if not _AGENTS.search(_name(tool))]
    calls = _spread(tools, _subjects(request.text))
    if choice.get("disable_parallel_tool_use") is True:
        calls = calls[:1]
    return [_call(request, tool, subject, place) for place, (tool, subject) in enumerate(calls[:_MOST_CALLS])]


def _spread(tools: list[Mapping[str, Any]], subjects: list[str]) -> list[tuple[Mapping[str, Any], str | None]]:
    """One tool is called for every subject in the text ("Berlin and Paris"), several are called once each."""
    if len(tools) == 1 and _takes_a_subject(tools[0]):
        return [(tools[0], subject) for subject in subjects or [None]]  # type: ignore[list-item]
    return [(tool, subjects[0] if subjects else None) for tool in tools]


def _call(request: Request, tool: Mapping[str, Any], subject: str | None, place: int) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_use", "id": _call_id(request, place), "name": _name(tool)}
    kind = str(tool.get("type") or "custom")
    for start, (toolset, _) in _TOOLSETS.items():
        if kind.startswith(start):
            block["toolset_name"] = toolset
    return block | {"input": _input(request, tool, subject)}


def _call_id(request: Request, place: int) -> str:
    return "toolu_sandbox" + hashlib.sha256(f"{request.seed}.{place}".encode()).hexdigest()[:16]


def _input(request: Request, tool: Mapping[str, Any], subject: str | None) -> dict[str, Any]:
    kind = str(tool.get("type") or "custom")
    for start, known in _INPUTS_OF_KNOWN_TOOLS.items():
        if kind.startswith(start):
            return dict(known)
    schema = tool.get("input_schema")
    return example_input(schema, hint_from(request, subject)) if isinstance(schema, Mapping) else {}


def hint_from(request: Request, subject: str | None = None) -> Hint:
    """Fill texts from what the user wrote: a subject in the first short member, the sentence where one is wanted."""
    used = False
    subjects = _subjects(request.text) if subject is None else [subject]

    def hint(name: str, schema: Mapping[str, Any]) -> str | None:
        nonlocal used
        if name.lower() in _SENTENCE_NAMES and request.text:
            return request.text[:200]
        if used or not subjects or "format" in schema or name.lower().endswith(("id", "unit", "units", "date", "url")):
            return None
        used = True
        return subjects[0]

    return hint


def _can_be_called(tool: Any) -> bool:
    """Return whether the client runs this tool; the server's own and those whose loading is deferred are not called."""
    if not isinstance(tool, Mapping) or tool.get("defer_loading") is True:
        return False
    kind = str(tool.get("type") or "custom")
    return kind == "custom" or kind.startswith((*_INPUTS_OF_KNOWN_TOOLS, *_TOOLSETS))


def _name(tool: Mapping[str, Any]) -> str:
    kind = str(tool.get("type") or "custom")
    for start, (_, member) in _TOOLSETS.items():
        if kind.startswith(start):
            return member
    return str(tool.get("name") or "")


def _is_named(tool: Mapping[str, Any], text: str) -> bool:
    """Return whether the text names the tool. A name that is also a word ("Read", "Task") counts only where it is meant
    as one."""
    name = _name(tool)
    text = _REMINDERS.sub(" ", text)
    if not name or name not in text:
        return False
    whole = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    if re.search(r"[_\d-]|[a-z][A-Z]", name):
        return re.search(whole, text) is not None
    quoted, ordered = rf"[`\"'“]{whole}[`\"'”]", rf"\b(?:call|use|using|invoke)\s+(?:the\s+)?{whole}"
    return re.search(rf"{quoted}|{ordered}|{whole}\s+(?:tool|function)\b", text) is not None


def _has_called_enough(request: Request) -> bool:
    """A client that sends its own words after every result would otherwise be asked for calls without an end."""
    calling = sum(
        1
        for message in request.messages
        if message["role"] == "assistant" and any(block.get("type") == "tool_use" for block in blocks_of(message))
    )
    return calling >= _MOST_ROUNDS


def _is_hinted_at(tool: Mapping[str, Any], text: str) -> bool:
    """Return whether the text shares a telling word with the tool's name or description."""
    about = f"{_name(tool).replace('_', ' ')} {tool.get('description') or ''}"
    return bool(_telling_words(about) & _telling_words(text))


def _telling_words(text: str) -> set[str]:
    return {word[:6].lower() for word in re.findall(r"[^\W\d_]{4,}", text)} - _TELLING_NOTHING


_TELLING_NOTHING = {word[:6] for word in COMMON_WORDS} | {"string", "number", "value", "return", "functi", "result"}


def _takes_a_subject(tool: Mapping[str, Any]) -> bool:
    schema = tool.get("input_schema")
    members = schema.get("properties") if isinstance(schema, Mapping) else None
    return isinstance(members, Mapping) and any(
        isinstance(member, Mapping) and member.get("type") == "string" and "enum" not in member
        for member in members.values()
    )


def _subjects(text: str) -> list[str]:
    """Return what a text names: what it quotes, else its capitalised words that do not begin a sentence."""
    quoted = re.findall(r"[\"“”]([^\"“”]{1,80})[\"“”]", text)
    if quoted:
        return list(dict.fromkeys(quoted))[:_MOST_CALLS]
    named = re.findall(r"(?<=[^\s.!?:] )((?:[A-ZÀ-Þ][\w'-]+)(?: [A-ZÀ-Þ][\w'-]+)*)", text)
    return list(dict.fromkeys(name for name in named if name not in ("I", "AI", "API", "JSON")))[:_MOST_CALLS]
