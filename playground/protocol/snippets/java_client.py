"""Java 17 with the official client (com.anthropic:anthropic-java): what is not plain text goes as JSON."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from playground.protocol.snippets.http_request import SnippetRequest
from playground.protocol.snippets.java import BASE64_METHOD, LONGEST_CONSTANT, java, string, text_expression, value_of
from playground.protocol.snippets.literals import body_text, has_half_surrogate, numbers_of, python_keeps
from playground.protocol.snippets.official_clients import (
    PLAIN_HTTP_NOTE,
    is_long,
    number_text,
    takes_typed_parameters,
)

# Double.toString writes numbers of this range without an exponent.
DECIMAL = re.compile(r"-?\d{1,7}\.\d+")
SMALLEST_DECIMAL = 0.001
ADDING = {"user": "addUserMessage", "assistant": "addAssistantMessage"}


def java_client(request: SnippetRequest) -> str:
    if not _survives(request):
        return f"// {PLAIN_HTTP_NOTE}\n{java(request)}"
    setters, rest = _parameters(request.body, streams=request.streams)
    body = body_text(replace(request, body=rest))
    reading = "".join(f'\n            .replace("{mark}", base64("{name}"))' for mark, name in body.files)
    others = [name for name in rest if name != "messages"]
    loop = "        rest.forEach((name, value) -> params.putAdditionalBodyProperty(name, JsonValue.from(value)));\n"
    return (
        "".join(f"import {name};\n" for name in _imports(has_rest=bool(rest), has_files=bool(body.files)))
        + "\npublic class Main {\n    public static void main(String[] arguments) throws Exception {\n"
        + _client(request)
        + (
            f"        Map<String, Object> rest = new ObjectMapper().readValue({text_expression(body.text)}{reading},\n"
            "            new TypeReference<>() {});\n"
            if rest
            else ""
        )
        + "        var params = MessageCreateParams.builder()"
        + "".join(f"\n            .{setter}" for setter in setters + _options(request))
        + ";\n"
        + (loop if others else "")
        + (_STREAM if request.streams else _WHOLE)
        + "    }\n"
        + (BASE64_METHOD if body.files else "")
        + "}\n"
    )


_WHOLE = """\
        var message = client.messages().create(params.build());
        System.out.println(message.content());
"""
_STREAM = """\
        try (var stream = client.messages().createStreaming(params.build())) {
            stream.stream()
                .flatMap(event -> event.contentBlockDelta().stream())
                .flatMap(event -> event.delta().text().stream())
                .forEach(delta -> System.out.print(delta.text()));
        }
"""


def _survives(request: SnippetRequest) -> bool:
    """Whether the client sends the body and the query as they are; else only plain HTTP does."""
    body = request.body
    if request.query_members() is None or not takes_typed_parameters(body) or has_half_surrogate(body):
        return False
    return all(map(_java_keeps, numbers_of(body)))


def _java_keeps(number: str) -> bool:
    """Whether Jackson writes `number` again as it is spelled: whole numbers are exact, others are doubles."""
    if re.fullmatch(r"-?\d+", number):
        return number != "-0"
    decimal = DECIMAL.fullmatch(number) and python_keeps(number)
    return bool(decimal) and (float(number) == 0 or abs(float(number)) >= SMALLEST_DECIMAL)


def _imports(*, has_rest: bool, has_files: bool) -> list[str]:
    names = ["com.anthropic.client.okhttp.AnthropicOkHttpClient", "com.anthropic.models.messages.MessageCreateParams"]
    if has_rest:
        jackson = "com.fasterxml.jackson"
        names += ["com.anthropic.core.JsonValue", f"{jackson}.core.type.TypeReference", "java.util.Map"]
        names.append(f"{jackson}.databind.ObjectMapper")
    return sorted(names + (["java.nio.file.Files", "java.nio.file.Path", "java.util.Base64"] if has_files else []))


def _client(request: SnippetRequest) -> str:
    credential = "authToken" if request.auth_style == "bearer" else "apiKey"
    return (
        "        var client = AnthropicOkHttpClient.builder()\n"
        f'            .{credential}(System.getenv("{request.key_variable}"))\n'
        f"            .baseUrl({string(request.client_base_url)})\n"
        "            .build();\n"
    )


def _parameters(body: dict[str, Any], *, streams: bool) -> tuple[list[str], dict[str, Any]]:
    """The setters of the builder for what is text or a number, and the members that go as JSON."""
    setters = [f"model({string(body['model'])})", f"maxTokens({body['max_tokens']}L)"]
    rest = {name: value for name, value in body.items() if name not in ("model", "max_tokens")}
    if streams:
        del rest["stream"]  # createStreaming sends it by itself
    if _is_short(rest.get("system")):
        setters.append(f"system({string(rest.pop('system'))})")
    for name, setter in (("temperature", "temperature"), ("top_p", "topP")):
        if name in rest and DECIMAL.fullmatch(number_text(rest[name])):
            setters.append(f"{setter}({number_text(rest.pop(name))})")
    if is_long(rest.get("top_k")):
        setters.append(f"topK({rest.pop('top_k')}L)")
    if all(_is_text(message) for message in rest["messages"]) and rest["messages"]:
        setters += [f"{ADDING[each['role']]}({string(each['content'])})" for each in rest.pop("messages")]
    else:
        setters.append('messages(JsonValue.from(rest.remove("messages")))')
    return setters, rest


def _is_text(message: Any) -> bool:
    if not isinstance(message, dict) or set(message) != {"role", "content"}:
        return False
    return message["role"] in ADDING and _is_short(message["content"])


def _is_short(text: object) -> bool:
    return isinstance(text, str) and len(string(text).encode()) < LONGEST_CONSTANT


def _options(request: SnippetRequest) -> list[str]:
    setters = [f"putAdditionalHeader({string(each.name)}, {value_of(each)})" for each in request.client_headers()]
    members = (request.query_members() or {}).items()
    return setters + [f"putAdditionalQueryParam({string(name)}, {string(value)})" for name, value in members]
