"""The models and the token count that the page asks a connection for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.core.cache import cache
from django.test import AsyncClient
from django.urls import reverse

from accounts.models import Connection, User
from playground import dispatch
from playground.composer import model_list
from playground.dispatch import process
from playground.models import Draft
from tests.support.raw_upstream import Exchange, serving

pytestmark = pytest.mark.django_db(transaction=True)
LISTED = b'{"data":[{"id":"secret-tune-1","type":"model"}]}'


@pytest.fixture(autouse=True)
async def tidy(settings: Any) -> AsyncIterator[None]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    cache.clear()
    yield
    await process.current().close()


async def to_list(exchange: Exchange) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(LISTED)
    await exchange.say(head + LISTED)


def draft_for(owner: User, url: str) -> Connection:
    connection = Connection.objects.create(owner=owner, name="raw", base_url=url)
    assert Draft(user=owner, body=b"{}", connection=connection).keep()
    return connection


async def test_what_a_key_typed_here_may_use_is_told_to_nobody_else(owner: User) -> None:
    client = AsyncClient()
    await client.aforce_login(owner)
    async with serving(to_list) as upstream:
        connection = await database_sync_to_async(draft_for)(owner, upstream.url)
        page = await client.post(reverse("draft-models"), {":key": "sk-typed-for-this-visit"})
        assert "secret-tune-1" in page.content.decode()
        assert model_list.remembered(connection) is None
        await client.post(reverse("draft-models"))
    models = model_list.remembered(connection)
    assert models is not None
    assert models.models[0]["id"] == "secret-tune-1"


async def test_a_refusal_of_ours_is_not_remembered_for_others(owner: User, settings: Any) -> None:
    settings.RUNS_AT_ONCE = 1
    client = AsyncClient()
    await client.aforce_login(owner)
    async with serving(to_list) as upstream:
        connection = await database_sync_to_async(draft_for)(owner, upstream.url)
        async with dispatch.within_rate_limit(f"user:{owner.pk}", "", is_visitor=False):
            page = await client.post(reverse("draft-models"))
        assert "at once" in page.content.decode()
        assert upstream.exchanges == []
    assert model_list.remembered(connection) is None


@pytest.mark.parametrize(("is_own", "status"), [(True, b"401 No"), (False, b"401 No"), (False, b"200 OK")])
async def test_an_operators_upstream_is_not_quoted_to_users(owner: User, is_own: bool, status: bytes) -> None:
    words = b'{"type":"error","error":{"type":"authentication_error","message":"ask vault.corp.internal for a key"}}'

    async def refuse(exchange: Exchange) -> None:
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(words))
        await exchange.say(head + words)

    client = AsyncClient()
    await client.aforce_login(owner)
    async with serving(refuse) as upstream:
        connection = await database_sync_to_async(draft_for)(owner, upstream.url)
        if not is_own:
            connection.owner = None
            await connection.asave()
        page = (await client.post(reverse("draft-models"))).content.decode()
    assert ("vault.corp.internal" in page) is is_own
    assert f"HTTP {status[:3].decode()}" in page
