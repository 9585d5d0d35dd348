"""Pasted tool definitions for the request being written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.views.decorators.http import require_POST

from playground.composer.new_items import ChangeError
from playground.composer.parameter_groups import drawn_for
from playground.composer.tool_insertion import with_tools
from playground.drafts import editing
from playground.protocol.importers.result import ImportProblem
from playground.protocol.importers.tool_definitions import read_tools
from playground.protocol.json.paths import to_text
from playground.protocol.whole_numbers import read_whole
from playground.views import draft_parts
from playground.workers import LARGE, hand_over_large

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from playground.composer.request_form import RequestForm

LARGE_CODE = 8_192  # characters: reading types takes longer than reading JSON of that length
MOST_AT_ONCE = 40


@require_POST
def paste(request: HttpRequest) -> HttpResponse:
    """Add the tools of a pasted text. A problem, and the choice among several tools, are shown in the dialog."""
    text = request.POST.get(":pasted", "")
    if len(text) >= LARGE_CODE:
        hand_over_large(LARGE)
    result = read_tools(text)
    if isinstance(result, ImportProblem):
        return _in_dialog(request, {"problem": result}, place={"line": result.line, "column": result.column})
    tools = _chosen(result.tools, request.POST.get(":entry", ""))
    if tools is None:
        return _in_dialog(request, {"tools": result.tools, "may_take_all": len(result.tools) <= MOST_AT_ONCE})
    try:
        form = editing.open_changed(request)
        names = add_tools(form, tools)
        editing.keep(request, form)
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    except ChangeError as refused:
        return _in_dialog(request, {"problem": ImportProblem(str(refused))})
    return added(request, form, names, result.notes)


def _chosen(tools: tuple[dict[str, Any], ...], entry: str) -> list[dict[str, Any]] | None:
    """The only one, the pressed one, or all; None while that is not chosen."""
    if len(tools) == 1 or (entry == "all" and len(tools) <= MOST_AT_ONCE):
        return list(tools)
    number = read_whole(entry)
    return [tools[number]] if number is not None and number < len(tools) else None


def _in_dialog(request: HttpRequest, context: dict[str, Any], place: dict[str, int] | None = None) -> HttpResponse:
    response = render(request, "playground/composer/_tool_problem.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#tool-problem", "innerHTML"
    if place and place["line"]:
        response["HX-Trigger"] = json.dumps({"paste:problem": place})
    return response


def add_tools(form: RequestForm, tools: list[dict[str, Any]]) -> list[str]:
    """Put the tools into the form's body; returns their names there. Raises `ChangeError`."""
    if not form.can_be_drawn:
        raise ChangeError("Fix the JSON of the request first")
    body, names = with_tools(form.body, tools)
    form.write(body)
    at = len(body["tools"]) - len(tools)
    form.focus = ("tools", at)
    form.open |= {to_text(("tools", at))}
    form.act = f"Add {names[0]}" if len(names) == 1 else f"Add {len(names)} tools"
    return names


def tools_drawn(request: HttpRequest, form: RequestForm) -> HttpResponse:
    editing.look_up_attachments(request, form)
    regions = [draft_parts.Region("playground/composer/_param.html", node) for node in drawn_for(form, "tools")]
    return draft_parts.parts(request, form, regions)


def added(request: HttpRequest, form: RequestForm, names: list[str], notes: tuple[str, ...] = ()) -> HttpResponse:
    """The form's tools drawn again, with a toast that can take them back."""
    response = tools_drawn(request, form)
    words = f"Added {names[0][:60]}" if len(names) == 1 else f"Added {len(names)} tools"
    toast = {"words": ". ".join([words, *notes[:3]]), "undo": True}
    response["HX-Trigger"] = json.dumps({"tools:added": None, "page:toast": toast})
    return response
