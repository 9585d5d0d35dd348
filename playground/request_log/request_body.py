"""The request of a run as it was sent, made ready to be read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.safestring import SafeString

from playground.answer.turns import Item, Turn, draw_content, draw_turns
from playground.engine.live_run import LiveRun
from playground.export.run_files import address
from playground.models import Run
from playground.protocol import snippets
from playground.protocol.endpoints import PATHS, Endpoint, endpoint_named
from playground.protocol.foreign_text import storable, truncated
from playground.protocol.headers import beta_names, is_secret, sendable_query
from playground.protocol.json import json_text
from playground.protocol.json.received_json import try_object
from playground.protocol.snippets import SnippetRequest
from playground.rendering import markdown
from playground.sandbox.address import is_sandbox_url

MOST_READ = 2 * 2**20  # bytes; larger bodies are offered as a file
MOST_SHOWN = 200_000  # characters of JSON in the page
MOST_TURNS = 200  # in the page; the last ones


@dataclass(frozen=True)
class SentRequest:
    """`body` is None when it is no JSON object, or too large to be read here; `text` is what can be shown of it."""

    address: str
    headers: list[tuple[str, str]]
    size: int
    is_kept: bool
    endpoint: Endpoint = "messages"
    body: dict[str, Any] | None = None
    text: str = ""
    is_cut: bool = False
    turns: list[Turn] = field(default_factory=list)
    left_out: int = 0
    earlier: int = 0  # turns that the request before held too; they are behind a fold
    system: list[Item] = field(default_factory=list)
    tools: SafeString | str = ""
    tool_names: list[str] = field(default_factory=list)
    parameters: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> SafeString:
        return markdown.highlight_code(self.text, "json")


def request_of(run: Run | LiveRun, *, earlier: int = 0) -> SentRequest:
    """Return the request of this run. The first `earlier` turns are only counted; the newest one is always drawn."""
    if isinstance(run, LiveRun):
        where = next((event.url for event in run.events if hasattr(event, "url")), run.about.base_url)
        sent = read(run.about.request_body, where, [tuple(pair) for pair in run.about.request_headers])
        return replace(sent, endpoint=run.about.endpoint)
    content = run.stored_content
    if content is None:
        return SentRequest(address(run), [], run.request_size, is_kept=False)
    headers = [(str(name), str(value)) for name, value in content.request_headers]
    sent = read(bytes(content.request_body), address(run), headers, earlier=earlier)
    return replace(sent, endpoint=endpoint_named(run.endpoint))


def earlier_turns(run: Run, end: int) -> tuple[list[Turn], int]:
    """The turns before number `end`, the last `MOST_TURNS` of them, and how many stand before those."""
    body = parse(run.request_body or b"") if run.request_size <= MOST_READ else None
    messages = body.get("messages") if body else None
    if not isinstance(messages, list):
        return [], 0
    begin = max(0, min(end, len(messages)) - MOST_TURNS)
    return draw_turns(messages[begin:end], begin), begin


def read(data: bytes, where: str, headers: list[Any], *, earlier: int = 0) -> SentRequest:
    """The request whose body are these bytes, sent to the address `where`. Of a long conversation the last
    `MOST_TURNS` turns are drawn; the first `earlier` of them never are."""
    base: dict[str, Any] = {"address": where, "headers": headers, "size": len(data), "is_kept": True}
    if len(data) > MOST_READ:
        return SentRequest(**base, text=data[:20_000].decode("utf-8", "replace"), is_cut=True)
    body = parse(data)
    if body is None:
        text = data.decode("utf-8", "replace")
        return SentRequest(**base, text=text[:MOST_SHOWN], is_cut=len(text) > MOST_SHOWN)
    text = pretty(data, body)
    messages = body.get("messages")
    messages = messages if isinstance(messages, list) else []
    count = len(messages)
    earlier = max(0, min(earlier, count - 1))  # of a request that was only repeated the newest turn is drawn
    left_out = 0 if earlier else max(0, count - MOST_TURNS)
    begin = max(earlier, count - MOST_TURNS, 0)
    tools = body.get("tools")
    return SentRequest(
        **base,
        body=body,
        text=storable(text[:MOST_SHOWN]),
        is_cut=len(text) > MOST_SHOWN,
        turns=_turns_from(messages, begin) if count else [],
        left_out=left_out,
        earlier=begin if earlier else 0,
        system=draw_content(body.get("system")),
        tools=markdown.highlight_code(storable(_dump(tools)[:MOST_SHOWN]), "json") if tools else "",
        tool_names=[str(tool.get("name") or tool.get("type")) for tool in tools or [] if isinstance(tool, dict)]
        if isinstance(tools, list)
        else [],
        parameters=[
            (name, storable(_short(value)))
            for name, value in body.items()
            if name not in {"messages", "system", "tools"}
        ],
    )


def _turns_from(messages: list[Any], begin: int) -> list[Turn]:
    """Turns from a number on. A result in the first of them is named by its call, which stands in the turn before."""
    before = begin - 1 if begin and _is_dict(messages[begin - 1]) else begin
    return draw_turns(messages[before:], before)[begin - before :]


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def parse(data: bytes) -> dict[str, Any] | None:
    return try_object(data)


def pretty(data: bytes, body: dict[str, Any]) -> str:
    """The body on lines of its own, with its numbers as they were sent."""
    try:
        return json_text.dump(json_text.parse(data))
    except (ValueError, RecursionError):
        return _dump(body)


def code(sent: SentRequest, language: snippets.Language, own_address: str) -> str | None:
    """Source text that sends this body; the credential is named, not written. None for what cannot be written.

    The sandbox is inside of this server: what it was sent goes to the server's own address, with an access key.
    """
    if sent.body is None:
        return None
    named = {name.lower(): value for name, value in sent.headers}
    base_url, _, query = sent.address.partition("?")
    is_sandbox = is_sandbox_url(base_url)
    request = SnippetRequest(
        body=sent.body,
        base_url=own_address if is_sandbox else base_url.removesuffix(PATHS[sent.endpoint]),
        endpoint=sent.endpoint,
        calls_playground=is_sandbox,
        query=sendable_query(query),
        auth_style="bearer" if "authorization" in named else "x-api-key",
        version=named.get("anthropic-version", "2023-06-01"),
        betas=tuple(beta_names(named.get("anthropic-beta", ""))),
        accept=named.get("accept"),
        extra_headers=tuple(
            (name, value) for name, value in sent.headers if name.lower() not in _KNOWN and not is_secret(name, value)
        ),
    )
    try:
        return snippets.snippet(language.id, request)
    except (ValueError, RecursionError):  # numbers beyond a double's range, and deep nesting
        return None


_KNOWN = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "content-encoding",  # the body is written as it was before
        "content-type",
        "user-agent",
        "host",
    }
)


def _dump(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return truncated(text, 300)
