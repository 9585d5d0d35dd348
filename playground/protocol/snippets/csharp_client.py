"""C# with the official client (the package Anthropic): typed parameters for plain text, else the members as JSON."""

from __future__ import annotations

import re
from typing import Any

from playground.protocol.snippets.csharp import csharp, raw_string, string, value_of
from playground.protocol.snippets.http_request import Header, SnippetRequest
from playground.protocol.snippets.literals import body_text, has_half_surrogate, python_keeps
from playground.protocol.snippets.official_clients import (
    PLAIN_HTTP_NOTE,
    is_long,
    number_text,
    takes_typed_parameters,
)

CLIENT_VERSION = "2023-06-01"  # the anthropic-version that the client sends by itself; a second one would be added
# System.Text.Json writes doubles of this range without an exponent, and 1.0 as 1.
KEPT_DECIMAL = re.compile(r"-?\d{1,12}\.\d*[1-9]")
SMALLEST_DECIMAL = 0.0001
ROLES = {"user": "Role.User", "assistant": "Role.Assistant"}
TYPED = frozenset(["model", "max_tokens", "messages", "system", "stop_sequences", "temperature", "top_k", "top_p"])
NONE = "new Dictionary<string, JsonElement>()"


def csharp_client(request: SnippetRequest) -> str:
    if not _survives(request):
        return f"// {PLAIN_HTTP_NOTE}\n{csharp(request)}"
    members = _typed(request.body, streams=request.streams)
    parameters = _typed_parameters(request, members) if members else _raw_parameters(request)
    return (
        ("using System.Text.Json;\n" if "JsonElement" in parameters else "")
        + "using Anthropic;\nusing Anthropic.Models.Messages;\n\n"
        + _client(request)
        + parameters
        + (_STREAM if request.streams else _WHOLE)
    )


_WHOLE = "var message = await client.Messages.Create(parameters);\nConsole.WriteLine(message);\n"
_STREAM = """\
await foreach (var streamed in client.Messages.CreateStreaming(parameters))
{
    if (streamed.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var text))
    {
        Console.Write(text.Text);
    }
}
"""


def _survives(request: SnippetRequest) -> bool:
    """Whether the client sends the request as it is; else only plain HTTP does. Numbers keep their spelling."""
    if request.query_members() is None or request.version != CLIENT_VERSION:
        return False
    return takes_typed_parameters(request.body) and not has_half_surrogate(request.body)


def _client(request: SnippetRequest) -> str:
    key = f'Environment.GetEnvironmentVariable("{request.key_variable}")'
    # Without an API key of its own the client looks for one, and would send both.
    credential = f"ApiKey = null,\n    AuthToken = {key}" if request.auth_style == "bearer" else f"ApiKey = {key}"
    return (
        "AnthropicClient client = new()\n{\n"
        f"    {credential},\n    BaseUrl = {string(request.client_base_url)},\n"
        "    Timeout = TimeSpan.FromMinutes(10),\n};\n"
    )


def _raw_parameters(request: SnippetRequest) -> str:
    body = body_text(request)
    reading = "".join(
        f'body = body.Replace("{mark}", Convert.ToBase64String(File.ReadAllBytes("{name}")));\n'
        for mark, name in body.files
    )
    return (
        f"var body = {raw_string(body.text)};\n{reading}"
        "var parameters = MessageCreateParams.FromRawUnchecked(\n"
        f"    {_headers(request)},\n    {_query(request)},\n"
        "    JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(body)!\n);\n"
    )


def _typed_parameters(request: SnippetRequest, members: list[str]) -> str:
    arguments = ""
    if _own_headers(request) or request.query:
        arguments = f"\n    {_headers(request)},\n    {_query(request)},\n    {NONE}\n"
    lines = "".join(f"    {member},\n" for member in members)
    return f"MessageCreateParams parameters = new({arguments})\n{{\n{lines}}};\n"


def _own_headers(request: SnippetRequest) -> list[Header]:
    return [header for header in request.client_headers() if header.name != "anthropic-version"]


def _headers(request: SnippetRequest) -> str:
    return _dictionary([(header.name, value_of(header)) for header in _own_headers(request)])


def _query(request: SnippetRequest) -> str:
    return _dictionary([(name, string(value)) for name, value in (request.query_members() or {}).items()])


def _dictionary(members: list[tuple[str, str]]) -> str:
    if not members:
        return NONE
    lines = "".join(
        f"        [{string(name)}] = JsonSerializer.SerializeToElement({value}),\n" for name, value in members
    )
    return f"new Dictionary<string, JsonElement>\n    {{\n{lines}    }}"


def _typed(body: dict[str, Any], *, streams: bool) -> list[str]:
    """The body as typed members; empty when it has more than text and numbers."""
    typed = {name: value for name, value in body.items() if name != "stream" or not streams}
    members: list[str] = []
    for name, value in typed.items():
        written = _member(name, value) if name in TYPED else None
        if written is None:
            return []
        property_name = "".join(word.capitalize() for word in name.split("_"))
        members.append(f"{property_name} ={written}" if written.startswith("\n") else f"{property_name} = {written}")
    return members


def _member(name: str, value: Any) -> str | None:
    if name == "messages":
        return _messages(value)
    if name in ("model", "system"):
        return string(value) if isinstance(value, str) else None
    if name in ("max_tokens", "top_k"):
        return str(value) if is_long(value) else None
    if name == "stop_sequences":
        is_text = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return f"[{', '.join(map(string, value))}]" if is_text else None
    number = number_text(value)
    is_kept = KEPT_DECIMAL.fullmatch(number) and python_keeps(number) and abs(float(number)) >= SMALLEST_DECIMAL
    return number if is_kept or re.fullmatch(r"0|-?[1-9]\d{0,8}", number) else None


def _messages(messages: list[Any]) -> str | None:
    lines = ""
    for message in messages:
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            return None
        if message["role"] not in ROLES or not isinstance(message["content"], str):
            return None
        role = ROLES[message["role"]]
        lines += f"        new() {{ Role = {role}, Content = {string(message['content'])} }},\n"
    return f"\n    [\n{lines}    ]" if lines else None
