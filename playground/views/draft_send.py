"""Checks, sends and saves the request; it is saved while the upstream is at work."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from playground import dispatch
from playground.composer.comparison import Comparison
from playground.composer.request_form import RequestForm
from playground.conversations import autosave
from playground.drafts import editing
from playground.drafts.outgoing import PreparedRequest, head_start, idempotency_key, ready_to_send
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.sockets.session_checks import Asker
from playground.views import draft_comparison
from playground.views.draft_parts import (
    conflicting,
    mode_of,
    page_context,
    parts,
)
from playground.workers import is_worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from playground.dispatch.launch import RunReference

logger = logging.getLogger(__name__)


@require_POST
async def send(request: HttpRequest) -> HttpResponse:
    """Check what was typed, start the run, and keep what was typed while the upstream is at work.

    The answer is the panel that follows the run. On the way to the upstream stand the session and one query.
    """
    asker = Asker()
    ready = await sync_to_async(_prepared)(request)
    if isinstance(ready, HttpResponse):
        return ready
    if isinstance(ready, Comparison):
        await draft_comparison.send(request, ready)
        return await sync_to_async(_compared)(request, ready, ready.runs)
    try:
        run: LiveRun | RunReference
        if is_worker():
            run = await dispatch.start_in_server(ready.request)
        else:
            run = await dispatch.start(ready.request)
    except dispatch.Refused as refusal:
        return await sync_to_async(_refused)(request, ready.form, refusal)
    asker.remember(request)
    if isinstance(run, LiveRun):
        await head_start(run)
    return await sync_to_async(_started)(request, ready.form, run)


def _prepared(request: HttpRequest) -> PreparedRequest | Comparison | HttpResponse:
    if (run := _run_of_same_key(request)) is not None:
        return _sent_already(request, run)
    try:
        form = editing.open_changed(request)
        editing.refuse_too_large(request, form)
        comparison = draft_comparison.comparison_of(request, form)
        if ":anyway" not in request.POST and (comparison or form).errors:
            editing.keep(request, form)
            message = comparison.said if comparison else why_not_sent(form)
            return parts(request, form, said=message, first_problem=True)
    except editing.ConflictError as conflict:
        return conflicting(request, conflict)
    if comparison is not None:
        return comparison
    try:
        return ready_to_send(request, form)
    except dispatch.Refused as refusal:
        return _refused(request, form, refusal)


def why_not_sent(form: RequestForm) -> str:
    """The first problem, with its place: it may be far from the button."""
    first, *others = form.errors
    more = f" There {'is' if len(others) == 1 else 'are'} {len(others)} more." if others else ""
    place = "" if first.message.startswith(first.place) or first.place.startswith(":") else f"{first.place}: "
    return f"Not sent. {place}{first.message}{'' if first.message.endswith('.') else '.'}{more}"


def _run_of_same_key(request: HttpRequest) -> LiveRun | RunReference | None:
    """The run that a double click, or the request whose answer was lost, has started already."""
    key, owner = idempotency_key(request), visitors.owner_of(request)
    runs = dispatch.page_runs(owner) if key and owner else []
    started = next((run for run in runs if draft_comparison.has_idempotency_key(run, key)), None)
    return started if started is None or is_worker() else dispatch.get_live().find_from_thread(started.id, owner or "")


def _sent_already(request: HttpRequest, run: LiveRun | RunReference) -> HttpResponse:
    try:
        form = editing.open_changed(request)
    except editing.ConflictError:  # what this brings was kept when it came the first time
        form = editing.open_form(request)
    if (comparison := draft_comparison.comparison_of(request, form)) is not None:
        return _compared(request, comparison)
    return _started(request, form, run)


def _started(request: HttpRequest, form: RequestForm, run: LiveRun | RunReference) -> HttpResponse:
    return _with_the_draft_kept(request, form, "playground/composer/_send_started.html", {"run": run}, [run])


def _compared(
    request: HttpRequest, comparison: Comparison, runs: Sequence[LiveRun | RunReference] = ()
) -> HttpResponse:
    context = {"comparison": comparison, "only": request.POST.get(":column", "")}
    response = _with_the_draft_kept(request, comparison.base, "playground/comparison/_sent.html", context, runs)
    response["HX-Reswap"] = "none"
    return response


def _refused(request: HttpRequest, form: RequestForm, refusal: dispatch.Refused) -> HttpResponse:
    return _with_the_draft_kept(request, form, "playground/composer/_send_refused.html", {"refusal": refusal})


def _with_the_draft_kept(
    request: HttpRequest,
    form: RequestForm,
    template: str,
    context: dict[str, Any],
    runs: Sequence[LiveRun | RunReference] = (),
) -> HttpResponse:
    """Keep the draft, now that nobody waits for it. 202 when it could not be: then the page keeps what was typed."""
    is_unchanged = editing.is_as_stored(request, form)
    try:
        with transaction.atomic():
            is_kept = is_unchanged or editing.store(request, form)
            for run in runs:
                autosave.record_run(form.draft, run.id)
            if is_kept and not runs:
                autosave.autosave(form.draft)
    except DatabaseError as problem:
        logger.error("a draft could not be kept: %s", type(problem).__name__)
        response = render(request, template, context | {"unkept": "failed"}, status=202)
        response["HX-Trigger"] = "draft:unkept"
        return response
    if not is_kept:
        return render(
            request, template, context | {"unkept": "conflict", "draft": editing.current(request)}, status=202
        )
    mode = mode_of(request, form)
    return render(request, template, page_context(request, form, mode, is_unchanged=is_unchanged) | context)
