"""What the server itself refuses, before the application sees it, and its patience with slow sockets."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.urls import get_resolver

from accounts.models import AccessKey, User
from playground.serving.bodies import LARGE, is_large_allowed
from tests.web import sockets

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
