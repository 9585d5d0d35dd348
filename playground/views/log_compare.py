"""Two runs of one owner, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.models import Run
from playground.request_log.filters import Filter
from playground.request_log.keyset_pages import Page, page
from playground.request_log.live_rows import rows_of
from playground.request_log.rows import row_of
from playground.request_log.run_comparison import compare as compare_runs

if TYPE_CHECKING:
    from django.http import HttpRequest

OFFERED = 20


@login_required
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Runs `a` and `b`; with one of them only, a choice of the other."""
    left = _run(request, request.GET.get("a", ""))
    if "b" not in request.GET:
        log_filter = Filter.read({"q": request.GET.get("q", "")})
        newest = page(request.user, log_filter, rows=OFFERED)
        rows = rows_of(request.user, Page([run for run in newest.runs if run.pk != left.pk and run.is_final]))
        context = {"left": row_of(left), "rows": rows, "q": log_filter.q}
        return render(request, "playground/log/request_compare_with.html", context)
    right = _run(request, request.GET["b"])
    context = {
        "left": row_of(left),
        "right": row_of(right),
        "comparison": compare_runs(left, right),
    }
    return render(request, "playground/log/request_compare.html", context)


def _run(request: HttpRequest, text: str) -> Run:
    try:
        run_id = UUID(text)
    except ValueError:
        raise Http404("no such run") from None
    run = Run.objects.owned_by(request.user).select_related("content").filter(pk=run_id).first()
    if run is None:
        raise Http404("no such run")
    return run
