"""Branches of the request being written: where its turns have siblings, and going to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from playground.conversations import versions
from playground.drafts import editing
from playground.views import draft_parts, draft_start

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.models import ConversationVersion, Draft


@require_safe
def switches(request: HttpRequest) -> HttpResponse:
    """Every switch of the request as it is stored, and where its later turns are."""
    return render(request, "playground/composer/_turn_switches.html", {"form": editing.open_form(request)})


@require_POST
def open_branch(request: HttpRequest) -> HttpResponse:
    """Put a branch in the place of the present one, which is kept with what was typed last."""
    try:
        form = editing.open_changed(request)
        version = find_version(form.draft, request.POST.get(":branch", ""))
        editing.switch(request, form, version)
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    return draft_start.anew(request, form)


def find_version(draft: Draft, version_id: str) -> ConversationVersion:
    """One of the draft's own, or of the conversation it is written for."""
    try:
        version = versions.versions_of(draft).filter(pk=UUID(version_id)).first()
    except ValueError:
        version = None
    if version is None:
        raise Http404("no such branch")
    return version
