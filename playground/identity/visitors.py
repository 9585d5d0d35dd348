"""Tells who asks: a signed-in user, or a visitor known only by a random id in a signed cookie.

An owner is a string, `user:<primary key>` or `visitor:<random id>`: what the live log compares, and all it knows.
"""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse

COOKIE = "visitor"
COOKIE_AGE_S = 30 * 86_400
_signer = signing.TimestampSigner(salt="playground.visitor")


def new_visitor_id() -> str:
    return secrets.token_urlsafe(24)


def remember(response: HttpResponse, visitor: str) -> None:
    """Give the browser its cookie."""
    response.set_cookie(
        COOKIE,
        sign(visitor),
        max_age=COOKIE_AGE_S,
        path=settings.SESSION_COOKIE_PATH,
        httponly=True,
        samesite="Lax",
        secure=settings.BEHIND_HTTPS,
    )


def sign(visitor: str) -> str:
    return _signer.sign(visitor)


def read(cookie: str | None) -> str | None:
    """The visitor's id from the cookie's value; None when it is missing, forged or too old."""
    if not cookie:
        return None
    try:
        return _signer.unsign(cookie, max_age=COOKIE_AGE_S)
    except signing.BadSignature:
        return None


def visitor_id(source: HttpRequest | Mapping[str, Any]) -> str | None:
    """The visitor's id of a request (the middleware has put it there) or of a websocket's scope."""
    if isinstance(source, HttpRequest):
        return getattr(source, "visitor", None)
    cookies = source.get("cookies")
    if cookies is None:
        headers = dict(source.get("headers", []))
        try:
            parsed = SimpleCookie(headers.get(b"cookie", b"").decode())
            cookies = {name: morsel.value for name, morsel in parsed.items()}
        except (CookieError, UnicodeDecodeError):
            return None
    return read(cookies.get(COOKIE))


def owner_of(source: HttpRequest | Mapping[str, Any]) -> str | None:
    """`user:<pk>`, else `visitor:<id>`, else None for a browser that has shown neither.

    Reads the user, so in async code it must already be loaded: by `await request.auser()`, or in the scope.
    """
    user = source.user if isinstance(source, HttpRequest) else source.get("user")
    if user is not None and user.is_authenticated:
        return owner_of_user(user.pk)
    visitor = visitor_id(source)
    return f"visitor:{visitor}" if visitor else None


def client_address(request: HttpRequest | Mapping[str, Any], *_: object) -> str:
    """The client's IP address.

    `X-Forwarded-For` can be written by anybody, so only as many of its last entries count as there are proxies of
    the operator's own in front (`PLAYGROUND_TRUSTED_PROXIES`).
    """
    if isinstance(request, HttpRequest):
        peer: str = request.META.get("REMOTE_ADDR") or ""
        forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    else:
        peer = (request.get("client") or [""])[0]
        lines = [value for name, value in request.get("headers", []) if name == b"x-forwarded-for"]
        forwarded = b",".join(lines).decode("latin-1")
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    proxies = settings.TRUSTED_PROXIES
    if proxies and len(hops) >= proxies and _parsed(hops[-proxies]):
        return hops[-proxies]
    return peer


def counted_address(request: HttpRequest | Mapping[str, Any], *_: object) -> str:
    """The address that limits count by. Whoever has one of IPv6 has all that begin like it, more than can be counted:
    they are one."""
    return network_of(client_address(request))


def network_of(address: str) -> str:
    """An address of IPv4 as it is; of IPv6 the first of its network of 64 bits."""
    parsed = _parsed(address)
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None


def owner_of_user(user_id: object) -> str:
    """A user as the live log names owners."""
    return f"user:{user_id}"
