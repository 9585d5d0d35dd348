"""Decides which pages may open a websocket: this site's own, by the rule that Django has for posted forms.

A browser sends cookies along whatever page opens the socket, and to any port of a host. So scheme, host and port all
count: of two programs on one machine the pages of one must not read the log of the other.
"""

from __future__ import annotations

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from playground.identity.asgi_types import Application, Receive, Scope, Send


def own_pages_only(application: Application) -> Application:
    """The application, for handshakes that a page of this site began; others are refused."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if is_own_page(dict(scope["headers"])):
            await application(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})

    return checked


def is_own_page(headers: dict[bytes, bytes]) -> bool:
    origin, host = (headers.get(name, b"").decode("latin-1").lower() for name in (b"origin", b"host"))
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False  # also a name that somebody else makes lead here
    schemes = ("https",) if settings.BEHIND_HTTPS else ("http", "https")
    return origin in settings.CSRF_TRUSTED_ORIGINS or origin in {f"{scheme}://{host}" for scheme in schemes}
