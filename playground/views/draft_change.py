"""One press of a button of the composer: add, remove, move, repair… One function per kind of change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from playground.composer import thinking
from playground.composer.changes import Change, Outcome, attach, make, read_change, region
from playground.composer.header_problems import usable_betas
from playground.composer.labels import act_words
from playground.composer.new_items import ChangeError
from playground.composer.parameter_groups import drawn_for
from playground.composer.request_form import RequestForm, moved_names
from playground.drafts import editing, request_changes
from playground.models import Attachment
from playground.models.attachment import PREFIX
from playground.protocol.json.paths import PathError, parse_path, to_text
from playground.protocol.rules.problems import repaired
from playground.views import draft_comparison
from playground.views.draft_parts import (
    BODY,
    DESTINATION,
    HEADERS,
    Region,
    conflicting,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


Made = tuple[list[Region], str]  # what to draw again, and what to tell the reader


@dataclass(frozen=True)
class Posted:
    """A change as the page posts it: its name, the place, what kind of thing, and a position in a list."""

    op: str
    path: str
    kind: str
    to: str


LOSES = {"remove", "run-from"}  # what these take away is offered back at once


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """One press of a button: add, remove, move, repair… Answers with the parts of the form that look different now."""
    op, path, kind = (request.POST.get(f":{name}", "") for name in ("op", "path", "kind"))
    try:
        form = editing.open_changed(request)
        form.act = act_words(op, path)
        change_of = CHANGES.get(op, _change_column if op.startswith("column-") else _change_body)
        regions, message = change_of(request, form, Posted(op, path, kind, request.POST.get(":to", "")))
        editing.keep(request, form)
    except editing.ConflictError as conflict:
        return conflicting(request, conflict)
    editing.look_up_attachments(request, form)
    response = parts(request, form, regions, said=message)
    if path == "thinking" and kind == "enabled" and message:
        response["HX-Trigger"] = json.dumps({"page:toast": {"words": message, "undo": True}})
    if op in LOSES and "[" in path and regions:
        words = f"Removed {path}" if op == "remove" else "Removed the messages after it"
        response["HX-Trigger"] = json.dumps({"page:toast": {"words": words, "undo": True}})
    return response


def _repair(request: HttpRequest, form: RequestForm, posted: Posted) -> Made:
    repairs = (p for p in form.problems if p.repair and p.place == posted.path and p.repair.label == posted.kind)
    problem = next(repairs, None)
    if problem is None or problem.repair is None:
        return [], "This problem is already fixed."
    try:
        form.write(repaired(form.body, problem.repair))
    except PathError:
        return [], "This problem is already fixed."
    form.draft.betas = usable_betas([*form.draft.betas, *problem.repair.betas])
    form.focus = problem.path
    return [BODY], problem.repair.label


def _attach(request: HttpRequest, form: RequestForm, posted: Posted) -> Made:
    """Put a stored file of the asker's into the body: into a source, or as a block of a content."""
    identity = posted.kind.removeprefix(PREFIX)
    try:
        files = Attachment.objects.of(request).filter(pk=identity)
        files.update(used_at=timezone.now())  # first: from here on the sweep does not take it
        file = files.get()
        outcome = attach(form.body, parse_path(posted.path), file.reference, file.media_type, file.name)
    except (Attachment.DoesNotExist, ValidationError, PathError, ChangeError) as problem:
        return [], str(problem) if isinstance(problem, ChangeError) else "This file was deleted."
    form.write(outcome.body)
    form.focus = outcome.focus
    editing.look_up_attachments(request, form)
    place = outcome.focus[:2] if outcome.focus[0] == "messages" else outcome.focus[:1]
    form.open.add(to_text(place))
    if len(place) == 2:
        return [Region("playground/composer/_turn.html", form.node(place))], f"Added {file.name} to the request."
    return [BODY], f"Added {file.name} to the request."


def _change_column(request: HttpRequest, form: RequestForm, posted: Posted) -> Made:
    is_taken_over, message = draft_comparison.change(request, form, posted.op, posted.path, posted.kind)
    return ([BODY, DESTINATION, HEADERS] if is_taken_over else []), message


def _change_destination(request: HttpRequest, form: RequestForm, posted: Posted) -> Made:
    return [HEADERS, DESTINATION], request_changes.connect(request, form, posted.kind) or ""


def _change_headers(request: HttpRequest, form: RequestForm, posted: Posted) -> Made:
    return [HEADERS], request_changes.CHANGES[posted.op](request, form, posted.kind) or ""


def _remove_example(request: HttpRequest, form: RequestForm, posted: Posted) -> Made:
    request_changes.remove_example(request, form, posted.kind)
    return [Region("playground/composer/_param.html", form.node(("tools",)))], "Removed the output example."


def _change_body(request: HttpRequest, form: RequestForm, posted: Posted) -> Made:
    """A change of the body: `composer.changes` has one function for each."""
    if not form.can_be_drawn:
        return [], "Fix the JSON first."
    try:
        change = read_change(posted.op, posted.path, posted.kind, posted.to)
        outcome = make(form.body, change)
    except ChangeError as refused:
        return [], str(refused)
    if posted.op == "run-from":
        form.cut = (form.draft.body_text, form.body, int(change.path[-1]))
    if (change.op, change.path, change.kind) == ("variant", ("thinking",), "enabled"):
        body, words = thinking.fit(outcome.body)
        form.write(body)
        form.focus = outcome.focus
        return [BODY], words
    form.write(outcome.body)
    form.focus = outcome.focus
    return _regions_of(form, change, outcome), ""


def _regions_of(form: RequestForm, change: Change, outcome: Outcome) -> list[Region]:
    """Return the regions that look different after a change of the body."""
    if outcome.moved:
        form.open = moved_names(form.open, outcome.moved)
    # What was just put in is shown open.
    form.open |= {to_text(outcome.focus[:end]) for end in range(2, len(outcome.focus) + 1)}
    place = region(change, outcome)
    if len(place) == 2 and (turn := form.node(place)) is not None:
        return [Region("playground/composer/_turn.html", turn)]
    name = place[0] if place else ""
    known = form.node((name,)) if isinstance(name, str) else None
    if known is None or known.parameter is None:
        return [BODY]
    return [Region("playground/composer/_param.html", node) for node in drawn_for(form, str(name))]


CHANGES: dict[str, Callable[[HttpRequest, RequestForm, Posted], Made]] = {
    "connection": _change_destination,
    **dict.fromkeys(("beta-add", "beta-remove", "header-add", "header-remove"), _change_headers),
    "example-remove": _remove_example,
    "repair": _repair,
    "attach": _attach,
}
