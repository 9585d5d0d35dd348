"""PHP with the official client (anthropic-ai/sdk): named arguments, and the rest among its extra body parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from playground.protocol.json import json_text
from playground.protocol.snippets.http_request import Header, SnippetRequest, is_plain
from playground.protocol.snippets.literals import (
    Literals,
    Style,
    escaped,
    has_half_surrogate,
    numbers_of,
    python_keeps,
)
from playground.protocol.snippets.official_clients import PLAIN_HTTP_NOTE, is_long, takes_typed_parameters
from playground.protocol.snippets.php import php, string

SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# json_encode writes doubles of this range without an exponent, and 1.0 as 1.
KEPT_DECIMAL = re.compile(r"-?\d{1,12}\.\d*[1-9]")
SMALLEST_DECIMAL = 0.0001
UPPER_CASE = re.compile(r"[A-Z]")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# The named arguments of messages->create, with the values that they take.
ARGUMENTS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "model": ("model", _is_text),
    "max_tokens": ("maxTokens", is_long),
    "messages": ("messages", _is_list),
    "inference_geo": ("inferenceGeo", _is_text),
    "metadata": ("metadata", _is_object),
    "output_config": ("outputConfig", _is_object),
    "service_tier": ("serviceTier", _is_text),
    "stop_sequences": ("stopSequences", _is_list),
    "system": ("system", lambda value: isinstance(value, str | list)),
    "temperature": ("temperature", _is_number),
    "thinking": ("thinking", _is_object),
    "tool_choice": ("toolChoice", _is_object),
    "tools": ("tools", _is_list),
    "top_k": ("topK", is_long),
    "top_p": ("topP", _is_number),
}


def php_client(request: SnippetRequest) -> str:
    if not _survives(request):
        return php(request).replace("<?php\n\n", f"<?php\n\n// {PLAIN_HTTP_NOTE}\n", 1)
    method = "createStream" if request.streams else "create"
    result = "stream" if request.streams else "message"
    return (
        "<?php\n\nrequire 'vendor/autoload.php';\n\nuse Anthropic\\Client;\n\n"
        f"{_client(request)}\n${result} = $client->messages->{method}("
        + "".join(f"\n    {argument}," for argument in _arguments(request))
        + "\n);\n"
        + (_STREAM if request.streams else "var_dump($message->content);\n")
    )


_STREAM = """\
foreach ($stream as $event) {
    if ($event->type === 'content_block_delta' && $event->delta->type === 'text_delta') {
        echo $event->delta->text;
    }
}
"""


def literal_string(text: str) -> str:
    """Single quotes take text as it is; what cannot be seen is escaped, in double quotes."""
    if all(map(is_plain, text)):
        return string(text)
    return '"' + escaped(text, SHORT, lambda point: f"\\u{{{point:x}}}").replace("$", "\\$") + '"'


STYLE = Style(
    string=literal_string,
    key=literal_string,
    words={None: "null", True: "true", False: "false"},
    braces=("[", "]"),
    pair=" => ",
    empty_object="new \\stdClass()",
)


def _survives(request: SnippetRequest) -> bool:
    """Whether the client sends the body and the query as they are; else only plain HTTP does."""
    body, query = request.body, request.query_members()
    if query is None or not takes_typed_parameters(body) or has_half_surrogate(body):
        return False
    # PHP makes whole numbers of such names, and the client numbers them anew.
    if any(name.lstrip("-").isdecimal() for name in [*query, *body]):
        return False
    return all(map(_php_keeps, numbers_of(body)))


def _php_keeps(number: str) -> bool:
    """Whether json_encode writes `number` again as it is spelled."""
    if re.fullmatch(r"-?\d+", number):
        return number != "-0" and is_long(int(number))
    is_kept = bool(KEPT_DECIMAL.fullmatch(number)) and python_keeps(number)
    return is_kept and abs(float(number)) >= SMALLEST_DECIMAL


def _client(request: SnippetRequest) -> str:
    key = f"getenv('{request.key_variable}')"
    # Without an API key of its own the client looks for one, and would send both.
    credential = f"apiKey: '',\n    authToken: {key}" if request.auth_style == "bearer" else f"apiKey: {key}"
    return f"$client = new Client(\n    {credential},\n    baseUrl: {string(request.client_base_url)},\n);\n"


def _arguments(request: SnippetRequest) -> list[str]:
    files = {data: f"base64_encode(file_get_contents('{file.name}'))" for data, file in request.files().items()}
    literals = Literals(STYLE, files)
    arguments: list[str] = []
    extra: dict[str, Any] = {}
    for name, value in request.body.items():
        argument, takes = ARGUMENTS.get(name, (name, _never))
        if takes(value) and _arrives(value):
            arguments.append(f"{argument}: {literals.write(value, 1, 6 + len(argument))}")
        elif name != "stream" or not request.streams:  # createStream sends it by itself
            extra[name] = value
    if "messages" in extra:
        arguments.append("messages: [] /* the extra body parameters take its place */")
    return [*arguments, f"requestOptions: {_request_options(request, extra, literals)}"]


def _never(_: object) -> bool:
    return False


def _request_options(request: SnippetRequest, extra: dict[str, Any], literals: Literals) -> str:
    groups = []
    if extra:
        groups.append(("extraBodyParams", [(name, _value(value, literals)) for name, value in extra.items()]))
    groups.append(("extraHeaders", [(header.name, _header(header)) for header in request.client_headers()]))
    if query := request.query_members():
        groups.append(("extraQueryParams", [(name, literal_string(value)) for name, value in query.items()]))
    lines = ""
    for group, members in groups:
        inner = "".join(f"\n            {literal_string(name)} => {value}," for name, value in members)
        lines += f"\n        '{group}' => [{inner}\n        ],"
    return f"[{lines}\n    ]"


def _value(value: Any, literals: Literals) -> str:
    """An extra body parameter: as it is, or as JSON where PHP would take an object for a list."""
    if any(name.lstrip("-").isdecimal() for name in _names(value)):
        return f"json_decode({literal_string(json_text.dump(value))})"
    return literals.write(value, 3, 20)


def _arrives(value: Any) -> bool:
    """Whether the client leaves a named argument as it is.

    It drops nulls, may take an empty array for an object, and renames members that are spelled as its own properties.
    """
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        names = value if isinstance(value, dict) else ()
        is_renamed = any(UPPER_CASE.search(name) or name.lstrip("-").isdecimal() for name in names)
        return bool(value) and not is_renamed and all(map(_arrives, inner))
    return value is not None


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _names(inner)


def _header(header: Header) -> str:
    if not header.variable:
        return string(header.value)
    read = f"getenv('{header.variable}')"
    return f"{string(header.prefix)} . {read}" if header.prefix else read
