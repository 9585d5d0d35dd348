"""What the server itself refuses, before the application sees it, and its patience with slow sockets."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from django.urls import get_resolver

from accounts.models import AccessKey, User
from playground.serving import body_limits, protocols, server
from playground.serving.body_limits import LARGE, BodySlot, BodySlots, is_large_allowed
from tests.support import socket_clients as sockets

MIB = 2**20


def test_a_declared_body_that_is_too_large_is_refused_before_it_is_sent(live_url: str) -> None:
    with sockets.connect(live_url) as opened:
        sockets.ask(opened, "POST", "/healthz", f"content-length: {MIB + 1}")
        assert sockets.head_of(opened).startswith("HTTP/1.1 413 ")


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(live_url: str) -> None:
    with sockets.connect(live_url) as opened:
        sockets.ask(opened, "POST", "/healthz", "transfer-encoding: chunked")
        opened.sendall(b"%x\r\n%s\r\n" % (MIB + 1, b"x" * (MIB + 1)))
        assert sockets.head_of(opened).startswith("HTTP/1.1 413 ")


def test_who_asks_before_sending_is_refused_without_being_told_to_go_on(live_url: str) -> None:
    with sockets.connect(live_url) as opened:
        sockets.ask(opened, "POST", "/healthz", f"content-length: {2 * MIB}", "expect: 100-continue")
        assert sockets.head_of(opened).startswith("HTTP/1.1 413 ")


def test_the_relay_takes_large_bodies_and_refuses_in_the_apis_shape(live_url: str) -> None:
    assert httpx.post(f"{live_url}v1/messages", content=b"x" * 2 * MIB).status_code == 401
    with sockets.connect(live_url) as opened:
        sockets.ask(opened, "POST", "/v1/messages", f"content-length: {33 * MIB}")
        answer = sockets.head_of(opened)
    assert answer.startswith("HTTP/1.1 413 ")
    assert json.loads(answer.partition("\r\n\r\n")[2])["error"]["type"] == "request_too_large"


def test_only_so_many_large_bodies_come_in_at_once(live_url: str, settings: Any) -> None:
    settings.MAX_BIG_BODIES = 1
    with sockets.connect(live_url) as first, sockets.connect(live_url) as second:
        sockets.ask(first, "POST", "/v1/messages", f"content-length: {2 * MIB}")
        first.sendall(b"x" * 1000)
        # Chunked, the second is seen as large once it is.
        sockets.ask(second, "POST", "/v1/messages", "transfer-encoding: chunked")
        second.sendall(b"%x\r\n%s\r\n" % (MIB + 1, b"x" * (MIB + 1)))
        assert sockets.head_of(second).startswith("HTTP/1.1 503 ")
        first.sendall(b"x" * (2 * MIB - 1000))
        assert sockets.head_of(first).startswith("HTTP/1.1 401 ")
    assert httpx.post(f"{live_url}v1/messages", content=b"x" * 2 * MIB).status_code == 401


def begin_large_body(opened: Any, *lines: str) -> None:
    sockets.ask(opened, "POST", "/v1/messages", f"content-length: {2 * MIB}", *lines)
    opened.sendall(b"x" * 1000)


def test_one_address_cannot_take_all_places_of_large_bodies(live_url: str, settings: Any) -> None:
    settings.MAX_BIG_BODIES_PER_ADDRESS, settings.TRUSTED_PROXIES = 1, 1
    with sockets.connect(live_url) as first, sockets.connect(live_url) as second, sockets.connect(live_url) as other:
        begin_large_body(first, "x-forwarded-for: 203.0.113.1")
        begin_large_body(second, "x-forwarded-for: 198.51.100.7, 203.0.113.1")  # what the client says itself is naught
        answer = sockets.head_of(second)
        assert answer.startswith("HTTP/1.1 429 ")
        assert json.loads(answer.partition("\r\n\r\n")[2])["error"]["type"] == "rate_limit_error"
        begin_large_body(other, "x-forwarded-for: 203.0.113.2")
        for opened in (first, other):
            opened.sendall(b"x" * (2 * MIB - 1000))
            assert sockets.head_of(opened).startswith("HTTP/1.1 401 ")


def test_a_body_that_has_come_in_counts_no_longer_against_its_address(settings: Any) -> None:
    settings.MAX_BIG_BODIES_PER_ADDRESS, settings.MAX_BIG_BODIES = 1, 2
    places = BodySlots()
    first = places.take("203.0.113.1")
    assert isinstance(first, BodySlot)
    assert places.take("203.0.113.1") == 429
    first.arrived()
    second = places.take("203.0.113.1")
    assert isinstance(second, BodySlot)
    assert places.take("203.0.113.2") == 503  # the application has not done with the first
    first.give_back()
    first.give_back()
    second.give_back()
    assert (places.taken, places.arriving) == (0, {})


def test_a_relayed_request_keeps_no_place_while_its_upstream_thinks(
    live_url: str, owner: User, served: Any, settings: Any
) -> None:
    settings.MAX_BIG_BODIES, settings.SANDBOX_SPEED = 1, 0.001
    secret = AccessKey.objects.issue(owner=owner, name="k")[1]
    body = {"model": "sandbox-slow", "max_tokens": 64, "messages": [{"role": "user", "content": "x" * 2 * MIB}]}
    content = json.dumps(body).encode()
    with sockets.connect(live_url) as waiting:
        sockets.ask(waiting, "POST", "/v1/messages", f"x-api-key: {secret}", f"content-length: {len(content)}")
        waiting.sendall(content)
        served.server.call(until_a_run_is_there)
        assert httpx.post(f"{live_url}v1/messages", content=b"x" * 2 * MIB).status_code == 401


async def until_a_run_is_there() -> None:
    from playground import dispatch

    while not dispatch.get_live().running:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("framing", [f"content-length: {2 * MIB}", "transfer-encoding: chunked"])
def test_a_body_that_trickles_in_is_not_waited_for(
    live_url: str, served: Any, monkeypatch: pytest.MonkeyPatch, framing: str
) -> None:
    monkeypatch.setattr(body_limits, "GRACE_S", 0.1)
    with sockets.connect(live_url) as slow:
        sockets.ask(slow, "POST", "/v1/messages", framing)
        slow.sendall(b"1\r\nx\r\n")
        answer = sockets.head_of(slow)
        assert answer.startswith("HTTP/1.1 408 ")
        assert "too slowly" in answer
        assert served.server.body_slots.taken == 0


def test_a_body_that_comes_fast_enough_may_take_its_time(live_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limits, "GRACE_S", 0.05)
    monkeypatch.setattr(protocols, "_PACE_EVERY_S", 0.05)
    monkeypatch.setattr(body_limits, "LEAST_BYTES_PER_S", 1)
    with sockets.connect(live_url) as steady:
        begin_large_body(steady)
        time.sleep(0.3)
        steady.sendall(b"x" * (2 * MIB - 1000))
        assert sockets.head_of(steady).startswith("HTTP/1.1 401 ")


@pytest.mark.parametrize("path", ["/healthz", "/accounts/login/", "/no/such/page", "/v1", "/%ff%00"])
def test_ordinary_pages_take_small_bodies_only(path: str) -> None:
    assert not is_large_allowed(path)


@pytest.mark.parametrize("name", sorted(LARGE))
def test_every_page_that_takes_large_bodies_is_there(name: str) -> None:
    """Pages are renamed; a name that is left behind here would quietly make its page refuse."""
    named = get_resolver().reverse_dict
    in_sets = {key for key in named if isinstance(key, str)}
    assert name in in_sets


def test_a_large_body_does_not_hold_up_others(live_url: str) -> None:
    with sockets.connect(live_url) as slow:
        sockets.ask(slow, "POST", "/v1/messages", f"content-length: {2 * MIB}")
        assert httpx.get(f"{live_url}healthz").status_code == 200


@pytest.mark.slow
def test_a_reader_that_stops_reading_does_not_fill_memory(
    live_url: str, owner: User, served: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay's bytes wait in the run, once, and not a second time in the socket."""
    secret = AccessKey.objects.issue(owner=owner, name="k")[1]
    body = {"model": "sandbox-echo", "max_tokens": 64_000, "stream": True}
    body["messages"] = [{"role": "user", "content": "word " * 60_000}]
    content = json.dumps(body).encode()
    with sockets.connect(live_url, receive_buffer=4096) as stalled:
        sockets.ask(stalled, "POST", "/v1/messages", f"x-api-key: {secret}", f"content-length: {len(content)}")
        stalled.sendall(content)
        sockets.head_of(stalled)
        served.server.call(wait_for_runs)
        waiting = served.server.call(lambda: bytes_in_sockets(served.server))
    assert 0 < waiting < MIB


@pytest.mark.slow
def test_a_reader_that_never_reads_on_is_cut(
    live_url: str, owner: User, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STALLED_S", 0.2)
    secret = AccessKey.objects.issue(owner=owner, name="k")[1]
    body = {"model": "sandbox-echo", "max_tokens": 64_000, "stream": True}
    content = json.dumps(body | {"messages": [{"role": "user", "content": "word " * 60_000}]}).encode()
    with sockets.connect(live_url, receive_buffer=4096) as stalled:
        sockets.ask(stalled, "POST", "/v1/messages", f"x-api-key: {secret}", f"content-length: {len(content)}")
        stalled.sendall(content)
        sockets.head_of(stalled)
        served.server.call(lambda: until_all_are_gone(served.server))
        with pytest.raises(ConnectionResetError):
            b"".join(iter(lambda: stalled.recv(65536), b""))


async def until_all_are_gone(running: Any) -> None:
    while not all("disconnected" in details for details in running.connections.values()):
        await asyncio.sleep(0.05)


def test_an_application_that_fails_in_mid_answer_breaks_the_connection_and_only_that(
    live_url: str, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"so far", "more_body": True})
        raise RuntimeError("on purpose")

    application = served.server.application
    for _ in range(2):  # the second too: whoever looks after failed applications is still there
        monkeypatch.setattr(served.server, "application", failing)
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            httpx.get(f"{live_url}accounts/login/", timeout=60)  # /healthz needs no application
        monkeypatch.setattr(served.server, "application", application)
        assert httpx.get(f"{live_url}accounts/login/", timeout=60).status_code == 200


async def wait_for_runs() -> None:
    from playground import dispatch

    for run in dispatch.get_live().running:
        await run.ended()


def bytes_in_sockets(server: Any) -> int:
    """What the server's sockets hold to be written."""
    waiting = 0
    for protocol in server.connections:
        transport = getattr(getattr(protocol, "channel", None), "transport", None)
        if transport is not None:
            waiting += len(transport.dataBuffer) + transport._tempDataLen
    return waiting
