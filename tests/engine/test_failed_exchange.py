"""An upstream that fails, before an answer, instead of one or in the middle of it: what the run says of it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from playground.engine.exchange import Limits, run
from playground.engine.upstream import Outgoing, make_client
from tests.engine.test_exchange import LOOPBACK, answering
from tests.support.raw_upstream import (
    DELTA,
    SECRET,
    START,
    STOP,
    TEXT,
    Exchange,
    body_of,
    failure_of,
    run_against,
    serving,
    sse,
    streamed,
)


async def test_a_name_without_an_address_is_a_dns_failure() -> None:
    outgoing = Outgoing("POST", "http://nowhere.invalid/v1/messages", (("x-api-key", SECRET),), b"{}", (SECRET,))
    async with make_client(LOOPBACK) as client:
        *_, last = [event async for event in run(outgoing, client)]
    assert (last.state, last.failure.kind) == ("failed", "dns")
    assert "nowhere.invalid" in last.failure.message


async def test_nobody_listening_is_a_connect_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        outgoing = Outgoing("POST", f"http://127.0.0.1:{port}/v1/messages", (), b"{}")
        async with make_client(LOOPBACK) as client:
            *_, last = [event async for event in run(outgoing, client)]
    assert (last.state, last.failure.kind) == ("failed", "connect")
    assert f"127.0.0.1:{port}" in last.failure.message
    assert "refused" in last.failure.message


async def test_no_tls_where_it_was_expected_is_a_tls_failure() -> None:
    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, make_client(LOOPBACK) as client:
        outgoing = Outgoing("POST", f"https://127.0.0.1:{port}/v1/messages", (), b"{}")
        *_, last = [event async for event in run(outgoing, client)]
    assert (last.state, last.failure.kind) == ("failed", "tls")


async def test_a_connection_that_hangs_fails_at_its_limit() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # the backlog is full now: further connections get no answer
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        async with make_client(LOOPBACK, connect_s=0.2) as client:
            outgoing = Outgoing("POST", f"http://127.0.0.1:{port}/v1/messages", (), b"{}")
            *_, last = [event async for event in run(outgoing, client, Limits(connect_s=0.2))]
        for filler in fillers:
            filler.close()
    assert (last.state, last.failure.kind) == ("failed", "timeout")
    assert "0.2 seconds" in last.failure.message
    assert "may_have_run" not in last.failure.detail


async def test_no_first_byte_fails_at_its_limit_and_warns_that_it_may_have_run() -> None:
    state, failure = await failure_of(Exchange.until_gone, Limits(first_byte_s=0.2))
    assert (state, failure.kind) == ("failed", "timeout")
    assert failure.detail["may_have_run"]


async def test_a_connection_closed_before_any_answer_is_a_reset() -> None:
    async def closing(exchange: Exchange) -> None:
        exchange.reset()

    state, failure = await failure_of(closing)
    assert (state, failure.kind) == ("failed", "reset")
    assert failure.detail["may_have_run"]


async def test_an_orderly_close_before_any_answer_is_a_reset_too() -> None:
    async def closing(_: Exchange) -> None:
        return

    state, failure = await failure_of(closing)
    assert (state, failure.kind) == ("failed", "reset")


@pytest.mark.parametrize(
    "head", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000 + b"\r\n\r\n"]
)
async def test_what_is_no_http_or_beyond_its_limits_is_a_protocol_failure(head: bytes) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.say(head)

    state, failure = await failure_of(script)
    assert (state, failure.kind) == ("failed", "protocol")


@pytest.mark.parametrize(
    ("status", "kind"),
    [("400 Bad Request", "invalid_request_error"), ("429 Slow", "rate_limit_error"), ("529 Busy", "overloaded_error")],
)
async def test_an_error_status_tells_the_upstreams_type_and_text(status: str, kind: str) -> None:
    body = f'{{"type":"error","error":{{"type":"{kind}","message":"because"}},"request_id":"req_1"}}'.encode()
    events, last = await run_against(answering(status, body, "retry-after: 7"))
    assert (last.state, last.failure.kind) == ("failed", "http_status")
    assert last.failure.message == f"HTTP {status[:3]} {kind}: because"
    assert last.failure.detail["retry_after_s"] == 7
    assert last.failure.detail["request_id"] == "req_1"
    assert body_of(events) == body


@pytest.mark.parametrize("status", ["200 OK", "502 Bad Gateway"])
@pytest.mark.parametrize("body", [b"<html><title>Welcome</title></html>", b"", b"\xff\xfe", b"[]"[:1]])
async def test_what_is_no_json_fails_and_is_kept(status: str, body: bytes) -> None:
    events, last = await run_against(answering(status, body, content_type="text/html"))
    assert (last.state, last.failure.kind) == ("failed", "not_json")
    assert body_of(events) == body


async def test_an_error_object_with_status_200_fails() -> None:
    state, failure = await failure_of(answering("200 OK", b'{"error":{"message":"no such model","code":1}}'))
    assert (state, failure.kind) == ("failed", "error_event")
    assert "no such model" in failure.message


async def test_a_stream_that_ends_early_is_truncated() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, DELTA)
        await exchange.close_stream()

    events, last = await run_against(script)
    assert (last.state, last.failure.kind) == ("interrupted", "truncated")
    assert len(streamed(events)) == 3


@pytest.mark.parametrize("reset", [True, False])
async def test_a_connection_lost_in_mid_stream_is_truncated_and_all_is_kept(reset: bool) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, DELTA + b"event: content_blo")
        await asyncio.sleep(0.1)
        if reset:
            exchange.reset()

    events, last = await run_against(script)
    assert (last.state, last.failure.kind) == ("interrupted", "truncated")
    assert body_of(events) == START + TEXT + DELTA + b"event: content_blo"


async def test_a_connection_lost_after_message_stop_completes() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, STOP)

    _, last = await run_against(script)
    assert last.state == "completed"


async def test_an_upstream_that_holds_the_line_after_message_stop_is_not_waited_for() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, STOP)
        await exchange.until_gone()

    _, last = await run_against(script, Limits(after_end_s=0.1))
    assert last.state == "completed"


async def test_an_error_event_fails_with_the_upstreams_message() -> None:
    error = sse("error", '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')

    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, TEXT, DELTA, error)
        await exchange.close_stream()

    events, last = await run_against(script)
    assert (last.state, last.failure.kind) == ("failed", "error_event")
    assert last.failure.message == "overloaded_error: Overloaded"
    assert len(streamed(events)) == 4


async def test_silence_interrupts() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START)
        await exchange.until_gone()

    state, failure = await failure_of(script, Limits(silence_s=0.2))
    assert (state, failure.kind, failure.detail["limit_s"]) == ("interrupted", "idle", 0.2)


async def test_a_run_that_takes_too_long_is_interrupted() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START)
        while True:
            await exchange.chunk(b": still here\n\n")
            await asyncio.sleep(0.02)

    state, failure = await failure_of(script, Limits(total_s=0.3))
    assert (state, failure.kind) == ("interrupted", "duration")


async def test_an_endless_answer_is_cut_at_the_limit_and_the_upstream_closed() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START)
        try:
            while True:
                await exchange.chunk(DELTA * 50)
        finally:
            exchange.gone.set()

    async with serving(script) as upstream, make_client(LOOPBACK) as client:
        events = [event async for event in run(upstream.outgoing(), client, Limits(response_bytes=100_000))]
        await asyncio.wait_for(upstream.exchanges[0].gone.wait(), 30)
    assert (events[-1].state, events[-1].failure.kind) == ("interrupted", "too_large")
    assert len(body_of(events)) == 100_000


async def test_one_event_that_is_too_large_interrupts() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START, b"data: " + b"x" * 200_000)
        await exchange.until_gone()

    state, failure = await failure_of(script, Limits(event_bytes=50_000))
    assert (state, failure.kind) == ("interrupted", "too_large")
    assert failure.message.startswith("One event")
