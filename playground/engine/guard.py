"""Decides which addresses may be called.

A connection's address is typed by a user, so this server must not become their way into its own network: services on
loopback, neighbours in private ranges, the metadata service of a cloud. A name is looked up once, every answer is
checked, and the call goes to an address that was checked: there is no second look-up that could answer differently.

`ipaddress.is_private` and `is_global` have changed between Python releases; the ranges are spelled out here instead
(IANA special-purpose registries, read 2026-11).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from playground.exceptions import PlaygroundError
from playground.protocol.whole_numbers import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; also where some clouds keep their metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a public number, but a cloud's own host agent
        "169.254.0.0/16",  # link-local, with most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation, as are 198.51.100.0/24 and 203.0.113.0/24
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks between devices
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)
# Of IPv6 only global unicast is open. All else is refused by that: loopback, link-local, unique local, multicast,
# mapped and compatible IPv4 and both NAT64 prefixes, which carry an IPv4 address to a translator.
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them (an IPv4 address inside)
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)
_ISATAP_MARKS: Final = (0x0000_5EFE, 0x0200_5EFE)  # third quarter of an address that ends in an IPv4 address


class Blocked(PlaygroundError, OSError):
    """The operator's rules do not let this address be called. Nothing was sent."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} may not be called")
        self.host = host
        self.port = port


class NameUnknown(PlaygroundError, OSError):
    """The name could not be looked up. Also a refusal: an unknown address is not a safe one."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} could not be looked up")
        self.host = host


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    if address not in _GLOBAL_V6 or any(address in network for network in _REFUSED_V6):
        return False
    return (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP_MARKS


@dataclass(frozen=True, slots=True)
class Rules:
    """The addresses that the operator allows beyond the public network.

    `networks` may be called on any port. `hosts` are exact (host, port) pairs as typed in a connection's address.
    """

    networks: tuple[Network, ...] = ()
    hosts: frozenset[tuple[str, int]] = frozenset()
    allow_loopback: bool = False

    @classmethod
    def parse(cls, entries: Iterable[str], *, allow_loopback: bool = False) -> Rules:
        """`10.1.0.0/16`, `192.168.1.7`, `models.internal:8080`, `[fd00::7]:8080`. ValueError names what is neither."""
        networks: list[Network] = []
        hosts: set[tuple[str, int]] = set()
        for entry in (entry.strip() for entry in entries):
            try:
                networks.append(ipaddress.ip_network(entry))
                continue
            except ValueError:
                host, _, port_text = entry.rpartition(":")
            port = read_whole(port_text)
            if not host or port is None or not 0 < port < 65536:
                raise ValueError(f"not a network and not host:port: {entry!r}")
            hosts.add((_plain(host), port))
        return cls(tuple(networks), frozenset(hosts), allow_loopback)

    def names(self, host: str, port: int) -> bool:
        return (_plain(host), port) in self.hosts

    def allows(self, address: Address) -> bool:
        if is_public(address) or (self.allow_loopback and address.is_loopback):
            return True
        return any(address.version == network.version and address in network for network in self.networks)


class Guard:
    """Looks names up and says no. One per client, because it remembers what the listed hosts resolved to."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._listed: set[tuple[str, int]] = set()  # (address, port) pairs of hosts the operator has listed

    async def look_up(self, host: str, port: int, family: int = socket.AF_UNSPEC) -> list[str]:
        """Return the addresses of `host`. Raises Blocked if any of them may not be called, NameUnknown if none."""
        loop = asyncio.get_running_loop()
        try:
            resolved = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NameUnknown(host) from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in resolved))
        if not addresses:
            raise NameUnknown(host)
        self.check(host, port, addresses)
        return addresses

    def check(self, host: str, port: int, addresses: Iterable[str]) -> None:
        """One bad address among good ones refuses the host: who answers look-ups must not choose between them."""
        addresses = list(addresses)
        if self.rules.names(host, port):
            self._listed.update((address, port) for address in addresses)
        elif not all(self._allows(address) for address in addresses):
            raise Blocked(host, port)

    def check_literal(self, host: str, port: int) -> None:
        """Check a host that is an address already, so that no look-up will see it. Names pass."""
        try:
            address = ipaddress.ip_address(_plain(host))
        except ValueError:
            return
        self.check(host, port, [str(address)])

    def check_connect(self, address: str, port: int) -> None:
        """The last word, at the socket: whatever way led here, only a checked address is connected to."""
        if (address, port) not in self._listed and not self._allows(address):
            raise Blocked(address, port)

    def _allows(self, address: str) -> bool:
        try:
            return self.rules.allows(ipaddress.ip_address(address))
        except ValueError:
            return False  # with a zone (fe80::1%eth0), or a spelling such as 127.1 that only look-ups read


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()
