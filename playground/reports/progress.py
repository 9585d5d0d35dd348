"""A report in the making, in the parts that its page replaces one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from playground.conformance.checks import BY_ID
from playground.models import ConformanceReport
from playground.reports import storing
from playground.reports.presenting import areas_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

_FOLDER = "playground/conformance/_progress_"


@dataclass(frozen=True)
class Progress:
    """`parts` are pieces of HTML by their ids."""

    parts: Mapping[str, str]
    is_over: bool


def progress_context(row: ConformanceReport) -> dict[str, Any]:
    """Return what the templates of the progress need; only outcomes are read, no evidence."""
    loaded = storing.load(row, storing.outcomes_of(row))
    return {
        "report": row,
        "tally": loaded.tally(),
        "areas": areas_of(loaded),
        "current": BY_ID.get(row.current_check),
    }


def progress_of(report_id: UUID) -> Progress | None:
    """The present state of a report; None when it is gone."""
    row = ConformanceReport.objects.filter(pk=report_id).first()
    if row is None:
        return None
    if not row.is_running:
        return Progress({}, is_over=True)
    context = progress_context(row)
    parts = {
        f"progress-{area.name}": render_to_string(f"{_FOLDER}area.html", context | {"area": area})
        for area in context["areas"]
    }
    for name in ("now", "words", "stop"):
        parts[f"progress-{name}"] = render_to_string(f"{_FOLDER}{name}.html", context)
    return Progress(parts, is_over=False)
