"""A token count through the relay: the client gets what it always got, and the log holds it, as no tokens used."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from channels.db import database_sync_to_async

from accounts.models import User
from playground.dispatch import process
from playground.models import Run
from tests.support.raw_upstream import START, Exchange, serving
from tests.support.relay_rig import BODY, JSON, MODEL, Relay, answering, saying

PATH = "v1/messages/count_tokens"
COUNT = b'{"input_tokens": 1234}'
ODDLY = b'{ "input_tokens" :7,"more":1.0 }\n'
BUSY = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'


@pytest.mark.parametrize(
    ("script", "status", "content", "ends"),
    [
        (answering(COUNT, JSON), 200, COUNT, ("completed", "")),
        (answering(ODDLY, JSON), 200, ODDLY, ("completed", "")),
        (answering(BUSY, JSON, "retry-after: 7", status="529 Busy"), 529, BUSY, ("failed", "http_status")),
        (answering(b"{}", JSON), 200, b"{}", ("failed", "not_a_count")),
        (answering(b'{"input_tokens":"7"}', JSON), 200, b'{"input_tokens":"7"}', ("failed", "not_a_count")),
        (answering(b'{"input_tokens":true}', JSON), 200, b'{"input_tokens":true}', ("failed", "not_a_count")),
        (answering(b"[1]", JSON), 200, b"[1]", ("failed", "not_a_count")),
        (answering(b"", JSON), 200, b"", ("failed", "not_a_count")),
        (answering(b"<html></html>", "content-type: text/html"), 200, b"<html></html>", ("failed", "not_a_count")),
        (answering(BUSY, JSON), 200, BUSY, ("failed", "error_event")),
        (answering(START, "content-type: text/event-stream"), 200, START, ("failed", "not_a_count")),
    ],
    ids=["count", "spelled oddly", "refused", "nothing", "text", "truth", "list", "empty", "page", "error", "stream"],
)  # fmt: skip
async def test_bytes_and_status_come_down_as_they_are(
    relay: Relay, script: Callable[[Exchange], Any], status: int, content: bytes, ends: tuple[str, str]
) -> None:
    async with serving(script) as upstream:
        answer = await (await relay.to(upstream)).post(BODY, PATH)
        assert upstream.exchanges[0].head.startswith(b"POST /v1/messages/count_tokens HTTP/1.1\r\n")
        assert upstream.exchanges[0].body == json.dumps(BODY).encode()
    assert (answer.status_code, answer.content) == (status, content)
    run = await relay.run()
    assert (run.endpoint, run.state, run.failure_kind) == ("count_tokens", *ends)
    assert answer.headers["playground-run-id"] == str(run.pk)
    assert bytes(run.content.request_body) == json.dumps(BODY).encode()
    assert await database_sync_to_async(lambda: b"".join(run.raw()))() == content


async def test_a_compressed_count_is_passed_on_and_not_decoded(relay: Relay) -> None:
    async with serving(answering(gzip.compress(COUNT), JSON, "content-encoding: gzip")) as upstream:
        answer = await (await relay.to(upstream)).post(path=PATH)
    assert (answer.content, answer.headers["content-encoding"]) == (COUNT, "gzip")
    assert (await relay.run()).failure_kind == "encoding"


async def test_a_compressed_request_is_stored_as_it_was_before(relay: Relay) -> None:
    async with serving(answering(COUNT, JSON)) as upstream:
        sent = gzip.compress(json.dumps(BODY).encode())
        await (await relay.to(upstream)).post(sent, PATH, **{"content-encoding": "gzip"})
        assert upstream.exchanges[0].body == sent
    run = await relay.run()
    assert (json.loads(bytes(run.content.request_body)), run.model) == (BODY, MODEL)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (answering(b"", "location: http://elsewhere.example/?k=1", status="302 Found"), "redirect"),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n" + COUNT), "truncated"),
        (saying(b""), "reset"),
        (saying(b"SSH-2.0-x\r\n\r\n"), "protocol"),
    ],
    ids=["redirect", "cut", "closed", "no HTTP"],
)  # fmt: skip
async def test_what_is_no_whole_answer_is_an_error_and_nothing_of_it_comes_down(
    relay: Relay, script: Callable[[Exchange], Any], kind: str
) -> None:
    async with serving(script) as upstream:
        answer = await (await relay.to(upstream)).post(BODY, PATH)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")
    assert "location" not in answer.headers
    assert (await relay.run()).failure_kind == kind


async def test_what_a_count_says_is_part_of_no_sum(relay: Relay) -> None:
    odd = b'{"input_tokens": 1234, "usage": {"input_tokens": 5, "output_tokens": 6}, "id": "x", "content": []}'
    async with serving(answering(odd, JSON)) as upstream:
        await (await relay.to(upstream, tokens_per_day=4)).post(BODY, PATH)
        assert (await relay.post(BODY, PATH)).status_code == 200
        await relay.settle()
        assert (await relay.post(BODY, PATH)).status_code == 200
    run = await database_sync_to_async(lambda: Run.objects.first())()
    used = (run.input_tokens, run.output_tokens, run.cache_write_tokens, run.cache_read_tokens, run.thinking_tokens)
    assert used == (None,) * 5
    assert (run.cost_usd, run.first_token_ms, run.stop_reason, run.counted_tokens) == (None, None, "", 1234)


@pytest.mark.parametrize(("claimed", "stored"), [(b"-5", 0), (b"900000000000000000000", 100_000_000)])
async def test_a_count_that_cannot_be_is_brought_into_range_and_marked(
    relay: Relay, claimed: bytes, stored: int
) -> None:
    async with serving(answering(b'{"input_tokens":%b}' % claimed, JSON)) as upstream:
        await (await relay.to(upstream)).post(BODY, PATH)
    run = await relay.run()
    assert (run.counted_tokens, run.tokens_clamped, run.state) == (stored, True, "completed")


async def test_counts_leave_a_keys_messages_their_rate(relay: Relay) -> None:
    await relay.to(None, requests_per_minute=1)
    counted = {name: value for name, value in BODY.items() if name != "max_tokens"}
    assert [(await relay.post(counted, PATH)).status_code for _ in range(3)] == [200] * 3
    assert (await relay.post(BODY)).status_code == 200


@pytest.mark.parametrize("whose", ["key", "user"])
async def test_without_content_only_the_figures_are_kept(relay: Relay, owner: User, whose: str) -> None:
    owner.keep_content = whose != "user"
    await owner.asave()
    async with serving(answering(COUNT, JSON)) as upstream:
        await (await relay.to(upstream, keep_content=whose != "key")).post(BODY, PATH)
    await relay.settle()
    run = await database_sync_to_async(lambda: Run.objects.select_related("content").get())()
    assert (run.content_kept, run.stored_content, run.counted_tokens) == (False, None, 1234)


async def test_a_client_that_leaves_closes_the_upstream(relay: Relay) -> None:
    has_come = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")
        has_come.set()
        await exchange.until_gone()

    async with serving(script) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client:
            asking = asyncio.create_task(client.post(relay.url + PATH, headers={"x-api-key": relay.secret}, json=BODY))
            await asyncio.wait_for(has_come.wait(), 30)
            asking.cancel()
        await asyncio.wait_for(upstream.exchanges[0].gone.wait(), 30)
    run = await relay.run()
    assert (run.state, run.failure_message) == ("cancelled", "The client closed the connection.")


async def test_nothing_is_counted_while_nothing_can_be_stored(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = relay.served.server.call(lambda: process.current().recorder)
    monkeypatch.setattr(recorder, "failing", True)
    async with serving(answering(COUNT, JSON)) as upstream:
        answer = await (await relay.to(upstream)).post(BODY, PATH)
        assert upstream.exchanges == []
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "api_error")
