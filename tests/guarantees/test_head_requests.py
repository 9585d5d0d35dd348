"""Probes ask with HEAD: they get what GET says, without its body. OPTIONS is told what can be asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.guarantees.routes import ROUTES, methods
from tests.guarantees.stage import Stage, changed_tables, everything_stored
from tests.guarantees.test_every_response import PAGES as EVERYBODYS
from tests.support import socket_clients as sockets
from tests.support.examples import one_of_each

PAGES = ("/", "/requests/", "/conversations/", "/connections/", "/keys/", "/healthz", "/snippet/", "/stats/")
PER_ANSWER = {"x-request-id", "content-length", "set-cookie", "content-security-policy", "server-timing"}


@pytest.mark.parametrize("path", PAGES)
def test_head_is_answered_as_get_is_without_the_body(owner: User, path: str) -> None:
    client = Client()
    client.force_login(owner)
    as_get = client.get(path)
    as_head = client.head(path)
    assert as_head.status_code == as_get.status_code != 405
    assert as_head.content == b""
    assert as_head.headers["content-type"] == as_get.headers["content-type"]


def address(stage: Stage, name: str) -> tuple[str, dict[str, Any]]:
    return reverse(name, kwargs=ROUTES[name].arguments(stage)), ROUTES[name].query(stage)


def named(response: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in response.items() if name.lower() not in PER_ANSWER}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", one_of_each(["nobody", "owner"]))
def test_every_address_that_takes_get_takes_head_too(stage: Stage, who: str) -> None:
    """Pages, parts of pages, files, shares and their previews, those of accounts and keys."""
    client = Client()
    if who == "owner":
        client.force_login(stage.owner)
    client.get("/")
    wrong = {}
    for name in (name for name, route in ROUTES.items() if "GET" in methods(route)):
        where, query = address(stage, name)
        as_get, as_head = client.get(where, query), client.head(where, query)
        if (as_head.status_code, named(as_head)) != (as_get.status_code, named(as_get)):
            wrong[name] = as_head.status_code, as_get.status_code
        if not as_head.streaming and as_head.content:
            wrong[name] = as_head.status_code, as_head.content[:50]
    assert wrong == {}


@pytest.mark.django_db(transaction=True)
def test_what_a_form_does_is_not_done_by_looking_at_it(stage: Stage) -> None:
    client = Client()
    client.force_login(stage.owner)
    client.get("/")
    before = everything_stored()
    for name in (name for name, route in ROUTES.items() if methods(route) == ["GET", "POST"]):
        client.head(address(stage, name)[0], ROUTES[name].post)
    assert changed_tables(before, everything_stored()) == []


@pytest.mark.django_db(transaction=True)
def test_options_says_what_can_be_asked_and_changes_nothing(stage: Stage) -> None:
    client = Client()
    client.force_login(stage.owner)
    client.get("/")
    before = everything_stored()
    silent = {}
    for name, route in ROUTES.items():
        answer = client.options(address(stage, name)[0])
        allowed = set(answer.headers.get("allow", "").replace(" ", "").split(","))
        if answer.status_code in {302, 404}:
            continue  # it is not there, or only somewhere else
        if answer.status_code not in {200, 405} or not allowed >= set(methods(route)):
            silent[name] = answer.status_code, allowed
    assert silent == {}
    assert changed_tables(before, everything_stored()) == []


ON_THE_WIRE = ["/", "/readyz", "/metrics", "/static/js/answer/answer.js", "/static/none.js", "/s/none/", "/v1/models"]


@pytest.mark.parametrize("path", [*EVERYBODYS, *ON_THE_WIRE])
def test_no_byte_of_a_body_follows_the_head_on_the_wire(live_url: str, path: str) -> None:
    line, headers, body = sockets.whole_answer(live_url, "HEAD", path)
    as_get, named, _ = sockets.whole_answer(live_url, "GET", path)
    assert (line, headers["content-type"], body) == (as_get, named["content-type"], b"")
    assert line.split()[1] != "405"


def test_the_answer_after_one_to_head_begins_where_it_should(live_url: str) -> None:
    with sockets.connect(live_url) as opened:
        for path in ("/", "/static/css/base.css", "/v1/models", "/"):
            sockets.ask(opened, "HEAD", path)
            assert sockets.head_of(opened).endswith("\r\n\r\n")
        sockets.ask(opened, "GET", "/healthz")
        assert sockets.head_of(opened).startswith("HTTP/1.1 200 OK\r\n")


TAKEN = {"messages": "POST", "messages/count_tokens": "POST", "models": "GET, HEAD", "models/x": "GET, HEAD"}


@pytest.mark.parametrize("path", TAKEN)
@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "HEAD", "PATCH"])
def test_the_relay_says_what_it_takes(live_url: str, method: str, path: str) -> None:
    line, headers, body = sockets.whole_answer(live_url, method, f"/v1/{path}")
    if method in TAKEN[path]:
        assert (line, body) == ("HTTP/1.1 401 Unauthorized", b"")
        return
    assert line == "HTTP/1.1 405 Method Not Allowed"
    assert headers["allow"] == TAKEN[path]
    assert (b'"type": "error"' in body) == (method != "HEAD")
