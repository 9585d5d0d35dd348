"""A visitor's draft for tests: begun, typed into, changed by buttons."""

from __future__ import annotations

import json
from typing import Any

from django.urls import reverse

from playground.models import Draft
from playground.protocol.json import json_text
from tests.conftest import PASSWORD

HELLO = {"model": "sandbox-echo", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}


def stored(body: Any, **more: Any) -> Draft:
    """The browser's or the user's draft, as `keep` leaves it."""
    draft = Draft(body=json_text.dump(body).encode() if not isinstance(body, str) else body.encode(), **more)
    assert draft.keep()
    return draft


def begin(client: Any, body: Any) -> Draft:
    """Open the page as a visitor, then put this body into the visitor's draft."""
    client.get("/")
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(body)})
    return Draft.objects.get()


def log_in(client: Any, username: str = "owner") -> None:
    """By the form, as a browser does: what it had goes along."""
    assert client.post(reverse("login"), {"username": username, "password": PASSWORD}).status_code == 302


def page_headers(draft: Draft) -> dict[str, str]:
    """What the scripts of the draft's page say of it."""
    return {"X-Conversation": str(draft.conversation_id)} if draft.conversation_id else {}


def page_of(client: Any, draft: Draft | None = None) -> str:
    """The page of the draft: its conversation's, if it is saved."""
    draft = draft or Draft.objects.get()
    name, args = ("conversation", [draft.conversation_id]) if draft.conversation_id else ("playground", [])
    text: str = client.get(reverse(name, args=args)).content.decode()
    return text


def body() -> Any:
    return json_text.parse(Draft.objects.get().body_text)


def edit(client: Any, **fields: str) -> Any:
    draft = Draft.objects.get()
    posted = {":version": draft.version, ":mode": "form", **fields}
    return client.post(reverse("edit"), posted, headers=page_headers(draft))


def change(client: Any, op: str, path: str, kind: str = "", to: str = "") -> Any:
    draft = Draft.objects.get()
    posted = {":version": draft.version, ":mode": "form", ":op": op, ":path": path, ":kind": kind, ":to": to}
    return client.post(reverse("change"), posted, headers=page_headers(draft))
