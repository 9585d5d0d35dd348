"""Answers in which tools of the server's own run: code execution and fetching of pages. Nothing is run or fetched."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from playground.sandbox.request_reader import Request

Blocks = list[dict[str, Any]]

_CODE = "numbers = [3, 1, 4, 1, 5, 9]\nprint(sum(numbers) / len(numbers))"
_COMMAND = f"python3 -c '{_CODE.replace(chr(10), '; ')}'"


def code_execution(request: Request) -> Blocks:
    """A run of a little program, when the tool is given and the text asks to run or calculate something."""
    tool = _given(request, "code_execution_")
    if tool is None or not request.says("run", "execut", "calculat", "comput", "average"):
        return []
    # The first version ran Python; those after it run shell commands.
    first_version = tool["type"] == "code_execution_20250522"
    name, input_ = (
        ("code_execution", {"code": _CODE}) if first_version else ("bash_code_execution", {"command": _COMMAND})
    )
    result = {"stdout": "3.8333333333333335\n", "stderr": "", "return_code": 0, "content": []}
    return [
        {"type": "text", "text": "I will run a short program."},
        _call(request, name, input_),
        _result(request, name, {"type": f"{name}_result"} | result),
        {"type": "text", "text": "The average is **3.83**. (The program was not really run: this is a simulation.)"},
    ]


def web_fetch(request: Request) -> Blocks:
    """A page by its address in the text, when the tool is given."""
    tool = _given(request, "web_fetch_")
    address = re.search(r"https?://[^\s<>\"']{3,200}", request.text)
    if tool is None or address is None:
        return []
    url = address[0].rstrip(".,;:!?)")
    source = {"type": "text", "media_type": "text/plain", "data": "This page is made up. The sandbox fetches nothing."}
    document = {"type": "document", "source": source, "title": "A made-up page", "citations": None}
    page = {"type": "web_fetch_result", "url": url, "content": document, "retrieved_at": "2026-11-22T09:30:00Z"}
    return [
        {"type": "text", "text": "I will read that page."},
        _call(request, "web_fetch", {"url": url}),
        _result(request, "web_fetch", page),
        {"type": "text", "text": "The page says of itself that it is **made up**."},
    ]


def _given(request: Request, start: str) -> Mapping[str, Any] | None:
    """The tool whose type begins so, unless no tool may be used."""
    if (request.body.get("tool_choice") or {}).get("type") == "none":
        return None
    tools = request.body.get("tools") or []
    return next((tool for tool in tools if str(tool.get("type") or "").startswith(start)), None)


def _call_id(request: Request, name: str) -> str:
    return "srvtoolu_sandbox" + hashlib.sha256(f"{name} {request.seed}".encode()).hexdigest()[:16]


def _call(request: Request, name: str, input_: dict[str, Any]) -> dict[str, Any]:
    return {"type": "server_tool_use", "id": _call_id(request, name), "name": name, "input": input_}


def _result(request: Request, name: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"{name}_tool_result", "tool_use_id": _call_id(request, name), "content": content}
