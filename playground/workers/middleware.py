"""Turns "this belongs into a worker" into an answer that `answer_large_apart` understands, before anybody logs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils.deprecation import MiddlewareMixin

from playground.workers.calls import HandOverError, NotHereError, handling

if TYPE_CHECKING:
    from django.http import HttpRequest


class HandOver(MiddlewareMixin):
    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        here = handling.get()
        if here is None or not isinstance(exception, HandOverError | NotHereError):
            return None
        here.is_handed_over = True
        return HttpResponse()
