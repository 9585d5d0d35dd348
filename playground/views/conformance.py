"""Conformance reports, for their owner: start, follow, read, compare, export, delete."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from playground.conformance.checks import BY_ID, EDITION
from playground.conformance.report import difference
from playground.models import ConformanceReport
from playground.reports import running, storing
from playground.reports.presenting import Finding, page_context
from playground.reports.progress import progress_context
from playground.reports.start_form import StartForm, area_choices, estimate_of
from playground.views.conformance_files import as_file

LISTED = 100
COMPARED_WITH = 200


def find_report(request: HttpRequest, report_id: UUID) -> ConformanceReport:
    """The asker's own report."""
    report = ConformanceReport.objects.owned_by(request.user).filter(pk=report_id).first()
    if report is None:
        raise Http404("no such report")
    return report


@login_required
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """The start form, and the reports so far."""
    form = StartForm(request.user, initial=_prefilled(request))  # type: ignore[arg-type]
    return render(request, "playground/conformance/start.html", _start_context(request, form))


def _prefilled(request: HttpRequest) -> dict[str, Any]:
    return {name: request.GET[name] for name in ("connection", "model") if request.GET.get(name)}


def _start_context(request: HttpRequest, form: StartForm) -> dict[str, Any]:
    own = ConformanceReport.objects.owned_by(request.user).order_by("-pk")[:LISTED]
    model = str(form["model"].value() or "")
    ticked = list(form["areas"].value() or [])
    return {
        "form": form,
        "areas": area_choices(),
        "ticked": ticked,
        "estimate": estimate_of(ticked, model),
        "edition": EDITION,
        "total": len(BY_ID),
        "reports": [{"report": each, "tally": storing.load(each, storing.outcomes_of(each)).tally()} for each in own],
    }


@login_required
@require_safe
def estimate(request: HttpRequest) -> HttpResponse:
    """The requests and the cost of the form as it is filled in now."""
    cost = estimate_of(request.GET.getlist("areas"), request.GET.get("model", "").strip())
    return render(request, "playground/conformance/_estimate.html", {"estimate": cost})


@require_POST
@login_required
async def start(request: HttpRequest) -> HttpResponse:
    """Begin a report, which goes on in the background."""
    request.user = await request.auser()
    outcome = await database_sync_to_async(_make)(request)
    if isinstance(outcome, HttpResponse):
        return outcome
    running.start(outcome.pk)
    return redirect("conformance-report", report_id=outcome.pk)


def _make(request: HttpRequest) -> ConformanceReport | HttpResponse:
    user: Any = request.user
    form = StartForm(user, request.POST)
    if not form.is_valid():
        return render(request, "playground/conformance/start.html", _start_context(request, form), status=422)
    connection = form.chosen_connection()
    if (busy := storing.busy_with(user, connection)) is not None:
        messages.warning(request, "This connection is already being checked: here is that report.")
        return redirect("conformance-report", report_id=busy.pk)
    return storing.create(user, connection, form.plan())


@login_required
@require_safe
def report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """A report, complete or in the making."""
    row = find_report(request, report_id)
    if row.is_running:
        return render(request, "playground/conformance/report.html", progress_context(row))
    loaded = storing.load(row)
    same = urlencode({"connection": row.connection_id or "sandbox", "model": row.model})
    context = page_context(loaded, request.GET.get("client", "")) | {
        "report": row,
        "is_owner": True,
        "is_shared": row.share_links.open_now().exists(),
        "others": _others(request, row),
        "check_again_url": f"{reverse('conformance')}?{same}",
    }
    return render(request, "playground/conformance/report.html", context)


def _others(request: HttpRequest, row: ConformanceReport) -> list[ConformanceReport]:
    own = ConformanceReport.objects.owned_by(request.user).exclude(pk=row.pk)
    return list(own.exclude(state="running").order_by("-pk")[:COMPARED_WITH])


@login_required
@require_POST
def stop(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Send no more; what is there stays."""
    row = find_report(request, report_id)
    if row.is_running:
        ConformanceReport.objects.filter(pk=row.pk).update(stop_requested=True)
        messages.info(request, "Stopping the report. Requests in progress finish first.")
    return redirect("conformance-report", report_id=row.pk)


@login_required
@require_http_methods(["POST"])
def delete(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Delete a report; its runs stay in the log."""
    row = find_report(request, report_id)
    if row.is_running:
        messages.warning(request, "Stop the report before you delete it.")
        return redirect("conformance-report", report_id=row.pk)
    name = str(row)
    row.delete()
    messages.success(request, f"The report of {name} is deleted. Its requests are still in the log.")
    return redirect("conformance")


@login_required
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Two reports beside each other: what was fixed, what broke."""
    rows = [find_report(request, _uuid(request.GET.get(name, ""))) for name in ("before", "after")]
    before, after = (storing.load(row) for row in rows)
    changes = difference(before, after)
    kinds = (("Broken", changes.broken), ("Fixed", changes.fixed), ("Changed otherwise", changes.other))
    groups = [
        {
            "title": title,
            "changes": [
                {"check": check, "before": Finding(check, before.results[check.id]),
                 "after": Finding(check, after.results[check.id])} for check in checks
            ],
        }
        for title, checks in kinds if checks
    ]  # fmt: skip
    context = {"before": rows[0], "after": rows[1], "difference": changes, "groups": groups,
               "before_tally": before.tally(), "after_tally": after.tally(),
               "others": list(ConformanceReport.objects.owned_by(request.user).exclude(state="running")
                              .order_by("-pk")[:COMPARED_WITH])}  # fmt: skip
    return render(request, "playground/conformance/compare.html", context)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404("no such report") from None


@login_required
@require_safe
def export(request: HttpRequest, report_id: UUID, kind: str) -> HttpResponse:
    row = find_report(request, report_id)
    loaded = storing.load(row)
    return as_file(loaded, kind, page_context(loaded))
