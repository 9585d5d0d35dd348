"""A visitor's draft for tests: begun, typed into, changed by buttons."""

from __future__ import annotations

import json
from typing import Any

from django.urls import reverse

from playground.models import Draft
from playground.protocol import json_text
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


def body() -> Any:
    return json_text.parse(Draft.objects.get().body_text)


def edit(client: Any, **fields: str) -> Any:
    return client.post(reverse("edit"), {":version": Draft.objects.get().version, ":mode": "form", **fields})


def change(client: Any, op: str, path: str, kind: str = "", to: str = "") -> Any:
    version = Draft.objects.get().version
    return client.post(
        reverse("change"), {":version": version, ":mode": "form", ":op": op, ":path": path, ":kind": kind, ":to": to}
    )
