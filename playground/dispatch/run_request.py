"""The request for a run: one record, made in the same way by the page, the relay and every action on an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from accounts.models import AccessKey, Connection, User
    from playground.engine.upstream import AuthStyle, Upstream
    from playground.protocol.endpoints import Endpoint

Source = Literal["playground", "relay"]


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The client: the `User-Agent` it names, and its IP address."""

    user_agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A body, byte for byte as it is sent, and where to, as whom and on whose behalf.

    Whether the user may use the connection is the caller's look-up (`Connection.objects.usable_by`).
    """

    body: bytes = field(repr=False)
    owner: str  # as the live log knows it: see `identity.visitors`
    user: User | None  # None: a visitor
    connection: Connection | None = None  # None: the sandbox
    upstream: Upstream | None = field(default=None, repr=False)  # the connection with its secrets, if they were read
    credential: str | None = field(default=None, repr=False)  # typed for this run only; it is stored nowhere
    auth_style: AuthStyle | None = None  # in place of the connection's own
    version: str | None = None  # of the API; None: the connection's own
    betas: tuple[str, ...] = ()
    accept: str | None = None  # None: as the body's `stream` asks
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""  # of the address, without its question mark
    readable_body: bytes | None = field(default=None, repr=False)  # before it was compressed: what is stored and read
    source: Source = "playground"
    endpoint: Endpoint = "messages"
    client: ClientInfo = ClientInfo()
    access_key: AccessKey | None = None
    idempotency_key: str | None = None  # a second request of the owner with the same one is the same run
    keep_content: bool = True

    @property
    def stored_body(self) -> bytes:
        return self.body if self.readable_body is None else self.readable_body

    @property
    def is_count(self) -> bool:
        return self.endpoint == "count_tokens"

    @property
    def is_of_visitor(self) -> bool:
        return self.user is None or not self.user.is_authenticated

    @property
    def keeps_content(self) -> bool:
        """Whether more than figures is stored: unless the request, its key or its user says otherwise."""
        return self.keep_content and (self.user is None or getattr(self.user, "keep_content", True))
