"""Comparing: columns of one form, each with a connection and values of its own, kept with the draft, sent at once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Connection
from playground import dispatch
from playground.composer import comparison_columns
from playground.models import Draft
from tests.dispatch.test_send import BODY, Started, send, write
from tests.support.markup import markup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Stands in for the engine."""
    double = Started()
    monkeypatch.setattr(dispatch, "start", double)
    return double


def press(client: Any, op: str, path: str = "", kind: str = "", **more: str) -> str:
    fields = {":version": Draft.objects.get().version, ":mode": "form", ":op": op, ":path": path, ":kind": kind, **more}
    response = client.post(reverse("change"), fields)
    assert response.status_code == 200, response.content
    return markup(response)


def type_in(client: Any, **fields: str) -> str:
    """Type in controls: `own_a_temperature` is the control of temperature in column a."""

    def name(key: str) -> str:
        return re.sub(r"^(own|connection)_(\w)_?", lambda found: f":{found[1]} {found[2]} ", key).strip()

    named = {name(key): text for key, text in fields.items()}
    response = client.post(reverse("edit"), {":version": Draft.objects.get().version, ":mode": "form", **named})
    assert response.status_code == 200, response.content
    return markup(response)


def compare(client: Any, count: int = 2, body: Any = None) -> None:
    write(client, body or BODY | {"messages": [{"role": "user", "content": "Hi"}]})
    press(client, "column-start")
    for _ in range(count - 2):
        press(client, "column-add")


def kept() -> list[comparison_columns.Column]:
    return comparison_columns.read(Draft.objects.get())


def bodies(started: Started) -> list[Any]:
    return [json.loads(request.body) for request in started.calls]


# --- What is sent -------------------------------------------------------------------------------------------------


def test_all_columns_are_sent_with_the_forms_body_and_their_own_values(client: Client, started: Started) -> None:
    compare(client, 3)
    type_in(client, own_b_temperature="0.50", own_c_model="sandbox-thinker")
    send(client, **{"max_tokens": "77", ":idempotency-key": "once"})
    form = BODY | {"max_tokens": 77, "messages": [{"role": "user", "content": "Hi"}]}
    assert bodies(started) == [form, form | {"temperature": 0.5}, form | {"model": "sandbox-thinker"}]
    assert b"0.50" in started.calls[1].body
    assert len({request.idempotency_key for request in started.calls}) == 3


def test_what_is_typed_in_the_form_reaches_linked_columns_only(client: Client, started: Started) -> None:
    compare(client)
    type_in(client, own_b_max_tokens="5")
    html = type_in(client, max_tokens="900")
    assert 'name=":own a max_tokens" value="900"' in html
    assert 'name=":own b max_tokens"' not in html, "what is typed there is left alone"
    press(client, "column-link", "b", "max_tokens")
    send(client)
    assert [body["max_tokens"] for body in bodies(started)] == [900, 900]


def test_any_member_can_be_a_columns_own(client: Client, started: Started) -> None:
    compare(client, body=BODY | {"messages": [], "system": "Be kind.", "x_new": [1.0]})
    for name in ("thinking", "output_config.effort", "system", "x_new", "messages"):
        press(client, "column-unlink", "b", name)
    own = {
        ":own b thinking": '{"type": "adaptive"}',
        ":own b output_config.effort": "low",
        ":own b system": "",
        ":own b x_new": "[2.0]",
        ":own b messages": '[{"role": "user", "content": "Else"}]',
    }
    send(client, **own, **{":anyway": "1"})
    first, second = bodies(started)
    assert (first["system"], first["x_new"]) == ("Be kind.", [1.0])
    assert "system" not in second
    assert second["thinking"] == {"type": "adaptive"}
    assert second["output_config"] == {"effort": "low"}
    assert second["messages"] == [{"role": "user", "content": "Else"}]
    assert b"[2.0]" in started.calls[1].body


def test_one_column_can_be_sent_alone(client: Client, started: Started) -> None:
    compare(client, 3)
    type_in(client, own_b_max_tokens="5")
    html = send(client, **{":column": "b"}).content.decode()
    assert [body["max_tokens"] for body in bodies(started)] == [5]
    assert 'id="column-answer-b"' in html
    assert 'id="column-answer-a"' not in html


def test_a_column_goes_to_its_own_connection_and_takes_no_key_that_was_typed_for_another(
    client: Client, owner: Any, started: Started
) -> None:
    client.force_login(owner)
    here, there = (
        Connection.objects.create(owner=owner, name=name, base_url=f"https://{name}.example") for name in ("a", "b")
    )
    compare(client, 3)
    press(client, "connection", kind=str(here.pk))
    type_in(client, connection_b=str(there.pk), connection_c="sandbox")
    send(client, **{":key": "sk-typed", ":auth-style": "bearer"})
    chosen = [(request.connection, request.credential, request.auth_style) for request in started.calls]
    assert [connection for connection, *_ in chosen] == [here, there, None]
    assert [key for _, key, _ in chosen] == ["sk-typed", None, None]
    assert [style for *_, style in chosen] == ["bearer", None, None]


def test_a_connection_of_somebody_else_is_no_choice(
    client: Client, owner: Any, stranger: Any, started: Started
) -> None:
    theirs = Connection.objects.create(owner=stranger, name="theirs", base_url="https://theirs.example")
    client.force_login(owner)
    compare(client)
    html = type_in(client, connection_b=str(theirs.pk))
    assert "deleted" in html
    assert "theirs.example" not in html
    send(client)
    assert started.calls == []
    html = send(client, **{":anyway": "1"}).content.decode()
    assert len(started.calls) == 1
    assert "Column 2 was not sent" in html


# --- What is wrong ------------------------------------------------------------------------------------------------


def test_with_a_bad_value_no_column_is_sent_and_the_problem_stands_at_its_field(
    client: Client, started: Started
) -> None:
    compare(client)
    html = send(client, **{":own b max_tokens": "warm"}).content.decode()
    assert started.calls == []
    assert "No column was sent: fix column 2" in html
    note = re.search(r'id="column-b-f-max_tokens-note".*?</div>', html, re.DOTALL)
    assert note, html
    assert "Enter a number" in note[0]
    assert kept()[1].own["max_tokens"].typed == "warm", "what was typed is kept"


def test_who_insists_sends_the_columns_that_can_be_sent(client: Client, started: Started) -> None:
    compare(client, 3)
    type_in(client, own_b_max_tokens="warm", own_c_max_tokens="-1")
    html = send(client, **{":anyway": "1"}).content.decode()
    assert [body["max_tokens"] for body in bodies(started)] == [100, -1]
    assert "Column 2 was not sent" in html


def test_what_the_checks_say_of_own_values_stands_in_the_column_and_not_in_the_form(client: Client) -> None:
    compare(client)
    html = type_in(client, own_b_max_tokens="-1")
    note = re.search(r'id="column-b-f-max_tokens-note".*?</div>', html, re.DOTALL)
    assert note
    assert 'data-severity="error"' in note[0]
    problems = re.search(r'<ul id="problem-list".*?</ul>', html, re.DOTALL)
    assert problems
    assert 'data-severity="error"' not in problems[0]
    assert "Send anyway" in html


def test_a_form_that_lacks_what_every_column_has_holds_nothing_back(client: Client, started: Started) -> None:
    body = {name: value for name, value in BODY.items() if name != "model"}
    compare(client, body=body | {"messages": [{"role": "user", "content": "Hi"}]})
    type_in(client, own_a_model="sandbox-echo", own_b_model="sandbox-stories")
    send(client)
    assert [each["model"] for each in bodies(started)] == ["sandbox-echo", "sandbox-stories"]


def test_a_column_that_is_refused_says_so_and_offers_to_retry_alone(client: Client, settings: Any) -> None:
    settings.VISITOR_RUNS_AT_ONCE = 2
    settings.SANDBOX_SPEED = 0.1
    compare(client, 3, BODY | {"model": "sandbox-stories", "messages": [{"role": "user", "content": "Hi"}]})
    html = send(client).content.decode()
    assert html.count("data-socket=") == 2
    assert "At most 2 requests at once" in html
    assert "Retry column 3" in html
    for run in list(dispatch.get_live()._runs.values()):
        run.stop()


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_a_body_that_cannot_be_drawn_is_no_obstacle_to_the_page(client: Client, started: Started, text: str) -> None:
    compare(client)
    type_in(client, own_b_temperature="1")
    version = Draft.objects.get().version
    assert client.post(reverse("edit"), {":version": version, ":mode": "json", ":json": text}).status_code == 200
    assert client.get("/").status_code == 200
    html = send(client, **{":anyway": "1"}).content.decode()
    assert [request.body for request in started.calls] == [text.encode()]
    assert "Column 2 was not sent" in html
