"""The answer of one run and its parts, live or stored, for its owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from playground import dispatch
from playground.answer.cache import TooBusy, owner_locks
from playground.answer.run_view import drawing_of
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.models import Run

if TYPE_CHECKING:
    from django.http import HttpRequest


def find_run(request: HttpRequest, run_id: UUID) -> LiveRun | Run:
    """The asker's own run, in progress or from the log; another one's is not there."""
    owner = visitors.owner_of(request)
    live = dispatch.get_live().find(run_id, owner) if owner else None
    if live is not None:
        return live
    stored = Run.objects.owned_by(request.user).filter(pk=run_id).select_related("content").first()
    if stored is None or not stored.is_final:  # another process may have it
        live = dispatch.get_live().find_from_thread(run_id, owner) if owner else None
    run = live or stored
    if run is None:
        raise Http404("no such run")
    return run


def in_turn(owner: str, view: Callable[..., HttpResponse], *args: Any, **place: Any) -> HttpResponse:
    """The view's response, made when none of the same owner's is being made; 429 when too many wait for that."""
    try:
        with owner_locks.of(owner):
            return view(*args, **place)
    except TooBusy:
        return HttpResponse("Too much at once. Try again in a moment.", status=429, headers={"Retry-After": "2"})


@require_safe
def answer(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The whole panel, for a browser's own request on a page.

    `?drawn=` names what a page has drawn from its patches: what is the same is not sent again.
    """
    run = find_run(request, run_id)
    if not request.headers.get("HX-Request"):
        return render(request, "playground/answer/answer.html", {"run": run})
    return in_turn(visitors.owner_of(request) or "", _panel, request, run)


def _panel(request: HttpRequest, run: LiveRun | Run) -> HttpResponse:
    if drawn := request.GET.get("drawn"):
        drawing = drawing_of(run, request)
        context = {"answer": drawing, "is_drawn": drawing.is_over and drawing.digest == drawn}
        return render(request, "playground/answer/_view.html", context)
    return render(request, "playground/answer/_panel.html", {"run": run})


@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    """The list of keyboard shortcuts: a dialog for a page that asks, else a page."""
    is_part = "HX-Request" in request.headers
    response = render(request, "playground/_shortcuts.html" if is_part else "playground/shortcuts.html")
    patch_vary_headers(response, ["HX-Request"])
    return response
