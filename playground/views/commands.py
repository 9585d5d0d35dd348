"""The command menu's entries for the page that asks: fetched when it is opened for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.models import Conversation
from playground.views.command_catalogue import actions_on, pages_for

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_CONVERSATIONS = 8


@require_safe
def commands(request: HttpRequest) -> HttpResponse:
    """Actions of the page named `?on=`, pages, and the conversations that were changed last."""
    own = Conversation.objects.owned_by(request.user).filter(archived_at=None).only("title").order_by("-changed_at")
    context = {
        "actions": actions_on(request.GET.get("on", "")),
        "pages": pages_for(request),
        "conversations": own[:MOST_CONVERSATIONS],
    }
    return render(request, "_command_menu.html", context)
