"""What every response gets: a request id, the rules for private pages, the visitor's cookie."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.decorators import sync_and_async_middleware

from playground import visitors

current_request_id: ContextVar[str] = ContextVar("request_id", default="-")
# URL name and words of the main navigation's entries.
NAVIGATION = (("playground", "Playground"), ("runs", "Requests"), ("conversations", "Conversations"))
Next = Callable[[HttpRequest], Any]


class RequestIdFilter(logging.Filter):
    """Put the id of the request being answered on each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


class ShareTokenFilter(logging.Filter):
    """Keep secret addresses out of the log: Django names the path of whatever failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_SHARE_TOKEN.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


_SHARE_TOKEN = re.compile(r"(/s/\w{0,5})[\w-]{12,}")  # as much stays as the owner's list of links shows


def around(
    get_response: Next, before: Callable[[HttpRequest], None], after: Callable[[HttpRequest, HttpResponse], None]
) -> Next:
    """A middleware of two plain functions that works for synchronous and asynchronous views alike."""
    if iscoroutinefunction(get_response):

        async def call_later(request: HttpRequest) -> HttpResponse:
            before(request)
            response = await get_response(request)
            after(request, response)
            return response

        return markcoroutinefunction(call_later)

    def call(request: HttpRequest) -> HttpResponse:
        before(request)
        response = get_response(request)
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


@sync_and_async_middleware
def visitor_cookie(get_response: Next) -> Next | Awaitable[HttpResponse]:
    """Give each browser a random id, so that a visitor's runs and drafts belong to that browser alone."""

    def before(request: HttpRequest) -> None:
        known = visitors.read(request.COOKIES.get(visitors.COOKIE))
        request.visitor = known or visitors.new_visitor_id()  # type: ignore[attr-defined]
        request.visitor_is_new = known is None  # type: ignore[attr-defined]

    def after(request: HttpRequest, response: HttpResponse) -> None:
        # A share page is read by strangers and must not mark them.
        if request.visitor_is_new and not request.path.startswith(("/s/", "/healthz")):  # type: ignore[attr-defined]
            visitors.remember(response, request.visitor)  # type: ignore[attr-defined]

    return around(get_response, before, after)


def page_context(request: HttpRequest) -> dict[str, object]:
    """For every template: the theme that was chosen here (else the system's), the navigation, who may sign up."""
    theme = request.COOKIES.get("theme")
    first = request.path.strip("/").split("/")[0]
    return {
        "theme": theme if theme in {"light", "dark"} else None,
        "sign_up_open": settings.SIGN_UP_OPEN,
        "navigation": NAVIGATION,
        "current_section": {"": "playground", "requests": "runs", "conversations": "conversations"}.get(first),
    }
