"""Undo and redo of what was done to the request being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.views.decorators.http import require_POST

from playground.drafts import editing, undo
from playground.views import draft_parts, draft_start

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_POST
def step(request: HttpRequest) -> HttpResponse:
    """One step back; with `:redo` one step forth. What was typed and not stored yet is a step of its own."""
    is_redo = ":redo" in request.POST
    try:
        form = editing.open_changed(request)
        editing.keep(request, form)
        act = undo.step(form.draft, is_redo=is_redo)
        if act is None:
            return draft_parts.parts(request, form, said="Nothing to redo." if is_redo else "Nothing to undo.")
        form.read()
        form.act, form.open, form.unreadable = "", set(), []
        editing.keep(request, form)
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    words = f"Redone: {act}" if is_redo else f"Undone: {act}"
    return draft_start.replaced(request, form, words, can_redo=not is_redo)
