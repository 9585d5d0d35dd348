"""A chat completions body in the form of the Messages API: what has a counterpart is translated, the rest is listed."""

from __future__ import annotations

import re
from typing import Any

from playground.protocol.importers.result import JsonOf, Unknown
from playground.protocol.json import json_text

# Members that only a chat completions request has.
ONLY_THERE = frozenset(
    [
        "frequency_penalty",
        "function_call",
        "functions",
        "keep_alive",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "n",
        "options",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "stream_options",
        "top_logprobs",
    ]
)
PARTS_ONLY_THERE = ("image_url", "input_audio", "file", "input_text", "output_text", "input_image", "refusal")
SAME = frozenset({"model", "max_tokens", "temperature", "top_p", "stream"})
OPTIONS = {"num_predict": "max_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}  # Ollama's
TAKEN = SAME | {"messages", "max_completion_tokens", "stop", "tools", "tool_choice", "functions", "function_call"}
TAKEN |= {"user", "options"}
DATA_URL = re.compile(r"data:([\w.+/-]+);base64,(.*)", re.DOTALL)


def is_openai(body: dict[str, Any]) -> bool:
    messages = body.get("messages")
    if not isinstance(messages, list) or "system" in body:
        return False
    if ONLY_THERE & body.keys() or any(_is_function(tool) for tool in _list(body.get("tools"))):
        return True
    first = messages[0] if messages else None
    return (isinstance(first, dict) and first.get("role") in ("system", "developer")) or any(
        isinstance(message, dict)
        and (
            message.get("role") in ("tool", "developer", "function")
            or isinstance(message.get("tool_calls"), list)
            or any(
                isinstance(part, dict) and part.get("type") in PARTS_ONLY_THERE
                for part in _list(message.get("content"))
            )
        )
        for message in messages
    )


def from_openai(body: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """The Messages body; `notes` says what was translated and what was left out."""
    notes.append("This was a chat completions request; it was translated to the Messages API.")
    result: dict[str, Any] = {name: value for name, value in body.items() if name in SAME}
    if "max_completion_tokens" in body:
        result["max_tokens"] = body["max_completion_tokens"]
    if "stop" in body and body["stop"] is not None:
        result["stop_sequences"] = body["stop"] if isinstance(body["stop"], list) else [body["stop"]]
    system, messages = _messages(body["messages"], notes)
    if system:
        result["system"] = "\n\n".join(system)
    result["messages"] = messages
    functions = [{"type": "function", "function": one} for one in _list(body.get("functions")) if isinstance(one, dict)]
    if tools := [_tool(tool) for tool in _list(body.get("tools")) + functions]:
        result["tools"] = tools
    if choice := _tool_choice(body.get("tool_choice", body.get("function_call"))):
        result["tool_choice"] = choice
    if isinstance(user := body.get("user"), str):
        result["metadata"] = {"user_id": user}
    if isinstance(options := body.get("options"), dict):
        result |= {name: options[old] for old, name in OPTIONS.items() if old in options}
    notes.extend(
        f"{name} has no counterpart in the Messages API; it was left out." for name in body if name not in TAKEN
    )
    return result


def _messages(messages: list[Any], notes: list[str]) -> tuple[list[str], list[Any]]:
    system: list[str] = []
    turns: list[Any] = []
    for message in messages:
        if not isinstance(message, dict):
            turns.append(message)
        elif message.get("role") in ("system", "developer"):
            system.append(_text(message.get("content")))
        elif message.get("role") in ("tool", "function"):
            # The older form has no ids: a function's name stands for the call.
            block = {"type": "tool_result", "tool_use_id": message.get("tool_call_id", message.get("name", ""))}
            if message.get("content") is not None:
                block["content"] = _content(message["content"], notes)
            _add(turns, "user", [block])
        elif calls := _calls(message):
            content = _content(message.get("content"), notes)
            blocks = content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []
            turns.append({"role": "assistant", "content": blocks + [_call(call, notes) for call in calls]})
        else:
            content = _content(message.get("content"), notes)
            if content is None and isinstance(message.get("refusal"), str):
                content = message["refusal"]
            turns.append({"role": message.get("role"), "content": "" if content is None else content})
    return system, turns


def _calls(message: dict[str, Any]) -> list[Any]:
    """The calls of an assistant's message, with the one of the older form."""
    called = message.get("function_call")
    old = [{"id": called.get("name", ""), "function": called}] if isinstance(called, dict) else []
    return _list(message.get("tool_calls")) + old


def _add(turns: list[Any], role: str, blocks: list[Any]) -> None:
    """Results of several calls belong into one message."""
    last = turns[-1] if turns else None
    content = last.get("content") if isinstance(last, dict) and last.get("role") == role else None
    if isinstance(content, list) and all(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    ):
        content.extend(blocks)
    else:
        turns.append({"role": role, "content": blocks})


def _content(content: Any, notes: list[str]) -> Any:
    if not isinstance(content, list):
        return content
    blocks: list[Any] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("image_url", "input_image"):
            image = part.get("image_url")
            blocks.append({"type": "image", "source": _source(image.get("url") if isinstance(image, dict) else image)})
        elif kind in ("text", "input_text", "output_text"):
            blocks.append({"type": "text", "text": part.get("text")})
        elif kind == "refusal":
            blocks.append({"type": "text", "text": part.get("refusal")})
        elif kind == "file" and (document := _document(part.get("file"))):
            blocks.append(document)
        elif isinstance(part, Unknown):
            blocks.append(part)
        else:
            notes.append(f"A part of a message ({kind or 'of no type'}) has no counterpart; it was left out.")
    return blocks


def _source(url: Any) -> dict[str, Any]:
    match = DATA_URL.fullmatch(url) if isinstance(url, str) else None
    if match:
        return {"type": "base64", "media_type": match[1], "data": match[2]}
    return {"type": "url", "url": url}


def _document(file: Any) -> dict[str, Any] | None:
    data = file.get("file_data") if isinstance(file, dict) else None
    match = DATA_URL.fullmatch(data) if isinstance(data, str) else None
    if match is None:
        return None
    document: dict[str, Any] = {"type": "document"}
    document["source"] = {"type": "base64", "media_type": match[1], "data": match[2]}
    if isinstance(file.get("filename"), str):
        document["title"] = file["filename"]
    return document


def _call(call: Any, notes: list[str]) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return call
    arguments = function.get("arguments")
    value = (
        arguments.value
        if isinstance(arguments, JsonOf)
        else json_text.try_parse(arguments)
        if isinstance(arguments, str)
        else None
    )
    called = {"type": "tool_use", "id": call.get("id", ""), "name": function.get("name", "")}
    if not isinstance(value, dict) and arguments not in (None, ""):
        notes.append(f"The arguments of a call of {called['name']} are no JSON object; its input is empty.")
    return {**called, "input": value if isinstance(value, dict) else {}}


def _is_function(tool: Any) -> bool:
    return isinstance(tool, dict) and tool.get("type") == "function" and isinstance(tool.get("function"), dict)


def _tool(tool: Any) -> Any:
    if not _is_function(tool):
        return tool
    function = tool["function"]
    members = {name: function[name] for name in ("name", "description") if name in function}
    return {**members, "input_schema": function.get("parameters") or {"type": "object", "properties": {}}}


def _tool_choice(choice: Any) -> dict[str, Any] | None:
    if isinstance(choice, str):
        kind = {"auto": "auto", "required": "any", "none": "none"}.get(choice)
        return {"type": kind} if kind else None
    function = choice.get("function", choice) if isinstance(choice, dict) else None
    return {"type": "tool", "name": function["name"]} if isinstance(function, dict) and "name" in function else None


def _text(content: Any) -> str:
    if isinstance(content, Unknown):
        return content.placeholder
    if isinstance(content, list):
        return "\n".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
