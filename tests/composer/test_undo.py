"""Nothing is lost by replacing a request: it begins one of its own, and the former one is one Undo away."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import Connection
from playground.composer.changes import CHANGES
from playground.composer.labels import act_words
from playground.conversations import autosave
from playground.drafts import undo
from playground.models import Conversation, Draft, DraftState
from tests.support import runs
from tests.support.drafting import HELLO, begin, body, change, edit, page_headers

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db

CURL = """curl https://api.example/v1/messages -H 'anthropic-version: 2023-06-01' \
  -d '{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"imported"}]}'"""
OTHER = HELLO | {"messages": [{"role": "user", "content": "Of the conversation"}]}


def post(client: Client, name: str, *args: Any, **fields: str) -> Any:
    """From the page of the draft that was changed last."""
    draft = Draft.objects.latest("saved_at")
    posted = {":version": str(draft.version), ":mode": "form"} | {f":{key}": fields[key] for key in fields}
    return client.post(reverse(name, args=args), posted, headers=page_headers(draft))


def begin_with(client: Client, wanted: Any) -> None:
    """A draft that nothing was done to yet."""
    begin(client, wanted)
    DraftState.objects.all().delete()


def step(client: Client, **fields: str) -> Any:
    return post(client, "draft-undo", **fields)


def toast(response: Any) -> Any:
    if "HX-Trigger" in response:
        return json.loads(response["HX-Trigger"])["page:toast"]
    return json.loads(unquote(response.cookies["toast"].value))


def saved(client: Client, owner: User) -> Conversation:
    """A conversation that the owner's draft is written for."""
    client.force_login(owner)
    client.get("/")
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(OTHER)})
    return autosave.save(Draft.objects.get(), owner, title="Mine")


REPLACING = [
    ("draft-start", {"start": "tools"}),
    ("draft-start", {"start": "empty"}),
    ("draft-import", {"pasted": CURL}),
]


@pytest.mark.parametrize(("name", "fields"), REPLACING)
def test_what_replaces_the_request_is_no_part_of_the_open_conversation(
    client: Client, owner: User, name: str, fields: dict[str, str]
) -> None:
    conversation = saved(client, owner)
    with_typed = {"max_tokens": "55"}  # and not stored yet
    own = Draft.objects.get()
    posted = {":version": own.version, ":mode": "form", **with_typed, **{f":{key}": fields[key] for key in fields}}
    response = client.post(reverse(name), posted, headers=page_headers(own))
    assert response["HX-Redirect"] == "/"  # it has a page of its own
    unsaved = Draft.objects.get(conversation=None)
    client.post(reverse("edit"), {":version": unsaved.version, ":mode": "form", "max_tokens": "77"})
    conversation.refresh_from_db()
    assert conversation.title == "Mine"
    assert conversation.head is not None
    assert json.loads(conversation.head.body_text) == OTHER | {"max_tokens": 55}
    assert toast(response)["undo"] is True


@pytest.mark.parametrize(("name", "fields"), REPLACING)
def test_the_unsaved_request_that_was_replaced_is_one_undo_away(
    client: Client, owner: User, name: str, fields: dict[str, str]
) -> None:
    conversation = saved(client, owner)
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(HELLO)})
    own = Draft.objects.get(conversation=conversation)
    posted = {":version": own.version, ":mode": "form", **{f":{key}": fields[key] for key in fields}}
    client.post(reverse(name), posted, headers=page_headers(own))
    replacement = unsaved_body()
    assert replacement != HELLO
    undone = step(client)
    assert unsaved_body() == HELLO
    assert toast(undone)["redo"] is True
    step(client, redo="1")
    assert unsaved_body() == replacement


def unsaved_body() -> Any:
    return json.loads(Draft.objects.get(conversation=None).body_text)


def test_a_request_from_the_log_is_one_of_its_own_too(client: Client, owner: User) -> None:
    conversation = saved(client, owner)
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(HELLO)})
    run = runs.stored_run(owner, "From the log")
    response = client.post(reverse("open-run", args=[run.pk]))
    assert "from the log" in toast(response)["words"]
    assert json.loads(Draft.objects.get(conversation=conversation).body_text) == OTHER
    step(client)
    assert unsaved_body() == HELLO


def test_a_visitor_can_undo_too(client: Client) -> None:
    begin_with(client, HELLO)
    response = post(client, "draft-start", start="tools")
    assert "Request replaced by the example" in toast(response)["words"]
    step(client)
    assert body() == HELLO


def test_operations_and_typing_are_undone_one_after_the_other_and_done_again(client: Client) -> None:
    begin_with(client, HELLO)
    edit(client, max_tokens="7")
    change(client, "add-turn", "messages")
    change(client, "remove", "messages[0]")
    states = [body()]
    for _ in range(3):
        step(client)
        states.append(body())
    assert [len(state["messages"]) for state in states] == [1, 2, 1, 1]
    assert [state["max_tokens"] for state in states] == [7, 7, 7, 100]
    for state in states[-2::-1]:
        step(client, redo="1")
        assert body() == state
    assert b"Nothing to redo." in step(client, redo="1").content


def test_typing_that_goes_on_is_one_step(client: Client) -> None:
    begin_with(client, HELLO)
    change(client, "add-turn", "messages")
    for number in range(1, 6):
        edit(client, max_tokens=str(number))
    step(client)
    assert body()["max_tokens"] == 100
    assert len(body()["messages"]) == 2


def test_what_was_typed_last_goes_along_with_undo_and_is_not_lost(client: Client) -> None:
    begin_with(client, HELLO)
    change(client, "add-turn", "messages")
    fields = {":version": Draft.objects.get().version, ":mode": "form", "max_tokens": "9"}
    client.post(reverse("draft-undo"), fields)
    assert (body()["max_tokens"], len(body()["messages"])) == (100, 2)
    step(client, redo="1")
    assert body()["max_tokens"] == 9


def test_undo_names_every_operation_that_the_form_offers() -> None:
    sources = [*settings.BASE_DIR.glob("templates/**/*.html"), *settings.BASE_DIR.glob("static/js/**/*.js")]
    text = "\n".join(source.read_text() for source in sources)
    offered = set(re.findall(r"""data-op(?:-choice)?="([a-z-]+)"|\bchange\("([a-z-]+)""", text))
    operations = {op or called for op, called in offered} | set(CHANGES)
    assert [op for op in sorted(operations) if act_words(op, "") == act_words("?", "")] == []


def test_a_new_operation_forgets_what_was_undone(client: Client) -> None:
    begin_with(client, HELLO)
    change(client, "add-turn", "messages")
    step(client)
    change(client, "null", "speed")
    assert b"Nothing to redo." in step(client, redo="1").content
    assert body()["speed"] is None


def test_headers_and_betas_come_back_too(client: Client) -> None:
    begin_with(client, HELLO)
    change(client, "beta-add", "", "some-beta-2026-01-01")
    change(client, "header-add", "", "x-trace")
    step(client)
    assert Draft.objects.get().extra_headers == []
    assert Draft.objects.get().betas == ["some-beta-2026-01-01"]


def test_undo_made_upon_an_older_draft_changes_nothing(client: Client) -> None:
    begin_with(client, HELLO)
    change(client, "add-turn", "messages")
    response = client.post(reverse("draft-undo"), {":version": "1", ":mode": "form"})
    assert response.status_code == 409
    assert len(body()["messages"]) == 2


def test_undo_brings_back_nothing_that_is_not_the_owners_any_more(client: Client, owner: User, stranger: User) -> None:
    client.force_login(owner)
    begin_with(client, HELLO)
    connection = Connection.objects.create(owner=owner, name="mine", base_url="https://a.example")
    change(client, "connection", "", str(connection.pk))
    change(client, "connection", "", "")
    step(client)
    assert Draft.objects.get().connection == connection
    step(client, redo="1")
    Connection.objects.update(owner=stranger)
    step(client)
    assert Draft.objects.get().connection is None


def test_an_open_conversation_of_somebody_else_is_not_there(client: Client, owner: User, stranger: User) -> None:
    conversation = saved(client, owner)
    Conversation.objects.filter(pk=conversation.pk).update(owner=stranger)
    Draft.objects.all().delete()
    assert client.get(reverse("conversation", args=[conversation.pk])).status_code == 404
    posted = {":version": "0", ":mode": "form", "max_tokens": "7"}
    headers = {"X-Conversation": str(conversation.pk)}
    assert client.post(reverse("edit"), posted, headers=headers).status_code == 404
    assert not Draft.objects.exists()


def test_states_have_an_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "MOST_STATES", 3)
    begin_with(client, HELLO)
    for _ in range(6):
        change(client, "add-turn", "messages")
    assert Draft.objects.get().states.count() == 3
    monkeypatch.setattr(undo, "MOST_BYTES", 1)
    change(client, "add-turn", "messages")
    assert Draft.objects.get().states.count() == 1


def test_a_removed_message_is_offered_back_at_once(client: Client) -> None:
    begin_with(client, HELLO)
    change(client, "add-turn", "messages")
    assert toast(change(client, "remove", "messages[0]")) == {"words": "Removed messages[0]", "undo": True}
    assert "HX-Trigger" not in change(client, "null", "speed")


def test_going_back_to_a_version_and_beginning_a_new_request_can_be_undone(client: Client, owner: User) -> None:
    conversation = saved(client, owner)
    first = conversation.head
    edit(client, max_tokens="55")
    opened = client.post(reverse("conversation-open", args=[conversation.pk]), {"version": str(first.pk)})
    assert toast(opened)["undo"] is True
    assert body() == OTHER
    step(client)
    assert body() == OTHER | {"max_tokens": 55}
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(HELLO)})
    client.post(reverse("conversation-new"))
    assert unsaved_body() != HELLO
    step(client)
    assert unsaved_body() == HELLO
