"""The only entry to the engine: who may start how much, with which key, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async

from accounts.models import Connection, User
from playground import dispatch
from playground.dispatch import ClientInfo, RunRequest, process
from playground.dispatch.launch import Refused
from playground.engine.live_run import LiveRun
from playground.models import Run
from tests.support.raw_upstream import SECRET, Exchange, RawUpstream, serving

BODY = json.dumps(
    {"model": "sandbox-stories", "max_tokens": 20, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
).encode()
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def tidy(settings: Any) -> AsyncIterator[None]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    yield
    here = process.current()
    await here.forget_runs()
    await here.recorder.stop()
    await here.close()


async def by_user(user: User, **options: Any) -> LiveRun:
    return await dispatch.start(RunRequest(body=BODY, owner=f"user:{user.pk}", user=user, **options))


async def by_visitor(name: str = "a", address: str = "192.0.2.7", body: bytes = BODY) -> LiveRun:
    client = ClientInfo(address=address)
    return await dispatch.start(RunRequest(body=body, owner=f"visitor:{name}", user=None, client=client))


async def to_json(exchange: Exchange) -> None:
    await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")


def connect(owner: User, upstream: RawUpstream) -> Connection:
    connection = Connection(owner=owner, name="raw", base_url=upstream.url)
    connection.set_credential(SECRET)
    connection.set_headers([("X-Tenant", "tenant-secret")])
    connection.save()
    return connection


async def test_a_users_run_is_stored(owner: User) -> None:
    run = await by_user(owner)
    await run.ended()
    await process.current().recorder.settle()
    stored = await Run.objects.aget()
    assert (stored.pk, stored.state, stored.model) == (run.id, "completed", "sandbox-stories")


async def test_a_visitors_run_is_in_the_live_log_only() -> None:
    run = await by_visitor()
    await run.ended()
    await process.current().recorder.settle()
    assert not await Run.objects.aexists()
    assert dispatch.get_live().find(run.id, "visitor:a") is run


async def test_whose_account_it_is_a_key_typed_for_the_visit_may_know(owner: User) -> None:
    shared = Connection(name="shared", base_url="https://api.example")
    shared.set_credential(SECRET)
    assert dispatch.upstream_of(shared).is_shared
    assert not dispatch.upstream_of(shared, "sk-of-my-own").is_shared
    shared.owner = owner
    shared.set_credential(SECRET)
    assert not dispatch.upstream_of(shared).is_shared


async def test_runs_at_once_are_limited_per_user(owner: User, settings: Any) -> None:
    settings.RUNS_AT_ONCE = 1
    settings.SANDBOX_SPEED = 0.1
    first = await by_user(owner)
    with pytest.raises(Refused) as refused:
        await by_user(owner)
    assert refused.value.status == 429
    first.stop()
    await first.ended()
    assert (await by_user(owner)).id != first.id


async def test_visitors_are_limited_by_address_not_by_cookie(settings: Any) -> None:
    settings.VISITOR_RUNS_PER_MINUTE = 2
    for cookie in ("a", "b"):
        await (await by_visitor(cookie)).ended()
    with pytest.raises(Refused) as refused:
        await by_visitor("c")
    assert refused.value.status == 429
    await (await by_visitor("c", address="192.0.2.8")).ended()


async def test_a_visitors_body_is_limited(settings: Any) -> None:
    settings.VISITOR_MAX_BODY_BYTES = 10
    with pytest.raises(Refused) as refused:
        await by_visitor()
    assert (refused.value.status, refused.value.type) == (413, "request_too_large")


async def test_nothing_starts_while_nothing_can_be_stored_but_for_visitors(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process.current().recorder, "failing", True)
    with pytest.raises(Refused) as refused:
        await by_user(owner)
    assert refused.value.status == 503
    await (await by_visitor()).ended()


async def test_a_double_click_is_one_run(owner: User) -> None:
    first, second = await asyncio.gather(
        by_user(owner, idempotency_key="press-1"), by_user(owner, idempotency_key="press-1")
    )
    assert first is second


async def test_secrets_go_out_and_are_told_to_nobody(owner: User) -> None:
    async with serving(to_json) as upstream:
        connection = await database_sync_to_async(connect)(owner, upstream)
        run = await by_user(owner, connection=connection)
        await run.ended()
        head = upstream.exchanges[0].head
    assert f"x-api-key: {SECRET}".encode() in head.lower()
    assert b"x-tenant: tenant-secret" in head.lower()
    told = repr(run.events) + repr(run.about)
    assert SECRET not in told
    assert "tenant-secret" not in told


async def test_a_key_typed_for_one_run_stands_in_for_the_stored_one(owner: User) -> None:
    async with serving(to_json) as upstream:
        connection = await database_sync_to_async(connect)(owner, upstream)
        run = await by_user(owner, connection=connection, credential="typed-for-this-visit")
        await run.ended()
        head = upstream.exchanges[0].head
    assert b"x-api-key: typed-for-this-visit" in head.lower()
    assert SECRET.encode() not in head
    assert "typed-for-this-visit" not in repr(run.events) + repr(run.about)


async def test_a_credential_that_cannot_be_read_is_a_refusal(owner: User, settings: Any) -> None:
    async with serving(to_json) as upstream:
        connection = await database_sync_to_async(connect)(owner, upstream)
        settings.VAULT_KEYS = ["another-server-key-than-the-one-it-was-sealed-with"]
        with pytest.raises(Refused) as refused:
            await by_user(owner, connection=connection)
        assert upstream.exchanges == []
    assert refused.value.status == 500


async def test_models_are_fetched_through_the_same_guard(owner: User, settings: Any) -> None:
    listed = b'{"data":[{"id":"m-1","type":"model"},{"id":7},"x"]}'

    async def script(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(listed)
        await exchange.say(head + listed)

    async with serving(script) as upstream:
        connection = await database_sync_to_async(connect)(owner, upstream)
        fetched = await dispatch.fetch_models(connection)
        assert upstream.exchanges[0].head.startswith(b"GET /v1/models?limit=1000 ")
        settings.ALLOW_LOOPBACK_UPSTREAMS = False
        blocked = await dispatch.fetch_models(connection)
    assert [model["id"] for model in dispatch.models_in(fetched.json)] == ["m-1"]
    assert blocked.failure is not None
    assert blocked.failure.kind == "blocked"


async def test_short_questions_are_limited_too_by_address_for_visitors(settings: Any) -> None:
    settings.VISITOR_RUNS_PER_MINUTE = 1
    for cookie in "abcde":
        async with dispatch.within_rate_limit(f"visitor:{cookie}", "192.0.2.7", is_visitor=True):
            pass
    with pytest.raises(Refused) as refused:
        async with dispatch.within_rate_limit("visitor:f", "192.0.2.7", is_visitor=True):
            pass
    assert refused.value.status == 429
    async with dispatch.within_rate_limit("visitor:f", "192.0.2.8", is_visitor=True):
        pass


async def test_the_addresses_of_one_network_share_a_visitors_limits(settings: Any) -> None:
    settings.VISITOR_RUNS_PER_MINUTE = 1
    await by_visitor("a", "2001:db8::1")
    with pytest.raises(Refused):
        await by_visitor("b", "2001:db8::2")
    await by_visitor("c", "2001:db8:0:1::2")


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b'{"model":"m","stream":true}', ("m", True)),
        (b'{"model":"m","stream":1}', ("m", False)),
        (b'{"model":7}', ("", False)),
        (b"[]", ("", False)),
        (b"{broken", ("", False)),
        (b"\xff", ("", False)),
        (b"[" * 100_000, ("", False)),
        (b'{"model":"big","x":"' + b"x" * 300_000 + b'"}', ("big", False)),
    ],
)
async def test_a_glance_at_the_body_never_fails(body: bytes, seen: tuple[str, bool]) -> None:
    assert await dispatch.model_and_stream(body) == seen
