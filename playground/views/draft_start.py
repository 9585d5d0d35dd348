"""Ways to begin: an example, an empty request, a pasted one, the body of an earlier run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Connection
from playground.composer import request_examples
from playground.composer.header_problems import usable_accept, usable_betas, usable_headers, usable_version
from playground.conversations import autosave, body_summary, versions
from playground.drafts import editing, undo
from playground.drafts.outgoing import filled_body, own_headers_of
from playground.engine.live_run import LiveRun
from playground.identity import asking_page
from playground.models import Draft, Run
from playground.protocol import importers
from playground.protocol.headers import beta_names, is_masked
from playground.protocol.json import json_text
from playground.protocol.whole_numbers import read_whole
from playground.sandbox.address import is_sandbox_url
from playground.views import draft_parts
from playground.views.answer_page import find_run
from playground.views.toasts import with_toast

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.composer.request_form import RequestForm

EMPTY = {"model": "", "max_tokens": 1024, "messages": [{"role": "user", "content": ""}], "stream": True}


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Start over, with an example or an empty request. The connection and its headers stay."""
    chosen = request.POST.get(":start", "")
    example = request_examples.BY_ID.get(chosen)
    try:
        form = editing.apart(request, editing.open_changed(request))
        if example is None:
            body: dict[str, Any] = EMPTY | {"model": form.model}
        else:
            body = example.make(form.model if form.draft.connection and form.model else None)
        begin_own(form, body, f"the example “{example.name}”" if example else "an empty one")
        editing.keep(request, form)
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    return replaced(request, form)


def begin_own(form: RequestForm, body: Any, act: str) -> None:
    """Put another request in the place of the one that is not saved. `act` says what was done, in words for the
    reader."""
    form.write(body)
    form.act, form.is_replaced = act, True
    form.open = set()
    form.unreadable = []


def anew(request: HttpRequest, form: RequestForm) -> HttpResponse:
    """The request panel, drawn whole."""
    editing.look_up_attachments(request, form)
    mode = "json" if request.POST.get(":mode") == "json" or not form.can_be_drawn else "form"
    return render(request, "playground/composer/_form_anew.html", draft_parts.page_context(request, form, mode))


def replaced(request: HttpRequest, form: RequestForm, words: str = "", *, can_redo: bool = False) -> HttpResponse:
    """The page after another request took the place of the present one, with words that offer to undo it.

    The page of a saved conversation stays as it is, and leads to the one of the request that is not saved.
    """
    toast = {"words": words or f"Request replaced by {form.act}", "undo": not can_redo, "redo": can_redo}
    if form.draft.conversation_id is None and asking_page.HEADER in request.headers:
        return with_toast(HttpResponse(status=204, headers={"HX-Redirect": reverse("playground")}), toast)
    response = anew(request, form)
    response["HX-Trigger"] = json.dumps({"page:toast": toast})
    return response


@require_POST
def import_pasted(request: HttpRequest) -> HttpResponse:
    """A request from pasted text. Where it goes is not taken over: a connection is chosen, never imported.

    The draft is replaced only by a request: a problem, and the choice among several requests of one file, are shown
    in the dialog.
    """
    result = importers.read(request.POST.get(":pasted", ""))
    if isinstance(result, importers.ImportChoice):
        result = _chosen(result, request.POST.get(":entry", "")) or result
    if not isinstance(result, importers.Imported):
        response = render(request, "playground/composer/_import_problem.html", {"problem": result})
        response["HX-Retarget"], response["HX-Reswap"] = "#import-problem", "innerHTML"
        return response
    try:
        form = editing.apart(request, editing.open_changed(request))
        begin_own(form, result.body, "an imported one")
        editing.extract_draft_files(request, form)
        draft = form.draft
        draft.anthropic_version = usable_version(result.version, draft.anthropic_version)
        draft.betas, draft.extra_headers = usable_betas(result.betas), usable_headers(result.headers)
        draft.accept = usable_accept([("accept", result.accept)] if result.accept else [])
        editing.keep(request, form)
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    response = replaced(request, form)
    if response.status_code == 200:
        response.write(_notes(request, result))
    else:  # the page reloads, and says it there
        for note in result.notes:
            messages.info(request, note)
    return response


def _chosen(choice: importers.ImportChoice, entry: str) -> importers.Imported | None:
    """The request that was pressed in the list; None before that."""
    number = read_whole(entry)
    return choice.options[number][1] if number is not None and number < len(choice.options) else None


def _notes(request: HttpRequest, imported: importers.Imported) -> str:
    context = {"notes": imported.notes, "base_url": imported.base_url}
    return render(request, "playground/composer/_import_notes.html", context).content.decode()


@require_POST
def open_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Put an earlier run's request into the draft, as it was sent and where it was sent, and show the playground."""
    run = find_run(request, run_id)
    sent = run.about.request_body if isinstance(run, LiveRun) else run.request_body
    if sent is None:
        raise Http404("the body was not kept")
    draft = editing.current(request)
    before, state = draft.body_text, undo.state_of(draft)
    try:
        draft.body_text = json_text.dump(json_text.parse(sent))
    except json_text.JsonTextError:
        draft.body_text = sent.decode("utf-8", "replace")
    words = _take_settings(request, draft, run)
    form = editing.open_form(request, draft)
    editing.extract_draft_files(request, form)
    autosave.keep_draft(draft)
    versions.replaced(draft, before, body_summary.parse(before), form.body)
    undo.record(draft, state, "one from the log")
    toast = {"words": f"Request replaced by one from the log{words}", "undo": True}
    autosave.autosave(draft)
    # From the page of a conversation, which its own run was made from, it is restored where it was.
    home = draft.conversation_id
    response: HttpResponse = redirect("conversation", home) if home else redirect("playground")
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})
    return with_toast(response, toast)


def _take_settings(request: HttpRequest, draft: Draft, run: LiveRun | Run) -> str:
    """The headers of the run, and its connection if it can still be used; else the draft's own stays. In words, what
    a request of this page does not have."""
    if isinstance(run, LiveRun):
        headers, query = [(name, value) for name, value in run.about.request_headers], run.about.query
        connection_id, base_url = run.about.connection_id, run.about.base_url
    else:
        headers = run.stored_content.request_headers if run.stored_content else []
        query = run.stored_content.request_query if run.stored_content else ""
        connection_id, base_url = run.connection_id, run.base_url
    named = {name.lower(): value for name, value in headers if not is_masked(value)}
    connection = Connection.objects.usable_by(request.user).filter(pk=connection_id).first() if connection_id else None
    draft.anthropic_version = usable_version(named.get("anthropic-version"), draft.anthropic_version)
    draft.betas = usable_betas(beta_names(named.get("anthropic-beta", "")))
    draft.accept = usable_accept(headers)
    is_sandbox = is_sandbox_url(base_url)
    draft.extra_headers = own_headers_of(headers, connection_id, is_sandbox=is_sandbox)
    if connection or is_sandbox:
        draft.connection = connection
    return f". The query of its address (?{query[:80]}) is not sent from here" if query else ""


@require_safe
def body_text(request: HttpRequest) -> HttpResponse:
    """The body as it would be sent, indented, for copying: variables filled in, files as base64."""
    form = editing.open_form(request)
    text = json_text.dump(filled_body(form)) if form.error is None else form.draft.body_text
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
