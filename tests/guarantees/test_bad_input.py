"""Whatever is put in, wherever something can be put in: never an error of ours, and nobody else notices."""

from __future__ import annotations

import io
import itertools
import uuid
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from accounts.models import User
from playground.models import Conversation, Draft
from tests.guarantees.nasty import BODIES, TEXTS, WORST, wrong_bodies
from tests.guarantees.routes import ROUTES, methods
from tests.guarantees.stage import Stage
from tests.support.runs import live_run, store, stored_run, stream, tell

# What asks for hundreds of pages runs as a slow test, beside one that asks for a few of them.
# The limit of time is for a test that hangs, not for a busy machine.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
# The controls of the log's filter, of conversations, of the prefilled page, and the numbers of windows and pages.
QUERIES = (
    "q", "model", "connection", "source", "status", "state", "key", "agent", "stop", "from", "to", "since", "until",
    "first", "last", "before", "rows", "shown", "group", "at", "after", "tag", "show", "deleted", "page", "version",
    "old", "new", "a", "b", "format", "language", "prompt", "system", "max_tokens", "temperature", "as", "next",
    "token", "session", "starred", "min", "max", "duration",
)  # fmt: skip


@pytest.fixture
def browser(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Client:
    # The client copies the context of every part of a page, which for the largest takes longer than the page.
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *args, **values: None)
    client = Client(raise_request_exception=False)
    client.force_login(stage.owner)
    return client


def read(response: Any) -> bytes:
    if not response.streaming:
        return response.content

    async def pieces() -> bytes:
        return b"".join([piece async for piece in response])

    return async_to_sync(pieces)()


def fit_for_a_form(text: str) -> str:
    """What a browser can send: it puts a replacement character where half a pair is."""
    return text.encode("utf-8", "replace").decode()


class Broken(list[str]):
    """What went wrong, for all inputs of a test at once."""

    def watch(self, what: str, response: Any) -> Any:
        if response.status_code >= 500:
            self.append(f"{what} answers {response.status_code}")
        read(response)
        return response


# --- Addresses and filters ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("who", ["owner", "visitor"])
def test_no_query_breaks_a_page(stage: Stage, browser: Client, who: str) -> None:
    client = browser if who == "owner" else Client(raise_request_exception=False)
    broken = Broken()
    for name, route in ROUTES.items():
        if "GET" not in methods(route) or name in {"account-export", "healthz", "readyz"}:
            continue
        address = reverse(name, kwargs=route.arguments(stage))
        for label, text in (TEXTS if who == "owner" else WORST).items():
            query = dict.fromkeys(QUERIES, fit_for_a_form(text)[:2_000])
            broken.watch(f"{name} ({label})", client.get(address, query))
    assert broken == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["runs", "run-rows", "run-charts", "run-export", "conversations", "playground"])
def test_no_single_filter_breaks_a_page(stage: Stage, browser: Client, name: str) -> None:
    broken = Broken()
    for (label, text), parameter in itertools.product(WORST.items(), QUERIES):
        query = {"format": "csv"} | {parameter: fit_for_a_form(text)}
        broken.watch(f"{parameter} ({label})", browser.get(reverse(name), query))
    assert broken == []


def test_no_address_breaks_the_site(stage: Stage, browser: Client) -> None:
    broken = Broken()
    odd = ["%00", "%ff", "..%2f..%2fetc", "%F0%9F%92%A9", "1" * 3000, "-1", "9" * 30, "%0d%0ax:y", "%ed%a0%80"]
    run, conversation = f"/requests/{stage.run.pk}", f"/conversations/{stage.conversation.pk}"
    places = (
        "/{}/", "/s/{}/", "/s/{}/code/{}/", "/requests/{}/", f"{run}/download/{{}}/", f"{run}/wire/{{}}/",
        f"{run}/answer/rest/{{}}/", f"{conversation}/export/{{}}/", "/examples/{}/", "/examples/{}/frames/",
        f"/s/{stage.token}/code/{{}}/", f"/s/{stage.token}/replay/{{}}/", "/attachments/{}/", "/static/{}",
        "/keys/{}/revoke/", "/admin/{}/", "/healthz/{}",
    )  # fmt: skip
    for place, part in itertools.product(places, odd):
        path = place.replace("{}", part)
        broken.watch(path[:80], browser.generic("GET", path))
        broken.watch(f"POST {path[:80]}", browser.generic("POST", path))
    assert broken == []


# --- What is typed ------------------------------------------------------------------------------------------------

CONNECTION = ("name", "base_url", "credential", "auth_style", "anthropic_version", "header_name", "header_value")
MASKING = ("mask", "seen", "reveal")
FIELDS = {
    "run-note": ("note",),
    "conversation-change": ("title", "tags", "starred", "archived"),
    "conversation-save": (":title", ":version"),
    "conversation-import": ("text",),
    "conversation-open": ("version",),
    "conversation-share": ("do", "part", *MASKING, "lasts", "until", "passphrase", "public", "audience", "readers"),
    "run-share": ("do", "part", *MASKING, "lasts", "until", "passphrase", "public", "audience", "readers"),
    "share-change": ("do", "lasts", "until"),
    "share-update": MASKING,
    "run-selection": ("do", "run", "next"),
    "connection-add": CONNECTION,
    "connection-edit": CONNECTION,
    "access-keys": ("name", "connection", "models", "lifetime_days", "requests_per_minute", "tokens_per_day"),
    "account-keep-content": ("keep_content",),
    "account-delete": ("password",),
    "password-change": ("old_password", "new_password1", "new_password2"),
    "draft-import": (":pasted",),
    "draft-start": (":start",),
    "draft-part": (":path", ":first", ":last", ":fold"),
    "draft-form": (":mode", ":json", ":reload"),
    "edit": (
        ":json", ":anthropic-version", ":accept", ":header 0", ":variable x", ":variable \x00", "messages[0].content",
        "max_tokens", "temperature", "tools", "[", "messages[99999999999]", ":mode", ":open", ":variables",
    ),
    "change": (":op", ":path", ":kind", ":to"),
    "answer-to-draft": (),
    "open-run": (),
}  # fmt: skip


def fill(stage: Stage, browser: Client, name: str, fields: dict[str, str]) -> Any:
    version = getattr(Draft.objects.filter(user=stage.owner, conversation=None).first(), "version", 0)
    data = dict(ROUTES[name].post) | fields | {":version": str(version)}
    return browser.post(reverse(name, kwargs=ROUTES[name].arguments(stage)), data)


@pytest.mark.slow
def test_nothing_typed_into_all_fields_breaks_a_form(stage: Stage, browser: Client) -> None:
    broken = Broken()
    for name, (label, text) in itertools.product(sorted(FIELDS), WORST.items()):
        fields = dict.fromkeys(FIELDS[name], fit_for_a_form(text))
        broken.watch(f"{name} ({label})", fill(stage, browser, name, fields))
    assert broken == []
    assert browser.get("/").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIELDS))
def test_nothing_typed_breaks_a_form(stage: Stage, browser: Client, name: str) -> None:
    broken = Broken()
    for label, text in TEXTS.items():
        typed = fit_for_a_form(text)
        for fields in (dict.fromkeys(FIELDS[name], typed), *({each: typed} for each in FIELDS[name])):
            broken.watch(f"{list(fields)} ({label})", fill(stage, browser, name, fields))
    assert broken == []
    assert browser.get("/").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "op",
    ["add", "remove", "move", "duplicate", "insert", "set", "null", "unset", "kind", "repair", "attach", "connection",
     "beta-add", "beta-remove", "header-add", "header-remove", "up", "down", "wrap"],
)  # fmt: skip
def test_no_change_of_the_form_breaks_it(stage: Stage, browser: Client, op: str) -> None:
    broken = Broken()
    places = ["", "messages", "messages[0]", "messages[0].content", "tools[0].input_schema", "x.y[0]", "a" * 999]
    for place, (label, text) in itertools.product(places, WORST.items()):
        version = getattr(Draft.objects.filter(user=stage.owner, conversation=None).first(), "version", 0)
        kind = fit_for_a_form(text)[:5_000]
        fields = {":op": op, ":path": place, ":kind": kind, ":to": kind, ":version": str(version)}
        broken.watch(f"{op} {place[:20]} ({label})", browser.post(reverse("change"), fields))
    assert broken == []
    assert browser.get("/").status_code == 200


# --- Bodies ---------------------------------------------------------------------------------------------------------

ALL_BODIES = BODIES | wrong_bodies()


@pytest.mark.slow
def test_no_body_breaks_the_editor_the_page_or_what_is_made_of_it(stage: Stage, browser: Client) -> None:
    broken = Broken()
    for label, body in ALL_BODIES.items():
        version = getattr(Draft.objects.filter(user=stage.owner, conversation=None).first(), "version", 0)
        text = body.decode("utf-8", "replace")
        fields = {":json": text, ":mode": "json", ":version": str(version)}
        broken.watch(f"edit ({label})", browser.post(reverse("edit"), fields))
        if label in BODIES:
            broken.watch(f"page ({label})", browser.get("/"))
        broken.watch(f"body ({label})", browser.get(reverse("draft-body")))
    assert broken == []


@pytest.mark.slow
def test_no_body_breaks_importing_saving_or_sharing(stage: Stage, browser: Client) -> None:
    broken = Broken()
    for label, body in BODIES.items():
        file = io.BytesIO(body)
        file.name = "x.json"
        broken.watch(f"import ({label})", browser.post(reverse("conversation-import"), {"file": file}))
        version = getattr(Draft.objects.filter(user=stage.owner, conversation=None).first(), "version", 0)
        pasted = {":pasted": body.decode("utf-8", "replace"), ":version": str(version)}
        broken.watch(f"paste ({label})", browser.post(reverse("draft-import"), pasted))
        broken.watch(f"save ({label})", browser.post(reverse("conversation-save"), {":title": label}))
        newest = Conversation.objects.filter(owner=stage.owner).order_by("-created_at").first()
        assert newest is not None
        for name in ("conversation", "conversation-read", "conversation-share"):
            broken.watch(f"{name} ({label})", browser.get(reverse(name, args=[newest.pk])))
        for form in ("json", "markdown"):
            broken.watch(f"{form} ({label})", browser.get(reverse("conversation-export", args=[newest.pk, form])))
        prepared = browser.post(reverse("conversation-share", args=[newest.pk]), {"do": "preview"}, follow=True)
        broken.watch(f"preview ({label})", prepared)
    assert broken == []


@pytest.mark.slow
def test_no_body_that_was_sent_breaks_the_log(stage: Stage, browser: Client) -> None:
    broken = Broken()
    names = [name for name, route in ROUTES.items() if route.who == "owner" and "GET" in methods(route)]
    names = [name for name in names if "run_id" in ROUTES[name].arguments(stage)]
    for label, body in BODIES.items():
        text = body.decode("utf-8", "replace")
        run = store(tell(live_run(stage.owner, body=body, model=text[:300], user_agent=text[:900]), stream("hello")))
        stage.run = run
        for name in names:
            broken.watch(f"{name} ({label})", browser.get(reverse(name, kwargs=ROUTES[name].arguments(stage))))
        for kind in ("json", "har", "sse", "request"):
            broken.watch(f"{kind} ({label})", browser.get(reverse("run-download", args=[run.pk, kind])))
        broken.watch(f"open ({label})", browser.post(reverse("open-run", args=[run.pk])))
        broken.watch(f"compare ({label})", browser.get(reverse("run-compare"), {"a": run.pk, "b": stage.other_run.pk}))
    broken.watch("list", browser.get(reverse("runs")))
    for kind in ("jsonl", "csv"):
        broken.watch(kind, browser.get(reverse("run-export"), {"format": kind}))
    assert broken == []


@pytest.mark.parametrize(
    "wrong",
    [pytest.param(name, marks=[] if name in ("NUL", "half a pair") else [pytest.mark.slow]) for name in sorted(TEXTS)],
)
def test_no_answer_breaks_the_log(stage: Stage, browser: Client, wrong: str) -> None:
    """Texts of an upstream, in every part of an answer that becomes a column, a search word or a page."""
    broken = Broken()
    text = TEXTS[wrong]
    data = stream("x", thinking="y", stop_reason=text[:100_000])
    import json

    word = json.dumps(text)[1:-1].encode()
    data = data.replace(b'"msg_1"', b'"%s"' % word).replace(b'"x "', b'"%s"' % word).replace(b'"y "', b'"%s"' % word)
    stage.run = store(
        tell(live_run(stage.owner, model=text, user_agent=text, connection_name=text, access_key_name=text), data)
    )
    for name, route in ROUTES.items():
        if route.who == "owner" and "GET" in methods(route) and "run_id" in route.arguments(stage):
            broken.watch(name, browser.get(reverse(name, kwargs=route.arguments(stage))))
    broken.watch("list", browser.get(reverse("runs")))
    assert broken == []


@pytest.mark.parametrize("label", ["not JSON", "null"])
def test_a_body_that_is_no_request_breaks_no_page(stage: Stage, browser: Client, label: str) -> None:
    broken = Broken()
    text = BODIES[label].decode()
    broken.watch("edit", fill(stage, browser, "edit", {":json": text, ":mode": "json"}))
    broken.watch("page", browser.get("/"))
    broken.watch("paste", fill(stage, browser, "draft-import", {":pasted": text}))
    broken.watch("save", browser.post(reverse("conversation-save"), {":title": label}))
    assert broken == []


def test_a_neighbour_goes_on_as_before(stage: Stage, browser: Client, stranger: User) -> None:
    neighbour = Client()
    neighbour.force_login(stranger)
    run = stored_run(stranger, "my own question")
    for body in BODIES.values():
        browser.post(reverse("edit"), {":json": body.decode("utf-8", "replace"), ":version": "0", ":overwrite": "1"})
    assert "my own question" in neighbour.get(reverse("run-download", args=[run.pk, "json"])).content.decode()
    assert neighbour.get("/").status_code == 200
    assert browser.get(f"/requests/{uuid.uuid4()}/").status_code == 404


# --- Files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../x.png", "a\x00b.png", "x" * 5_000, "con", "\u202egnp.exe", "", "a\r\nb: c"])
def test_a_files_name_is_only_a_label(stage: Stage, browser: Client, settings: Any, name: str) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55") + b"\0" * 40
    upload = SimpleUploadedFile("x.png", png, "text/html")
    upload._name = name
    response = browser.post(reverse("attachments"), {"file": upload})
    assert response.status_code < 500
    inside = {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()}
    assert all(settings.MEDIA_ROOT / "attachments" in path.parents for path in inside)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG", b"\x89PNG\r\n\x1a\n" + b"\xff" * 30, b"%PDF-1.7", b"<svg onload=alert(1)>", b"GIF89a",
     b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff", b"\0" * 100, b"\xff\xfe\x80", b"PK\x03\x04" + b"\0" * 50, b"#!/bin/sh\n"],
)  # fmt: skip
def test_no_files_content_breaks_the_upload(stage: Stage, browser: Client, data: bytes) -> None:
    file = io.BytesIO(data)
    file.name = "x.png"
    response = browser.post(reverse("attachments"), {"file": file})
    assert response.status_code < 500
    if response.status_code == 200:
        shown = browser.get(reverse("attachment", args=[response.json()["reference"].removeprefix("attachment:")]))
        assert "svg" not in shown["Content-Type"]
        assert "html" not in shown["Content-Type"]
        assert shown["X-Content-Type-Options"] == "nosniff"
