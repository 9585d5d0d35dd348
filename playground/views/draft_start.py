"""Ways to begin: an example, an empty request, a pasted one, the body of an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from playground.conversations import keeping, reading, saving
from playground.engine.live_run import LiveRun
from playground.forms import examples
from playground.forms.headers import usable_betas, usable_headers
from playground.protocol import importers, json_text
from playground.views import compose, drafts
from playground.views.answer import find_run
from playground.views.outgoing import filled_body

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.forms.request_form import RequestForm

EMPTY = {"model": "", "max_tokens": 1024, "messages": [{"role": "user", "content": ""}], "stream": True}


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin anew, with an example or an empty request. The connection and its headers stay."""
    chosen = request.POST.get(":start", "")
    example = examples.BY_ID.get(chosen)
    try:
        form = drafts.open_changed(request)
        if example is None:
            body: dict[str, Any] = EMPTY | {"model": form.model}
        else:
            body = example.make(form.model if form.draft.connection and form.model else None)
        replace_body(form, body)
        drafts.keep(request, form)
    except drafts.ConflictError as conflict:
        return compose.conflicting(request, conflict)
    return anew(request, form)


def replace_body(form: RequestForm, body: Any) -> None:
    form.write(body)
    form.is_replaced = True
    form.open = set()
    form.unreadable = []


def anew(request: HttpRequest, form: RequestForm) -> HttpResponse:
    """The request panel, drawn whole."""
    drafts.look_up_attachments(request, form)
    mode = "json" if request.POST.get(":mode") == "json" or not form.can_be_drawn else "form"
    return render(request, "playground/_form_anew.html", compose.page_context(request, form, mode))


@require_POST
def import_pasted(request: HttpRequest) -> HttpResponse:
    """A request from pasted text. Where it goes is not taken over: a connection is chosen, never imported."""
    found = importers.read(request.POST.get(":pasted", ""))
    if isinstance(found, importers.ImportProblem):
        response = render(request, "playground/_import_problem.html", {"problem": found})
        response["HX-Retarget"], response["HX-Reswap"] = "#import-problem", "innerHTML"
        return response
    try:
        form = drafts.open_changed(request)
        replace_body(form, found.body)
        drafts.shelve_files(request, form)
        draft = form.draft
        draft.anthropic_version = (found.version or draft.anthropic_version)[:64]
        draft.betas, draft.extra_headers = usable_betas(found.betas), usable_headers(found.headers)
        drafts.keep(request, form)
    except drafts.ConflictError as conflict:
        return compose.conflicting(request, conflict)
    response = anew(request, form)
    response.write(_notes(request, found))
    return response


def _notes(request: HttpRequest, found: importers.Imported) -> str:
    context = {"notes": found.notes, "base_url": found.base_url}
    return render(request, "playground/_import_notes.html", context).content.decode()


@require_POST
def open_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Put the body of an earlier run into the draft, as it was sent, and show the playground."""
    run = find_run(request, run_id)
    sent = run.about.request_body if isinstance(run, LiveRun) else run.request_body
    if sent is None:
        raise Http404("the body was not kept")
    draft = drafts.current(request)
    before = draft.body_text
    try:
        draft.body_text = json_text.dump(json_text.parse(sent))
    except json_text.JsonTextError:
        draft.body_text = sent.decode("utf-8", "replace")
    form = drafts.open_form(request, draft)
    drafts.shelve_files(request, form)
    saving.keep_draft(draft)
    keeping.replaced(draft, before, reading.parse(before), form.body)
    response = redirect("playground")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})
    return response


@require_GET
def body_text(request: HttpRequest) -> HttpResponse:
    """The body as it would be sent, indented, for copying: variables filled in, files as base64."""
    form = drafts.open_form(request)
    text = json_text.dump(filled_body(form)) if form.error is None else form.draft.body_text
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
