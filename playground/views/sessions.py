"""Sessions of agents: the list, one session, one step of it, and what is done with a session."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts.forms.access_key_form import AccessKeyForm
from accounts.models import AccessKey
from accounts.views.access_keys import relay_address
from playground.identity.requests import AuthenticatedHttpRequest
from playground.models import AgentSession, Run, ShareLink
from playground.protocol.whole_numbers import read_whole
from playground.recording.session_loading import load
from playground.recording.session_upkeep import runs_without_digest
from playground.rendering.formatting import plural
from playground.request_log import live_rows
from playground.session_log import charts, listing, misses_seen
from playground.session_log.page import STEPS_AT_FIRST, STEPS_AT_ONCE, SessionPage, StepRow
from playground.session_log.step_detail import StepDetail, detail_of
from playground.views.log_run import keep_note
from playground.workers import hand_over_large

if TYPE_CHECKING:
    from collections.abc import Mapping


DELETED_AT_ONCE = 500
MOST_COUNTED = 20_000
AGENT_KEY = "coding agent"
BYTES_OF_STEP = 700  # so much is read of each step to open a session: long ones are opened by workers


def find_session(request: AuthenticatedHttpRequest, session_id: UUID) -> AgentSession:
    """The asker's session; another one's is not there."""
    session = AgentSession.objects.owned_by(request.user).filter(pk=session_id).first()
    if session is None:
        raise Http404("no such session")
    return session


def opened(session: AgentSession) -> SessionPage:
    """Everything of a session's page that comes from digests. Raises `HandOverError` if a worker should read it."""
    hand_over_large(session.request_count * BYTES_OF_STEP)
    loaded = load(session)
    misses_seen.keep(session, loaded)
    return SessionPage(loaded)


@login_required
@require_safe
def sessions(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The signed-in user's sessions, the last active first; for htmx only the rows."""
    session_filter = listing.SessionFilter.read(request.GET)
    listed = listing.page(request.user, session_filter, request.GET.get("before", ""))
    context: dict[str, Any] = {"filter": session_filter, "found": listed, "days": listing.DAYS, "kinds": listing.KINDS}
    context["causes"] = misses_seen.CHOICES
    if request.htmx and not request.htmx.history_restore_request:
        template = "_rows.html" if request.GET.get("before") else "_list.html"
        return render(request, f"playground/sessions/{template}", context)
    context |= listing.choices_of(request.user) | {"clients": listing.clients_of(request.user), "cache": listing.CACHE}
    context["waiting"] = waiting_of(request)
    if not listed.rows and not session_filter:
        context |= {"relay_address": relay_address(request), "form": AccessKeyForm(owner=request.user)}
    return render(request, "playground/sessions/sessions.html", context)


def waiting_of(request: AuthenticatedHttpRequest) -> int:
    """Count the earlier requests that are still to be sorted; no further than the page says."""
    count: int = runs_without_digest(request.user.pk)[: MOST_COUNTED + 1].count()
    return count


@login_required
@require_safe
def session_sorting(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The progress of sorting earlier requests."""
    return render(request, "playground/sessions/_sorting.html", {"waiting": waiting_of(request)})


@sensitive_variables()
@login_required
@require_POST
def session_key(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Make an access key for an agent. The answer is the only place where it is ever shown."""
    names = AccessKey.objects.owned_by(request.user).filter(revoked_at=None, name__startswith=AGENT_KEY)
    taken = {name.casefold() for name in names.values_list("name", flat=True)}
    free = next(name for number in itertools.count(1) if (name := f"{AGENT_KEY} {number}") not in taken)
    data = {"name": AGENT_KEY if AGENT_KEY not in taken else free, "keep_content": "on"}
    data["connection"] = request.POST.get("connection", "")
    form = AccessKeyForm(data, owner=request.user)
    context: dict[str, Any] = {"form": form, "relay_address": relay_address(request)}
    if form.is_valid():
        context["new_key"], context["secret"] = form.issue()
    template = "_empty.html" if request.htmx else "session_key.html"
    return render(request, f"playground/sessions/{template}", context, status=200 if form.is_valid() else 422)


@login_required
@require_safe
def session(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    """One session. Everything but the chosen step comes from digests."""
    session = find_session(request, session_id)
    page = opened(session)
    if not page.rows:
        raise Http404("no request of this session is left")
    newest = Run.objects.filter(pk=page.rows[-1].step.id).select_related("access_key").first()
    shares = ShareLink.objects.owned_by(request.user).filter(session=session, published_at__isnull=False)
    context = owners(session, page) | {
        "newest": newest,
        "running": listing.running(request.user)[session.client_id],
        "shares": shares.defer("packed_snapshot").order_by("-made_at"),
    }
    context |= charts.drawn(page) | first_steps(page)
    return render(request, "playground/sessions/session.html", context)


@login_required
@require_safe
def session_steps(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    """Rows of the table: from `?after=N` on, a window `?around=N`, or those `?before=N` that were left out above it.

    `?q=` finds words in them; `?only=problems` leaves out what went well.
    """
    session = find_session(request, session_id)
    page = opened(session)
    context = owners(session, page) | steps_context(page, request.GET)
    return render(request, "playground/sessions/_step_rows.html", context)


@login_required
@require_safe
def session_charts(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    """Timeline and charts of the steps `?from=N&to=M`."""
    session = find_session(request, session_id)
    page = opened(session)
    context = owners(session, page) | charts_context(page, request.GET)
    return render(request, "playground/sessions/_graphs.html", context)


def charts_context(page: SessionPage, query: Mapping[str, str]) -> dict[str, Any]:
    """The charts of the steps that an address asks for; of all of them where it names none."""
    if not page.rows:
        raise Http404("no request of this session is left")
    span = charts.span_of(read_whole(query.get("from")), read_whole(query.get("to")), len(page.rows))
    return charts.drawn(page, span)


def first_steps(page: SessionPage) -> dict[str, Any]:
    """The rows that come with the page, and after which number it goes on."""
    return {
        "rows": page.rows[:STEPS_AT_FIRST],
        "next": STEPS_AT_FIRST if len(page.rows) > STEPS_AT_FIRST else None,
    }


def steps_context(page: SessionPage, query: Mapping[str, str]) -> dict[str, Any]:
    """The rows that an address asks for, and which ones are left out below and above them."""
    rows = _matching(page.rows, query.get("q", ""), only_problems=query.get("only") == "problems")
    after, end, around = (
        (read_whole(query.get("after")) or 0),
        (read_whole(query.get("before")) or 0),
        (read_whole(query.get("around")) or 0),
    )
    if around:
        rows, after = page.rows, max(0, around - STEPS_AT_ONCE // 2)
    if end:
        after = max(0, end - 1 - STEPS_AT_ONCE)
        rows = [row for row in rows if row.number < end]
    rows = [row for row in rows if row.number > after]
    more = len(rows) > STEPS_AT_ONCE
    rows = rows[:STEPS_AT_ONCE]
    return {
        "rows": rows,
        "next": rows[-1].number if more and not end else None,
        "earlier": rows[0].number if rows and (around or end) and after else None,
    }


def owners(session: AgentSession, page: SessionPage) -> dict[str, Any]:
    """Return what the templates of a session need, for its owner."""
    return {
        "session": session,
        "page": page,
        "is_owner": True,
        "steps_address": reverse("session-steps", args=[session.pk]),
        "charts_address": reverse("session-charts", args=[session.pk]),
    }


def _matching(rows: list[StepRow], words: str, *, only_problems: bool) -> list[StepRow]:
    searched = words.casefold().split()
    return [
        row
        for row in rows
        if all(word in f"{row.words} {row.thread} {row.step.model}".casefold() for word in searched)
        and (not only_problems or row.tone == "bad" or (row.miss is not None and not row.miss.miss.is_expected))
    ]


@login_required
@require_safe
def session_step(request: AuthenticatedHttpRequest, session_id: UUID, number: int) -> HttpResponse:
    """One step in detail: what is new since its parent."""
    return render(request, "playground/sessions/_step.html", _step_context(request, session_id, number))


@login_required
@require_safe
def session_result(request: AuthenticatedHttpRequest, session_id: UUID, number: int, result: int) -> HttpResponse:
    """A long result of a tool, when it is unfolded."""
    return drawn_result(request, _step_context(request, session_id, number)["detail"], result)


def drawn_result(request: HttpRequest, detail: StepDetail, number: int) -> HttpResponse:
    result = detail.result(number)
    if result is None:
        raise Http404("no such result")
    return render(request, "playground/log/_item.html", {"item": result.item})


def _step_context(request: AuthenticatedHttpRequest, session_id: UUID, number: int) -> dict[str, Any]:
    session = find_session(request, session_id)
    page = opened(session)
    if not 1 <= number <= len(page.rows):
        raise Http404("no such step")
    row = page.rows[number - 1]
    run = Run.objects.owned_by(request.user).filter(pk=row.step.id).select_related("content").first()
    if run is None:
        raise Http404("no such run")
    return owners(session, page) | {"row": row, "detail": detail_of(page, row, run), "run": run}


@login_required
@require_safe
def session_of_run(request: AuthenticatedHttpRequest, run_id: UUID) -> HttpResponse:
    """Redirect from a run to its step in its session."""
    run = Run.objects.owned_by(request.user).filter(pk=run_id).select_related("digest__session").first()
    if run is None or not hasattr(run, "digest") or run.digest.session is None:
        raise Http404("this run belongs to no session")
    page = opened(run.digest.session)
    response = redirect("session", run.digest.session_id)
    response["Location"] += f"#step-{page.number_of[str(run_id)]}"
    return response


@login_required
@require_POST
def session_star(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    """Put the star on or take it off."""
    session = find_session(request, session_id)
    session.starred = not session.starred
    session.save(update_fields=["starred"])
    if request.htmx:
        return render(request, "playground/sessions/_star.html", {"session": session})
    return redirect("session", session_id)


@login_required
@require_POST
def session_note(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    """Keep the note as it was typed last."""
    return keep_note(request, find_session(request, session_id)) or redirect("session", session_id)


@login_required
@require_POST
def session_delete(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    """Remove a session with its requests. Requests that are still running stay, and the session with them."""
    session = find_session(request, session_id)
    runs = list(session.digests.values_list("run_id", flat=True))
    count = sum(live_rows.delete(runs[at : at + DELETED_AT_ONCE]) for at in range(0, len(runs), DELETED_AT_ONCE))
    if session.digests.exists():
        messages.warning(request, "Some requests of this session are still running. Stop them first.")
        return redirect("session", session_id)
    AgentSession.objects.filter(pk=session.pk).delete()
    messages.success(request, f"The session with its {plural(count, 'request')} was deleted.")
    return redirect("sessions")
