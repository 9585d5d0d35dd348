"""The tools that a user keeps: saved from the form, put into any request, renamed and deleted in a list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from playground.composer.new_items import ChangeError
from playground.drafts import editing
from playground.models import SavedTool
from playground.models.saved_tool import KEPT_AFTER_DELETION, LONGEST_NAME
from playground.models.storage_quota import StorageQuotaError
from playground.protocol.foreign_text import storable
from playground.protocol.json import json_text
from playground.protocol.json.paths import PathError, get, parse_path
from playground.protocol.whole_numbers import read_whole
from playground.views import draft_parts, draft_tools

if TYPE_CHECKING:
    from django.http import HttpRequest


@login_required
@require_safe
def saved_tools(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, *, problem: str = "", of: int = 0, status: int = 200) -> HttpResponse:
    every = SavedTool.objects.filter(owner=request.user)  # type: ignore[misc]
    every.filter(deleted_at__lt=timezone.now() - KEPT_AFTER_DELETION).delete()
    tools = [(tool, json_text.dump(tool.definition)) for tool in SavedTool.objects.owned_by(request.user)]
    gone = every.filter(deleted_at__isnull=False).order_by("-deleted_at").first()
    context = {"tools": tools, "gone": gone, "problem": problem, "problem_of": of}
    return render(request, "playground/saved_tools.html", context, status=status)


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Save the tool at `:path` of the request being written, as it is with what was typed last."""
    try:
        form = editing.open_changed(request)
        editing.keep(request, form)
        definition = get(form.body, parse_path(request.POST.get(":path", "")))
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    except PathError:
        definition = None
    if not isinstance(definition, dict):
        return draft_parts.parts(request, form, said="This tool is no longer there.")
    try:
        with transaction.atomic():
            tool, is_new = SavedTool.objects.keep(request.user, definition)
    except (StorageQuotaError, IntegrityError) as refused:
        words = str(refused) if isinstance(refused, StorageQuotaError) else "Not saved. Try again."
        return draft_parts.parts(request, form, said=words)
    response = draft_tools.tools_drawn(request, form)
    words = f"Saved the tool as “{tool.name}”" if is_new else f"This tool is saved already, as “{tool.name}”"
    response["HX-Trigger"] = json.dumps({"page:toast": {"words": words}})
    return response


@login_required
@require_POST
def insert(request: HttpRequest) -> HttpResponse:
    """Put the saved tool `:tool` into the request being written."""
    tool = _find(request, request.POST.get(":tool", ""))
    try:
        form = editing.open_changed(request)
        names = draft_tools.add_tools(form, [tool.definition])
        editing.keep(request, form)
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    except ChangeError as refused:
        return draft_parts.parts(request, form, said=str(refused))
    return draft_tools.added(request, form, names)


def _find(request: HttpRequest, number: str | int) -> SavedTool:
    """One of the asker's own; another one's is not there."""
    key = read_whole(str(number), longest=17)
    saved = SavedTool.objects.owned_by(request.user).filter(pk=key).first() if key is not None else None
    if saved is None:
        raise Http404("no such tool")
    return saved


@login_required
@require_POST
def rename(request: HttpRequest, tool_id: int) -> HttpResponse:
    """Another name in the list; the tool's own stays."""
    tool = _find(request, tool_id)
    name = storable(request.POST.get("name", "").strip(), LONGEST_NAME)
    if not name:
        return _page(request, problem="A name is needed.", of=tool.pk, status=422)
    tool.name = name
    try:
        with transaction.atomic():
            tool.save(update_fields=["name"])
    except IntegrityError:
        return _page(request, problem=f"There is a tool named “{name}” already.", of=tool.pk, status=422)
    return redirect("saved-tools")


@login_required
@require_POST
def delete(request: HttpRequest, tool_id: int) -> HttpResponse:
    """Out of the list at once, gone for good after a day."""
    tool = _find(request, tool_id)
    tool.deleted_at = timezone.now()
    tool.save(update_fields=["deleted_at"])
    return redirect("saved-tools")


@login_required
@require_POST
def undelete(request: HttpRequest, tool_id: int) -> HttpResponse:
    saved = SavedTool.objects.filter(owner=request.user, pk=tool_id, deleted_at__isnull=False)  # type: ignore[misc]
    try:
        with transaction.atomic():
            if not saved.update(deleted_at=None):
                raise Http404("no such tool")
    except IntegrityError:
        words = "Another tool has its name now. Rename that one first."
        return _page(request, problem=words, status=422)
    return redirect("saved-tools")
