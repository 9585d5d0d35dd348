"""A report as a file to download."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.utils.text import slugify

from playground.conformance.report import report_to_json
from playground.conformance.report_files import to_badge, to_junit, to_markdown
from playground.sharing.standalone_page import style_text

if TYPE_CHECKING:
    from playground.conformance.report import Report

KINDS: Final = {
    "json": ("json", "application/json"),
    "junit": ("xml", "application/xml"),
    "markdown": ("md", "text/markdown; charset=utf-8"),
    "html": ("html", "text/html; charset=utf-8"),
    "badge": ("svg", "image/svg+xml"),
}


def as_file(report: Report, kind: str, context: dict[str, Any]) -> HttpResponse:
    """The report in one of `KINDS`; 404 for any other. `context` is the page's, for the HTML file."""
    if kind not in KINDS:
        raise Http404("no such file")
    suffix, content_type = KINDS[kind]
    texts: dict[str, Callable[[], str]] = {
        "json": lambda: json.dumps(report_to_json(report), indent=1),
        "junit": lambda: to_junit(report),
        "markdown": lambda: to_markdown(report),
        "html": lambda: render_to_string("playground/conformance/file.html", context | {"style": style_text()}),
        "badge": lambda: to_badge(report),
    }
    content = texts[kind]().encode("utf-8", "replace")
    response = HttpResponse(content, content_type=content_type)
    if kind != "badge":
        name = slugify(f"conformance {report.name} {report.model}")[:80] or "conformance"
        response["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return response
