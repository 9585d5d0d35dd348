"""Comparing: the form's request in up to four columns, each with a connection and values of its own, sent at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Connection
from playground import dispatch
from playground.composer import comparison_columns, model_list
from playground.composer.comparison import Comparison
from playground.composer.comparison_columns import SANDBOX, Column
from playground.dispatch.run_request import RunRequest
from playground.drafts import editing, request_changes
from playground.drafts.outgoing import head_start, ready_to_send
from playground.models import Draft
from playground.views.answer_page import find_run

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.composer.comparison import ColumnForm
    from playground.composer.request_form import RequestForm
    from playground.dispatch.launch import RunReference

REDRAWING = (":reload", ":overwrite")


def context_of(request: HttpRequest, form: RequestForm) -> dict[str, Any]:
    """Return what the templates need. `comparison` is None when nothing is compared."""
    shown = request.POST.get(":columns")
    comparison = comparison_of(request, form)
    is_left = comparison is None and bool(shown)
    return {
        "comparison": comparison,
        "comparison_left": is_left,
        "left_run": _find(request, getattr(form, "left_run", "")) if is_left else None,
    }


def comparison_of(request: HttpRequest, form: RequestForm) -> Comparison | None:
    kept = comparison_columns.read(form.draft)
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
    before = comparison_columns.read(form.draft)
    if op == "column-start" and _find(request, what) is None:
        what = ""
    after, message = comparison_columns.change(before, op, key, what, form.body)
    if op == "column-stop" and before:
        form.left_run = before[0].run  # type: ignore[attr-defined]
        message = "Comparison closed. The form is unchanged."
    is_taken_over = False
    if op == "column-remove" and len(after) == 1:
        is_taken_over = _take_over(request, form, after[0])
        number = before.index(after[0]) + 1
        message = f"Comparison closed. The form now has the values of column {number}."
    comparison_columns.write(form.draft, after)
    return is_taken_over, message


def _take_over(request: HttpRequest, form: RequestForm, column: Column) -> bool:
    """The column that is left is what the form says from now on."""
    form.left_run = column.run  # type: ignore[attr-defined]
    if column.connection is not None:
        request_changes.connect(request, form, column.connection.replace(SANDBOX, ""))
    if column.own and form.can_be_drawn:
        form.write(comparison_columns.body_of(column, form.body)[0])
    return column.differs


def follow(request: HttpRequest, old: UUID, new: UUID) -> None:
    """A run of a column was made again: the column shows the new one from now on."""
    draft = Draft.objects.of(request).first()
    kept = comparison_columns.read(draft) if draft is not None else []
    for column in kept:
        if draft is not None and column.run == str(old):
            column.run = str(new)
            _remember(draft, kept)


def _remember(draft: Draft, kept: list[Column]) -> None:
    """Remember which runs were made. This is no change of the request: its version stays, and other tabs need
    not know."""
    comparison_columns.write(draft, kept)
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
            column.run = await dispatch.start(await sync_to_async(_request)(request, column))
        except dispatch.Refused as refusal:
            column.refusal = refusal
        else:
            column.column.run = str(column.run.id)
    comparison_columns.write(comparison.base.draft, comparison.kept)
    if comparison.runs:
        await head_start(comparison.runs[0])


def _request(request: HttpRequest, column: ColumnForm) -> RunRequest:
    """The column's request. A key typed for this visit goes to the connection it was typed for only."""
    made = ready_to_send(request, column.form).request
    if column.has_own_connection and column.connection != column.base.draft.connection:
        made = replace(made, credential=None, auth_style=None)
    if made.idempotency_key:
        made = replace(made, idempotency_key=f"{made.idempotency_key} {column.id}")
    return made


def has_idempotency_key(run: RunReference, key: str | None) -> bool:
    """Return whether the run was started under this key, alone or as one of several columns."""
    return bool(key) and (run.idempotency_key or "").split(" ")[0] == key


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """The table of figures, as they are now."""
    comparison = comparison_of(request, editing.open_form(request))
    if comparison is None:
        return HttpResponse("")
    return render(request, "playground/comparison/_figures.html", {"comparison": comparison})
