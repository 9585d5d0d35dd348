"""One run: what was sent and what came back, and what its owner notes about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from playground import markdown
from playground.engine.live_run import LiveRun
from playground.models import Run
from playground.models.fields import clean
from playground.protocol import snippets
from playground.request_log import live
from playground.request_log.filters import Filter
from playground.request_log.pages import neighbours
from playground.request_log.rows import live_row, row_of
from playground.request_log.sent import code, sent_by
from playground.views.answer import find_run

if TYPE_CHECKING:
    from typing import Any

    from django.http import HttpRequest

LONGEST_NOTE = 10_000


def find_stored(request: HttpRequest, run_id: UUID) -> Run:
    """The asker's run in the database; another one's is not there."""
    run = Run.objects.owned_by(request.user).filter(pk=run_id).first()
    if run is None:
        raise Http404("no such run")
    return run


@login_required
@require_GET
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The run in full, also while it goes on. The filter of the log it was opened from decides what is next to it."""
    found = find_run(request, run_id)
    wanted = Filter.read(request.GET)
    stored = live.row_in_database(request.user, run_id) if isinstance(found, LiveRun) else found
    older, newer = neighbours(request.user, run_id, wanted)
    row = live_row(found) if isinstance(found, LiveRun) else row_of(found, is_live=live.is_going_on(run_id))
    context: dict[str, Any] = {
        "run": found,
        "stored": stored,
        "row": row,
        "sent": sent_by(found),
        "older": older,
        "newer": newer,
        "filter": wanted,
        "languages": snippets.LANGUAGES,
        "removed_at": stored.content_removed_at if stored is not None else None,
    }
    return render(request, "playground/request.html", context)


@login_required
@require_GET
def run_code(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The request as source text; `?language=` names it."""
    wanted = request.GET.get("language", "")
    language = next((each for each in snippets.LANGUAGES if each.id == wanted), snippets.LANGUAGES[0])
    sent = sent_by(find_run(request, run_id))
    text = code(sent, language)
    if text is None:
        text = "The body that was sent is no JSON object, too large or nested too deep: there is nothing to write."
        context = {"text": text, "html": text, "language": language}
    else:
        context = {"text": text, "html": markdown.highlight_code(text, language.lexer), "language": language}
    return render(request, "playground/_request_code.html", context)


@login_required
@require_POST
def run_star(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Put the star on or take it off."""
    found = find_stored(request, run_id)
    found.starred = not found.starred
    found.save(update_fields=["starred"])
    return render(request, "playground/_request_star.html", {"stored": found})


@login_required
@require_POST
def run_note(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Keep the note as it was typed last."""
    found = find_stored(request, run_id)
    found.note = clean(request.POST.get("note", "").strip(), LONGEST_NOTE)
    found.save(update_fields=["note"])
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "playground/_request_noted.html", {"at": timezone.now()})
    return redirect("run", run_id)


@login_required
@require_POST
def run_delete(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Remove the run with all that belongs to it. One that goes on has to be stopped first."""
    found = find_stored(request, run_id)
    if not live.delete([found.pk]):
        messages.warning(request, "This request is still going on. Stop it first.")
        return redirect("run", run_id)
    messages.success(request, "The request was deleted.")
    return redirect("runs")
