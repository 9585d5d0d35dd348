"""The outgoing request and the one HTTP client for it: the only way out to the network.

The client is shared by all runs. It follows no redirect (that would carry the key to another host), reads no proxy
from the environment, keeps no cookie (users would share them), checks certificates, and asks for no compression.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from playground.engine.guard import Guard, Rules
from playground.protocol.headers import mask, mask_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Pairs = tuple[tuple[str, str], ...]
AuthStyle = Literal["x-api-key", "bearer"]

USER_AGENT: Final = "messages-playground"
DEFAULT_VERSION: Final = "2023-06-01"
READ: Final = "playground.read"  # extension of a response: `await` it for all bytes there are, b"" at the end
SOCKET: Final = "playground.socket"  # another: the asyncio transport underneath, None when the body is here already
SANDBOX_SCHEME: Final = "sandbox"
_SHORTEST_SECRET: Final = 8  # local servers take keys such as "none"; replacing that word everywhere would spoil texts
_KEEPALIVE_S: Final = 30.0
_MAX_HEADER_BYTES: Final = 32 * 1024
# A header of these names would break the framing of the request or send it elsewhere.
_OURS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "x-api-key", "authorization"}
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where to and as whom. `default_headers` count as secret as the credential does: gateways keep keys there.
    `is_shared`: whoever reads the answer is not who has the account with the upstream."""

    name: str
    base_url: str
    auth_style: AuthStyle = "x-api-key"
    credential: str | None = field(default=None, repr=False)
    default_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    version: str = DEFAULT_VERSION
    is_shared: bool = False


SANDBOX: Final = Upstream("sandbox", f"{SANDBOX_SCHEME}://playground", credential="sandbox")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, ready to be sent.

    `secrets` are values, and `secret_names` headers, that must not be seen in anything that is told about it.
    """

    method: str
    url: str
    headers: Pairs = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    secret_names: frozenset[str] = frozenset()
    is_shared: bool = False

    def masked_headers(self) -> Pairs:
        """The headers as they may be shown and stored: secrets replaced, by name and by value."""
        shown = mask_headers(self.headers, self.secrets)
        return tuple((name, mask(value) if name in self.secret_names else value) for name, value in shown)

    def redact(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, mask(secret))
        return text


class AddressRefused(ValueError):  # noqa: N818 - reads as what it is
    """A base URL that is no address of an HTTP server."""


def endpoint(base_url: str, path: str) -> str:
    """Join a base URL and an API path such as `/v1/messages?beta=true`. A base that ends in `/v1` is taken as meant.

    Raises AddressRefused unless it is http or https, with a host, without user name, query or fragment.
    """
    parts = _split(base_url)
    if parts is None:
        raise AddressRefused("The address must look like https://host or https://host/path.")
    base = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{base}{path}"


def _split(base_url: str) -> Any:
    try:
        parts = urlsplit(base_url.strip())
        port_is_valid = parts.port is None or 0 < parts.port < 65536
        httpx.URL(base_url.strip())
    except (ValueError, httpx.InvalidURL):
        return None
    extras = parts.username is not None or parts.password is not None or parts.query or parts.fragment
    return parts if parts.scheme in {"http", "https"} and parts.hostname and port_is_valid and not extras else None


def build(
    upstream: Upstream,
    path: str,
    body: bytes = b"",
    *,
    method: str = "POST",
    version: str | None = None,
    betas: Iterable[str] = (),
    accept: str | None = None,
    extra_headers: Iterable[tuple[str, str]] = (),
) -> Outgoing:
    """Make the request. Later headers win: the connection's defaults, the caller's extras, then what we decide.

    Raises AddressRefused. The sandbox's own scheme is reached by handing over `SANDBOX` itself, never by an address.
    """
    url = f"{upstream.base_url}{path}" if upstream is SANDBOX else endpoint(upstream.base_url, path)
    headers = {"user-agent": USER_AGENT, "accept": accept or "application/json"}
    headers |= {name.lower(): value for name, value in upstream.default_headers.items()}
    headers |= {name.lower(): value for name, value in extra_headers}
    headers = {name: value for name, value in headers.items() if name not in _OURS}
    headers |= _versions(version or upstream.version, betas, headers)
    headers["accept-encoding"] = "identity"
    if body:
        headers["content-type"] = "application/json"
    secrets = [value for value in (upstream.credential, *upstream.default_headers.values()) if value]
    if upstream.credential:
        headers |= _authentication(upstream.auth_style, upstream.credential)
    long_secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
    secret_names = frozenset(name.lower() for name in upstream.default_headers)
    return Outgoing(method, url, tuple(headers.items()), body, long_secrets, secret_names, upstream.is_shared)


def _versions(version: str, betas: Iterable[str], headers: Mapping[str, str]) -> dict[str, str]:
    """`anthropic-beta` is one line without spaces; values from several places are joined, each once."""
    named = [*headers.get("anthropic-beta", "").split(","), *betas]
    joined = ",".join(dict.fromkeys(name.strip() for name in named if name.strip()))
    return {"anthropic-version": version} | ({"anthropic-beta": joined} if joined else {})


def _authentication(style: AuthStyle, credential: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"} if style == "bearer" else {"x-api-key": credential}


class _GuardedResolver(AbstractResolver):
    """The client's only way to an address: each look-up is checked, and what was checked is what it connects to."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._guard.look_up(host, port, family)
        ]

    async def close(self) -> None:
        pass


class GuardedTransport(AiohttpTransport):
    """aiohttp underneath httpx: about 0.6 of the CPU of httpx's own transport, and a read hands over all there is."""

    def __init__(self, rules: Rules) -> None:
        self._guard = Guard(rules)
        super().__init__(trust_env=False, client=self._session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        self._guard.check_literal(request.url.host, port)
        response = await super().handle_async_request(request)
        # Straight to the bytes: httpx and its transport put four generators between a reader and the socket.
        if (answer := getattr(response.stream, "_aiohttp_response", None)) is not None:
            response.extensions[READ] = answer.content.readany
            response.extensions[SOCKET] = answer.connection and answer.connection.transport
        return response

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # a limit would make one more stream wait for another to end
            keepalive_timeout=_KEEPALIVE_S,
            ssl=self.ssl_context,
            resolver=_GuardedResolver(self._guard),
            use_dns_cache=False,
            socket_factory=self._open_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
        )

    def _open_socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        self._guard.check_connect(address[0], address[1])
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        return opened


def make_client(
    rules: Rules, *, connect_s: float = 10.0, sandbox: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The client for all runs of one event loop. Time-outs after the connection is made are run.py's."""
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        transport=GuardedTransport(rules),
        mounts={f"{SANDBOX_SCHEME}://": sandbox} if sandbox else None,
        follow_redirects=False,
        trust_env=False,
        cookies=no_cookies,
        # `pool` bounds look-up, connection and TLS together; the socket's own `connect` would start again per address
        timeout=httpx.Timeout(None, connect=connect_s, pool=connect_s),
    )
