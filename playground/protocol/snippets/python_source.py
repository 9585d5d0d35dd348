"""Python: the official client, and httpx."""

from __future__ import annotations

from playground.protocol.snippets.http_request import API_KEY_VARIABLE, Header, SnippetRequest
from playground.protocol.snippets.literals import (
    BodyText,
    Literals,
    Style,
    body_text,
    escaped,
    has_half_surrogate,
    numbers_of,
    python_keeps,
)

# The arguments of messages.create in the official client 2.x; other members of the body go through extra_body.
STABLE_ARGUMENTS = frozenset(
    [
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    ]
)
BETA_ARGUMENTS = STABLE_ARGUMENTS | frozenset(
    [
        "billing_policy",
        "compaction",
        "context_management",
        "fallback_credit_token",
        "fallbacks",
        "mcp_servers",
        "thread",
    ]
)
CLIENT_VERSION = "2026-10-21"  # the anthropic-version that the official client 2.x sends by itself
CLIENT_BASE_URL = "https://api.anthropic.com"
QUICK_ANSWER = 8192  # max_tokens from which the client may refuse to wait for a whole answer, unless given a timeout
SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text: str) -> str:
    return '"' + escaped(text, SHORT, _number) + '"'


def _number(point: int) -> str:
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


STYLE = Style(string=string, key=string, words={None: "None", True: "True", False: "False"})


def _literals(request: SnippetRequest) -> Literals:
    read = 'base64.b64encode(open("{}", "rb").read()).decode()'
    return Literals(STYLE, {data: read.format(file.name) for data, file in request.files().items()})


def _survives(request: SnippetRequest) -> bool:
    """Return whether the body can be written with Python's own values and arrive as it is."""
    return all(map(python_keeps, numbers_of(request.body))) and not has_half_surrogate(request.body)


def _header_value(header: Header) -> str:
    if not header.variable:
        return string(header.value)
    read = f'os.environ["{header.variable}"]'
    return f"{string(header.prefix)} + {read}" if header.prefix else read


def _headers(headers: list[Header], indent: str) -> str:
    return "{" + "".join(f"\n{indent}    {string(h.name)}: {_header_value(h)}," for h in headers) + f"\n{indent}}}"


def _text_assignment(body: BodyText) -> str:
    # Three quotes in a row cannot happen in JSON text, and a raw string leaves its backslashes alone.
    lines = f'body = r"""{body.text}"""\n'
    for mark, name in body.files:
        lines += f'body = body.replace("{mark}", base64.b64encode(open("{name}", "rb").read()).decode())\n'
    return lines


def _imports(source: str, *, third: str) -> str:
    standard = [f"import {name}\n" for name in ("base64", "json", "os") if f"{name}." in source]
    return "".join(standard) + ("\n" if standard else "") + f"import {third}\n\n"


# --- the official client ---------------------------------------------------------------------------------------------


def official(request: SnippetRequest) -> str:
    source = _client(request) + "\n"
    if _plain(request.body) and _survives(request) and request.query_members() is not None:
        source += _stream(request) if request.streams else _create(request)
    else:
        source += _post(request)
    return _imports(source, third="anthropic") + source


def _client(request: SnippetRequest) -> str:
    arguments: list[str] = []
    headers = request.own_headers()
    if request.accept:
        headers.insert(0, Header("accept", request.accept))
    if request.version != CLIENT_VERSION:
        headers.insert(0, Header("anthropic-version", request.version))
    if request.client_base_url != CLIENT_BASE_URL:
        arguments.append(f"base_url={string(request.client_base_url)}")
        if request.calls_playground:  # which takes its keys in either header
            arguments.append(f'api_key=os.environ["{request.key_variable}"]')
        elif request.auth_style == "x-api-key":
            headers.insert(0, request.credential_header())
    members = [f"{string(header.name)}: {_header_value(header)}" for header in headers]
    if any(header.name == "x-api-key" for header in headers):
        # The client 2.x sends its key as a bearer token; some servers refuse two credentials at once.
        members.insert(1, '"Authorization": anthropic.Omit()')
    if members:
        arguments.append("default_headers={" + "".join(f"\n        {member}," for member in members) + "\n    }")
    if not arguments:
        return f"client = anthropic.Anthropic()  # reads {API_KEY_VARIABLE}\n"
    return "client = anthropic.Anthropic(" + "".join(f"\n    {argument}," for argument in arguments) + "\n)\n"


def _plain(body: object) -> bool:
    """Return whether messages.create takes the body; it looks into some members before it sends them."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return False
    tools, thinking = body.get("tools", []), body.get("thinking")
    return (
        isinstance(body.get("model"), str)
        and _is_integer(body.get("max_tokens"))
        and isinstance(body.get("stream", False), bool)
        and all(isinstance(message, dict) for message in body["messages"])
        and isinstance(tools, list)
        and all(isinstance(tool, dict) for tool in tools)
        and (not thinking or (isinstance(thinking, dict) and "type" in thinking))
    )


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _arguments(request: SnippetRequest) -> str:
    body, write = request.body, _literals(request).write
    known = BETA_ARGUMENTS if request.betas else STABLE_ARGUMENTS
    arguments = [f"{name}={write(value, 1, 5 + len(name))}" for name, value in body.items() if name in known]
    others = {name: value for name, value in body.items() if name not in known}
    if request.betas:
        arguments.append(f"betas={write(list(request.betas), 1, 10)}")
    if others:
        arguments.append(f"extra_body={write(others, 1, 15)}")
    if query := request.query_members():
        arguments.append(f"extra_query={write(query, 1, 16)}")
    if not request.streams and body["max_tokens"] > QUICK_ANSWER:
        arguments.append("timeout=3600")
    return "".join(f"\n    {argument}," for argument in arguments if argument != "stream=True") + "\n"


def _messages(request: SnippetRequest) -> str:
    return "client.beta.messages" if request.betas else "client.messages"


def _create(request: SnippetRequest) -> str:
    return f"message = {_messages(request)}.create({_arguments(request)})\nprint(message.content)\n"


def _stream(request: SnippetRequest) -> str:
    return (
        f"with {_messages(request)}.stream({_arguments(request)}) as stream:\n"
        "    for text in stream.text_stream:\n"
        '        print(text, end="", flush=True)\n'
    )


def _post(request: SnippetRequest) -> str:
    """The body as JSON text: messages.create would not send it, or would send its numbers spelled differently."""
    headers = {"content-type": "application/json"}
    if request.betas:
        headers["anthropic-beta"] = ",".join(request.betas)
    options = f'\n    options={{"headers": {Literals(STYLE, {}).write(headers)}}},'
    kind, stream = "anthropic.types.Message", ""
    if request.streams:
        kind = "anthropic.types.RawMessageStreamEvent"
        stream = f"\n    stream=True,\n    stream_cls=anthropic.Stream[{kind}],"
    result = "stream" if request.streams else "message"
    call = f"{result} = client.post(\n    {string(request.path)},\n    cast_to={kind},\n    content=body.encode(),"
    source = _text_assignment(body_text(request)) + f"{call}{options}{stream}\n)\n"
    return source + (_read_client_stream() if request.streams else "print(message.content)\n")


def _read_client_stream() -> str:
    return (
        "for event in stream:\n"
        '    if event.type == "content_block_delta" and event.delta.type == "text_delta":\n'
        '        print(event.delta.text, end="", flush=True)\n'
    )


# --- httpx -----------------------------------------------------------------------------------------------------------


def httpx(request: SnippetRequest) -> str:
    source = f"headers = {_headers(request.headers(), '')}\n"
    if _survives(request):
        source += f"body = {_literals(request).write(request.body, 0, 7)}\n"
        argument = "json=body"
    else:
        source += _text_assignment(body_text(request))
        argument = "content=body.encode()"
    arguments = f"{string(request.url)}, headers=headers, {argument}, timeout=600"
    source += "\n" + (_httpx_stream(arguments) if request.streams else _httpx_post(arguments))
    return _imports(source, third="httpx") + source


def _httpx_post(arguments: str) -> str:
    return f"response = httpx.post({arguments})\nresponse.raise_for_status()\nprint(response.text)\n"


def _httpx_stream(arguments: str) -> str:
    # Not iter_lines(): it also cuts at line separators of Unicode, which may stand inside an event's JSON.
    return (
        f'with httpx.stream("POST", {arguments}) as response:\n'
        "    response.raise_for_status()\n"
        '    rest = b""\n'
        "    for chunk in response.iter_bytes():\n"
        '        *lines, rest = (rest + chunk).split(b"\\n")\n'
        "        for line in lines:\n"
        '            if line.startswith(b"data:"):\n'
        "                print(json.loads(line[5:]))\n"
    )
