"""curl, with the body on standard input: a quoted here-document takes any text as it is."""

from __future__ import annotations

from playground.protocol.snippets.http_request import Header, SnippetRequest
from playground.protocol.snippets.literals import body_text


def curl(request: SnippetRequest) -> str:
    body = body_text(request)
    options = ["--no-buffer"] if request.streams else []
    options += [f"--header {_header(header)}" for header in request.headers()]
    command = " \\\n  ".join([f"curl {_quoted(request.url)}", *options])
    if not body.files:
        return f"{command} \\\n  --data-binary @- <<'JSON'\n{body.text}\nJSON\n"
    text = body.text.replace("\\", "\\\\").replace("$", "\\$").replace("`", "\\`")
    for mark, name in body.files:
        text = text.replace(f'"{mark}"', f"\"$(base64 < {name} | tr -d '\\n')\"")
    return f"{command} \\\n  --data-binary @- <<JSON\n{text}\nJSON\n"


def _header(header: Header) -> str:
    if header.variable:
        return f'"{_in_double_quotes(header.name + ": " + header.prefix)}${header.variable}"'
    # curl drops a header written "name:"; a semicolon sends it with an empty value.
    return _quoted(f"{header.name}: {header.value}" if header.value else f"{header.name};")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _in_double_quotes(text: str) -> str:
    return "".join(f"\\{character}" if character in '\\"$`' else character for character in text)
