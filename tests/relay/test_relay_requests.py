"""What goes up through the relay: keys, list headers, compressed bodies, the query; and where clients may ask."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any

import brotli
import httpx
import pytest
from channels.db import database_sync_to_async
from django.test import Client

from accounts.models import AccessKey, User
from playground.export import run_files as exports
from playground.metrics.figures import MOST_TOKENS
from playground.models import Draft, Run
from playground.relay import access
from playground.relay import streams as relay_streams
from playground.relay.endpoint_paths import advice, is_relays
from tests.support.raw_upstream import START, Exchange, serving
from tests.support.relay_rig import BODY, JSON, Relay, answering, settle

STALE = "sk-ant-api03-stale-key-000000000000"
Pairs = list[tuple[str, str]]


async def send(
    relay: Relay, headers: Pairs, path: str = "v1/messages", content: bytes = b"{}", method: str = "POST"
) -> httpx.Response:
    """A request with exactly these headers, in this order."""
    async with httpx.AsyncClient() as client:
        return await client.request(method, relay.url + path, headers=headers, content=content)


# --- Keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        [("x-api-key", STALE), ("authorization", "Bearer KEY")],
        [("authorization", f"Bearer {STALE}"), ("x-api-key", "KEY")],
        [("x-api-key", STALE), ("x-api-key", "KEY")],
        [("x-api-key", "KEY"), ("authorization", "bearer KEY")],
        [("x-api-key", "mpk_revoked-long-ago"), ("authorization", "Bearer KEY")],
        [("x-api-key", ""), ("authorization", "Basic dXNlcjpwYXNz"), ("authorization", "Bearer KEY")],
    ],
)
async def test_the_key_that_is_one_of_ours_counts(relay: Relay, headers: Pairs) -> None:
    await relay.to(None)
    own = [(name, value.replace("KEY", relay.secret)) for name, value in headers]
    assert (await send(relay, own, content=json.dumps(BODY).encode())).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("x-api-key", STALE)],
        [("x-api-key", STALE), ("authorization", f"Bearer {STALE}x")],
        [("x-api-key", "KEY"), ("authorization", "Bearer OTHER")],
        [("x-api-key", "OTHER"), ("x-api-key", "KEY")],
        [("x-api-key", f"mpk_{at}") for at in range(40)],
    ],
)
async def test_none_of_ours_and_two_of_ours_are_refused(relay: Relay, headers: Pairs) -> None:
    await relay.to(None)
    other = (await database_sync_to_async(AccessKey.objects.issue)(owner=relay.owner, name="other"))[1]
    own = [(name, value.replace("KEY", relay.secret).replace("OTHER", other)) for name, value in headers]
    answer = await send(relay, own)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("model", ["other", "allowed ", "Allowed", "allowed%2Fother", "other/allowed"])
async def test_a_key_for_some_models_reads_about_no_other(relay: Relay, model: str) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream, models=["allowed", "vendor/model"])
        answer = await send(relay, [("x-api-key", relay.secret)], f"v1/models/{model}", method="GET")
        assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")
        assert upstream.exchanges == []
        for path in ("v1/models/allowed", "v1/models/vendor/model", "v1/models"):
            assert (await send(relay, [("x-api-key", relay.secret)], path, method="GET")).status_code == 200


@pytest.mark.parametrize("claimed", [2**62, 2**63 - 1, 10**30, -(2**62), -5])
async def test_token_counts_that_cannot_be_neither_break_nor_refund_a_limited_key(relay: Relay, claimed: Any) -> None:
    usage = {"input_tokens": claimed, "output_tokens": claimed}
    message = {"type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage": usage}
    async with serving(answering(json.dumps(message).encode(), JSON)) as upstream:
        await relay.to(upstream, tokens_per_day=5 * MOST_TOKENS)
        statuses = [(await relay.post(BODY)).status_code for _ in range(4)]
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(settle(), relay.served.server.loop))
        await database_sync_to_async(access.keys.forget)()  # so that the database is asked what was used
        statuses.append((await relay.post(BODY)).status_code)
    run = await database_sync_to_async(Run.objects.first)()
    bounded = 0 if claimed < 0 else MOST_TOKENS
    assert (run.input_tokens, run.output_tokens, run.tokens_clamped) == (bounded, bounded, True)
    assert statuses == [200] * 5 if claimed < 0 else [200, 200, 200, 429, 429]


# --- Headers and bodies ---------------------------------------------------------------------------------------------


async def test_two_lines_of_a_list_header_are_one_list(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream, headers=[("anthropic-beta", "ours-2025-01-01")])
        betas = ["aaa-2025-01-01", "bbb-2025-01-01, ccc-2025-01-01", "aaa-2025-01-01"]
        await send(relay, [("x-api-key", relay.secret), *(("anthropic-beta", beta) for beta in betas)])
        head = upstream.exchanges[0].head
    assert b"anthropic-beta: ours-2025-01-01,aaa-2025-01-01,bbb-2025-01-01,ccc-2025-01-01\r\n" in head
    assert head.lower().count(b"anthropic-beta") == 1


def deflated(data: bytes) -> bytes:
    raw = zlib.compressobj(wbits=-15)
    return raw.compress(data) + raw.flush()


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:])),
        ("deflate", zlib.compress),
        ("deflate", deflated),
        ("br", brotli.compress),
        ("gzip, deflate", lambda data: zlib.compress(gzip.compress(data))),
    ],
)
async def test_a_compressed_body_goes_up_as_it_is_and_is_read_for_the_log(
    relay: Relay, encoding: str, compress: Any
) -> None:
    body = json.dumps(BODY | {"model": "allowed", "stream": True}).encode()
    packed = compress(body)
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream, models=["allowed"])
        answer = await relay.post(packed, **{"content-encoding": encoding})
        assert answer.status_code == 200
        assert upstream.exchanges[0].body == packed
        assert f"content-encoding: {encoding}\r\n".encode() in upstream.exchanges[0].head
    run = await relay.run()
    assert (run.model, run.stream) == ("allowed", True)
    assert bytes(run.content.request_body) == body


@pytest.mark.parametrize(
    "packed",
    [b"not compressed", gzip.compress(b"{}")[:-4], gzip.compress(b" " * 2**20)],
    ids=["not compressed", "cut off", "unpacks to too much"],
)
async def test_a_body_that_cannot_be_read_goes_up_all_the_same(relay: Relay, packed: bytes, settings: Any) -> None:
    settings.MAX_RUN_BODY_BYTES = 2**19
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream)
        assert (await relay.post(packed, **{"content-encoding": "gzip"})).status_code == 200
        assert upstream.exchanges[0].body == packed
    assert bytes((await relay.run()).content.request_body) == packed


async def test_a_key_for_some_models_sends_no_body_that_cannot_be_read(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream, models=["allowed"])
        packed = gzip.compress(b'{"model": "other"}')
        assert (await relay.post(packed, **{"content-encoding": "gzip"})).status_code == 403
        assert (await relay.post(packed, **{"content-encoding": "br"})).status_code == 400
        assert upstream.exchanges == []


@pytest.mark.parametrize("stream", [True, False])
async def test_accept_follows_the_stream_unless_the_client_names_it(relay: Relay, stream: bool) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream)
        for accept in ([], [("accept", "application/x-own")]):
            async with httpx.AsyncClient() as client:
                del client.headers["accept"]
                headers = [("x-api-key", relay.secret), *accept]
                await client.post(f"{relay.url}v1/messages", headers=headers, json={"stream": stream})
        heads = [exchange.head.lower() for exchange in upstream.exchanges]
    expected = b"text/event-stream" if stream else b"application/json"
    assert b"\r\naccept: " + expected + b"\r\n" in heads[0]
    assert b"\r\naccept: application/x-own\r\n" in heads[1]
    assert [head.count(b"\r\naccept:") for head in heads] == [1, 1]


async def test_an_empty_token_count_stays_a_post(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await (await relay.to(upstream)).post(b"", "v1/messages/count_tokens")
        assert upstream.exchanges[0].head.startswith(b"POST /v1/messages/count_tokens HTTP/1.1\r\n")


# --- The query -------------------------------------------------------------------------------------------------------


async def test_the_query_of_a_request_is_kept_with_it(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream)
        await relay.post(BODY, "v1/messages?beta=true&x=a%20b&api_key=0123456789abcdef")
    run = await relay.run()
    address = exports.address(run)
    har = (await database_sync_to_async(exports.as_har)(run))["log"]["entries"][0]["request"]
    told = await database_sync_to_async(exports.as_json)(run)
    assert address.startswith(f"{upstream.url}/v1/messages?beta=true&x=a%20b&api_key=••••")
    assert har["queryString"][:2] == [{"name": "beta", "value": "true"}, {"name": "x", "value": "a b"}]
    assert har["url"] == told["request"]["url"] == address
    assert "0123456789ab" not in json.dumps([har, told])


@pytest.mark.parametrize("language", ["shell", "python-httpx", "node-fetch", "ruby", "php", "go", "java", "csharp"])
async def test_code_of_a_request_with_a_query_names_the_address_once(relay: Relay, language: str) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream)
        await relay.post(BODY, "v1/messages?beta=true&api_key=0123456789abcdef")
    run = await relay.run()

    def page() -> str:
        client = Client()
        client.force_login(relay.owner)
        return client.get(f"/requests/{run.pk}/code/", {"language": language}).context["text"]

    code = await database_sync_to_async(page)()
    assert f"{upstream.url}/v1/messages?beta=true" in code
    assert code.count("/v1/messages") == 1
    assert "api_key" not in code


async def test_a_relayed_request_opens_in_the_playground_as_it_was_sent(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream)
        sent = {"anthropic-version": "2026-10-21", "anthropic-beta": "context-management-2025-06-27"}
        await relay.post(BODY | {"context_management": {"edits": []}}, **sent)
    run = await relay.run()

    def open_it() -> Draft:
        client = Client()
        client.force_login(relay.owner)
        assert client.post(f"/requests/{run.pk}/open/").status_code == 302
        return Draft.objects.select_related("connection").get(user=relay.owner)

    draft = await database_sync_to_async(open_it)()
    assert (draft.anthropic_version, draft.betas) == ("2026-10-21", ["context-management-2025-06-27"])
    assert draft.connection is not None
    assert draft.connection.name == "raw"
    await database_sync_to_async(draft.connection.delete)()
    assert (await database_sync_to_async(open_it)()).connection is None


# --- Addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("messages", "has to end in it"),
        ("messages/count_tokens", "has to end in it"),
        ("models", "has to end in it"),
        ("api/messages", "end in /v1 instead of /api"),
        ("api/v1/messages", "leave /api out"),
        ("v1/v1/messages", "leave /v1 out"),
        ("v1/v1/messages/count_tokens", "leave /v1 out"),
        ("v1/messages/v1/messages", "leave /v1/messages out"),
        ("some/where/v1/models/x", "leave /some/where out"),
        ("/v1/messages", "must not end in one"),
        ("v1//messages", "must not end in one"),
        ("v1/chat/completions", "OpenAI's Chat Completions API"),
        ("chat/completions", "OpenAI's Chat Completions API"),
        ("v1/responses", "OpenAI's Responses API"),
        ("v1/complete", "Text Completions API"),
        ("v1/files", "/v1/messages"),
        ("v1", "/v1/messages"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_wrong_address_is_answered_in_the_apis_shape_and_says_what_is_wrong(
    relay: Relay, path: str, words: str, method: str
) -> None:
    async with httpx.AsyncClient() as client:
        request = client.build_request(method, relay.url + path, content=b"{}")
        request.url = request.url.copy_with(raw_path=b"/" + path.encode())
        answer = await client.send(request)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/requests/", "/s/token/", "/static/js/answer/answer.js", "/accounts/"])
def test_pages_are_no_addresses_of_the_relay(path: str) -> None:
    assert not is_relays(path)


def test_batches_are_said_not_to_be_relayed() -> None:
    assert "batches are not relayed" in advice("/v1/messages/batches")
    assert "slash too many" in advice("//v1/messages")


def test_advice_is_short_whatever_the_path() -> None:
    assert len(advice("/x" * 10_000 + "/v1/messages")) < 600
    assert len(advice("/v1/" * 10_000)) < 600


async def test_head_of_the_model_list_is_get_without_the_body(relay: Relay) -> None:
    async with serving(answering(b'{"data": []}', JSON)) as upstream:
        await relay.to(upstream)
        for path in ("v1/models", "v1/models/x"):
            answer = await send(relay, [("x-api-key", relay.secret)], path, content=b"", method="HEAD")
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["content-type"] == "application/json"
        assert [exchange.head.split()[0] for exchange in upstream.exchanges] == [b"GET", b"GET"]
        refused = await send(relay, [("x-api-key", "mpk_none")], "v1/models", content=b"", method="HEAD")
        assert (refused.status_code, refused.content) == (401, b"")


# --- An account that ends -------------------------------------------------------------------------------------------


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


async def streaming(exchange: Exchange) -> None:
    await exchange.stream(START)
    await exchange.until_gone()


@pytest.mark.parametrize("end", [deactivate, User.delete])
async def test_a_stream_ends_with_its_account(relay: Relay, end: Any) -> None:
    async with serving(streaming) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client, relay.stream(client) as answer:
            chunks = answer.aiter_raw()
            await anext(chunks)
            await database_sync_to_async(end)(relay.owner)
            rest = b"".join([chunk async for chunk in chunks])
        await asyncio.wait_for(upstream.exchanges[0].gone.wait(), 30)
    assert b"event: error" in rest
    assert b"deactivated" in rest


async def test_a_stream_ends_when_its_account_was_deactivated_elsewhere(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_streams, "RECHECK_S", 0.05)
    monkeypatch.setattr(relay_streams, "streams", relay_streams.OpenStreams())
    async with serving(streaming) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client, relay.stream(client) as answer:
            chunks = answer.aiter_raw()
            await anext(chunks)
            await database_sync_to_async(User.objects.filter(pk=relay.owner.pk).update)(is_active=False)
            assert b"event: error" in b"".join([chunk async for chunk in chunks])
        await asyncio.wait_for(upstream.exchanges[0].gone.wait(), 30)


@pytest.mark.parametrize("end", [AccessKey.revoke, AccessKey.delete])
async def test_a_stream_ends_with_its_access_key(relay: Relay, end: Any) -> None:
    async with serving(streaming) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client, relay.stream(client) as answer:
            chunks = answer.aiter_raw()
            await anext(chunks)
            await database_sync_to_async(lambda: end(AccessKey.objects.get()))()
            rest = b"".join([chunk async for chunk in chunks])
        await asyncio.wait_for(upstream.exchanges[0].gone.wait(), 30)
    assert b"event: error" in rest
    assert b"The access key of this request was revoked." in rest


async def test_a_stream_outlives_a_change_that_leaves_its_account_active(relay: Relay) -> None:
    go_on = asyncio.Event()

    async def waits(exchange: Exchange) -> None:
        await exchange.stream(START)
        await go_on.wait()
        await exchange.chunk(b"event: message_stop\ndata: {}\n\n")
        await exchange.close_stream()

    async with serving(waits) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client, relay.stream(client) as answer:
            chunks = answer.aiter_raw()
            await anext(chunks)
            relay.owner.set_password("another-password-1")
            await database_sync_to_async(relay.owner.save)()
            go_on.set()
            assert b"message_stop" in b"".join([chunk async for chunk in chunks])
