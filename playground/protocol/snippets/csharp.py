"""C# 11 with HttpClient, as a top-level program; the body is a raw string literal."""

from __future__ import annotations

import re

from playground.protocol.snippets.http_request import Header, SnippetRequest
from playground.protocol.snippets.literals import body_text, escaped

SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text: str) -> str:
    return '"' + escaped(text, SHORT, lambda point: f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}") + '"'


def raw_string(text: str) -> str:
    """A raw string literal: it needs more quotes around it than stand in a row in it."""
    longest = max((len(run) for run in re.findall('"+', text)), default=0)
    quotes = '"' * max(3, longest + 1)
    return f"{quotes}\n{text}\n{quotes}"


def csharp(request: SnippetRequest) -> str:
    body = body_text(request)
    reading = "".join(
        f'body = body.Replace("{mark}", Convert.ToBase64String(File.ReadAllBytes("{name}")));\n'
        for mark, name in body.files
    )
    headers = "".join(
        f"request.Headers.TryAddWithoutValidation({string(header.name)}, {value_of(header)});\n"
        for header in request.headers()
        if header.name != "content-type"
    )
    return (
        "using System.Text;\n\n"
        f"var body = {raw_string(body.text)};\n{reading}\n"
        f"using var request = new HttpRequestMessage(HttpMethod.Post, {string(request.url)});\n{headers}"
        'request.Content = new StringContent(body, Encoding.UTF8, "application/json");\n\n'
        "using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(10) };\n"
        "using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);\n"
        + (_STREAM if request.streams else _WHOLE)
    )


_WHOLE = "Console.WriteLine(await response.Content.ReadAsStringAsync());\n"
_STREAM = """\
using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
while (await reader.ReadLineAsync() is { } line)
{
    if (line.StartsWith("data:")) Console.WriteLine(line[5..].Trim());
}
"""


def value_of(header: Header) -> str:
    if not header.variable:
        return string(header.value)
    read = f'Environment.GetEnvironmentVariable("{header.variable}")'
    return f"{string(header.prefix)} + {read}" if header.prefix else read
