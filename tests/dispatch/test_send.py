"""Pressing Try It!: what is sent is what was written, once, to where it should go; or nothing is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Connection
from playground import dispatch
from playground.dispatch.launch import RunRequest
from playground.engine.live_run import LiveRun
from playground.models import Draft
from tests.support.runs import live_run, tell

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"model": "sandbox-echo", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi {{name}}"}]}


class Started:
    """Stands in for the engine: keeps what it is asked to send, and refuses when told to."""

    def __init__(self) -> None:
        self.calls: list[RunRequest] = []
        self.refusal: dispatch.Refused | None = None

    async def __call__(self, request: RunRequest) -> LiveRun:
        self.calls.append(request)
        if self.refusal:
            raise self.refusal
        return tell(live_run(request.user, body=request.body))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    double = Started()
    monkeypatch.setattr(dispatch, "start", double)
    return double


def write(client: Any, body: Any = BODY, **fields: str) -> None:
    client.get("/")
    version = Draft.objects.get().version if Draft.objects.exists() else 0
    text = body if isinstance(body, str) else json.dumps(body)
    client.post(reverse("edit"), {":version": version, ":mode": "json", ":json": text, **fields})


def send(client: Any, **fields: str) -> Any:
    return client.post(reverse("send"), {":version": Draft.objects.get().version, ":mode": "form", **fields})


def test_what_was_typed_last_is_applied_kept_and_sent(client: Any, started: Started) -> None:
    write(client, **{":variable name": "Ada"})
    send(client, max_tokens="55")
    sent = json.loads(started.calls[0].body)
    assert sent == BODY | {"max_tokens": 55, "messages": [{"role": "user", "content": "Hi Ada"}]}
    assert json.loads(Draft.objects.get().body_text)["messages"] == BODY["messages"]


def test_a_press_that_changes_nothing_neither_stores_nor_draws_the_request_again(client: Any, started: Started) -> None:
    write(client, **{":variable name": "Ada"})
    before = Draft.objects.get()
    page = send(client).content.decode()
    assert started.calls
    assert 'id="draft-state"' in page
    assert 'id="problem-list"' in page
    assert 'id="snippet-code"' not in page
    after = Draft.objects.get()
    assert (after.version, after.saved_at) == (before.version, before.saved_at)


@pytest.mark.parametrize(
    "changed", [{"max_tokens": "7"}, {":variable name": "Eve"}, {":anthropic-version": "2023-01-01"}]
)
def test_a_press_that_changes_something_stores_and_draws_it(
    client: Any, started: Started, changed: dict[str, str]
) -> None:
    write(client, **{":variable name": "Ada"})
    version = Draft.objects.get().version
    assert 'id="snippet-code"' in send(client, **changed).content.decode()
    assert Draft.objects.get().version == version + 1


def test_a_draft_that_was_not_stored_for_hours_is_stored_by_a_press(client: Any, started: Started) -> None:
    write(client, **{":variable name": "Ada"})
    Draft.objects.update(saved_at=timezone.now() - timedelta(hours=2))
    send(client)
    assert timezone.now() - Draft.objects.get().saved_at < timedelta(minutes=1)


def test_the_spelling_of_numbers_survives_to_the_wire(client: Any, started: Started) -> None:
    write(client, '{"model": "m", "max_tokens": 10, "messages": [], "x": 1.0, "y": 1e2, "z": 12345678901234567890}')
    send(client, **{":anyway": "1"})
    assert b"1.0" in started.calls[0].body
    assert b"1e2" in started.calls[0].body
    assert b"12345678901234567890" in started.calls[0].body


def test_with_errors_nothing_is_sent_until_one_says_so(client: Any, started: Started) -> None:
    write(client, BODY | {"max_tokens": -1, "messages": []})
    refused = send(client)
    assert started.calls == []
    assert refused["HX-Reswap"] == "none"
    assert "Send anyway" in refused.content.decode()
    send(client, **{":anyway": "1"})
    assert json.loads(started.calls[0].body)["max_tokens"] == -1


def test_text_that_is_no_json_is_sent_as_typed_when_one_insists(client: Any, started: Started) -> None:
    write(client, '{"model": oops}')
    send(client, **{":anyway": "1", ":mode": "json"})
    assert started.calls[0].body == b'{"model": oops}'


def test_a_key_for_this_visit_goes_to_the_run_and_is_stored_nowhere(client: Any, started: Started, owner: Any) -> None:
    connection = Connection.objects.create(owner=owner, name="Own", base_url="https://api.example.org")
    client.force_login(owner)
    write(client, **{":variable name": "Ada"})
    client.post(reverse("change"), {":version": 1, ":op": "connection", ":path": "", ":kind": str(connection.pk)})
    page = send(client, **{":key": "sk-typed-0123456789", ":auth-style": "bearer"})
    request = started.calls[0]
    assert (request.connection, request.credential) == (connection, "sk-typed-0123456789")
    assert request.auth_style == "bearer"
    assert "sk-typed" not in repr(request)
    kept = Draft.objects.values().get()
    assert "sk-typed" not in page.content.decode() + str(kept) + client.get("/").content.decode()
    assert "sk-typed" not in str(dict(client.session))


def test_headers_and_betas_go_along(client: Any, started: Started) -> None:
    write(client, **{":variable name": "Ada"})
    for op, what in (("beta-add", "files-api-2025-04-14"), ("header-add", "anthropic-workspace-id")):
        client.post(reverse("change"), {":version": Draft.objects.get().version, ":op": op, ":path": "", ":kind": what})
    send(client, **{":header 0": "ws_1", ":anthropic-version": "2026-10-21", ":accept": "application/json"})
    request = started.calls[0]
    assert request.betas == ("files-api-2025-04-14",)
    assert request.headers == (("anthropic-workspace-id", "ws_1"),)
    assert (request.version, request.accept) == ("2026-10-21", "application/json")


@pytest.mark.parametrize(("fields", "is_kept"), [({}, True), ({":figures-only": "1"}, False)])
def test_what_is_sent_and_answered_is_kept_unless_this_run_is_to_leave_figures_only(
    client: Any, started: Started, owner: Any, fields: dict[str, str], is_kept: bool
) -> None:
    client.force_login(owner)
    write(client)
    send(client, **fields, **{":anyway": "1"})
    assert started.calls[0].keep_content is is_kept


def test_a_visitors_run_belongs_to_their_browser(client: Any, started: Started) -> None:
    write(client, **{":variable name": "Ada"})
    send(client)
    request = started.calls[0]
    assert request.owner == f"visitor:{Draft.objects.get().visitor}"
    assert request.user is None


def test_the_same_press_is_named_the_same(client: Any, started: Started) -> None:
    write(client, **{":variable name": "Ada"})
    press = str(uuid4())
    send(client, **{":idempotency-key": press})
    send(client, **{":idempotency-key": press})
    assert [request.idempotency_key for request in started.calls] == [press, press]


def test_what_the_engine_refuses_is_told_in_its_words_and_the_draft_is_kept(client: Any, started: Started) -> None:
    started.refusal = dispatch.Refused("Requests cannot be stored at the moment.", 503, 5.0)
    write(client, **{":variable name": "Ada"})
    page = send(client, max_tokens="77").content.decode()
    assert "Requests cannot be stored at the moment." in page
    assert "Not sent" in page
    assert json.loads(Draft.objects.get().body_text)["max_tokens"] == 77


def test_a_credential_that_cannot_be_read_is_told_and_nothing_is_sent(client: Any, owner: Any, settings: Any) -> None:
    client.force_login(owner)
    connection = Connection(owner=owner, name="sealed", base_url="https://api.example")
    connection.set_credential("sk-sealed-0123456789")
    connection.save()
    write(client, BODY)
    Draft.objects.update(connection=connection)
    settings.VAULT_KEYS = ["another-server-key"]
    page = send(client, **{":auth-style": "bearer", ":anyway": "1"})
    assert "could not be read" in page.content.decode()
    assert dispatch.get_live().of_owner(f"user:{owner.pk}") == []


def test_a_tab_that_is_behind_sends_nothing(client: Any, started: Started) -> None:
    write(client, **{":variable name": "Ada"})
    old = Draft.objects.get().version
    send(client, max_tokens="5")
    response = client.post(reverse("send"), {":version": old, ":mode": "form", "max_tokens": "6"})
    assert response.status_code == 409
    assert len(started.calls) == 1
