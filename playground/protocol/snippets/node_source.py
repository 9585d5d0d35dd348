"""Node: the official client, and fetch."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from playground.protocol.snippets.http_request import API_KEY_VARIABLE, Header, SnippetRequest
from playground.protocol.snippets.literals import (
    BodyText,
    Literals,
    Style,
    body_text,
    escaped,
    javascript_keeps,
    numbers_of,
)
from playground.protocol.snippets.python_source import CLIENT_BASE_URL, CLIENT_VERSION, QUICK_ANSWER

SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
# JSON.stringify writes keys that look like array indexes first, whatever their place.
ARRAY_INDEX = re.compile(r"0|[1-9][0-9]*")


def string(text: str) -> str:
    return '"' + escaped(text, SHORT, _number) + '"'


def _number(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\u{{{point:x}}}"


def key(name: str) -> str:
    if name == "__proto__":  # without the brackets it would set the object's prototype
        return '["__proto__"]'
    return name if IDENTIFIER.fullmatch(name) else string(name)


STYLE = Style(string=string, key=key, words={None: "null", True: "true", False: "false"}, spaced_braces=True)


def _literals(request: SnippetRequest) -> Literals:
    return Literals(STYLE, {data: f'readFileSync("{file.name}", "base64")' for data, file in request.files().items()})


def _survives(request: SnippetRequest) -> bool:
    """Return whether the body can be written with JavaScript's own values and arrive as it is."""
    return all(map(javascript_keeps, numbers_of(request.body))) and not _has_array_index(request.body)


def _has_array_index(value: object) -> bool:
    if isinstance(value, dict):
        return any(ARRAY_INDEX.fullmatch(name) or _has_array_index(member) for name, member in value.items())
    return isinstance(value, list) and any(_has_array_index(item) for item in value)


def _header_value(header: Header) -> str:
    if not header.variable:
        return string(header.value)
    read = f"process.env.{header.variable}"
    return f"{string(header.prefix)} + {read}" if header.prefix else read


def _header_member(header: Header) -> str:
    return f"{key(header.name)}: {_header_value(header)}"


def _text_assignment(body: BodyText) -> str:
    text = body.text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    replacing = "".join(f'\n  .replace("{mark}", readFileSync("{name}", "base64"))' for mark, name in body.files)
    return f"const body = `{text}`{replacing};\n"


def _imports(source: str) -> str:
    return 'import { readFileSync } from "node:fs";\n\n' if "readFileSync(" in source else ""


# --- the official client ---------------------------------------------------------------------------------------------


def official(request: SnippetRequest) -> str:
    names = [name for name, _ in parse_qsl(request.query, keep_blank_values=True)]
    if len(set(names)) < len(names):
        return fetch(request)  # of a name that comes twice, the client sends the last
    source = _client(request) + "\n"
    if not _plain(request):
        source += _post(request)
    elif request.streams:
        source += _stream(request)
    else:
        source += f"const message = await {_call(request, 'create')}console.log(message);\n"
    imports = _imports(source)
    return 'import Anthropic from "@anthropic-ai/sdk";\n' + (imports or "\n") + source


def _client(request: SnippetRequest) -> str:
    options: list[str] = []
    headers = request.own_headers()
    if request.accept:
        headers.insert(0, Header("accept", request.accept))
    if request.version != CLIENT_VERSION:
        headers.insert(0, Header("anthropic-version", request.version))
    members = [_header_member(header) for header in headers]
    if request.client_base_url != CLIENT_BASE_URL:
        options.append(f"baseURL: {string(request.client_base_url)}")
        if request.calls_playground:  # which takes its keys in either header
            options.append(f"apiKey: process.env.{request.key_variable}")
        elif request.auth_style == "x-api-key":
            # The client sends its key as a bearer token; some servers refuse two credentials at once.
            members = [_header_member(request.credential_header()), "Authorization: null", *members]
    if members:
        options.append("defaultHeaders: {" + "".join(f"\n        {member}," for member in members) + "\n    }")
    if not options:
        return f"const client = new Anthropic(); // reads {API_KEY_VARIABLE}\n"
    return "const client = new Anthropic({" + "".join(f"\n    {option}," for option in options) + "\n});\n"


def _plain(request: SnippetRequest) -> bool:
    """Return whether messages.create sends the body as it is; it takes some members out, and looks into others."""
    body = request.body
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or not _survives(request):
        return False
    if request.query_members() is None:
        return False
    removed = {"betas", "user_profile_id", "workspace_id", "output_format"} & body.keys()
    return (
        not removed
        and isinstance(body.get("model"), str)
        and isinstance(body.get("max_tokens"), int)
        and isinstance(body.get("stream", False), bool)
        and all(isinstance(message, dict) for message in body["messages"])
    )


def _call(request: SnippetRequest, method: str) -> str:
    body = _literals(request)
    members = [f"{key(name)}: {body.write(value, 1, 6 + len(name))}" for name, value in request.body.items()]
    if request.betas:
        members.append(f"betas: {body.write(list(request.betas), 1, 10)}")
    given = []
    if query := request.query_members():
        given.append(f"query: {body.write(query)}")
    if not request.streams and request.body["max_tokens"] > QUICK_ANSWER:
        given.append("timeout: 3_600_000")
    options = f", {{ {', '.join(given)} }}" if given else ""
    messages = "client.beta.messages" if request.betas else "client.messages"
    written = "".join(f"\n    {member}," for member in members if member != "stream: true")
    return f"{messages}.{method}({{{written}\n}}{options});\n"


def _stream(request: SnippetRequest) -> str:
    return (
        f"const stream = {_call(request, 'stream')}"
        'stream.on("text", (text) => process.stdout.write(text));\n'
        "await stream.finalMessage();\n"
    )


def _post(request: SnippetRequest) -> str:
    """The body as JSON text: messages.create would not send it, or would send its numbers spelled differently."""
    headers = {"content-type": "application/json"}
    if request.betas:
        headers["anthropic-beta"] = ",".join(request.betas)
    stream = " stream: true," if request.streams else ""
    result = "stream" if request.streams else "message"
    call = f"const {result} = await client.post({string(request.path)}, {{\n    body,\n   {stream}"
    call = call if stream else call.removesuffix("\n   ")
    call += f"\n    headers: {Literals(STYLE, {}).write(headers)},\n}});\n"
    source = _text_assignment(body_text(request)) + call
    return source + (_read_client_stream() if request.streams else "console.log(message);\n")


def _read_client_stream() -> str:
    return (
        "for await (const event of stream) {\n"
        '    if (event.type === "content_block_delta" && event.delta.type === "text_delta") {\n'
        "        process.stdout.write(event.delta.text);\n"
        "    }\n"
        "}\n"
    )


# --- fetch -----------------------------------------------------------------------------------------------------------


def fetch(request: SnippetRequest) -> str:
    if _survives(request):
        source, body = f"const body = {_literals(request).write(request.body, 0, 13)};\n", "JSON.stringify(body)"
    else:
        source, body = _text_assignment(body_text(request)), "body"
    headers = "".join(f"\n        {_header_member(header)}," for header in request.headers())
    source += (
        f"\nconst response = await fetch({string(request.url)}, {{\n"
        f'    method: "POST",\n    headers: {{{headers}\n    }},\n    body: {body},\n}});\n'
        "if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);\n"
    )
    source += _read_fetch_stream() if request.streams else "console.log(await response.text());\n"
    return _imports(source) + source


def _read_fetch_stream() -> str:
    return (
        'let rest = "";\n'
        "for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {\n"
        '    const lines = (rest + chunk).split("\\n");\n'
        "    rest = lines.pop();\n"
        "    for (const line of lines) {\n"
        '        if (line.startsWith("data:")) console.log(JSON.parse(line.slice(5)));\n'
        "    }\n"
        "}\n"
    )
