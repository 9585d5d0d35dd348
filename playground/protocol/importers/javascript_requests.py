"""Finds the calls of JavaScript code that send a request, and what each gives: the official client, fetch, axios and
others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.protocol.importers.result import JsonOf, RequestParts, Unknown, pairs

BETWEEN = frozenset({"beta", "withRawResponse"})
FETCHES = frozenset({"fetch", "nodeFetch", "node_fetch", "fetchWithTimeout", "$fetch", "ofetch", "undiciFetch"})
LIBRARIES = frozenset({"axios", "got", "ky", "superagent", "needle", "request"})
OPTIONS = frozenset({"body", "json", "data", "headers", "method", "stream", "timeout"})


def may_send(words: list[str], index: int) -> bool:
    """Return whether the word at an index is called, and is one that sends requests."""
    names = ("create", "stream", "parse", "post", "fetch", "axios", "write", "send")
    return words[index] in names and words[index + 1 : index + 2] in (["("], ["<"])


def sends(path: list[str]) -> bool:
    """Return whether a call with this name may send a request."""
    plain = [name for name in path if name not in BETWEEN]
    return (
        plain[-2:] in (["messages", "create"], ["messages", "stream"], ["messages", "parse"], ["completions", "create"])
        or plain[-2:] == ["batches", "create"]
        or plain[-1:] == ["post"]
        or plain in (["$", "ajax"], ["jQuery", "ajax"])
        or (bool(plain) and plain[-1] in FETCHES)
        or (bool(plain) and plain[0] in LIBRARIES and plain[-1] in (plain[0], "request"))
        or plain[-1:] in (["write"], ["end"], ["send"])
    )


def requests_of(path: list[str], owner: Any, arguments: list[Any], client: Any) -> list[RequestParts]:
    """The requests that the call sends: none when it is another call after all."""
    plain = [name for name in path if name not in BETWEEN]
    first = arguments[0] if arguments else None
    second = arguments[1] if len(arguments) > 1 else None
    if plain[-2:] == ["batches", "create"]:
        items = first.get("requests") if isinstance(first, dict) else None
        parameters = [item.get("params") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        return [one for params in parameters for one in _of_client("create", params, None, client)]
    if plain[-2:-1] in (["messages"], ["completions"]):
        return _of_client(plain[-1], first, second, client)
    if plain[-1] in FETCHES:
        if isinstance(first, dict) and "url" in first and second is None:
            first, second = first["url"], first
        return _with_options(first, second)
    if plain[-1] == "post" and isinstance(first, dict) and {"url", "uri"} & first.keys():
        return _with_options(first.get("url", first.get("uri")), {**first, "method": "POST"})
    if plain[-1] == "post":
        third = arguments[2] if len(arguments) > 2 else None
        return _of_post(owner if isinstance(owner, dict) else client, first, second, third)
    if plain[-1] in ("write", "end", "send"):
        return _of_stream(owner, first)
    if isinstance(first, str):
        return _with_options(first, second)
    return (
        _with_options(first.get("url", first.get("uri")), first, base=first.get("baseURL"))
        if isinstance(first, dict)
        else []
    )


def _of_client(method: str, body: Any, options: Any, client: Any) -> list[RequestParts]:
    if not isinstance(body, dict):
        if isinstance(body, Unknown):
            return [RequestParts(body)]
        return []
    body = dict(body)
    betas = body.pop("betas", ())
    if method == "stream":
        body["stream"] = True
    parts = RequestParts(JsonOf(body), is_certain=True)
    if isinstance(client, dict):
        parts.url = client.get("baseURL") if isinstance(client.get("baseURL"), str) else None
        parts.headers = pairs(client.get("defaultHeaders"))
    if isinstance(options, dict):
        parts.headers += pairs(options.get("headers"))
    parts.betas = betas if isinstance(betas, list) else []
    return [parts]


def _with_options(url: Any, options: Any, base: Any = None) -> list[RequestParts]:
    """A request whose method, headers and body stand in one object, as fetch and axios take it."""
    if isinstance(url, dict):  # new Request(…), or a URL object
        url, options = url.get("url", url.get("href")), {**url, **(options if isinstance(options, dict) else {})}
    if not isinstance(options, dict) or str(options.get("method", options.get("type", "POST"))).upper() != "POST":
        return []
    body = next((options[name] for name in ("body", "json", "data") if name in options), None)
    if body is None:
        return []
    if isinstance(body, dict | list):
        body = JsonOf(body)
    parts = RequestParts(body, _joined(base, url), pairs(options.get("headers")))
    if isinstance(url, Unknown):
        parts.notes.append(f"The address is {url.source}, which is not in the pasted text.")
    return [parts]


def _of_post(client: Any, url: Any, second: Any, third: Any) -> list[RequestParts]:
    """`axios.post(url, body, options)`, or `client.post(url, {body, headers})` of the official client, got and ky."""
    base = client.get("baseURL", client.get("prefixUrl")) if isinstance(client, dict) else None
    own = pairs(client.get("defaultHeaders", client.get("headers"))) if isinstance(client, dict) else []
    if (
        isinstance(second, dict)
        and {"body", "json"} & second.keys()
        and second.keys() <= OPTIONS | {"responseType", "query"}
    ):
        requests = _with_options(url, {**second, "method": "POST"}, base)
    elif second is None or (isinstance(second, str) and not second.lstrip().startswith("{")):
        return []
    else:
        body = JsonOf(second) if isinstance(second, dict | list) else second
        requests = [
            RequestParts(body, _joined(base, url), pairs(third.get("headers")) if isinstance(third, dict) else [])
        ]
    for parts in requests:
        parts.headers = own + parts.headers
        parts.is_certain = isinstance(url, str) and url.endswith("/messages")
    return requests


def _of_stream(owner: Any, body: Any) -> list[RequestParts]:
    """`request.write(body)` of Node's http, or `send(body)` of XMLHttpRequest."""
    if not isinstance(owner, Mapping) or "is_request" not in owner or body is None or isinstance(body, Unknown):
        return []
    host = owner.get("hostname", owner.get("host"))
    url = owner.get("url")
    if not isinstance(url, str) and isinstance(host, str):
        port = owner.get("port")
        url = f"https://{host}{f':{port}' if isinstance(port, int) else ''}{owner.get('path') or ''}"
    body = JsonOf(body) if isinstance(body, dict | list) else body
    return [RequestParts(body, url if isinstance(url, str) else None, pairs(owner.get("headers")))]


def _joined(base: Any, url: Any) -> str | None:
    if not isinstance(url, str):
        return base if isinstance(base, str) else None
    return f"{base.rstrip('/')}/{url.lstrip('/')}" if isinstance(base, str) and "://" not in url else url
