"""The changes in the form since a request was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.conversations import version_diff
from playground.drafts import editing
from playground.drafts.outgoing import filled_body
from playground.engine.live_run import LiveRun
from playground.protocol.json import json_text
from playground.views.answer_page import find_run

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def difference(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The lines that differ between the body as it was sent and as it would be sent now."""
    run = find_run(request, run_id)
    sent = run.about.request_body if isinstance(run, LiveRun) else run.request_body
    form = editing.open_form(request)
    now = json_text.dump(filled_body(form)) if form.error is None else form.draft.body_text
    lines = None if sent is None else version_diff.difference_of(_text_of(sent), now)
    return render(request, "playground/workbench/_difference.html", {"lines": lines, "is_kept": sent is not None})


def _text_of(body: bytes) -> str:
    try:
        return json_text.dump(json_text.parse(body))
    except json_text.JsonTextError:
        return body.decode("utf-8", "replace")
