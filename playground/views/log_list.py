"""The request log: the list, its charts, the lines below, and what is done with those selected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from playground.identity.requests import AuthenticatedHttpRequest
from playground.models import Run
from playground.protocol.whole_numbers import read_whole
from playground.rendering.formatting import plural
from playground.request_log import live_rows, statistics
from playground.request_log.filters import OFFERED, Filter, choices
from playground.request_log.groups import KINDS, grouped
from playground.request_log.keyset_pages import ROWS, names_in_use, newest_values, page
from playground.views import log_exports

if TYPE_CHECKING:
    from typing import Any

    from django.http import HttpRequest

MOST_ROWS = 500  # drawn at once, when somebody comes back to a long list
MOST_SELECTED = 2_000
MOST_SEARCHED_CHARTED = 600


@login_required
@require_safe
def runs(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The signed-in user's runs, newest first; for htmx only what follows the filter."""
    log_filter = Filter.read(request.GET)
    group = request.GET.get("group", "")
    context: dict[str, Any] = {
        "filter": log_filter,
        "group": group if group in KINDS else "",
        "keeps": {"content": settings.CONTENT_DAYS, "figures": settings.FIGURES_DAYS},
    }
    if context["group"]:
        groups, count, is_cut = grouped(request.user, log_filter, group)
        context |= {"groups": groups, "grouped": count, "is_cut": is_cut}
    else:
        context |= first_rows(request, log_filter)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "playground/log/_log.html", context)
    names = {name: names_in_use(request.user.pk, name) for name in OFFERED}
    return render(request, "playground/log/requests.html", context | {"choices": choices(names)})


def first_rows(request: HttpRequest, log_filter: Filter) -> dict[str, Any]:
    """The first lines, as many as were there when the page was left."""
    before = request.GET.get("before", "")
    count = min(MOST_ROWS, max(ROWS, (read_whole(request.GET.get("rows")) or 0)))
    listed = page(request.user, log_filter, before=before, rows=count)
    if before:
        rows = live_rows.rows_of(request.user, listed)
    else:
        rows = live_rows.rows_on_top(request.user, log_filter, listed)
    shown = len(listed.runs)
    return {"rows": rows, "before": before, **_below(listed, shown)}


def _below(listed: Any, shown: int) -> dict[str, Any]:
    return {"next": listed.next, "is_cut": listed.is_cut, "shown": shown, "shown_next": min(MOST_ROWS, shown + ROWS)}


@login_required
@require_safe
def run_rows(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The lines below a cursor."""
    log_filter = Filter.read(request.GET)
    listed = page(request.user, log_filter, before=request.GET.get("before", ""))
    rows = live_rows.rows_of(request.user, listed)
    below = _below(listed, (read_whole(request.GET.get("shown")) or 0) + len(listed.runs))
    return render(request, "playground/log/_rows.html", {"filter": log_filter, "rows": rows, **below})


@login_required
@require_safe
def run_charts(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The charts of a filter; of a search, of its newest matches."""
    log_filter = Filter.read(request.GET)
    first, end = statistics.span(log_filter.first, log_filter.end)
    # By id, which is by time: the filter's own days, or the two weeks that stand for none.
    since = timezone.localtime(first).date().isoformat()
    within = replace(log_filter, days="", since=since, until="" if log_filter.end is None else log_filter.until)
    most = MOST_SEARCHED_CHARTED if log_filter.q else statistics.MOST_RUNS + 1
    rows = newest_values(request.user, within, statistics.COLUMNS, most)
    return render(request, "playground/log/_charts.html", {"stats": statistics.count(rows, first, end)})


@login_required
@require_POST
def run_selection(request: AuthenticatedHttpRequest) -> HttpResponseBase:
    """Do something with the selected runs: compare two, export, delete."""
    ids = _ids(request.POST.getlist("run"))
    back = _way_back(request)
    doing = request.POST.get("do")
    if doing not in {"compare", "jsonl", "csv", "delete"}:
        return HttpResponseBadRequest("nothing to do")
    if not ids:
        messages.warning(request, "Nothing selected.")
        return redirect(back)
    if doing == "compare":
        if len(ids) != 2:
            messages.warning(request, "Select exactly two requests to compare.")
            return redirect(back)
        return redirect(f"{reverse('run-compare')}?a={min(ids)}&b={max(ids)}")
    mine = Run.objects.owned_by(request.user).filter(pk__in=ids)
    if doing == "delete":
        count = live_rows.delete(list(mine.values_list("pk", flat=True)))
        messages.success(request, f"{plural(count, 'request')} deleted.")
        return redirect(back)
    return log_exports.table(mine, doing, log_exports.progress_of(request, mine.count()))


def _ids(values: list[str]) -> list[UUID]:
    ids = []
    for value in values[:MOST_SELECTED]:
        try:
            ids.append(UUID(value))
        except ValueError:
            continue
    return list(dict.fromkeys(ids))


def _way_back(request: HttpRequest) -> str:
    """The log as it was filtered; nowhere but on this site."""
    address = request.POST.get("next", "")
    log = reverse("runs")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours and address.startswith(log) else log
