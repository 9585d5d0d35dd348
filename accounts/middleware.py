"""Tells a page that its session has ended meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.utils.decorators import sync_and_async_middleware
from django.utils.http import urlencode

from accounts.requests import HtmxHttpRequest, page_asking


@sync_and_async_middleware
def log_in_again(get_response: Callable[[HtmxHttpRequest], Any]) -> Callable[[HtmxHttpRequest], Any | Awaitable[Any]]:
    """Take the whole page to the log-in form, and back to where it was.

    Left alone, htmx would follow the redirect and put the log-in page into a corner of the page that asked.
    """
    if iscoroutinefunction(get_response):

        async def call_later(request: HtmxHttpRequest) -> HttpResponse:
            return redirected(request, await get_response(request))

        return markcoroutinefunction(call_later)
    return lambda request: redirected(request, get_response(request))


def redirected(request: HtmxHttpRequest, response: HttpResponse) -> HttpResponse:
    login = resolve_url("login")
    if not request.htmx or response.status_code != 302 or not response.headers["Location"].startswith(login):
        return response
    page = page_asking(request) or resolve_url("playground")
    return HttpResponse(status=204, headers={"HX-Redirect": f"{login}?{urlencode({'next': page})}"})
