"""Comparing: the form's request in up to four columns, each with a connection and values of its own, sent at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Connection
from playground import dispatch, model_list
from playground.forms import columns
from playground.forms.columns import SANDBOX, Column
from playground.forms.comparison import Comparison
from playground.models import Draft
from playground.views import drafts
from playground.views.answer import find_run
from playground.views.outgoing import Ready, head_start, ready_to_send

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.engine.live_run import LiveRun
    from playground.forms.comparison import ColumnForm
    from playground.forms.request_form import RequestForm

REDRAWING = (":reload", ":overwrite")


def context_of(request: HttpRequest, form: RequestForm) -> dict[str, Any]:
    """What the templates need. `comparison` is None when nothing is compared."""
    shown = request.POST.get(":columns")
    comparison = comparison_of(request, form)
    is_left = comparison is None and bool(shown)
    return {
        "comparison": comparison,
        "comparison_left": is_left,
        "left_run": _find(request, getattr(form, "left_run", "")) if is_left else None,
    }


def comparison_of(request: HttpRequest, form: RequestForm) -> Comparison | None:
    kept = columns.read(form.draft)
    if not kept:
        return None
    shown = request.POST.get(":columns")
    is_pressed = request.POST.get(":op", "").startswith("column-")
    return Comparison(
        form,
        list(Connection.objects.usable_by(request.user)),
        _models_of,
        lambda run_id: _find(request, run_id),
        kept,
        on_page=None if shown is None else shown.split(),
        is_redrawn=is_pressed or any(name in request.POST for name in REDRAWING),
    )


def _models_of(connection: Connection | None) -> list[dict[str, Any]]:
    known = model_list.remembered(connection)
    return known.models if known else []


def _find(request: HttpRequest, run_id: str) -> Any:
    try:
        return find_run(request, UUID(run_id))
    except (ValueError, Http404):
        return None


# --- Changes --------------------------------------------------------------------------------------------------------


def change(request: HttpRequest, form: RequestForm, op: str, key: str, what: str) -> tuple[bool, str]:
    """One press of a button of a column: whether the form's body is another one now, and what to tell the reader."""
    before = columns.read(form.draft)
    if op == "column-start" and _find(request, what) is None:
        what = ""
    after, said = columns.change(before, op, key, what, form.body)
    if op == "column-stop" and before:
        form.left_run = before[0].run  # type: ignore[attr-defined]
        said = "Comparing has ended. The form is as it was."
    is_taken_over = False
    if op == "column-remove" and len(after) == 1:
        is_taken_over = _take_over(request, form, after[0])
        number = before.index(after[0]) + 1
        said = f"Comparing has ended. The form has the values of column {number} now."
    columns.write(form.draft, after)
    return is_taken_over, said


def _take_over(request: HttpRequest, form: RequestForm, column: Column) -> bool:
    """The column that is left is what the form says from now on."""
    form.left_run = column.run  # type: ignore[attr-defined]
    if column.connection is not None:
        drafts.change_request(request, form, "connection", column.connection.replace(SANDBOX, ""))
    if column.own and form.can_be_drawn:
        form.write(columns.body_of(column, form.body)[0])
    return column.differs


def follow(request: HttpRequest, old: UUID, new: UUID) -> None:
    """A run of a column was made again: the column shows the new one from now on."""
    draft = Draft.objects.of(request).first()
    kept = columns.read(draft) if draft is not None else []
    for column in kept:
        if draft is not None and column.run == str(old):
            column.run = str(new)
            _remember(draft, kept)


def _remember(draft: Draft, kept: list[Column]) -> None:
    """Which runs were made is no change of the request: its version stays, and other tabs need not know."""
    columns.write(draft, kept)
    Draft.objects.filter(pk=draft.pk, version=draft.version).update(columns=draft.columns)


# --- Sending --------------------------------------------------------------------------------------------------------


async def send(request: HttpRequest, comparison: Comparison) -> None:
    """Start a run for each column, or for the one that `:column` names. What one is refused holds no other back."""
    only = request.POST.get(":column", "")
    for column in comparison.columns:
        if only and column.id != only:
            continue
        column.run, column.column.run = None, ""
        try:
            if column.obstacle:
                raise dispatch.Refused(column.obstacle, 400)
            ready = await sync_to_async(_ready)(request, column)
            column.run = await dispatch.start(ready.body, **ready.options)
        except dispatch.Refused as refusal:
            column.refusal = refusal
        else:
            column.column.run = str(column.run.id)
    columns.write(comparison.base.draft, comparison.kept)
    if comparison.runs:
        await head_start(comparison.runs[0])


def _ready(request: HttpRequest, column: ColumnForm) -> Ready:
    """What a run of the column needs. A key typed for this visit goes to the connection it was typed for only."""
    ready = ready_to_send(request, column.form)
    options = dict(ready.options)
    if column.has_own_connection and column.connection != column.base.draft.connection:
        options["visitor_key"] = None
        options.pop("upstream", None)
    if options.get("client_id"):
        options["client_id"] = f"{options['client_id']} {column.id}"
    return replace(ready, options=options)


def is_of_press(run: LiveRun, press: str | None) -> bool:
    """Whether this press of Send started the run, alone or as one of several columns."""
    return bool(press) and (run.about.client_id or "").split(" ")[0] == press


@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """The table of figures, as they are now."""
    comparison = comparison_of(request, drafts.open_form(request))
    if comparison is None:
        return HttpResponse("")
    return render(request, "playground/_compare_figures.html", {"comparison": comparison})
