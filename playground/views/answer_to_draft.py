"""An answer goes into the request that is being written, as a turn of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.requests import page_asking
from playground.answer import continuation
from playground.answer.continuation import CannotContinue
from playground.conversations import autosave
from playground.drafts import editing, undo
from playground.models import Draft
from playground.views.answer_actions import origin_of
from playground.views.toasts import with_toast

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_POST
def answer_to_draft(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Add the answer as a turn to the request being written, and one for what is said next; never twice.

    From a page of the log the run's own request takes the draft's place first: it goes on in the playground.
    """
    origin = origin_of(request, run_id)
    draft = editing.current(request)
    is_from_log = _is_from_log(request)
    before = undo.state_of(draft)
    try:
        kept = b"" if is_from_log or draft._state.adding else bytes(draft.body)
        base = continuation.read_body(kept) if kept else origin.body()
        added_at = continuation.place_of(base, origin.content, origin.stop_reason)
        if added_at is not None:
            return _added(HttpResponse(status=204), added_at + 1, is_changed=False)
        body = continuation.with_answer(base, origin.content, origin.stop_reason)
        draft.body = continuation.write_body(body)
        origin.say_what_is_left_out()
    except CannotContinue as problem:
        return HttpResponse(str(problem), status=409, content_type="text/plain; charset=utf-8")
    if is_from_log:
        return _continued_in_playground(request, draft, before, len(body["messages"]) - 1, origin.left_out)
    if not draft.keep():
        return HttpResponse("The request was changed elsewhere in the meantime.", status=409, content_type="text/plain")
    undo.record(draft, before, "Add the response")
    return _added(HttpResponse(status=204), len(body["messages"]) - 1, is_changed=True, words=origin.left_out)


def _is_from_log(request: HttpRequest) -> bool:
    """Return whether the button stands on a page that has no form."""
    return "/requests/" in page_asking(request).partition("?")[0]


def _added(response: HttpResponse, place: int, *, is_changed: bool, words: str = "") -> HttpResponse:
    """The response with where to go on: the message after the answer."""
    events: dict[str, Any] = {"draft:changed": None} if is_changed else {}
    events["answer:added"] = {"place": f"messages[{place}]", "number": place + 1, "isChanged": is_changed}
    if words:
        events["page:said"] = words
    response["HX-Trigger"] = json.dumps(events)
    return response


def _continued_in_playground(
    request: HttpRequest, draft: Draft, before: dict[str, Any], place: int, words: str
) -> HttpResponse:
    """Go to the playground, to the message that is to be written next."""
    form = editing.open_form(request, draft)
    editing.extract_draft_files(request, form)
    autosave.keep_draft(draft)
    undo.record(draft, before, "one from the log")
    toast = {"words": f"Continuing the request from the log. {words}".strip(), "undo": True}
    address = f"{reverse('playground')}#{quote(f'messages[{place}]')}"
    return with_toast(HttpResponse(status=204, headers={"HX-Redirect": address}), toast)
