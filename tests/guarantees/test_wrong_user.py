"""Every address: not there for the wrong person, closed for the wrong method, and reading changes nothing."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import AccessKey, User
from playground.models import Draft, Run, ShareLink
from playground.session_log.misses_seen import look_through
from tests.guarantees.routes import ROUTES, methods, served
from tests.guarantees.stage import CANARY, CREDENTIAL, HEADER_VALUE, Stage, changed_tables, everything_stored

pytestmark = pytest.mark.django_db(transaction=True)
OWN = [name for name, route in ROUTES.items() if route.who == "owner"]


def ask(client: Client, stage: Stage, name: str, method: str) -> HttpResponse:
    route = ROUTES[name]
    address = reverse(name, kwargs=route.arguments(stage))
    if method == "GET":
        return client.get(address, route.query(stage))
    if method == "POST":
        return client.post(address, route.post)
    return client.generic(method, address)


def text_of(response: Any) -> str:
    if not response.streaming:
        return response.content.decode("utf-8", "replace")

    async def read() -> bytes:
        return b"".join([piece async for piece in response])

    return async_to_sync(read)().decode("utf-8", "replace")


@pytest.fixture
def visitor() -> Client:
    """A browser that has been here before, without an account."""
    client = Client()
    client.get("/")
    return client


@pytest.fixture
def stranger_client(client: Client, stranger: User) -> Client:
    client.force_login(stranger)
    return client


@pytest.fixture
def owner_client(stage: Stage) -> Client:
    client = Client()
    client.force_login(stage.owner)
    return client


def test_every_address_has_a_line_in_the_table() -> None:
    named = {name for name, _ in served() if not name.startswith("admin:")}
    assert named - ROUTES.keys() == set(), "a new address needs its line in tests/guarantees/routes.py"
    assert ROUTES.keys() - named == set()


def test_an_address_that_takes_an_id_is_swept() -> None:
    for name, pattern in served():
        # Examples are nobody's.
        if pattern.pattern.converters and not name.startswith(("admin:", "example-", "answer-example")):
            assert ROUTES[name].who in {"owner", "link"}, name


def wrong_answers(client: Client, stage: Stage, expected: set[int]) -> Iterator[str]:
    for name in OWN:
        for method in methods(ROUTES[name]):
            response = ask(client, stage, name, method)
            login = response.status_code == 302 and response["Location"].startswith(reverse("login"))
            if response.status_code not in expected or (response.status_code == 302 and not login):
                yield f"{method} {name} answers {response.status_code}"
            if leaks := [word for word in (CANARY, CREDENTIAL, HEADER_VALUE) if word in _told(response)]:
                yield f"{method} {name} tells {leaks}"


def _told(response: Any) -> str:
    return text_of(response) + str(dict(response.items()))


def test_what_is_somebody_elses_is_not_there(stage: Stage, stranger_client: Client) -> None:
    before = everything_stored()
    assert list(wrong_answers(stranger_client, stage, {404})) == []
    assert changed_tables(before, everything_stored()) == []


def test_a_visitor_finds_it_not_there_or_is_asked_to_log_in(stage: Stage, visitor: Client) -> None:
    before = everything_stored()
    assert list(wrong_answers(visitor, stage, {404, 302})) == []
    assert changed_tables(before, everything_stored()) == []


def test_what_is_not_there_looks_like_what_is_somebody_elses(stage: Stage, stranger_client: Client) -> None:
    theirs = stranger_client.get(reverse("run", args=[stage.run.pk]))
    nobodys = stranger_client.get(reverse("run", args=[uuid.uuid4()]))
    assert theirs.status_code == nobodys.status_code == 404
    assert without_nonces(theirs) == without_nonces(nobodys)


def without_nonces(response: Any) -> str:
    return re.sub(r'(nonce|value|content)="[^"]*"|hx-headers=\'[^\']*\'', "", response.content.decode())


@pytest.mark.parametrize("who", ["visitor", "stranger_client"])
def test_pages_about_oneself_tell_nothing_of_others(request: Any, stage: Stage, who: str) -> None:
    client = request.getfixturevalue(who)
    before = everything_stored()
    for name, route in ROUTES.items():
        if route.who in {"anyone", "user"} and "GET" in methods(route):
            response = ask(client, stage, name, "GET")
            assert CANARY not in _told(response), name
            assert response.status_code in {200, 302}, name
            if who == "visitor" and route.who == "user":
                assert response.status_code == 302, name
                assert response["Location"].startswith(reverse("login")), name
    assert changed_tables(before, everything_stored()) == []


def test_without_an_account_nothing_of_a_users_can_be_posted(stage: Stage, visitor: Client) -> None:
    before = everything_stored()
    for name, route in ROUTES.items():
        if route.who == "user" and "POST" in methods(route):
            response = ask(visitor, stage, name, "POST")
            assert response.status_code == 302, name
            assert response["Location"].startswith(reverse("login")), name
    assert changed_tables(before, everything_stored()) == []


@pytest.mark.slow
def test_the_table_is_right_about_the_owner(stage: Stage, owner_client: Client) -> None:
    # Else the sweeps above would find the right answers for the wrong reason.
    closed = {"shared"}  # of the owner's own: these are for readers inside the site
    answers = {
        name: ask(owner_client, stage, name, "GET").status_code
        for name, route in ROUTES.items()
        if "GET" in methods(route) and name.split("-")[0] not in closed
    }
    # A copy without files has none to show, one of a conversation no steps of a session, and no tool was called.
    missing = ("inside", "steps", "step", "charts", "result", "badge", "export")
    empty = {f"{copy}-{part}" for copy in ("share", "share-preview") for part in missing} | {"session-result"}
    assert {name for name, status in answers.items() if status == 404} <= empty
    assert {name: status for name, status in answers.items() if status >= 500} == {}


@pytest.mark.slow
def test_reading_changes_nothing(stage: Stage, owner_client: Client) -> None:
    changing = []
    look_through([stage.session], within_s=60)  # whoever opens a session first has its misses found, and kept
    before = everything_stored()
    for name, route in ROUTES.items():
        for method in {"GET", "HEAD"} if "GET" in methods(route) else set():
            response = ask(owner_client, stage, name, method)
            if response.streaming and method == "GET":
                text_of(response)
            after = everything_stored()
            if changed := changed_tables(before, after):
                changing.append(f"{method} {name} changes {changed}")
            before = after
    assert changing == []


@pytest.mark.slow
def test_the_wrong_method_is_refused(stage: Stage, owner_client: Client) -> None:
    before = everything_stored()
    wrong = []
    for name, route in ROUTES.items():
        for method in ({"GET", "POST"} - set(methods(route))) | {"DELETE", "PATCH"}:
            status = ask(owner_client, stage, name, method).status_code
            # Who is logged in is sent away from the log-in page before anything else is looked at.
            elsewhere = (status == 404 and name.startswith("shared")) or (status == 302 and name == "login")
            if status != 405 and not elsewhere:
                wrong.append(f"{method} {name} answers {status}")
    assert wrong == []
    assert changed_tables(before, everything_stored()) == []


def test_a_post_from_another_site_is_refused(stage: Stage) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.owner)
    before = everything_stored()
    answers = {name: ask(client, stage, name, "POST").status_code for name, route in ROUTES.items()}
    assert {name: status for name, status in answers.items() if status not in {403, 405}} == {}
    assert {name for name, status in answers.items() if status == 405} <= {
        name for name, route in ROUTES.items() if "POST" not in methods(route)
    }
    assert changed_tables(before, everything_stored()) == []


# --- The operators' pages -----------------------------------------------------------------------------------------


def admin_addresses(stage: Stage) -> Iterator[str]:
    rows = {
        "user": stage.owner, "connection": stage.connection, "accesskey": stage.key, "run": stage.run,
        "sharelink": stage.share,
    }  # fmt: skip
    for name, pattern in served():
        if not name.startswith("admin:") or name in {"admin:login", "admin:jsi18n", "admin:None"}:
            continue
        kwargs: dict[str, Any] = {}
        words = name.removeprefix("admin:").split("_")
        for argument in pattern.pattern.converters or pattern.pattern.regex.groupindex:
            values = {"app_label": "playground", "content_type_id": 1, "url": "x"}
            row = rows.get(words[1]) if len(words) > 1 else None
            kwargs[argument] = values.get(argument, row.pk if row else 1)
        yield reverse(name, kwargs=kwargs)


@pytest.mark.parametrize("who", ["visitor", "stranger_client", "owner_client"])
def test_the_operators_pages_are_the_operators(request: Any, stage: Stage, who: str) -> None:
    client = request.getfixturevalue(who)
    before = everything_stored()
    addresses = list(admin_addresses(stage))
    assert len(addresses) > 20
    for address in addresses:
        for method in ("get", "post"):
            response = getattr(client, method)(address)
            assert response.status_code in {302, 404}, (method, address)
            assert CANARY not in _told(response).replace(address, ""), (method, address)
    assert changed_tables(before, everything_stored()) == []


# --- Ids that travel inside forms are no rights -------------------------------------------------------------------


def test_a_strangers_form_reaches_nothing_by_its_id(stage: Stage, stranger_client: Client, stranger: User) -> None:
    before = everything_stored()
    post = stranger_client.post
    post(reverse("run-selection"), {"run": [stage.run.pk, stage.other_run.pk], "do": "delete"})
    told = text_of(post(reverse("run-selection"), {"run": stage.run.pk, "do": "jsonl"}))
    compared = stranger_client.get(reverse("run-compare"), {"a": stage.run.pk, "b": stage.other_run.pk})
    undo = stranger_client.get(reverse("conversations"), {"deleted": stage.conversation.pk})
    told += text_of(compared) + text_of(undo)
    for op, kind in (("connection", stage.connection.pk), ("attach", stage.attachment.reference)):
        told += text_of(
            post(reverse("change"), {":version": "0", ":op": op, ":kind": kind, ":path": "messages[0].content"})
        )
    told += text_of(post(reverse("access-keys"), {"name": "mine", "connection": stage.connection.pk}))
    assert CANARY not in told
    assert not AccessKey.objects.filter(owner=stranger).exists()
    assert not Draft.objects.filter(user=stranger, connection=stage.connection).exists()
    after = everything_stored()
    for label in ("playground.Run", "accounts.Connection", "playground.Conversation", "playground.ShareLink"):
        assert before[label] == after[label]


def test_a_strangers_body_does_not_fetch_anothers_file(stage: Stage, stranger_client: Client, stranger: User) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": stage.attachment.reference}
    image = {"type": "image", "source": source}
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [image]}]}
    Draft.objects.create(user=stranger, body=json.dumps(body).encode(), version=1)
    told = stranger_client.get(reverse("draft-body")).content.decode()
    assert stage.attachment.reference in told
    assert "iVBOR" not in told


def test_a_version_of_anothers_conversation_is_not_there(stage: Stage, stranger_client: Client, stranger: User) -> None:
    from playground.conversations import autosave

    own = autosave.create(stranger, {"model": "m", "messages": []}, {}, "own")
    theirs = stage.conversation.versions.first()
    assert theirs is not None
    at = reverse("conversation", args=[own.pk])
    assert stranger_client.get(f"{at}read/", {"version": theirs.pk}).status_code == 404
    assert stranger_client.post(f"{at}open/", {"version": theirs.pk}).status_code == 404
    assert stranger_client.get(f"{at}difference/", {"old": theirs.pk}).status_code == 404


def test_a_copy_inside_the_site_opens_for_its_readers_only(
    stage: Stage, stranger_client: Client, stranger: User
) -> None:
    inside = reverse("shared", args=[stage.share.pk])
    assert stranger_client.get(inside).status_code == 404
    ShareLink.objects.filter(pk=stage.share.pk).update(audience="named")
    assert stranger_client.get(inside).status_code == 404
    stage.share.readers.add(stranger)
    assert stranger_client.get(inside).status_code == 200
    assert stranger_client.get(reverse("share-preview", args=[stage.share.pk])).status_code == 404


def test_somebody_elses_run_keeps_its_owner(stage: Stage, stranger_client: Client) -> None:
    for name in OWN:
        if "POST" in methods(ROUTES[name]):
            ask(stranger_client, stage, name, "POST")
    assert set(Run.objects.values_list("owner", flat=True)) == {stage.owner.pk}
