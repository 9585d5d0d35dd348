"""What a reader is told when there is no room for something, and no view has a better place to say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from playground.models.room import NoRoomError

if TYPE_CHECKING:
    from django.http import HttpRequest


class NoRoom(MiddlewareMixin):
    """The words stand at the top of the page where something can be deleted."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, NoRoomError):
            return None
        messages.error(request, str(exception))
        target = reverse("conversations" if request.user.is_authenticated else "playground")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": target})
        return redirect(target)
