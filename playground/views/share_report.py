"""The copy of a conformance report for its readers: the page, its files, and the badge."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from playground.conformance.report import report_from_json
from playground.reports.presenting import page_context as report_context
from playground.sharing import parts
from playground.views.conformance_files import as_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.report import Report
    from playground.views.share_reader import ShareAccess

BADGE_LASTS_S = 3600  # proxies of code hosts fetch it for a README


def is_report(snapshot: dict[str, Any]) -> bool:
    return snapshot.get("kind") == "report"


def page_context(request: HttpRequest, access: ShareAccess, snapshot: dict[str, Any]) -> dict[str, Any]:
    context = _context(snapshot, request.GET.get("client", ""))
    return context | {
        "base": access.base,
        "snapshot": snapshot,
        "left_out": [part.label for part in parts.PARTS if part.name in snapshot["left_out"]],
        "describes": "description" in snapshot["parts"],
    }


def page_file(snapshot: dict[str, Any]) -> HttpResponse:
    """The copy as one file that needs nothing else."""
    return as_file(_report(snapshot), "html", _context(snapshot))


def _context(snapshot: dict[str, Any], client: str = "") -> dict[str, Any]:
    context = report_context(_report(snapshot), client)
    return context | {"shows_evidence": "evidence" in snapshot["parts"]}


@require_safe
def export(_request: HttpRequest, access: ShareAccess, kind: str) -> HttpResponse:
    snapshot = _snapshot(access)
    return as_file(_report(snapshot), kind, _context(snapshot))


@require_safe
def badge(_request: HttpRequest, access: ShareAccess) -> HttpResponse:
    return as_file(_report(_snapshot(access)), "badge", {})


def cached_for_an_hour(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let clients cache the response: a badge in a README is fetched each time that somebody reads it."""

    @wraps(view)
    def cached(*arguments: Any, **named: Any) -> HttpResponse:
        response = view(*arguments, **named)
        if response.status_code == 200:
            response["Cache-Control"] = f"public, max-age={BADGE_LASTS_S}"
        return response

    return cached


def _report(snapshot: dict[str, Any]) -> Report:
    return report_from_json(snapshot["report"])


def _snapshot(access: ShareAccess) -> dict[str, Any]:
    snapshot = access.share.snapshot
    if not is_report(snapshot):
        raise Http404("no report")
    return snapshot
