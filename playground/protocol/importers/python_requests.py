"""Finds the calls of Python code that send a request, and what each gives: the official clients, and the HTTP
libraries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground.protocol.importers.python_objects import Instance
from playground.protocol.importers.result import JsonOf, RequestParts, Unknown, pairs
from playground.protocol.json import json_text

# Arguments of messages.create that say how to send, not what.
NOT_BODY = frozenset(
    ["extra_headers", "extra_query", "extra_body", "timeout", "betas", "user_profile_id", "workspace_id"]
)
CLIENTS = frozenset(
    [
        "Anthropic",
        "AsyncAnthropic",
        "Client",
        "AsyncClient",
        "AnthropicBedrock",
        "AsyncAnthropicBedrock",
        "AnthropicVertex",
        "AsyncAnthropicVertex",
        "AnthropicFoundry",
        "AsyncAnthropicFoundry",
        "ChatAnthropic",
        "OpenAI",
        "AsyncOpenAI",
    ]
)
SESSIONS = frozenset(["Session", "session", "ClientSession", "Client", "AsyncClient", "PoolManager"])
CONNECTIONS = frozenset({"HTTPSConnection", "HTTPConnection"})
BETWEEN = frozenset({"with_raw_response", "with_streaming_response", "beta"})
HTTP_METHODS = frozenset(["post", "request", "stream", "urlopen", "Request", "build_request", "fetch"])
COUNTS = "This call counts tokens; its body was taken."
BODY_ARGUMENTS = ("json", "content", "data", "body", "json_data")


def is_client_call(names: list[str]) -> bool:
    """Return whether `client.messages.create`, or one of its like, is called."""
    plain = [name for name in names if name not in BETWEEN]
    return plain[-2:-1] == ["messages"] and plain[-1] in ("create", "stream", "parse", "tool_runner", "count_tokens")


def is_batch_call(names: list[str]) -> bool:
    return [name for name in names if name not in BETWEEN][-3:] == ["messages", "batches", "create"]


def is_chat_completion(names: list[str]) -> bool:
    is_litellm = names in (["completion"], ["acompletion"], ["litellm", "completion"], ["litellm", "acompletion"])
    return is_litellm or names[-2:] in (["completions", "create"], ["completions", "stream"], ["completions", "parse"])


def client_request(names: list[str], arguments: Mapping[str, Any], client: Any) -> RequestParts:
    """A call of the official client; its arguments are the body's members."""
    body = {name: value for name, value in arguments.items() if name not in NOT_BODY and not _is_left_out(value)}
    if names[-1] == "stream":
        body["stream"] = True
    if isinstance(extra := arguments.get("extra_body"), dict):
        body.update(extra)
    parts = RequestParts(JsonOf(body), is_certain=True)
    if names[-1] == "count_tokens":
        parts.notes.append(COUNTS)
    if isinstance(client, Instance):
        parts.url = _text(client.attributes.get("base_url"))
        parts.headers = pairs(client.attributes.get("headers"))
    parts.headers += pairs(arguments.get("extra_headers"))
    if isinstance(betas := arguments.get("betas"), list):
        parts.betas = betas
    if isinstance(query := arguments.get("extra_query"), dict) and query:
        parts.notes.append(f"extra_query ({', '.join(query)}) is not sent from here.")
    return parts


def _is_left_out(value: Any) -> bool:
    """Return whether the official client sends nothing for this argument."""
    return (
        isinstance(value, Unknown)
        and re.search(r"(?:^|\.)(?:NOT_GIVEN|omit|NotGiven\(\)|Omit\(\))$", value.source) is not None
    )


def cloud_request(names: list[str], arguments: Mapping[str, Any]) -> RequestParts | None:
    """`invoke_model` of Bedrock's client, whose body is one of the Messages API but for the model; None for others."""
    if names[-1:] not in (["invoke_model"], ["invoke_model_with_response_stream"]):
        return None
    body = arguments.get("body")
    value = body.value if isinstance(body, JsonOf) else json_text.try_parse(body) if isinstance(body, str) else body
    if isinstance(value, dict):
        value = {"model": arguments.get("modelId"), **value}
    elif not isinstance(value, Unknown):
        return None
    return RequestParts(JsonOf(value) if isinstance(value, dict) else value, is_certain=True)


def batch_requests(arguments: Mapping[str, Any], client: Any) -> list[RequestParts]:
    """The items of a message batch, each as a request of its own."""
    items = arguments.get("requests")
    requests = []
    for item in items if isinstance(items, list) else []:
        params = item.get("params") if isinstance(item, dict) else None
        if isinstance(params, dict):
            parts = client_request(["messages", "create"], params, client)
            parts.notes.append("It is an item of a batch.")
            requests.append(parts)
    return requests


def http_request(
    names: list[str], positional: list[Any], arguments: Mapping[str, Any], owner: Any
) -> RequestParts | None:
    """A call of requests, httpx, aiohttp, http.client or urllib that posts a body; None for any other call."""
    if not names or names[-1] not in HTTP_METHODS:
        return None
    values = list(positional)
    method = arguments.get("method")
    if values and isinstance(values[0], str) and values[0].upper() in ("POST", "GET", "PUT", "DELETE", "HEAD", "PATCH"):
        method = values.pop(0)
    if isinstance(method, str) and method.upper() != "POST":
        return None
    url = arguments.get("url", values.pop(0) if values else None)
    named = [name for name in BODY_ARGUMENTS if arguments.get(name) is not None]
    body = arguments[named[0]] if named else values[0] if values else None
    if body is None or isinstance(body, Instance):
        return None
    if named[:1] in (["json"], ["json_data"]) or isinstance(body, dict | list):
        body = JsonOf(body)
    headers = arguments.get("headers", next((one for one in values[1:] if isinstance(one, dict)), None))
    options = arguments.get("options")
    parts = RequestParts(body, _text(url))
    if isinstance(owner, Instance):
        base = _text(owner.attributes.get("base_url")) or ""
        parts.headers = pairs(owner.attributes.get("headers"))
        if base and (not parts.url or "://" not in parts.url):
            parts.url = base.rstrip("/") + "/" + (parts.url or "").lstrip("/")
    parts.headers += pairs(headers) + pairs(options.get("headers") if isinstance(options, dict) else None)
    parts.is_certain = (parts.url or "").endswith("/messages") or "cast_to" in arguments
    if isinstance(url, Unknown):
        parts.notes.append(f"The address is {url.source}, which is not in the pasted text.")
    return parts


def instance_of(name: str, positional: list[Any], arguments: Mapping[str, Any]) -> Instance | None:
    """A client, session or connection that the code makes, with its address and its headers."""
    if name in CONNECTIONS:
        scheme = "https" if name == "HTTPSConnection" else "http"
        host = arguments.get("host", positional[0] if positional else None)
        port = arguments.get("port", positional[1] if len(positional) > 1 else None)
        where = f"{scheme}://{host}{f':{port}' if isinstance(port, int) else ''}" if isinstance(host, str) else None
        return Instance(name, {"base_url": where, "headers": {}})
    if name not in CLIENTS and name not in SESSIONS:
        return None
    headers = arguments.get("default_headers", arguments.get("headers"))
    base = arguments.get("base_url", positional[0] if name == "ClientSession" and positional else None)
    return Instance(name, {"base_url": base, "headers": dict(headers) if isinstance(headers, dict) else {}})


def changed_copy(client: Instance, arguments: Mapping[str, Any]) -> Instance:
    """Return what `client.with_options(…)` gives."""
    attributes = dict(client.attributes)
    if isinstance(headers := arguments.get("default_headers"), dict):
        attributes["headers"] = {**attributes.get("headers", {}), **headers}
    if "base_url" in arguments:
        attributes["base_url"] = arguments["base_url"]
    return Instance(client.kind, attributes)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
