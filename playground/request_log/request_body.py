"""The request of a run as it was sent, made ready to be read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from playground import markdown
from playground.engine.live_run import LiveRun
from playground.exports import address
from playground.models import Run
from playground.protocol import json_text, snippets
from playground.protocol.headers import is_secret
from playground.protocol.snippets import SnippetRequest
from playground.sharing.drawing import Item, Turn, draw_content, draw_turns

MOST_READ = 2 * 2**20  # bytes; larger bodies are offered as a file
MOST_SHOWN = 200_000  # characters of JSON in the page
MOST_TURNS = 200  # in the page; the last ones


@dataclass(frozen=True)
class Sent:
    """`body` is None when it is no JSON object, or too large to be read here; `text` is what can be shown of it."""

    address: str
    headers: list[tuple[str, str]]
    size: int
    is_kept: bool
    body: dict[str, Any] | None = None
    text: str = ""
    is_cut: bool = False
    turns: list[Turn] = field(default_factory=list)
    left_out: int = 0
    system: list[Item] = field(default_factory=list)
    tools: SafeString | str = ""
    tool_names: list[str] = field(default_factory=list)
    parameters: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> SafeString:
        return markdown.highlight_code(self.text, "json")


def sent_by(run: Run | LiveRun) -> Sent:
    """What this run sent."""
    if isinstance(run, LiveRun):
        where = next((event.url for event in run.events if hasattr(event, "url")), run.about.base_url)
        return read(run.about.request_body, where, [tuple(pair) for pair in run.about.request_headers])
    content = run.stored_content
    if content is None:
        return Sent(address(run), [], run.request_size, is_kept=False)
    headers = [(str(name), str(value)) for name, value in content.request_headers]
    return read(bytes(content.request_body), address(run), headers)


def read(data: bytes, where: str, headers: list[Any]) -> Sent:
    base = {"address": where, "headers": headers, "size": len(data), "is_kept": True}
    if len(data) > MOST_READ:
        return Sent(**base, text=data[:20_000].decode("utf-8", "replace"), is_cut=True)
    body = parse(data)
    if body is None:
        text = data.decode("utf-8", "replace")
        return Sent(**base, text=text[:MOST_SHOWN], is_cut=len(text) > MOST_SHOWN)
    text = pretty(data, body)
    messages = body.get("messages")
    count = len(messages) if isinstance(messages, list) else 0
    left_out = max(0, count - MOST_TURNS)
    tools = body.get("tools")
    return Sent(
        **base,
        body=body,
        text=printable(text[:MOST_SHOWN]),
        is_cut=len(text) > MOST_SHOWN,
        turns=draw_turns(messages[left_out:], left_out) if count else [],
        left_out=left_out,
        system=draw_content(body.get("system")),
        tools=markdown.highlight_code(printable(_dump(tools)[:MOST_SHOWN]), "json") if tools else "",
        tool_names=[str(tool.get("name") or tool.get("type")) for tool in tools or [] if isinstance(tool, dict)]
        if isinstance(tools, list)
        else [],
        parameters=[
            (name, printable(_short(value)))
            for name, value in body.items()
            if name not in {"messages", "system", "tools"}
        ],
    )


def parse(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def pretty(data: bytes, body: dict[str, Any]) -> str:
    """The body on lines of its own, with its numbers as they were sent."""
    try:
        return json_text.dump(json_text.parse(data))
    except (ValueError, RecursionError):
        return _dump(body)


def code(sent: Sent, language: snippets.Language) -> str | None:
    """Source text that sends this body; the credential is named, not written. None for what cannot be written."""
    if sent.body is None:
        return None
    named = {name.lower(): value for name, value in sent.headers}
    request = SnippetRequest(
        body=sent.body,
        base_url=sent.address.removesuffix("/v1/messages"),
        auth_style="bearer" if "authorization" in named else "x-api-key",
        version=named.get("anthropic-version", "2023-06-01"),
        betas=tuple(beta.strip() for beta in named.get("anthropic-beta", "").split(",") if beta.strip()),
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
    {"accept", "accept-encoding", "anthropic-beta", "anthropic-version", "content-type", "user-agent", "host"}
)


def printable(text: str) -> str:
    """Text that a page can carry: half surrogates and NUL are replaced."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _dump(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}…"
