"""What goes along with a body: headers, the connection, examples, links, imports, variables."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import Connection
from playground import dispatch
from playground.composer import variables
from playground.composer.header_problems import MOST_BETAS, MOST_HEADERS
from playground.drafts import editing
from playground.drafts.outgoing import ready_to_send
from playground.models import Draft
from tests.support.drafting import HELLO, begin, body, change, edit, log_in, stored
from tests.support.runs import live_run, store, tell

pytestmark = pytest.mark.django_db


def test_betas_are_kept_once_and_can_be_taken_away(client: Any) -> None:
    begin(client, HELLO)
    change(client, "beta-add", "", "files-api-2025-04-14, mine")
    change(client, "beta-add", "", "mine")
    change(client, "beta-remove", "", "files-api-2025-04-14")
    assert Draft.objects.get().betas == ["mine"]


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "host", "bad name", "anthropic-version"])
def test_a_header_that_is_secret_or_ours_is_refused(client: Any, name: str) -> None:
    begin(client, HELLO)
    assert change(client, "header-add", "", name).status_code == 200
    assert Draft.objects.get().extra_headers == []


def test_only_connections_that_one_may_use_can_be_chosen(client: Any, owner: Any, stranger: Any) -> None:
    theirs = Connection.objects.create(owner=stranger, name="Theirs", base_url="https://api.example.org")
    own = Connection.objects.create(owner=owner, name="Own", base_url="https://api.example.org")
    client.force_login(owner)
    client.get("/")
    client.post(reverse("change"), {":version": "0", ":op": "connection", ":path": "", ":kind": str(theirs.pk)})
    assert Draft.objects.get().connection is None
    change(client, "connection", "", str(own.pk))
    assert Draft.objects.get().connection == own
    assert "Theirs" not in client.get("/").content.decode()


def test_a_connection_taken_away_leaves_the_draft_with_the_sandbox(client: Any, owner: Any, stranger: Any) -> None:
    theirs = Connection.objects.create(owner=stranger, name="Theirs", base_url="https://secret.example.org")
    stored(HELLO, user=owner, connection=theirs)
    client.force_login(owner)
    assert "secret.example.org" not in client.get("/").content.decode()


def test_nobody_sees_somebody_elses_draft(client: Any, owner: Any, stranger: Any) -> None:
    stored(HELLO | {"system": "the owner's own words"}, user=owner)
    client.force_login(stranger)
    assert "the owner&#x27;s own words" not in client.get("/").content.decode()
    client.logout()
    assert "the owner&#x27;s own words" not in client.get("/").content.decode()


def test_what_a_visitor_began_is_there_after_signing_in(client: Any, owner: Any) -> None:
    begin(client, HELLO | {"system": "begun before"})
    log_in(client)
    assert "begun before" in client.get("/").content.decode()


def test_a_link_fills_simple_fields_and_stores_nothing(client: Any) -> None:
    page = client.get("/", {"model": "claude-x", "prompt": "What is <b>?", "max_tokens": "12"}).content.decode()
    assert 'value="claude-x"' in page
    assert "What is &lt;b&gt;?" in page
    assert 'value="12"' in page
    assert not Draft.objects.exists()


@pytest.mark.parametrize("name", ["hello", "vision", "tools", "thinking", "structured", "caching", "search", "pdf"])
def test_every_example_is_free_of_errors(client: Any, name: str) -> None:
    client.get("/")
    page = client.post(reverse("draft-start"), {":version": "0", ":mode": "form", ":start": name}).content.decode()
    assert 'data-severity="error"' not in page
    assert body()["messages"]


def test_a_pasted_curl_command_becomes_the_request_without_its_key(client: Any) -> None:
    pasted = (
        "curl https://api.example.org/v1/messages -H 'x-api-key: sk-ant-secret-0123456789' "
        '-H \'anthropic-beta: files-api-2025-04-14\' -d \'{"model": "m", "max_tokens": 5, "messages": []}\''
    )
    client.get("/")
    response = client.post(reverse("draft-import"), {":version": "0", ":mode": "form", ":pasted": pasted})
    assert body() == {"model": "m", "max_tokens": 5, "messages": []}
    assert Draft.objects.get().betas == ["files-api-2025-04-14"]
    assert "sk-ant-secret" not in response.content.decode() + Draft.objects.get().body_text


@pytest.mark.parametrize("version", ["\\ud800", "\\u0000", "a\\nb", "caf\\u00e9"])
def test_a_pasted_version_that_no_header_holds_is_not_taken_over(client: Any, version: str) -> None:
    settings = f'"settings": {{"anthropic_version": "{version}", "accept": "{version}", "betas": ["{version}"]}}'
    pasted = f'{{"versions": [{{"body": {{"model": "m", "messages": []}}, {settings}}}]}}'
    client.get("/")
    response = client.post(reverse("draft-import"), {":version": "0", ":mode": "form", ":pasted": pasted})
    assert response.status_code == 200
    draft = Draft.objects.get()
    assert (draft.anthropic_version, draft.accept, draft.betas) == ("2023-06-01", "", [])


def test_text_that_is_no_request_is_refused_with_the_reason(client: Any) -> None:
    client.get("/")
    response = client.post(reverse("draft-import"), {":version": "0", ":mode": "form", ":pasted": "{broken"})
    assert response["HX-Retarget"] == "#import-problem"
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "pasted",
    [
        "fetch('https://a.example/v1/messages', {method: 'POST', body: payload})",
        "curl https://a.example/v1/messages -d '{}'",
        '{"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}',
        '{"name": "package", "version": "1.0.0"}',
        '{"log": {"entries": []}}',
        "event: message_start\ndata: {}\n\n",
        "client.messages.create(**arguments)",
    ],
)
def test_what_holds_no_request_never_replaces_the_draft(client: Any, pasted: str) -> None:
    begin(client, HELLO)
    before = Draft.objects.get().body_text
    response = client.post(reverse("draft-import"), {":version": "0", ":mode": "form", ":pasted": pasted})
    assert response["HX-Retarget"] == "#import-problem"
    assert response.content.decode().strip()
    assert Draft.objects.get().body_text == before


def test_of_several_requests_in_a_file_one_is_chosen(client: Any) -> None:
    def entry(text: str) -> dict[str, Any]:
        request = {"method": "POST", "url": "https://a.example/v1/messages", "headers": []}
        return {"request": request | {"postData": {"text": json.dumps({"model": text, "messages": []})}}}

    pasted = json.dumps({"log": {"entries": [entry("first"), entry("second")]}})
    begin(client, HELLO)
    before = Draft.objects.get().body_text
    posted = {":version": "0", ":mode": "form", ":pasted": pasted}
    response = client.post(reverse("draft-import"), posted)
    assert response["HX-Retarget"] == "#import-problem"
    assert "first" in response.content.decode()
    assert Draft.objects.get().body_text == before
    client.post(reverse("draft-import"), posted | {":version": str(Draft.objects.get().version), ":entry": "1"})
    assert body() == {"model": "second", "messages": []}


@pytest.mark.parametrize("sent", ["text/event-stream", "application/json"])
def test_an_import_leaves_exactly_one_accept(client: Any, sent: str) -> None:
    begin(client, HELLO)
    pasted = f"curl https://a.example/v1/messages -H 'Accept: {sent}' -H 'x-team: a' -d '{{\"model\": \"m\"}}'"
    posted = {":version": str(Draft.objects.get().version), ":mode": "form", ":pasted": pasted}
    client.post(reverse("draft-import"), posted)
    draft = Draft.objects.get()
    assert draft.extra_headers == [["x-team", "a"]]
    assert draft.accept in (sent, "")


def test_the_body_to_copy_has_its_variables_filled_in(client: Any) -> None:
    begin(client, HELLO | {"system": "You speak {{ language }}."})
    edit(client, **{":variable language": "Latin"})
    assert json.loads(client.get(reverse("draft-body")).content)["system"] == "You speak Latin."


@pytest.mark.parametrize("value", ["Bearer abcdefghijk", "sk-ant-0123456789abcdef0", "two\nlines", "ü", "x" * 2001])
def test_a_header_that_is_a_secret_or_cannot_be_sent_is_a_problem_and_not_kept(client: Any, value: str) -> None:
    begin(client, HELLO)
    change(client, "header-add", "", "x-trace")
    page = edit(client, **{":header 0": value}).content.decode()
    assert 'data-path=":header 0" data-severity="error"' in page
    assert "<code>:header" not in page
    assert Draft.objects.get().extra_headers == [["x-trace", ""]]
    assert ":header 0" not in edit(client, **{":header 0": " plain "}).content.decode().split("problem-list")[1]
    assert Draft.objects.get().extra_headers == [["x-trace", "plain"]]


def test_a_visitors_body_that_could_not_be_sent_is_not_kept_either(client: Any, settings: Any) -> None:
    settings.VISITOR_MAX_BODY_BYTES = 1000
    begin(client, HELLO)
    response = edit(client, system="x" * 1000)
    assert response.status_code == 413
    assert "too large" in response.content.decode()
    assert "system" not in body()


def test_only_so_many_betas_and_headers_are_taken(client: Any) -> None:
    begin(client, HELLO)
    change(client, "beta-add", "", ",".join(f"beta-{number}" for number in range(MOST_BETAS)))
    page = change(client, "beta-add", "", "one-too-many").content.decode()
    assert f"at most {MOST_BETAS} betas" in page
    Draft.objects.update(extra_headers=[[f"x-{number}", ""] for number in range(MOST_HEADERS - 1)])
    change(client, "header-add", "", "x-last")
    page = change(client, "header-add", "", "x-one-too-many").content.decode()
    assert f"at most {MOST_HEADERS} extra headers" in page
    draft = Draft.objects.get()
    assert (len(draft.betas), len(draft.extra_headers)) == (MOST_BETAS, MOST_HEADERS)


def test_names_of_betas_and_headers_have_a_length(client: Any) -> None:
    begin(client, HELLO)
    assert "is not allowed in a header" in change(client, "beta-add", "", "b" * 101).content.decode()
    assert "at most 100 characters" in change(client, "header-add", "", "x" * 101).content.decode()
    draft = Draft.objects.get()
    assert (draft.betas, draft.extra_headers) == ([], [])


def test_an_import_brings_no_more_betas_and_headers_than_can_be_typed(client: Any) -> None:
    many = " ".join(f"-H 'x-{number}: {number}'" for number in range(MOST_HEADERS + 9))
    betas = ",".join(f"beta-{number}" for number in range(MOST_BETAS + 9))
    pasted = f"curl https://api.example.org/v1/messages {many} -H 'anthropic-beta: {betas}' -d '{{\"model\":\"m\"}}'"
    client.get("/")
    client.post(reverse("draft-import"), {":version": "0", ":mode": "form", ":pasted": pasted})
    draft = Draft.objects.get()
    assert (len(draft.betas), len(draft.extra_headers)) == (MOST_BETAS, MOST_HEADERS)


def test_an_idempotency_key_has_a_length(client: Any) -> None:
    begin(client, HELLO)
    request = RequestFactory().post("/", {":idempotency-key": "p" * 10_000})
    request.user, request.visitor = AnonymousUser(), "v"
    made = ready_to_send(request, editing.open_form(request)).request
    assert made.idempotency_key == "p" * 64


def test_only_so_many_variables_are_kept(client: Any) -> None:
    begin(client, HELLO)
    edit(client, **{f":variable v{number}": "x" for number in range(150)}, **{":variable no name": "x"})
    edit(client, **{":variable v0": "changed"})
    variables = Draft.objects.get().variables
    assert len(variables) == 100
    assert variables["v0"] == "changed"
    assert "no name" not in variables


def test_a_short_text_does_not_grow_beyond_what_can_be_sent(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "MOST_FILLED", 25)
    begin(client, HELLO | {"system": "{{a}} {{a}} {{a}}"})
    edit(client, **{":variable a": "ten signs."})
    assert json.loads(client.get(reverse("draft-body")).content)["system"] == "ten signs. ten signs. {{a}}"


@pytest.mark.parametrize("number", ["9" * 5000, "²", "-1", "x"])
def test_what_is_no_number_is_no_fault_of_the_server(client: Any, number: str) -> None:
    begin(client, HELLO)
    change(client, "header-add", "", "x-trace")
    assert client.post(reverse("draft-part"), {":first": number, ":last": number}).status_code < 500
    posted = urlencode({":version": Draft.objects.get().version, ":mode": "form", f":header {number}": "value"})
    assert client.post(reverse("edit"), posted, "application/x-www-form-urlencoded").status_code == 200
    for op in ("header-remove", "variant", "kind", "move"):
        assert change(client, op, "messages[0].content", number, number).status_code == 200
    assert Draft.objects.get().extra_headers == [["x-trace", ""]]


def test_a_variable_without_a_value_is_a_problem_at_its_place(client: Any) -> None:
    begin(client, HELLO | {"system": "You speak {{language}}."})
    page = edit(client, max_tokens="99").content.decode()
    assert 'data-path="system"' in page
    assert "language" in page


@pytest.mark.parametrize("name", ["edit", "change", "draft-form", "draft-part", "draft-start", "draft-import", "send"])
def test_nothing_changes_by_following_a_link(client: Any, name: str) -> None:
    assert client.get(reverse(name)).status_code == 405
    assert not Draft.objects.exists()


def test_the_body_of_an_earlier_run_can_be_opened_by_its_owner_only(client: Any, owner: Any, stranger: Any) -> None:
    run = store(tell(live_run(owner, body=json.dumps(HELLO).encode())))
    address = reverse("open-run", args=[run.pk])
    client.force_login(stranger)
    assert client.post(address).status_code == 404
    client.force_login(owner)
    assert client.post(address)["Location"] == "/"
    assert body() == HELLO


@pytest.mark.django_db(transaction=True)  # the view gives its database connection back before it asks
def test_why_there_is_no_list_of_models_is_told_and_known_ids_are_offered(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_connection: Any, **_: Any) -> Any:
        raise dispatch.Refused("not allowed by this server.", 400)

    monkeypatch.setattr(dispatch, "fetch_models", refuse)
    client.get("/")
    page = client.post(reverse("draft-models"), {":refresh": "1"}).content.decode()
    assert "not allowed by this server." in page
    assert 'data-model="claude-opus-4-5"' in page
