"""The copy of a session for its readers: the page, its steps, one step in detail, and all of it as one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from playground.session_log import charts
from playground.session_log.shared_session import detail_of, page_of
from playground.sharing import parts
from playground.views.session_files import file_context
from playground.views.sessions import charts_context, drawn_result, first_steps, steps_context

if TYPE_CHECKING:
    from playground.session_log.page import SessionPage
    from playground.views.share_reader import ShareAccess


def is_session(snapshot: dict[str, Any]) -> bool:
    return snapshot.get("kind") == "session"


def page_context(access: ShareAccess, snapshot: dict[str, Any]) -> dict[str, Any]:
    page = page_of(snapshot)
    return (
        _shared(access, page)
        | charts.drawn(page)
        | first_steps(page)
        | {
            "snapshot": snapshot,
            "session": page.loaded.session,
            "left_out": [part.label for part in parts.PARTS if part.name in snapshot["left_out"]],
            "describes": "description" in snapshot["parts"],
        }
    )


def page_file(snapshot: dict[str, Any]) -> str:
    """The copy as one file that needs nothing else."""
    return render_to_string("playground/sessions/session_file.html", file_context(page_of(snapshot)))


def _shared(access: ShareAccess, page: SessionPage) -> dict[str, Any]:
    return {
        "base": access.base,
        "page": page,
        "is_owner": False,
        "steps_address": f"{access.base}steps/",
        "charts_address": f"{access.base}charts/",
    }


@require_safe
def steps(request: HttpRequest, access: ShareAccess) -> HttpResponse:
    """Rows of the table, as for the owner."""
    page = page_of(_snapshot(access))
    context = _shared(access, page) | steps_context(page, request.GET)
    return render(request, "playground/sessions/_step_rows.html", context)


@require_safe
def graphs(request: HttpRequest, access: ShareAccess) -> HttpResponse:
    """Timeline and charts of a part of the steps."""
    page = page_of(_snapshot(access))
    context = _shared(access, page) | charts_context(page, request.GET)
    return render(request, "playground/sessions/_graphs.html", context)


@require_safe
def step(request: HttpRequest, access: ShareAccess, number: int) -> HttpResponse:
    """One step: what is new in it, as far as it is shared."""
    return render(request, "playground/sessions/_step.html", _step(access, number))


@require_safe
def result(request: HttpRequest, access: ShareAccess, number: int, result: int) -> HttpResponse:
    """A long result of a tool, when it is unfolded."""
    return drawn_result(request, _step(access, number)["detail"], result)


def _step(access: ShareAccess, number: int) -> dict[str, Any]:
    snapshot = _snapshot(access)
    page = page_of(snapshot)
    if not 1 <= number <= len(page.rows):
        raise Http404("no such step")
    row = page.rows[number - 1]
    return _shared(access, page) | {"row": row, "detail": detail_of(snapshot, page, row)}


def _snapshot(access: ShareAccess) -> dict[str, Any]:
    snapshot = access.share.snapshot
    if not is_session(snapshot):
        raise Http404("no session")
    return snapshot
