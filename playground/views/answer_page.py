"""The answer of one run and its parts, live or stored, for its owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from playground import dispatch, visitors
from playground.answer.runs import drawing_of
from playground.answer.shelf import TooBusy, turns
from playground.engine.live_run import LiveRun
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
    if stored is None:
        raise Http404("no such run")
    return stored


def in_turn(owner: str, view: Callable[..., HttpResponse], *args: Any, **place: Any) -> HttpResponse:
    """The view's response, made when none of the same owner's is being made; 429 when too many wait for that."""
    try:
        with turns.of(owner):
            return view(*args, **place)
    except TooBusy:
        return HttpResponse("Too much at once. Try again in a moment.", status=429, headers={"Retry-After": "2"})


@require_GET
def answer(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The whole panel, for a browser's own request on a page.

    `?drawn=` names what a page has drawn from its patches: what is the same is not sent again.
    """
    run = find_run(request, run_id)
    if not request.headers.get("HX-Request"):
        return render(request, "playground/answer.html", {"run": run})
    return in_turn(visitors.owner_of(request) or "", _panel, request, run)


def _panel(request: HttpRequest, run: LiveRun | Run) -> HttpResponse:
    if drawn := request.GET.get("drawn"):
        drawing = drawing_of(run, request)
        context = {"answer": drawing, "is_drawn": drawing.is_over and drawing.digest == drawn}
        return render(request, "playground/_answer_view.html", context)
    return render(request, "playground/_answer_panel.html", {"run": run})


@require_GET
def shortcuts(request: HttpRequest) -> HttpResponse:
    """The list of keyboard shortcuts."""
    return render(request, "playground/_shortcuts.html")
