"""The playground page: drawn whole, changed part by part, sent."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from playground import dispatch
from playground.composer.parameter_groups import EFFORT, node_at
from playground.composer.prefill import prefilled
from playground.composer.request_form import RequestForm
from playground.drafts import editing
from playground.engine.live_run import LiveRun
from playground.identity import asking_page, visitors
from playground.models import ConversationRun
from playground.protocol.json.paths import PathError, parse_path
from playground.protocol.whole_numbers import read_whole
from playground.views.draft_parts import (
    SNIPPETS,
    VARIABLES,
    Region,
    conflicting,
    page_context,
    parts,
)
from playground.workers import is_worker

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from playground.composer.nodes import Node
    from playground.dispatch.launch import RunReference
    from playground.models import Draft


@require_safe
def playground(request: HttpRequest) -> HttpResponse:
    """The request that is not saved. A link can bring simple fields along, `/?model=…&prompt=…`: they fill the form and
    are not stored."""
    return _page(request)


@login_required
@require_safe
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """A saved conversation, to go on with: each has an address and a draft of its own, so two tabs can hold two."""
    if "version" in request.GET:
        return redirect(f"{reverse('conversation-read', args=[conversation_id])}?{request.GET.urlencode()}")
    asking_page.ask_for(request, conversation_id)
    return _page(request)


def _page(request: HttpRequest) -> HttpResponse:
    form = editing.open_form(request)
    mode = "form" if form.can_be_drawn and request.GET.get("as") != "json" else "json"
    prefill_form(request, form)
    owner = visitors.owner_of(request)
    context = page_context(request, form, mode) | {"run": newest_run(owner, form.draft)}
    return render(request, "playground/playground.html", context)


def newest_run(owner: str | None, draft: Draft) -> LiveRun | RunReference | None:
    """Return the last run that this owner sent from the page, while it is live: of its conversation, if it is of
    one."""
    runs = dispatch.page_runs(owner) if owner else []
    if runs and draft.user is not None:
        made = ConversationRun.objects.filter(run_id__in=[run.id for run in runs])
        homes = dict(made.values_list("run_id", "conversation"))
        runs = [run for run in runs if homes.get(run.id) == draft.conversation_id]
    if owner is None or not runs or is_worker():
        return next(iter(runs), None)
    return dispatch.get_live().find_from_thread(runs[0].id, owner)


def prefill_form(request: HttpRequest, form: RequestForm) -> None:
    body = prefilled(form.body, request.GET)
    if body is not None:
        form.write(body)
        form.is_prefilled = True


@require_POST
def edit(request: HttpRequest) -> HttpResponse:
    """Keep what was typed, and answer with what stands outside the fields: problems, counts, snippet."""
    try:
        form = editing.open_changed(request)
        was_behind = form.draft.is_behind
        editing.keep(request, form)
    except editing.ConflictError as conflict:
        return conflicting(request, conflict)
    regions = [*_variables_region(request, form), *_regions_that_came_along(request, form)]
    message = "Not saved to its conversation: your storage is full." if form.draft.is_behind and not was_behind else ""
    return parts(request, form, [*regions, SNIPPETS] if ":language" in request.POST else regions, said=message)


def _regions_that_came_along(request: HttpRequest, form: RequestForm) -> list[Region]:
    """Return the regions that typing into one control changed elsewhere: an effort makes its `output_config`."""
    return [
        *_schemas_that_came_along(request, form),
        *_effort_that_came_along(form),
        *_tokens_that_came_along(request, form),
    ]


def _tokens_that_came_along(request: HttpRequest, form: RequestForm) -> list[Region]:
    """Return the token counts in the heads of the messages that were typed in."""
    places = dict.fromkeys(name.partition("]")[0] + "]" for name in request.POST if name.startswith("messages["))
    nodes = []
    for place in places if form.can_be_drawn else ():
        with suppress(PathError):
            nodes.append(form.node(parse_path(place)))
    return [Region("playground/composer/_turn_tokens.html", node) for node in nodes if node is not None]


def _schemas_that_came_along(request: HttpRequest, form: RequestForm) -> list[Region]:
    """A schema is shown as rows and as JSON: what is typed into one of them changes the other."""
    regions = []
    for name in request.POST if form.can_be_drawn else ():
        if "schema" not in name or name.startswith(":"):
            continue
        place, _, inside = name.partition(".properties")
        with suppress(PathError):
            node = form.node(parse_path(place))
            if node is not None and node.word == "json_schema":
                part = "_schema_json" if inside else "_schema_rows"
                regions.append(Region(f"playground/composer/{part}.html", node))
    return regions


def _effort_that_came_along(form: RequestForm) -> list[Region]:
    before: dict[str, Any] = form.began[1] if isinstance(form.began[1], dict) else {}
    if not form.can_be_drawn or (EFFORT[0] in before) == (EFFORT[0] in form.body):
        return []
    return [Region("playground/composer/_param.html", node_at(form, EFFORT[:1]))]


def _variables_region(request: HttpRequest, form: RequestForm) -> list[Region]:
    """The variables' inputs, when the texts have other names in them than the page shows."""
    shown = request.POST.get(":variables")
    if shown is None or not form.can_be_drawn or shown.split() == [name for name, _ in form.variables]:
        return []
    return [VARIABLES]


@require_POST
def draft_form(request: HttpRequest) -> HttpResponse:
    """The request panel drawn again, as a form or as JSON: for its tabs, and after the draft was changed elsewhere."""
    try:
        if ":reload" in request.POST:
            form = editing.open_form(request)
        else:
            form = editing.open_changed(request)
            if request.POST.get(":mode") == "form":
                editing.extract_draft_files(request, form)
            editing.keep(request, form)
    except editing.ConflictError as conflict:
        return conflicting(request, conflict)
    posted_mode = request.POST.get(":mode", "form")
    mode = "form" if posted_mode == "form" and form.can_be_drawn else "json"
    return render(request, "playground/composer/_form_anew.html", page_context(request, form, mode))


@require_POST
def draft_part(request: HttpRequest) -> HttpResponse:
    """One turn opened or folded, the lines of a gap, or what the page left out because it is large."""
    form = editing.open_form(request)
    first, last = (read_whole(request.POST.get(name, "")) for name in (":first", ":last"))
    if first is not None and last is not None:
        turns = form.listed(first, min(last, first + 200))
        return render(request, "playground/composer/_turns_listed.html", {"form": form, "turns": turns})
    try:
        path = parse_path(request.POST.get(":path", ""))
        node = form.node(path) if path else form.root
    except PathError:
        node = None
    if node is None or not node.is_set:
        return HttpResponse("", status=404)
    if ":whole" in request.POST:
        return _whole_part(request, form, node)
    template = "playground/composer/_turn_folded.html" if ":fold" in request.POST else "playground/composer/_turn.html"
    return render(request, template, {"form": form, "node": node})


def _whole_part(request: HttpRequest, form: RequestForm, node: Node) -> HttpResponse:
    """Draw what the page left out because it is large: the JSON text, a tool's inside, the next items, or one
    control."""
    form.whole, form.first = node.path, read_whole(request.POST.get(":from", "")) or 0
    style = {"list_of": node.list_style, "map_of": "entries"}.get(node.word, "")
    if node.path == ():
        template = "_form_json.html"
    elif ":from" in request.POST and style in {"blocks", "tools", "items", "entries"}:
        template = "_items.html"
    elif node.path[0] == "tools" and len(node.path) == 2:
        template = "_tool_body.html"
    else:
        template = f"_kind_{node.word}.html"
    context = {"form": form, "node": node, "style": style}
    return render(request, f"playground/composer/{template}", context)
