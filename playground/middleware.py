"""Gives every response a request id, the rules for private pages, and the visitor's cookie."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

from playground.identity import visitors
from playground.identity.requests import VisitorHttpRequest
from playground.identity.theme import theme_of
from playground.identity.time_zone import zone_of
from playground.logging_filters import current_request_id
from playground.models.storage_quota import StorageQuotaError
from playground.views.command_catalogue import NAVIGATION

# The entry that is marked as current, by the first part of a page's path.
SECTIONS = {
    "": "playground",
    "tools": "playground",
    "requests": "runs",
    "sessions": "runs",
    "conversations": "conversations",
    "shares": "conversations",
    "connections": "connections",
    "conformance": "connections",
    "keys": "access-keys",
}
LEAST_COMPRESSED = 4_096  # bytes: less leaves in the same few packets
Next = Callable[[Any], Any]


def around(get_response: Next, before: Callable[[Any], None], after: Callable[[Any, HttpResponse], None]) -> Next:
    """A middleware of two plain functions that works for synchronous and asynchronous views alike."""
    if iscoroutinefunction(get_response):

        async def call_later(request: HttpRequest) -> HttpResponse:
            before(request)
            response: HttpResponse = await get_response(request)
            after(request, response)
            return response

        return markcoroutinefunction(call_later)

    def call(request: HttpRequest) -> HttpResponse:
        before(request)
        response: HttpResponse = get_response(request)
        after(request, response)
        return response

    return call


@sync_and_async_middleware
def request_id(get_response: Next) -> Next | Awaitable[HttpResponse]:
    """Name the request in the log and in the `X-Request-Id` header. A client's own id is not taken over."""

    def before(request: HttpRequest) -> None:
        current_request_id.set(secrets.token_hex(8))

    def after(_request: HttpRequest, response: HttpResponse) -> None:
        response.headers["X-Request-Id"] = current_request_id.get()

    return around(get_response, before, after)


@sync_and_async_middleware
def private_pages(get_response: Next) -> Next | Awaitable[HttpResponse]:
    """Keep pages out of every cache: they hold requests, answers and names of keys. Static files come before this."""

    def after(_request: HttpRequest, response: HttpResponse) -> None:
        if "Cache-Control" not in response.headers:
            patch_cache_control(response, no_store=True, private=True)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")

    return around(get_response, lambda _request: None, after)


class CompressedPages(GZipMiddleware):
    """Django's own compression, which hides lengths that could give secrets away, for pages only: files and exports
    leave as they are made."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
        if is_page and len(cast("HttpResponse", response).content) >= LEAST_COMPRESSED:
            return super().process_response(request, response)
        return response


@sync_and_async_middleware
def visitor_cookie(get_response: Next) -> Next | Awaitable[HttpResponse]:
    """Give each browser a random id, so that a visitor's runs and drafts belong to that browser alone."""

    def before(request: VisitorHttpRequest) -> None:
        known = visitors.read(request.COOKIES.get(visitors.COOKIE))
        request.visitor = known or visitors.new_visitor_id()
        request.visitor_is_new = known is None

    def after(request: VisitorHttpRequest, response: HttpResponse) -> None:
        # A share page is read by strangers and must not mark them.
        unmarked = ("/s/", "/healthz", "/readyz", "/favicon.ico")
        if request.visitor_is_new and not request.path_info.startswith(unmarked):
            visitors.remember(response, request.visitor)

    return around(get_response, before, after)


def page_context(request: HttpRequest) -> dict[str, object]:
    """Return what every template needs: the theme that was chosen here (else the system's), the navigation, who may
    sign up."""
    first = request.path_info.strip("/").split("/")[0]
    return {
        "theme": theme_of(request.COOKIES),
        "time_zone": timezone.get_current_timezone_name(),
        "sign_up_open": settings.SIGN_UP_OPEN,
        "navigation": NAVIGATION,
        "page_name": request.resolver_match.url_name if request.resolver_match else "",
        "current_section": SECTIONS.get(first),
    }


@sync_and_async_middleware
def reader_time_zone(get_response: Next) -> Next | Awaitable[HttpResponse]:
    """Show times, and read dates, in the time zone that the browser's cookie names; in UTC until a page has set it."""

    def before(request: HttpRequest) -> None:
        if (zone := zone_of(request.COOKIES)) is not None:
            timezone.activate(zone)

    def after(_request: HttpRequest, _response: HttpResponse) -> None:
        timezone.deactivate()

    return around(get_response, before, after)


class StorageQuotaMiddleware(MiddlewareMixin):
    """Says that a storage quota is used up where no view has a better place: at the top of a page where something can
    be deleted."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, StorageQuotaError):
            return None
        messages.error(request, str(exception))
        target = reverse("conversations" if request.user.is_authenticated else "playground")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": target})
        return redirect(target)
