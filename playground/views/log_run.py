"""One run: what was sent and what came back, and what its owner notes about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from playground.engine.live_run import LiveRun
from playground.identity.requests import AuthenticatedHttpRequest
from playground.models import AgentSession, Run, RunDigest
from playground.protocol import snippets
from playground.protocol.foreign_text import storable
from playground.rendering import markdown
from playground.reports import storing
from playground.request_log import live_rows
from playground.request_log.filters import Filter
from playground.request_log.keyset_pages import neighbours
from playground.request_log.request_body import code, earlier_turns, request_of
from playground.request_log.rows import row_of, run_of
from playground.session_log.step_detail import step_of_run
from playground.views.answer_page import find_run

if TYPE_CHECKING:
    from typing import Any


LONGEST_NOTE = 10_000


def find_stored(request: AuthenticatedHttpRequest, run_id: UUID) -> Run:
    """The asker's run in the database; another one's is not there."""
    run = Run.objects.owned_by(request.user).filter(pk=run_id).first()
    if run is None:
        raise Http404("no such run")
    return run


@login_required
@require_safe
def run(request: AuthenticatedHttpRequest, run_id: UUID) -> HttpResponse:
    """The run in full, also while it goes on. The filter of the log it was opened from decides what is next to it."""
    live_or_stored = find_run(request, run_id)
    log_filter = Filter.read(request.GET)
    stored = live_rows.row_in_database(request.user, run_id) if isinstance(live_or_stored, LiveRun) else live_or_stored
    older, newer = neighbours(request.user, run_id, log_filter)
    shown = run_of(live_or_stored) if isinstance(live_or_stored, LiveRun) else live_or_stored
    row = row_of(shown, is_live=isinstance(live_or_stored, LiveRun) or bool(live_rows.still_running([run_id])))
    step = step_of_run(live_or_stored) if isinstance(live_or_stored, Run) else None
    sent = request_of(live_or_stored, earlier=step.detail.same_messages if step else 0)
    context: dict[str, Any] = {
        "run": live_or_stored,
        "stored": stored,
        "row": row,
        "sent": sent,
        "step": step,
        "older": older,
        "newer": newer,
        "filter": log_filter,
        "languages": snippets.languages_for(sent.endpoint),
        "is_in_session": RunDigest.objects.filter(pk=run_id, session__isnull=False).exists(),
        "conformance_report": storing.report_of_run(run_id, request.user),
        "removed_at": stored.content_removed_at if stored is not None else None,
    }
    return render(request, "playground/log/request.html", context)


@login_required
@require_safe
def run_earlier_turns(request: AuthenticatedHttpRequest, run_id: UUID, end: int) -> HttpResponse:
    """The turns that the request before held too, drawn when somebody unfolds them."""
    turns, left_out = earlier_turns(find_stored(request, run_id), end)
    return render(request, "playground/log/_sent_turns.html", {"turns": turns, "left_out": left_out})


@login_required
@require_safe
def run_code(request: AuthenticatedHttpRequest, run_id: UUID) -> HttpResponse:
    """The request as source text; `?language=` names it."""
    chosen = request.GET.get("language", "")
    sent = request_of(find_run(request, run_id))
    languages = snippets.languages_for(sent.endpoint)
    language = next((each for each in languages if each.id == chosen), languages[0])
    text = code(sent, language, request.build_absolute_uri("/").rstrip("/"))
    if text is None:
        text = "No code: the body is not a JSON object, or it is too large or nested too deeply."
        context = {"text": text, "html": text, "language": language}
    else:
        context = {"text": text, "html": markdown.highlight_code(text, language.lexer), "language": language}
    return render(request, "playground/log/_code.html", context)


@login_required
@require_POST
def run_star(request: AuthenticatedHttpRequest, run_id: UUID) -> HttpResponse:
    """Put the star on or take it off."""
    stored = find_stored(request, run_id)
    stored.starred = not stored.starred
    stored.save(update_fields=["starred"])
    return render(request, "playground/log/_star.html", {"stored": stored})


@login_required
@require_POST
def run_note(request: AuthenticatedHttpRequest, run_id: UUID) -> HttpResponse:
    """Keep the note as it was typed last."""
    return keep_note(request, find_stored(request, run_id)) or redirect("run", run_id)


def keep_note(request: AuthenticatedHttpRequest, noted: Run | AgentSession) -> HttpResponse | None:
    """Put the note that was typed on a run or session; the part of the page that says so, for htmx."""
    noted.note = storable(request.POST.get("note", "").strip(), LONGEST_NOTE)
    noted.save(update_fields=["note"])
    return render(request, "playground/log/_noted.html", {"at": timezone.now()}) if request.htmx else None


@login_required
@require_POST
def run_delete(request: AuthenticatedHttpRequest, run_id: UUID) -> HttpResponse:
    """Remove the run with all that belongs to it. One that goes on has to be stopped first."""
    stored = find_stored(request, run_id)
    if not live_rows.delete([stored.pk]):
        messages.warning(request, "This request is still running. Stop it first.")
        return redirect("run", run_id)
    messages.success(request, "Request deleted.")
    return redirect("runs")
