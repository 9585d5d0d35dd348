"""The outgoing request and the one HTTP client for it: the only way out to the network.

The client is shared by all runs. It follows no redirect (that would carry the key to another host), reads no proxy
from the environment, keeps no cookie (users would share them), checks certificates, and asks for no compression.
"""

from __future__ import annotations

import socket
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp
import httpx
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from playground.engine.events import Pairs
from playground.engine.guard import Guard, Rules
from playground.engine.interim_responses import BoundedConnector
from playground.exceptions import PlaygroundError
from playground.protocol.guessing import secret_words, spellings
from playground.protocol.headers import (
    PUBLIC_HEADERS,
    beta_names,
    mask,
    mask_headers,
    masked_query,
    unsendable,
)
from playground.sandbox import address as sandbox_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AuthStyle = Literal["x-api-key", "bearer"]

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
USER_AGENT: Final = "messages-playground"
DEFAULT_VERSION: Final = "2023-06-01"
READ: Final = "playground.read"  # extension of a response: `await` it for all bytes there are, b"" at the end
LOCATION: Final = "playground.location"  # where it redirects to, as the upstream wrote it
SOCKET: Final = "playground.socket"  # another: the asyncio transport underneath, None when the body is here already
_KEEPALIVE_S: Final = 30.0
_MAX_HEADER_BYTES: Final = 32 * 1024
_BETA: Final = "anthropic-beta"
_NO_LISTS: Final = frozenset({"user-agent", "idempotency-key", "anthropic-version"})
# A header of these names would break the framing of the request or send it elsewhere.
_CREDENTIALS: Final = frozenset({"x-api-key", "authorization"})
_OURS: Final = _CREDENTIALS | {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}


@dataclass(frozen=True, slots=True)
class Upstream:
    """The address and the credentials of a request. `public_headers` are the names of those default headers whose
    values are no secrets; all others count as secret as the credential does, since gateways keep keys there.
    `is_shared`: whoever reads the answer is not who has the account with the upstream."""

    name: str
    base_url: str
    auth_style: AuthStyle = "x-api-key"
    credential: str | None = field(default=None, repr=False)
    default_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    version: str = DEFAULT_VERSION
    is_shared: bool = False
    public_headers: frozenset[str] = frozenset()

    def secret_headers(self) -> dict[str, str]:
        """The default headers whose values must not be seen, by their names in lower case."""
        public = PUBLIC_HEADERS | {name.lower() for name in self.public_headers}
        lower = {name.lower(): value for name, value in self.default_headers.items()}
        return {name: value for name, value in lower.items() if name not in public}


SANDBOX: Final = Upstream("sandbox", sandbox_address.BASE_URL, credential="sandbox")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, ready to be sent.

    `secrets` are texts that must not be seen anywhere, the answer included; the values of the headers in
    `secret_names` must not be seen in anything that is told about the request.
    `is_chunked` sends the body without telling its length before; `kept_headers` are names of headers of the answer
    that are told besides the usual ones.
    """

    method: str
    url: str
    headers: Pairs = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    secret_names: frozenset[str] = frozenset()
    is_shared: bool = False
    is_chunked: bool = False
    kept_headers: frozenset[str] = frozenset()

    def masked_headers(self) -> Pairs:
        """The headers as they may be shown and stored: secrets replaced, by name and by value."""
        shown = mask_headers(self.headers, self.secrets)
        return tuple((name, mask(value) if name in self.secret_names else value) for name, value in shown)

    def masked_url(self) -> str:
        """The address as it may be shown and stored."""
        address, mark, query = self.url.partition("?")
        return address + mark + masked_query(query)

    def redact(self, text: str) -> str:
        for secret in self.secrets:
            for spelled in spellings(secret):
                text = text.replace(spelled, mask(secret))
        return text


class AddressRefused(PlaygroundError, ValueError):
    """A base URL that is no address of an HTTP server."""


class HeaderUnsendable(PlaygroundError, ValueError):
    """A header that no request can carry. The text says which and why, and never its value."""


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
    streams: bool = False,
    extra_headers: Iterable[tuple[str, str]] = (),
) -> Outgoing:
    """Make the request. Later headers win: the connection's defaults, the caller's extras, then what we decide. Of the
    caller's, lines of one name are one list; and betas are joined with the connection's own. What is not said to be
    accepted follows from whether the body asks for a stream.

    Raises AddressRefused and HeaderUnsendable. The sandbox's own scheme is reached by handing over `SANDBOX` itself,
    never by an address.
    """
    url = f"{upstream.base_url}{path}" if upstream is SANDBOX else endpoint(upstream.base_url, path)
    defaults = {name.lower(): value for name, value in upstream.default_headers.items()}
    extras = _joined(extra_headers)
    betas = beta_names(",".join([defaults.get(_BETA, ""), extras.get(_BETA, ""), *betas]))
    headers = {"user-agent": USER_AGENT, "accept": EVENT_STREAM if streams else JSON, **defaults, **extras}
    headers = {name: value for name, value in headers.items() if name not in _OURS and name != _BETA}
    if accept:
        headers["accept"] = accept
    headers["anthropic-version"] = version or upstream.version
    headers |= {_BETA: ",".join(betas)} if betas else {}
    headers["accept-encoding"] = "identity"
    if method == "POST":
        headers["content-type"] = JSON
    if upstream.credential:
        headers |= _authentication(upstream.auth_style, upstream.credential)
    _check(headers, defaults.keys() - extras.keys())
    names, words = frozenset(upstream.secret_headers()), _secret_words(upstream)
    return Outgoing(method, url, tuple(headers.items()), body, words, names, is_shared=upstream.is_shared)


def _secret_words(upstream: Upstream) -> tuple[str, ...]:
    """Return the texts that must be masked in an answer that echoes them."""
    values = [upstream.credential or "", *upstream.secret_headers().values()]
    return tuple(dict.fromkeys(word for value in values for word in secret_words(value)))


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Two lines of one header are one list (RFC 9110, 5.3). Of a header that holds none, the last line counts."""
    joined: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        joined[lower] = f"{joined[lower]},{value}" if lower in joined and lower not in _NO_LISTS else value
    return joined


def _check(headers: Mapping[str, str], defaults: Iterable[str]) -> None:
    """Raises HeaderUnsendable for the first header that cannot be sent."""
    for name, value in headers.items():
        if (problem := unsendable(value)) is None:
            continue
        if name in _CREDENTIALS:
            raise HeaderUnsendable(f"the credential cannot be sent: {problem}. Type it again.")
        whose = "the connection's default header" if name in defaults else "the header"
        raise HeaderUnsendable(f"{whose} {name} cannot be sent: {problem}.")


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


_spelled: ContextVar[str] = ContextVar("spelled")  # the address of the request that this task sends


async def _as_spelled(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp would write escapes its own way, `/` for `%2F`; what a client spelled goes up as it is."""
    request.url = yarl.URL(_spelled.get(), encoded=True)
    return await handler(request)


class GuardedTransport(AiohttpTransport):
    """aiohttp underneath httpx: about 0.6 of the CPU of httpx's own transport, and a read hands over all there is."""

    def __init__(self, rules: Rules) -> None:
        self._guard = Guard(rules)
        super().__init__(trust_env=False, client=self._session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        self._guard.check_literal(request.url.host, port)
        _spelled.set(str(request.url))
        response = await super().handle_async_request(request)
        # Straight to the bytes: httpx and its transport put four generators between a reader and the socket.
        if (answer := getattr(response.stream, "_aiohttp_response", None)) is not None:
            response.extensions[READ] = answer.content.readany
            response.extensions[SOCKET] = answer.connection and answer.connection.transport
        return response

    def _session(self) -> aiohttp.ClientSession:
        connector = BoundedConnector(
            limit=0,  # a limit would make one more stream wait for another to end
            keepalive_timeout=_KEEPALIVE_S,
            ssl=self.ssl_context,
            resolver=_GuardedResolver(self._guard),
            use_dns_cache=False,
            socket_factory=self._open_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            middlewares=[_as_spelled],
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


async def _set_location_aside(response: httpx.Response) -> None:
    """httpx reads the address of every redirect, even if none is followed, and raises for one it cannot read."""
    if (location := response.headers.pop("location", None)) is not None:
        response.extensions[LOCATION] = location


class _NoCookies(httpx.Cookies):
    """Takes none, and has none to send: those of one run would go along with another's. httpx makes two objects of
    `urllib` for each answer to read its cookies."""

    def extract_cookies(self, response: httpx.Response) -> None:
        return


class _Client(httpx.AsyncClient):
    @property  # type: ignore[misc] # nobody may set any
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


_NO_COOKIES: Final = _NoCookies()


def make_client(
    rules: Rules, *, connect_s: float = 10.0, sandbox: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The client for all runs of one event loop. Time-outs after the connection is made are run.py's."""
    return _Client(
        transport=GuardedTransport(rules),
        mounts={f"{sandbox_address.SCHEME}://": sandbox} if sandbox else None,
        follow_redirects=False,
        event_hooks={"response": [_set_location_aside]},
        trust_env=False,
        # `pool` bounds look-up, connection and TLS together; the socket's own `connect` would start again per address
        timeout=httpx.Timeout(None, connect=connect_s, pool=connect_s),
    )
