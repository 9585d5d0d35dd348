"""The playground page: drawn whole, changed part by part, sent."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Connection
from playground import dispatch, visitors
from playground.conversations import saving
from playground.forms.changes import RefusedError, attach, make, read_change, region
from playground.forms.comparison import Comparison
from playground.forms.examples import EXAMPLES
from playground.forms.headers import usable_betas
from playground.forms.prefill import prefilled
from playground.forms.request_form import RequestForm, moved_names
from playground.forms.whole_numbers import read_whole
from playground.models import Attachment
from playground.models.attachment import PREFIX
from playground.protocol.paths import PathError, parse_path, to_text
from playground.protocol.problems import repaired
from playground.views import compare, drafts
from playground.views.outgoing import Ready, head_start, press_of, ready_to_send
from playground.views.snippet import snippet_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from playground.engine.live_run import LiveRun

logger = logging.getLogger(__name__)
REQUEST_CHANGES = {"connection", "beta-add", "beta-remove", "header-add", "header-remove", "example-remove"}


@dataclass(frozen=True)
class Region:
    """A part of the form to draw again: its template, and the node it shows."""

    template: str
    node: Any = None


BODY = Region("playground/_form_body.html")
HEADERS = Region("playground/_form_headers.html")
DESTINATION = Region("playground/_form_destination.html")
SNIPPETS = Region("playground/_snippets.html")
VARIABLES = Region("playground/_form_variables.html")


@require_GET
def playground(request: HttpRequest) -> HttpResponse:
    """The page. A link can bring simple fields along, `/?model=…&prompt=…`: they fill the form and are not stored."""
    form = drafts.open_form(request)
    mode = "form" if form.can_be_drawn and request.GET.get("as") != "json" else "json"
    prefill_form(request, form)
    owner = visitors.owner_of(request)
    runs = [run for run in dispatch.get_live().of_owner(owner) if run.about.source == "playground"] if owner else []
    context = page_context(request, form, mode) | {"run": runs[0] if runs else None, "title": title_of(form)}
    return render(request, "playground/playground.html", context)


def title_of(form: RequestForm) -> str:
    conversation = form.draft.conversation
    return conversation.title if conversation and conversation.title else "Playground"


def page_context(request: HttpRequest, form: RequestForm, mode: str) -> dict[str, Any]:
    return {
        "form": form,
        "mode": mode,
        "focus": to_text(form.focus) if form.focus else "",
        "snippet": snippet_of(request, form),
        "choices": Connection.objects.usable_by(request.user),
        "examples": EXAMPLES,
        **compare.context_of(request, form),
    }


def prefill_form(request: HttpRequest, form: RequestForm) -> None:
    body = prefilled(form.body, request.GET)
    if body is not None:
        form.write(body)
        form.is_prefilled = True


@require_POST
def edit(request: HttpRequest) -> HttpResponse:
    """Keep what was typed, and answer with what stands outside the fields: problems, counts, snippet."""
    try:
        form = drafts.open_changed(request)
        was_behind = form.draft.is_behind
        drafts.keep(request, form)
    except drafts.ConflictError as conflict:
        return conflicting(request, conflict)
    regions = _variables_region(request, form)
    said = "Not saved in its conversation: there is no room." if form.draft.is_behind and not was_behind else ""
    return parts(request, form, [*regions, SNIPPETS] if ":language" in request.POST else regions, said=said)


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """One press of a button: add, remove, move, repair… Answers with the parts of the form that look different now."""
    op, path, kind = (request.POST.get(f":{name}", "") for name in ("op", "path", "kind"))
    try:
        form = drafts.open_changed(request)
        regions, said = _make(request, form, op, path, kind)
        drafts.keep(request, form)
    except drafts.ConflictError as conflict:
        return conflicting(request, conflict)
    drafts.look_up_attachments(request, form)
    return parts(request, form, regions, said=said)


def _make(request: HttpRequest, form: RequestForm, op: str, path: str, kind: str) -> tuple[list[Region], str]:
    """Make the change in the form; which regions to draw again, and what to tell the reader."""
    if op.startswith("column-"):
        is_taken_over, said = compare.change(request, form, op, path, kind)
        return ([BODY, DESTINATION, HEADERS] if is_taken_over else []), said
    if op in REQUEST_CHANGES:
        problem = drafts.change_request(request, form, op, kind)
        if op == "example-remove":
            return [Region("playground/_param.html", form.node(("tools",)))], "The output example is gone."
        return ([HEADERS, DESTINATION] if op == "connection" else [HEADERS]), problem or ""
    if op == "repair":
        return _repair(form, path, kind)
    if op == "attach":
        return _attach(request, form, path, kind)
    if not form.can_be_drawn:
        return [], "Mend the JSON first."
    try:
        asked = read_change(op, path, kind, request.POST.get(":to", ""))
        outcome = make(form.body, asked)
    except RefusedError as refused:
        return [], str(refused)
    if op == "run-from":
        form.cut = (form.draft.body_text, form.body, int(asked.path[-1]))
    form.write(outcome.body)
    form.focus = outcome.focus
    if outcome.moved:
        form.open = moved_names(form.open, outcome.moved)
    # What was just put in is shown open.
    form.open |= {to_text(outcome.focus[:end]) for end in range(2, len(outcome.focus) + 1)}
    place = region(asked, outcome)
    if len(place) == 2 and (turn := form.node(place)) is not None:
        return [Region("playground/_turn.html", turn)], ""
    name = place[0] if place else ""
    known = form.node((name,)) if isinstance(name, str) else None
    if known is None or known.parameter is None or name in {"temperature", "top_p", "top_k"}:
        return [BODY], ""
    return [Region("playground/_param.html", known)], ""


def _repair(form: RequestForm, path: str, label: str) -> tuple[list[Region], str]:
    wanted = (p for p in form.problems if p.repair and p.place == path and p.repair.label == label)
    problem = next(wanted, None)
    if problem is None or problem.repair is None:
        return [], "This problem is gone already."
    try:
        form.write(repaired(form.body, problem.repair))
    except PathError:
        return [], "This problem is gone already."
    form.draft.betas = usable_betas([*form.draft.betas, *problem.repair.betas])
    form.focus = problem.path
    return [BODY], problem.repair.label


def _attach(request: HttpRequest, form: RequestForm, path: str, reference: str) -> tuple[list[Region], str]:
    """Put a stored file of the asker's into the body: into a source, or as a block of a content."""
    identity = reference.removeprefix(PREFIX)
    try:
        files = Attachment.objects.of(request).filter(pk=identity)
        files.update(used_at=timezone.now())  # first: from here on the sweep does not take it
        file = files.get()
        outcome = attach(form.body, parse_path(path), file.reference, file.media_type, file.name)
    except (Attachment.DoesNotExist, ValidationError, PathError, RefusedError) as problem:
        return [], str(problem) if isinstance(problem, RefusedError) else "This file is not here."
    form.write(outcome.body)
    form.focus = outcome.focus
    drafts.look_up_attachments(request, form)
    place = outcome.focus[:2] if outcome.focus[0] == "messages" else outcome.focus[:1]
    form.open.add(to_text(place))
    if len(place) == 2:
        return [Region("playground/_turn.html", form.node(place))], f"{file.name} is in the request."
    return [BODY], f"{file.name} is in the request."


def _variables_region(request: HttpRequest, form: RequestForm) -> list[Region]:
    """The variables' inputs, when the texts have other names in them than the page shows."""
    shown = request.POST.get(":variables")
    if shown is None or not form.can_be_drawn or shown.split() == [name for name, _ in form.variables]:
        return []
    return [VARIABLES]


@require_POST
def draft_form(request: HttpRequest) -> HttpResponse:
    """The request panel anew, as a form or as JSON: for its tabs, and after the draft was changed elsewhere."""
    try:
        if ":reload" in request.POST:
            form = drafts.open_form(request)
        else:
            form = drafts.open_changed(request)
            if request.POST.get(":mode") == "form":
                drafts.shelve_files(request, form)
            drafts.keep(request, form)
    except drafts.ConflictError as conflict:
        return conflicting(request, conflict)
    wanted = request.POST.get(":mode", "form")
    mode = "form" if wanted == "form" and form.can_be_drawn else "json"
    return render(request, "playground/_form_anew.html", page_context(request, form, mode))


@require_POST
def draft_part(request: HttpRequest) -> HttpResponse:
    """One turn opened or folded, or the lines of a gap."""
    form = drafts.open_form(request)
    first, last = (read_whole(request.POST.get(name, "")) for name in (":first", ":last"))
    if first is not None and last is not None:
        turns = form.listed(first, min(last, first + 200))
        return render(request, "playground/_turns_listed.html", {"form": form, "turns": turns})
    try:
        node = form.node(parse_path(request.POST.get(":path", "")))
    except PathError:
        node = None
    if node is None or not node.is_set:
        return HttpResponse("", status=404)
    template = "playground/_turn_folded.html" if ":fold" in request.POST else "playground/_turn.html"
    return render(request, template, {"form": form, "node": node})


@require_POST
async def send(request: HttpRequest) -> HttpResponse:
    """Check what was typed, start the run, and keep what was typed while the upstream is at work.

    The answer is the panel that follows the run. On the way to the upstream stand the session and one query.
    """
    ready = await sync_to_async(_prepared)(request)
    if isinstance(ready, HttpResponse):
        return ready
    if isinstance(ready, Comparison):
        await compare.send(request, ready)
        return await sync_to_async(_compared)(request, ready, ready.runs)
    try:
        run = await dispatch.start(ready.body, **ready.options)
    except dispatch.Refused as refusal:
        return await sync_to_async(_refused)(request, ready.form, refusal)
    await head_start(run)
    return await sync_to_async(_started)(request, ready.form, run)


def _prepared(request: HttpRequest) -> Ready | Comparison | HttpResponse:
    if (run := _run_of_this_press(request)) is not None:
        return _sent_already(request, run)
    try:
        form = drafts.open_changed(request)
        drafts.refuse_too_large(request, form)
        comparison = compare.comparison_of(request, form)
        if ":anyway" not in request.POST and (comparison or form).errors:
            drafts.keep(request, form)
            said = comparison.said if comparison else "Not sent: mend the problems, or send anyway."
            response = parts(request, form, said=said, first_problem=True)
            response["HX-Reswap"] = "none"
            return response
    except drafts.ConflictError as conflict:
        return conflicting(request, conflict)
    if comparison is not None:
        return comparison
    try:
        return ready_to_send(request, form)
    except dispatch.Refused as refusal:
        return _refused(request, form, refusal)


def _run_of_this_press(request: HttpRequest) -> LiveRun | None:
    """The run that a double click, or the request whose answer was lost, has started already."""
    press, owner = press_of(request), visitors.owner_of(request)
    runs = dispatch.get_live().of_owner(owner) if press and owner else []
    return next((run for run in runs if compare.is_of_press(run, press)), None)


def _sent_already(request: HttpRequest, run: LiveRun) -> HttpResponse:
    try:
        form = drafts.open_changed(request)
    except drafts.ConflictError:  # what this brings was kept when it came the first time
        form = drafts.open_form(request)
    if (comparison := compare.comparison_of(request, form)) is not None:
        return _compared(request, comparison)
    return _started(request, form, run)


def _started(request: HttpRequest, form: RequestForm, run: LiveRun) -> HttpResponse:
    return _with_the_draft_kept(request, form, "playground/_send_started.html", {"run": run}, [run])


def _compared(request: HttpRequest, comparison: Comparison, runs: Sequence[LiveRun] = ()) -> HttpResponse:
    told = {"comparison": comparison, "only": request.POST.get(":column", "")}
    response = _with_the_draft_kept(request, comparison.base, "playground/_compare_sent.html", told, runs)
    response["HX-Reswap"] = "none"
    return response


def _refused(request: HttpRequest, form: RequestForm, refusal: dispatch.Refused) -> HttpResponse:
    return _with_the_draft_kept(request, form, "playground/_send_refused.html", {"refusal": refusal})


def _with_the_draft_kept(
    request: HttpRequest, form: RequestForm, template: str, told: dict[str, Any], runs: Sequence[LiveRun] = ()
) -> HttpResponse:
    """Keep the draft, now that nobody waits for it. 202 when it could not be: then the page keeps what was typed."""
    try:
        with transaction.atomic():
            is_kept = drafts.store(request, form)
            for run in runs:
                saving.record_run(form.draft, run.id)
            if is_kept and not runs:
                saving.autosave(form.draft)
    except DatabaseError as problem:
        logger.error("a draft could not be kept: %s", type(problem).__name__)
        response = render(request, template, told | {"unkept": "failed"}, status=202)
        response["HX-Trigger"] = "draft:unkept"
        return response
    if not is_kept:
        return render(request, template, told | {"unkept": "conflict", "draft": drafts.current(request)}, status=202)
    return render(request, template, page_context(request, form, _mode(request, form)) | told)


def parts(
    request: HttpRequest,
    form: RequestForm,
    regions: list[Region] | None = None,
    *,
    said: str = "",
    first_problem: bool = False,
) -> HttpResponse:
    """What is drawn again after a change, all of it out of band: the focus and the fields stay as they are."""
    mode = _mode(request, form)
    if mode == "json":
        regions = [each for each in regions or [] if each in (DESTINATION, SNIPPETS)]
    context = page_context(request, form, mode)
    context |= {"regions": regions or [], "said": said, "conflict_solved": ":overwrite" in request.POST}
    if first_problem and form.errors:
        context["focus"] = form.errors[0].place
    return render(request, "playground/_draft_parts.html", context)


def _mode(request: HttpRequest, form: RequestForm) -> str:
    return "json" if request.POST.get(":mode") == "json" or not form.can_be_drawn else "form"


def conflicting(request: HttpRequest, conflict: drafts.ConflictError) -> HttpResponse:
    """A banner: nothing of this tab was stored, and the other tab's version was not touched."""
    if isinstance(conflict, drafts.TooLargeError):
        context = {"most": drafts.most_body_bytes(request), "words": conflict.words}
        return render(request, "playground/_form_too_large.html", context, status=413)
    places = conflict.places if isinstance(conflict, drafts.MovedError) else []
    context = {"draft": conflict.form.draft, "moved": places}
    return render(request, "playground/_form_conflict.html", context, status=409)
