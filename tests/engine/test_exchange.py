"""One run from start to end: what is sent, what is told, and every way an upstream can fail."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from playground.engine.events import Answered, Received, Requested
from playground.engine.exchange import run
from playground.engine.guard import Rules
from playground.engine.redaction import Redaction
from playground.engine.upstream import make_client
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

LOOPBACK = Rules(allow_loopback=True)


def answering(status: str, body: bytes, *headers: str, content_type: str = "application/json"):
    async def script(exchange: Exchange) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(body)}", *headers]
        await exchange.say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return script


async def a_whole_stream(exchange: Exchange) -> None:
    await exchange.stream(START, TEXT, DELTA, STOP)
    await exchange.close_stream()


async def test_a_stream_is_told_from_the_request_to_its_end() -> None:
    events, last = await run_against(a_whole_stream)
    assert isinstance(events[0], Requested)
    assert isinstance(events[1], Answered)
    assert events[1].status == 200
    assert [event.number for event in streamed(events)] == [1, 2, 3, 4]
    assert (last.state, last.failure) == ("completed", None)


async def test_the_bytes_are_kept_as_they_came_and_each_event_says_where_it_ends() -> None:
    events, _ = await run_against(a_whole_stream)
    body, ends = body_of(events), [event.end for event in streamed(events)]
    assert body == START + TEXT + DELTA + STOP
    assert [body[begin:end] for begin, end in zip([0, *ends], ends, strict=False)] == [START, TEXT, DELTA, STOP]


async def test_bytes_are_told_before_the_events_in_them() -> None:
    events, _ = await run_against(a_whole_stream)
    received = 0
    for event in events:
        if isinstance(event, Received):
            received += len(event.data)
        elif event in streamed(events):
            assert event.end <= received


async def test_the_request_goes_out_as_built_without_compression() -> None:
    async with serving(a_whole_stream) as upstream, make_client(LOOPBACK) as client:
        outgoing = upstream.outgoing(b'{"model":"m", "x": 1.0}', betas=["a", "b"], version="2026-10-21")
        [_ async for _ in run(outgoing, client)]
        head, body = upstream.exchanges[0].head.lower(), upstream.exchanges[0].body
    assert head.startswith(b"post /v1/messages http/1.1\r\n")
    assert body == b'{"model":"m", "x": 1.0}'
    for line in (b"accept-encoding: identity", b"anthropic-beta: a,b", b"anthropic-version: 2026-10-21"):
        assert line in head.split(b"\r\n")
    assert f"x-api-key: {SECRET}".encode() in head
    assert b"content-type: application/json" in head


async def test_the_credential_is_masked_in_what_is_told() -> None:
    events, _ = await run_against(a_whole_stream)
    assert SECRET not in repr(events)
    assert ("x-api-key", f"••••{SECRET[-4:]}") in events[0].headers


async def test_a_key_that_the_upstream_repeats_is_not_passed_on() -> None:
    body = f'{{"type":"error","error":{{"type":"authentication_error","message":"bad key {SECRET}"}}}}'.encode()
    events, last = await run_against(answering("401 Unauthorized", body, f"request-id: {SECRET}"))
    assert SECRET not in repr(events)
    assert SECRET.encode() not in body_of(events)
    assert len(body_of(events)) == len(body)
    assert last.failure.kind == "http_status"


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
def test_a_key_is_blotted_out_wherever_it_is_cut_in_two(cut: int) -> None:
    redaction = Redaction([SECRET])
    raw = SECRET.encode()
    told = redaction.feed(b"s sk " + raw[:cut])
    assert not told.endswith(raw[:cut])
    told += redaction.feed(raw[cut:] + b" and " + raw[:3]) + redaction.finish()
    assert told == b"s sk " + b"*" * len(raw) + b" and " + raw[:3]


def test_what_only_begins_like_a_key_comes_through_whole() -> None:
    redaction = Redaction([SECRET, "another-secret"])
    text = f"{SECRET[:4]}{SECRET[:4]}anothanother {SECRET[:-1]}!".encode()
    pieces = [redaction.feed(text[at : at + 1]) for at in range(len(text))]
    assert b"".join(pieces) + redaction.finish() == text


async def test_a_key_in_two_pieces_of_an_answer_is_not_passed_on() -> None:
    async def script(exchange: Exchange) -> None:
        body = f'{{"type":"error","error":{{"message":"bad key {SECRET}"}}}}'.encode()
        middle = body.index(SECRET.encode()) + 5
        await exchange.say(
            b"HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        await exchange.say(body[:middle])
        await asyncio.sleep(0.05)
        await exchange.say(body[middle:])

    events, _ = await run_against(script)
    assert SECRET.encode() not in body_of(events)
    assert body_of(events).endswith(b'****"}}')


async def test_a_json_message_completes_though_a_stream_was_asked_for() -> None:
    events, last = await run_against(answering("200 OK", b'{"type":"message","content":[]}'))
    assert last.state == "completed"
    assert streamed(events) == []
    assert body_of(events) == b'{"type":"message","content":[]}'


async def test_events_without_their_content_type_are_read_all_the_same() -> None:
    events, last = await run_against(answering("200 OK", START + STOP, content_type="text/plain"))
    assert last.state == "completed"
    assert len(streamed(events)) == 2


async def test_an_end_that_only_the_data_names_completes() -> None:
    body = b'data: {"type":"message_start"}\n\ndata: {"type":"message_stop"}\n\n'
    _, last = await run_against(answering("200 OK", body, content_type="text/event-stream"))
    assert last.state == "completed"


async def test_bad_json_in_one_event_does_not_end_the_run() -> None:
    bad = sse("content_block_delta", '{"type": oops')
    unknown = sse("brand_new", '{"type":"brand_new","x":1}')
    events, last = await run_against(
        answering("200 OK", START + bad + unknown + STOP, content_type="text/event-stream")
    )
    assert last.state == "completed"
    assert [event.event.data for event in streamed(events)][1] == '{"type": oops'


async def test_a_compressed_answer_is_refused_and_kept_as_it_came() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    events, last = await run_against(answering("200 OK", bomb, "content-encoding: gzip"))
    assert (last.state, last.failure.kind) == ("failed", "encoding")
    assert body_of(events) == bomb
    assert ("content-encoding", "gzip") in events[1].headers


async def test_a_redirect_is_not_followed_and_only_its_host_is_named() -> None:
    async with serving(answering("200 OK", b"{}")) as other:
        location = f"http://127.0.0.1:{other.port}/login?token=abc"
        state, failure = await failure_of(answering("307 Moved", b"", f"location: {location}"))
        assert other.exchanges == []
    assert (state, failure.kind, failure.detail["target"]) == ("failed", "redirect", "127.0.0.1")
    assert "abc" not in failure.message


async def test_a_redirect_to_what_is_no_address_is_a_redirect_all_the_same() -> None:
    state, failure = await failure_of(answering("302 Found", b"", "location: //["))
    assert (state, failure.kind, failure.detail["target"]) == ("failed", "redirect", None)


async def test_closing_the_iterator_closes_the_upstream() -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(START)
        await exchange.until_gone()

    async with serving(script) as upstream, make_client(LOOPBACK) as client:
        events = run(upstream.outgoing(), client)
        async for event in events:
            if isinstance(event, Received):
                break
        await events.aclose()
        await asyncio.wait_for(upstream.exchanges[0].gone.wait(), 30)


async def test_cookies_of_one_run_are_not_sent_with_the_next() -> None:
    async with serving(answering("200 OK", b"{}", "set-cookie: a=1")) as upstream, make_client(LOOPBACK) as client:
        for _ in range(2):
            [_ async for _ in run(upstream.outgoing(), client)]
        assert b"cookie" not in upstream.exchanges[-1].head.lower()


async def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    _, last = await run_against(a_whole_stream)
    assert last.state == "completed"
