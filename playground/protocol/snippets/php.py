"""PHP with its own HTTP stream, which needs no extension; the body is a nowdoc."""

from __future__ import annotations

from playground.protocol.snippets.http_request import Header, SnippetRequest
from playground.protocol.snippets.literals import body_text


def string(text: str) -> str:
    """A single-quoted PHP string: only the backslash and the quote mean something in it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def php(request: SnippetRequest) -> str:
    body = body_text(request)
    replacing = "".join(
        f"$body = str_replace('{mark}', base64_encode(file_get_contents('{name}')), $body);\n"
        for mark, name in body.files
    )
    headers = "".join(f"        {_line(header)},\n" for header in request.headers())
    return (
        f"<?php\n\n$body = <<<'JSON'\n{body.text}\nJSON;\n{replacing}\n"
        "$context = stream_context_create(['http' => [\n"
        "    'method' => 'POST',\n"
        "    'protocol_version' => 1.1,\n"
        f"    'header' => [\n{headers}        'connection: close',\n    ],\n"
        "    'content' => $body,\n"
        "    'ignore_errors' => true, // an error's body says what was wrong\n"
        "    'timeout' => 600,\n"
        "]]);\n"
        f"$answer = fopen({string(request.url)}, 'r', false, $context);\n" + (_STREAM if request.streams else _WHOLE)
    )


_WHOLE = "echo stream_get_contents($answer);\n"
_STREAM = """\
while (($line = fgets($answer)) !== false) {
    if (str_starts_with($line, 'data:')) {
        $event = json_decode(substr($line, 5), true);
        echo json_encode($event), "\\n";
    }
}
"""


def _line(header: Header) -> str:
    if not header.variable:
        return string(f"{header.name}: {header.value}")
    return f"{string(f'{header.name}: {header.prefix}')} . getenv('{header.variable}')"
