"""The relay hands on what it gets, in both directions, and what is its own it says in the API's shape."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import anthropic
import httpx
import pytest
from channels.db import database_sync_to_async

from playground import dispatch
from playground.dispatch import process
from tests.support.raw_upstream import DELTA, SECRET, START, STOP, TEXT, Exchange, serving
from tests.support.relay_rig import BODY, JSON, Relay, answering, saying


@pytest.mark.parametrize(
    "body", [b'{"model": "m",  "x": 1.0}', b"{not json", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff\xfe", b"[]"]
)
async def test_the_callers_bytes_go_up_as_they_are(relay: Relay, body: bytes) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await (await relay.to(upstream)).post(body)
        assert upstream.exchanges[0].body == body
    assert bytes((await relay.run()).content.request_body) == body


async def test_the_upstream_sees_its_own_key_and_the_clients_headers_but_not_its_secrets(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await (await relay.to(upstream)).post(
            path="v1/messages?beta=true",
            **{
                "user-agent": "agent/1",
                "anthropic-version": "2026-10-21",
                "anthropic-beta": "one,two",
                "anthropic-something-new": "x",
                "x-stainless-lang": "python",
                "cookie": "sessionid=abc",
                "x-forwarded-for": "10.0.0.1",
            },
        )
        head = upstream.exchanges[0].head.lower()
    assert head.startswith(b"post /v1/messages?beta=true http/1.1")
    for sent in (
        b"user-agent: agent/1",
        b"anthropic-version: 2026-10-21",
        b"anthropic-beta: one,two",
        b"anthropic-something-new: x",
        b"x-stainless-lang: python",
        b"x-api-key: " + SECRET.encode(),
    ):
        assert sent in head.split(b"\r\n")
    for kept_back in (b"cookie", b"x-forwarded-for", relay.secret.lower().encode()):
        assert kept_back not in head


async def test_status_useful_headers_and_bytes_come_down_as_they_are(relay: Relay) -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'
    lines = [
        JSON,
        "request-id: req_7",
        "retry-after: 3",
        "anthropic-ratelimit-requests-remaining: 9",
        "set-cookie: a=1",
    ]
    async with serving(answering(body, *lines, status="529 Overloaded")) as upstream:
        answer = await (await relay.to(upstream)).post()
    assert (answer.status_code, answer.content) == (529, body)
    assert answer.headers["request-id"] == "req_7"
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["anthropic-ratelimit-requests-remaining"] == "9"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "set-cookie" not in answer.headers


async def test_a_web_page_is_handed_on_but_cannot_act_as_one_of_ours(relay: Relay) -> None:
    page = b"<html><script>alert(1)</script></html>"
    async with serving(answering(page, "content-type: text/html", status="502 Bad Gateway")) as upstream:
        answer = await (await relay.to(upstream)).post()
    assert (answer.status_code, answer.content) == (502, page)
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_compressed_bytes_are_passed_on_and_not_decoded(relay: Relay) -> None:
    async with serving(answering(gzip.compress(b'{"type":"message"}'), JSON, "content-encoding: gzip")) as upstream:
        answer = await (await relay.to(upstream)).post()
    assert answer.json() == {"type": "message"}  # decoded by the client, as its header says
    assert (await relay.run()).failure_kind == "encoding"


async def test_a_fault_of_ours_has_the_apis_shape_and_tells_nothing(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: Any, **__: Any) -> None:
        raise ValueError("canary")

    await relay.to(None)
    monkeypatch.setattr(dispatch, "start", breaks)
    response = await relay.post(BODY)
    assert (response.status_code, response.json()["error"]["type"]) == (500, "api_error")
    assert "canary" not in response.text + caplog.text
    assert "ValueError" in caplog.text


async def test_a_redirect_is_not_handed_on(relay: Relay) -> None:
    async with serving(answering(b"", "location: http://elsewhere.example/?k=1", status="302 Found")) as upstream:
        answer = await (await relay.to(upstream)).post()
    assert answer.status_code == 502
    assert "location" not in answer.headers
    assert "?k=1" not in answer.text


async def test_an_address_that_is_not_allowed_is_403(relay: Relay, settings: Any) -> None:
    settings.ALLOW_LOOPBACK_UPSTREAMS = False
    async with serving(answering(b"{}", JSON)) as upstream:
        answer = await (await relay.to(upstream)).post()
        assert upstream.exchanges == []
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")


@pytest.mark.parametrize("is_own", [True, False])
@pytest.mark.parametrize("path", ["v1/messages", "v1/messages/count_tokens"])
async def test_whose_account_it_is_stays_with_the_owner_of_the_connection(
    relay: Relay, is_own: bool, path: str
) -> None:
    ids = {"anthropic-organization-id": "org-1", "anthropic-workspace-id": "ws-1"}
    lines = [f"{name.title()}: {value}" for name, value in ids.items()]
    async with serving(answering(b"{}", JSON, "request-id: req_1", *lines)) as upstream:
        answer = await (await relay.to(upstream, of_operator=not is_own)).post(path=path)
    assert answer.headers["request-id"] == "req_1"
    assert {name: answer.headers[name] for name in ids if name in answer.headers} == (ids if is_own else {})
    if path == "v1/messages":
        stored = dict((await relay.run()).content.response_headers)  # what page and exports are made from
        assert {name: stored[name] for name in ids if name in stored} == (ids if is_own else {})


async def test_no_first_byte_is_504(relay: Relay, settings: Any) -> None:
    settings.FIRST_BYTE_TIMEOUT_S = 0.2
    async with serving(Exchange.until_gone) as upstream:
        answer = await (await relay.to(upstream)).post()
    assert (answer.status_code, answer.json()["error"]["type"]) == (504, "timeout_error")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n\r\n"])
async def test_no_answer_in_http_is_502(relay: Relay, said: bytes) -> None:
    async with serving(saying(said)) as upstream:
        answer = await (await relay.to(upstream)).post()
    assert (answer.status_code, answer.json()["type"]) == (502, "error")


@pytest.mark.parametrize("rest", [b"", b"event: content_blo", b'event: content_block_delta\ndata: {"type":"con'])
async def test_a_stream_cut_off_anywhere_ends_with_an_error_event(relay: Relay, rest: bytes) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, DELTA, *([rest] if rest else []))
        await exchange.close_stream()

    async with serving(script) as upstream:
        await relay.to(upstream)
        async with anthropic.AsyncAnthropic(base_url=relay.url, api_key=relay.secret, max_retries=0) as client:
            with pytest.raises(anthropic.APIStatusError, match="ended early"):
                async with client.messages.stream(model="m", max_tokens=9, messages=BODY["messages"]) as stream:
                    await stream.until_done()
    assert (await relay.run()).failure_kind == "truncated"


async def test_a_message_that_breaks_off_raises_in_the_official_client(relay: Relay) -> None:
    async def script(exchange: Exchange) -> None:
        message = b'{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{}}'
        await exchange.say(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n" + message
        )
        await asyncio.sleep(0.2)  # so that the answer has begun

    async with serving(script) as upstream:
        await relay.to(upstream)
        async with anthropic.AsyncAnthropic(base_url=relay.url, api_key=relay.secret, max_retries=0) as client:
            with pytest.raises(anthropic.APIConnectionError):
                await client.messages.create(model="m", max_tokens=9, messages=BODY["messages"])
    assert (await relay.run()).failure_kind == "truncated"


async def test_a_token_count_that_breaks_off_is_an_error(relay: Relay) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n"
    async with serving(saying(head + b'{"input_tokens": 1')) as upstream:
        answer = await (await relay.to(upstream)).post(path="v1/messages/count_tokens")
    assert (answer.status_code, answer.json()["type"]) == (502, "error")


async def test_bytes_arrive_while_the_upstream_still_writes(relay: Relay) -> None:
    go_on = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.stream(START)
        await go_on.wait()
        await exchange.chunk(STOP)
        await exchange.close_stream()

    async with serving(script) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client, relay.stream(client) as answer:
            chunks = answer.aiter_raw()
            assert await anext(chunks) == START
            go_on.set()
            assert b"".join([chunk async for chunk in chunks]) == STOP


async def test_a_client_that_leaves_closes_the_upstream(relay: Relay) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START)
        await exchange.until_gone()

    async with serving(script) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client, relay.stream(client) as answer:
            await anext(answer.aiter_raw())
        await asyncio.wait_for(upstream.exchanges[0].gone.wait(), 30)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "v1/messages", 405),
        ("POST", "v1/models", 405),
        ("GET", "v1/files", 404),
        ("GET", "v1/models/%2e%2e/files", 404),
        ("GET", "v1/models/m/%2e%2e/%2e%2e/files", 404),
        ("GET", "v1/models/%2e/m", 404),
    ],
)
async def test_what_is_not_served_is_said_in_the_apis_shape(relay: Relay, method: str, path: str, status: int) -> None:
    await relay.to(None)
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, relay.url + path, headers={"x-api-key": relay.secret})
    assert (answer.status_code, answer.json()["type"]) == (status, "error")


async def test_a_body_beyond_the_limit_is_413_in_the_apis_shape(relay: Relay, settings: Any) -> None:
    settings.MAX_RUN_BODY_BYTES = 2_000_000
    answer = await (await relay.to(None)).post(b"x" * 2_000_001)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")


async def test_nothing_is_sent_while_nothing_can_be_stored(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = relay.served.server.call(lambda: process.current().recorder)
    monkeypatch.setattr(recorder, "failing", True)
    async with serving(answering(b"{}", JSON)) as upstream:
        answer = await (await relay.to(upstream)).post()
        assert upstream.exchanges == []
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "api_error")


async def test_sessions_do_not_open_the_relay_and_it_sets_no_cookie(relay: Relay, client: Any) -> None:
    await database_sync_to_async(client.force_login)(relay.owner)
    answer = await relay.post(BODY, cookie=f"sessionid={client.cookies['sessionid'].value}")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_browsers_on_other_sites_are_let_in_by_setting_only(relay: Relay, settings: Any) -> None:
    await relay.to(None)
    site = {"origin": "https://app.example"}
    asking = {**site, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    async with httpx.AsyncClient() as client:
        refused = await client.options(f"{relay.url}v1/messages", headers=asking)
        assert "access-control-allow-origin" not in refused.headers
        settings.RELAY_CORS_ORIGINS = ["https://app.example"]
        allowed = await client.options(f"{relay.url}v1/messages", headers=asking)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-headers"] == "x-api-key"
    answer = await relay.post(BODY, **site)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in answer.headers
