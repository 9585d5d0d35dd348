"""The request that goes out: its address, its headers, and who gets to see what."""

from __future__ import annotations

import math

import pytest

from playground.engine.exchange import run
from playground.engine.guard import Rules
from playground.engine.upstream import SANDBOX, AddressRefused, Upstream, build, endpoint, make_client
from playground.sandbox.transport import SandboxTransport


def headers_of(upstream: Upstream, **options: object) -> dict[str, str]:
    return dict(build(upstream, "/v1/messages", b"{}", **options).headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://api.example", "https://api.example/v1/messages"),
        ("https://api.example/", "https://api.example/v1/messages"),
        ("https://api.example/v1", "https://api.example/v1/messages"),
        ("https://api.example/v1/", "https://api.example/v1/messages"),
        ("https://api.example/anthropic", "https://api.example/anthropic/v1/messages"),
        ("https://api.example/anthropic/v1/", "https://api.example/anthropic/v1/messages"),
        (" http://[::1]:8080 ", "http://[::1]:8080/v1/messages"),
    ],
)
def test_a_base_address_is_taken_with_and_without_its_version(base: str, address: str) -> None:
    assert endpoint(base, "/v1/messages") == address


@pytest.mark.parametrize(
    "base",
    [
        "",
        "api.example",
        "ftp://api.example",
        "file:///etc/passwd",
        "sandbox://playground",
        "https://",
        "https://user:password@api.example",
        "https://api.example?x=1",
        "https://api.example#x",
        "https://api.example:99999",
        "https://api.example:0",
        "http://[::1",
        "https://api.example\r\nx: y",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(base: str) -> None:
    with pytest.raises(AddressRefused):
        build(Upstream("x", base), "/v1/messages")


def test_each_auth_style_sends_the_key_once_in_its_own_header() -> None:
    assert headers_of(Upstream("x", "http://h", "x-api-key", "secret-1"))["x-api-key"] == "secret-1"
    sent = headers_of(Upstream("x", "http://h", "bearer", "secret-1"))
    assert sent["authorization"] == "Bearer secret-1"
    assert "x-api-key" not in sent


def test_neither_defaults_nor_extras_replace_the_key_or_the_framing() -> None:
    bad = {"Authorization": "a", "X-Api-Key": "b", "Host": "c", "Content-Length": "1", "Transfer-Encoding": "chunked"}
    upstream = Upstream("x", "http://h", "x-api-key", "secret-1", bad)
    sent = headers_of(upstream, extra_headers=[(name, "extra") for name in bad])
    assert sent["x-api-key"] == "secret-1"
    assert not {"authorization", "host", "content-length", "transfer-encoding"} & set(sent)


def test_beta_names_from_all_places_are_one_line() -> None:
    upstream = Upstream("x", "http://h", default_headers={"Anthropic-Beta": "one, two"})
    assert headers_of(upstream, betas=["two", "three"])["anthropic-beta"] == "one,two,three"


def test_the_version_is_the_connections_unless_one_is_chosen() -> None:
    upstream = Upstream("x", "http://h", version="2026-10-21")
    assert headers_of(upstream)["anthropic-version"] == "2026-10-21"
    assert headers_of(upstream, version="2023-06-01")["anthropic-version"] == "2023-06-01"


def test_default_headers_are_masked_whatever_their_names_and_values() -> None:
    outgoing = build(
        Upstream("x", "http://h", credential="a-long-credential", default_headers={"X-Tenant": "t1"}), "/x"
    )
    shown = dict(outgoing.masked_headers())
    assert shown["x-tenant"] == "••••"
    assert shown["x-api-key"] == "••••tial"
    assert "a-long-credential" not in repr(outgoing)


async def test_the_sandbox_is_reached_through_the_same_client() -> None:
    body = b'{"model":"sandbox-stories","max_tokens":20,"stream":true,"messages":[{"role":"user","content":"Hi"}]}'
    async with make_client(Rules(), sandbox=SandboxTransport(speed=math.inf)) as client:
        events = [event async for event in run(build(SANDBOX, "/v1/messages", body), client)]
    assert events[-1].state == "completed"


async def test_the_sandboxes_address_cannot_be_typed() -> None:
    with pytest.raises(AddressRefused):
        build(Upstream("sandbox", SANDBOX.base_url, credential="sandbox"), "/v1/messages")
