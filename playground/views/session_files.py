"""A session out of the playground and in again: as JSON lines, as one HTML file, from a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from playground.identity.requests import AuthenticatedHttpRequest
from playground.models import Run
from playground.recording.session_import import SessionImportError, import_session
from playground.rendering.formatting import plural
from playground.session_log import charts
from playground.session_log.page import SessionPage
from playground.sharing.standalone_page import style_text
from playground.views import log_exports
from playground.views.sessions import find_session, opened

SHEETS = ("log", "compare", "session")  # beside those of every file that stands alone


@login_required
@require_safe
def session_export(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponseBase:
    """The bodies and answers of a session as JSONL, the oldest first."""
    session = find_session(request, session_id)
    runs = Run.objects.owned_by(request.user).filter(digest__session=session)
    return log_exports.table(runs, "jsonl", log_exports.progress_of(request, session.request_count))


@login_required
@require_safe
def session_page_file(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    """Figures, charts, causes and steps as one file that needs nothing else. Bodies and answers are not in it."""
    session = find_session(request, session_id)
    page = opened(session)
    if not page.rows:
        raise Http404("no request of this session is left")
    html = render_to_string("playground/sessions/session_file.html", file_context(page))
    return log_exports.attachment(html, f"session-{session.pk.hex[-8:]}.html", "text/html; charset=utf-8")


def file_context(page: SessionPage) -> dict[str, Any]:
    return (
        {
            "session": page.loaded.session,
            "page": page,
            "rows": page.rows,
            "style": style_text(SHEETS),
            "made_at": timezone.now(),
        }
        | charts.drawn(page)
        | {"has_span": False}
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def session_import(request: AuthenticatedHttpRequest) -> HttpResponse:
    """A session from a file of JSON lines that a playground exported."""
    if request.method != "POST":
        return render(request, "playground/sessions/session_import.html")
    progress = log_exports.progress_of(request, None)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise SessionImportError(["Choose a file."])
        session = import_session(
            request.user,
            file.read(),
            began=lambda total: setattr(progress, "total", total),
            done=progress.add,
        )
    except SessionImportError as problem:
        context = {"problems": problem.problems}
        return render(request, "playground/sessions/session_import.html", context, status=422)
    finally:
        progress.is_over = True
    messages.success(request, f"Imported {plural(progress.done, 'request')}.")
    return redirect("session", session.pk)


@login_required
@require_safe
def session_import_progress(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The progress of an import. Status 286 tells htmx to ask no more."""
    progress = log_exports.progress_named(request)
    is_over = progress is not None and progress.is_over
    context = {"progress": progress}
    return render(request, "playground/sessions/_import_progress.html", context, status=286 if is_over else 200)
