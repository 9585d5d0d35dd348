"""The Test button: what of the Messages API a connection has, in words."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import connections
from django.test import AsyncClient
from django.urls import reverse

from accounts.models import Connection, User
from tests.accounts.conftest import CREDENTIAL, HEADER_VALUE, MakeConnection
from tests.support.raw_upstream import Exchange, RawUpstream, Script, serving

pytestmark = pytest.mark.django_db(transaction=True)


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json", extra: str = "") -> Script:
    async def script(exchange: Exchange) -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        head += f"connection: close\r\n{extra}\r\n"
        await exchange.say(head.encode() + body)

    return script


def model_list(count: int) -> bytes:
    return json.dumps(
        {"data": [{"type": "model", "id": f"model-{n}"} for n in range(count)], "has_more": False}
    ).encode()


def error(message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": "authentication_error", "message": message}}).encode()


@pytest_asyncio.fixture(autouse=True)
async def close_connections() -> AsyncIterator[None]:
    """Views ran in a thread that outlives the test; its open connection would keep PostgreSQL's database from going."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def loopback(settings: Any) -> None:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True


def by_path(**scripts: Script) -> Script:
    """A server with an answer for each part of the API: `models`, `count` and `message`."""

    async def script(exchange: Exchange) -> None:
        path = exchange.head.split(b" ")[1]
        part = "count" if b"count_tokens" in path else "models" if b"/models" in path else "message"
        await scripts.get(part, NOT_THERE)(exchange)

    return script


NOT_THERE = answer(b"404 page not found", "404 Not Found", "text/plain")
COUNT = answer(b'{"input_tokens": 8}')
MESSAGE = answer(b'{"type": "message", "content": [{"type": "text", "text": "Hi"}], "usage": {"output_tokens": 1}}')
CHAT = answer(b'{"object": "chat.completion", "choices": [{"message": {"content": "Hi"}}]}')


async def press_test(user: User, connection: Connection, **fields: str) -> Any:
    client = AsyncClient()
    await client.aforce_login(user)
    return await client.post(reverse("connection-test", args=[connection.pk]), fields)


async def press_against(
    script: Script, user: User, connection: Connection, **fields: str
) -> tuple[str, Connection, RawUpstream]:
    """Point the connection at a server that follows the script, and test it."""
    async with serving(script) as upstream:
        connection.base_url = upstream.url
        await database_sync_to_async(connection.save)()
        response = await press_test(user, connection, **fields)
    assert response.status_code == 200
    return response.content.decode(), await Connection.objects.aget(pk=connection.pk), upstream


async def test_it_says_how_many_models_and_which(loopback: None, owner: User, connection: Connection) -> None:
    script = by_path(models=answer(model_list(7)), count=COUNT)
    page, stored, upstream = await press_against(script, owner, connection)
    assert stored.test_passed is True
    assert re.fullmatch(r"7 models, \d+ ms; token count: works, \d+ ms", stored.test_result)
    assert stored.tested_at is not None
    assert "model-0, model-1, model-2, model-3, model-4, and 2 more" in page
    head = upstream.exchanges[0].head.decode()
    assert head.startswith("GET /v1/models")
    assert f"x-api-key: {CREDENTIAL}" in head
    assert f"x-team: {HEADER_VALUE}" in head
    assert [exchange.head.split()[1] for exchange in upstream.exchanges[1:]] == [b"/v1/messages/count_tokens"]
    assert json.loads(upstream.exchanges[1].body)["model"] == "model-0"


@pytest.mark.parametrize(
    ("script", "passed", "words"),
    [
        # An OpenAI-compatible server has a list of models and nothing else of this API.
        (by_path(models=answer(model_list(2))), None, "token count: not found (HTTP 404)"),
        (answer(model_list(2)), None, "token count: did not return a count"),
        # A list that wants another header says nothing about messages.
        (by_path(models=answer(error("no"), "401 Unauthorized"), count=COUNT), True, "token count: works"),
        (by_path(count=COUNT), True, "models: not found (HTTP 404)"),
        (by_path(), None, "models: not found (HTTP 404); token count: not found (HTTP 404)"),
        (by_path(models=answer(model_list(1)), count=answer(error("no"), "401 Unauthorized")), False, "HTTP 401"),
        (
            by_path(models=answer(model_list(1)), count=answer(error("model"), "404 Not Found")),
            None,
            "refused for model-0",
        ),
    ],
)
async def test_it_says_which_parts_of_the_api_are_there(
    loopback: None, owner: User, connection: Connection, script: Script, passed: bool | None, words: str
) -> None:
    page, stored, upstream = await press_against(script, owner, connection)
    assert stored.test_passed is passed
    assert words in stored.test_result
    assert "Send one short message" in page
    assert [exchange.head.split()[:2] for exchange in upstream.exchanges] == [
        [b"GET", b"/v1/models?limit=1000"],
        [b"POST", b"/v1/messages/count_tokens"],
    ]


@pytest.mark.parametrize(
    ("script", "passed", "words"),
    [
        (by_path(message=MESSAGE), True, "message: works with my-model"),
        (by_path(message=CHAT), False, "chat completion: this is OpenAI's API"),
        (by_path(message=answer(b'{"ok": true}')), False, "did not return a message"),
        (by_path(message=answer(error("no such model"), "404 Not Found")), False, "no such model"),
        (by_path(), False, "HTTP 404"),
    ],
)
async def test_a_message_is_sent_only_when_asked_for(
    loopback: None, owner: User, connection: Connection, script: Script, passed: bool, words: str
) -> None:
    _page, stored, upstream = await press_against(script, owner, connection, message="1", model="my-model")
    assert stored.test_passed is passed
    assert words in stored.test_result
    body = {"model": "my-model", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}
    assert [json.loads(exchange.body) for exchange in upstream.exchanges] == [body]


async def test_bearer_connections_send_a_bearer(loopback: None, owner: User, connection: Connection) -> None:
    connection.auth_style = "bearer"
    _page, _stored, upstream = await press_against(answer(model_list(1)), owner, connection)
    assert f"authorization: Bearer {CREDENTIAL}" in upstream.exchanges[0].head.decode()


async def test_a_refusal_is_told_in_the_upstreams_words(loopback: None, owner: User, connection: Connection) -> None:
    page, stored, _ = await press_against(answer(error("invalid x-api-key"), "401 Unauthorized"), owner, connection)
    assert stored.test_passed is False
    assert "HTTP 401" in page
    assert "invalid x-api-key" in page


async def test_of_the_operators_upstream_its_words_are_left_out(
    loopback: None, owner: User, make_connection: MakeConnection
) -> None:
    listed = await database_sync_to_async(make_connection)(None)
    script = answer(error("organisation org-1234 is over its budget"), "403 Forbidden")
    page, stored, _ = await press_against(script, owner, listed)
    assert "org-1234" not in page + stored.test_result
    assert "refused (HTTP 403)" in page


async def test_an_upstream_that_repeats_the_key_does_not_get_it_onto_the_page(
    loopback: None, owner: User, connection: Connection
) -> None:
    for body in (error(f"bad key {CREDENTIAL}"), error(f"bad header {HEADER_VALUE}")):
        page, stored, _ = await press_against(answer(body, "401 Unauthorized"), owner, connection)
        for secret in (CREDENTIAL, HEADER_VALUE):
            assert secret not in page + stored.test_result


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"not found", "404 Not Found", "models: not found (HTTP 404)"),
        (b'{"object": "nothing"}', "200 OK", "models: did not return a list"),
    ],
)
async def test_without_a_list_of_models_it_is_neither_good_nor_bad(
    loopback: None, owner: User, connection: Connection, body: bytes, status: str, words: str
) -> None:
    page, stored, _ = await press_against(answer(body, status), owner, connection)
    assert stored.test_passed is None
    assert words in page


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (answer(b"<h1>Hello</h1>", kind="text/html"), ""),
        (answer(b"", "302 Found", extra="location: https://evil.example/\r\n"), "evil.example"),
        (answer(b"\xff\xfe\x00", "500 Internal Server Error"), "HTTP 500"),
        (answer(error("x" * 5000 + "\x00\ud83d".encode("utf-8", "replace").decode()), "500 No"), "HTTP 500"),
    ],
)
async def test_whatever_comes_back_the_page_is_whole(
    loopback: None, owner: User, connection: Connection, script: Script, words: str
) -> None:
    page, stored, _ = await press_against(script, owner, connection)
    assert stored.test_passed is False
    assert 0 < len(stored.test_result) <= 300
    assert words in page
    assert "<h1>Hello" not in page


async def test_foreign_model_names_are_text(loopback: None, owner: User, connection: Connection) -> None:
    body = json.dumps({"data": [{"id": "<script>alert(1)</script>"}, {"id": "m" * 5000}, {"id": 7}, "x"]}).encode()
    page, stored, _ = await press_against(answer(body), owner, connection)
    assert stored.test_result.startswith("2 models")
    assert "<script>alert" not in page
    assert "m" * 101 not in page


async def test_nobody_listening_is_said_with_the_host(loopback: None, owner: User, connection: Connection) -> None:
    connection.base_url = "http://127.0.0.1:9"
    await database_sync_to_async(connection.save)()
    page = (await press_test(owner, connection)).content.decode()
    assert "No connection to 127.0.0.1:9" in page


async def test_a_private_address_is_not_called(settings: Any, owner: User, connection: Connection) -> None:
    settings.ALLOW_LOOPBACK_UPSTREAMS = False
    page, stored, upstream = await press_against(answer(model_list(1)), owner, connection)
    assert "not allowed by this server" in page
    assert stored.test_passed is False
    assert upstream.exchanges == []


async def test_a_credential_that_cannot_be_read_is_said_and_nothing_is_sent(
    loopback: None, settings: Any, owner: User, connection: Connection
) -> None:
    settings.VAULT_KEYS = ["another key"]
    page, _stored, upstream = await press_against(answer(model_list(1)), owner, connection)
    assert "could not be read" in page
    assert upstream.exchanges == []


async def test_somebody_elses_connection_is_not_there(connection: Connection, stranger: User) -> None:
    assert (await press_test(stranger, connection)).status_code == 404
    connection.pk = uuid4()
    assert (await press_test(stranger, connection)).status_code == 404


async def test_without_an_account_nothing_is_tested(connection: Connection) -> None:
    response = await AsyncClient().post(reverse("connection-test", args=[connection.pk]))
    assert response.status_code == 302
    assert (await Connection.objects.aget(pk=connection.pk)).tested_at is None


async def test_testing_takes_a_post(owner: User, connection: Connection) -> None:
    client = AsyncClient()
    await client.aforce_login(owner)
    assert (await client.get(reverse("connection-test", args=[connection.pk]))).status_code == 405
