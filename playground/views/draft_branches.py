"""Branches of the request being written: where its turns have siblings, and going to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from playground.conversations import keeping
from playground.views import compose, draft_start, drafts

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.models import ConversationVersion, Draft


@require_GET
def switches(request: HttpRequest) -> HttpResponse:
    """Every switch of the request as it is stored, and where its later turns are."""
    return render(request, "playground/_turn_switches.html", {"form": drafts.open_form(request)})


@require_POST
def open_branch(request: HttpRequest) -> HttpResponse:
    """Put a branch in the place of the present one, which is kept with what was typed last."""
    try:
        form = drafts.open_changed(request)
        version = find_version(form.draft, request.POST.get(":branch", ""))
        drafts.switch(request, form, version)
    except drafts.ConflictError as conflict:
        return compose.conflicting(request, conflict)
    return draft_start.anew(request, form)


def find_version(draft: Draft, version_id: str) -> ConversationVersion:
    """One of the draft's own, or of the conversation it is written for."""
    try:
        found = keeping.versions_of(draft).filter(pk=UUID(version_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404("no such branch")
    return found
