"""Which addresses may be called, and that a call goes nowhere else."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest

from playground.engine.events import Ended
from playground.engine.exchange import run
from playground.engine.guard import Blocked, Guard, NameUnknown, Rules, is_public
from playground.engine.upstream import Outgoing, make_client
from tests.support.raw_upstream import serving

REFUSED = """
    0.0.0.0 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.8 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1
    255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::a00:1 100::1 2001::1
    2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 fc00::1 fd00:ec2::254
    fe80::1 fec0::1 ff02::1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:808:808 5f00::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 2606:4700::1111 2a00:1450::1
"""
# Other spellings of loopback that a resolver or a URL parser may understand.
SPELLINGS = ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost", "127.0.0.1.", "0"]


@pytest.mark.parametrize("address", REFUSED.split())
def test_addresses_that_are_not_the_public_network_are_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_the_public_network_may_be_called(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_the_operators_networks_may_be_called() -> None:
    rules = Rules.parse(["10.1.0.0/16", "fd00::/8", "192.168.1.7"])
    for address in ("10.1.2.3", "fd00::5", "192.168.1.7"):
        assert rules.allows(ipaddress.ip_address(address))
    for address in ("10.2.0.1", "192.168.1.8", "127.0.0.1"):
        assert not rules.allows(ipaddress.ip_address(address))


def test_a_listed_host_is_meant_with_its_port_only() -> None:
    guard = Guard(Rules.parse(["Models.Internal:8080"]))
    guard.check("models.internal", 8080, ["10.0.0.5"])
    guard.check_connect("10.0.0.5", 8080)
    with pytest.raises(Blocked):
        guard.check("models.internal", 8081, ["10.0.0.5"])
    with pytest.raises(Blocked):
        guard.check_connect("10.0.0.5", 8081)


@pytest.mark.parametrize("entry", ["models.internal", "host:0", "host:99999", "10.0.0.0/40", "10.1.2.3/8", ":80", ""])
def test_an_entry_that_is_neither_network_nor_host_and_port_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="not a network"):
        Rules.parse([entry])


def test_one_bad_address_among_good_ones_refuses_the_host() -> None:
    with pytest.raises(Blocked):
        Guard(Rules()).check("mixed.example", 443, ["1.1.1.1", "10.0.0.1"])


async def test_a_look_up_that_fails_is_a_refusal() -> None:
    with pytest.raises(NameUnknown):
        await Guard(Rules()).look_up("nowhere.invalid", 443)


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    reached = asyncio.Event()

    async def script(_: object) -> None:
        reached.set()

    async with serving(script) as upstream, make_client(Rules()) as client:
        outgoing = Outgoing("POST", f"http://{host}:{upstream.port}/v1/messages", (), b"{}")
        *_, last = [event async for event in run(outgoing, client)]
        assert upstream.exchanges == []
    assert isinstance(last, Ended)
    assert last.failure is not None
    assert last.failure.kind in {"blocked", "dns", "protocol"}
    assert not reached.is_set()


async def test_the_second_look_up_of_a_name_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers with a public address first and loopback second gains nothing: it is asked once."""
    asked: list[str] = []

    async def look_up(host: str, port: int, **_: object) -> list[tuple]:
        asked.append(host)
        address = "192.0.1.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected: list[tuple[str, int]] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    async with make_client(Rules(), connect_s=0.2) as client:
        transport = client._transport
        monkeypatch.setattr(transport._guard, "check_connect", lambda address, port: connected.append((address, port)))
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", _refuse)
        [_ async for _ in run(Outgoing("POST", "http://rebinding.example:81/", (), b"{}"), client)]
    assert asked == ["rebinding.example"]
    assert connected == [("192.0.1.1", 81)]


async def _refuse(*_: object) -> None:
    raise ConnectionRefusedError(111, "refused")
