"""The newest requests, for the list on the playground page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.request_log.live_rows import newest_rows, rows_of_visitor

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

SHOWN = 10


@require_safe
def recent_requests(request: HttpRequest) -> HttpResponse:
    """A user's newest requests; a visitor's are those of this visit, as far as they are still at hand."""
    is_visitor = not request.user.is_authenticated
    rows = rows_of_visitor(request, SHOWN) if is_visitor else newest_rows(request.user, SHOWN)
    return render(request, "playground/workbench/_recent_requests.html", {"rows": rows, "is_visitor": is_visitor})
