"""A conversation with a word of its own in each part, so that a test can say where each word came out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from playground.conversations import autosave
from playground.models import Conversation, Run, ShareLink
from playground.protocol.json import json_text
from playground.protocol.stream import sse
from playground.sharing import parts, publishing
from playground.sharing.publishing import Choices
from tests.support.runs import live_run, store, tell

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

FAKE_KEY = "sk-" + "ant-api03-" + "0123456789abcdef" * 2
# part -> the words that stand in it and nowhere else
CANARIES = {
    "system": ["canarysystem"],
    "tools": ["canarytool", "canaryschema", "canaryserver"],
    "tool_results": ["canaryresult", "canarysearch"],
    "thinking": ["canarythought", "canaryreasoning", "canarysignature"],
    "attachments": ["canarydocument", "Y2FuYXJ5cGljdHVyZQ", "canarycited"],
    "parameters": ["canarystop", "canaryformat"],
    "branches": ["canarybranch"],
    "name": ["canaryowner"],
}
ALWAYS = ["visiblequestion", "visibleanswer", "visiblelast"]
NEVER = [
    "canaryheader",
    "canarytoken",
    "canaryuser",
    "canaryunknown",
    "canaryconnection",
    "canarymessageid",
    "canarycontainer",
]


def rich_body() -> dict[str, Any]:
    picture = {"type": "base64", "media_type": "image/png", "data": "Y2FuYXJ5cGljdHVyZQ=="}
    cited = {"type": "char_location", "cited_text": "canarycited", "document_index": 0}
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1024,
        "stream": True,
        "system": [{"type": "text", "text": "canarysystem", "x-note": "canaryunknown"}],
        "stop_sequences": ["canarystop"],
        "output_config": {"format": {"type": "json_schema", "schema": {"title": "canaryformat"}}},
        "metadata": {"user_id": "canaryuser"},
        "container": "canarycontainer",
        "some_new_member": "canaryunknown",
        "tools": [{"name": "lookup", "description": "canarytool", "input_schema": {"title": "canaryschema"}}],
        "mcp_servers": [
            {"type": "url", "name": "canaryserver", "url": "https://x", "authorization_token": "canarytoken"}
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "visiblequestion", "unknown": "canaryunknown"},
                    {"type": "image", "source": picture},
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "canarydocument"},
                    },
                    {"type": "some_new_block", "text": "canaryunknown"},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "canarythought", "signature": "canarysignature"},
                    {"type": "text", "text": "visibleanswer", "citations": [cited]},
                    {"type": "tool_use", "id": "toolu_1", "name": "lookup", "input": {"city": "Paris"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": [{"type": "text", "text": "canaryresult"}],
                    },
                    {
                        "type": "search_result",
                        "source": "s",
                        "title": "t",
                        "content": [{"type": "text", "text": "canarysearch"}],
                    },
                    {"type": "text", "text": "visiblelast"},
                ],
            },
        ],
    }


def rich_stream() -> bytes:
    """An answer whose words are cut into two events each."""

    def block(index: int, kind: str, member: str, words: str) -> list[dict[str, Any]]:
        half = len(words) // 2
        deltas = [{"type": f"{kind}_delta", member: part} for part in (words[:half], words[half:])]
        return [
            {"type": "content_block_start", "index": index, "content_block": {"type": kind, member: ""}},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        ]

    message = {
        "id": "canarymessageid",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
    }
    events = [
        {"type": "message_start", "message": message | {"usage": {"input_tokens": 40302010, "output_tokens": 1}}},
        *block(0, "thinking", "thinking", "first canaryreasoning then"),
        *block(1, "text", "text", "the visibleending is sk-secret0123456789abcdef here"),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 87}},
        {"type": "some_new_event", "text": "canaryunknown"},
        {"type": "message_stop"},
    ]
    return b"".join(sse.encode(event["type"], json.dumps(event)) for event in events)


def rich_conversation(owner: User) -> Conversation:
    """Saved, with a branch, and with a run made from its newest version."""
    owner.username = "canaryowner"
    owner.save()
    settings = {"extra_headers": [["x-own", "canaryheader"]], "betas": ["context-management-2025-06-27"]}
    other = rich_body()
    other["messages"][2]["content"][2]["text"] = "canarybranch"
    conversation = autosave.create(owner, other, settings, "A title")
    version = autosave.add_version(conversation, json_text.dump(rich_body()), settings, pinned=True, note="sent")
    run = rich_run(owner)
    conversation.run_links.create(run_id=run.pk, version=version)
    return conversation


def rich_run(owner: User) -> Run:
    body = json_text.dump(rich_body(), indent=None).encode()
    headers = (("x-own", "canaryheader"),)
    live = live_run(
        owner,
        body=body,
        connection_name="canaryconnection",
        base_url="https://canaryconnection.example",
        request_headers=headers,
    )
    return store(tell(live, rich_stream()))


def published(
    conversation: Conversation, *names: str, masked: tuple[str, ...] = (), **options: Any
) -> tuple[ShareLink, str]:
    """A share of it with these parts, and its token."""
    chosen = Choices(parts.chosen(names), masked)
    share = publishing.prepare(conversation, conversation.owner, chosen)
    settings = {"lasts": "month", "until": None, "passphrase": "", "public": True} | options
    token = publishing.publish(share, **settings)
    return share, token or ""


BELOW = ("", "request.json", "text.md", "page.html", "replay/3/", "events/3/", "code/shell/", "code/python/", "fork/")


def everything(client: Client, base: str) -> str:
    """All that a reader can get out of a share, in one text; every address must work."""
    texts = []
    for below in BELOW:
        response = client.get(base + below)
        if below in ("replay/3/", "events/3/") and response.status_code == 404:
            continue
        assert response.status_code == 200, below
        texts.append(response.content.decode())
        texts.append(str(response.headers))
    return "\n".join(texts)
