"""The frozen copy of a conformance report: what was chosen of it and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.utils import timezone

from playground.conformance.report import report_to_json
from playground.rendering.formatting import plural
from playground.reports import storing
from playground.sharing.masking import mask_within

if TYPE_CHECKING:
    from playground.conformance.report import Report
    from playground.models import ConformanceReport

FORMAT = 1
PARTS = frozenset({"evidence", "server"})


def of_report(report: ConformanceReport, parts: frozenset[str], secrets: list[str]) -> dict[str, Any]:
    """The copy of a report that has come to its end. Its runs stay its owner's."""
    loaded = storing.load(report)
    snapshot: dict[str, Any] = {
        "format": FORMAT,
        "kind": "report",
        "title": f"Conformance of {loaded.name if 'server' in parts else loaded.model}",
        "frozen_at": timezone.now().isoformat(timespec="seconds"),
        "parts": sorted(parts),
        "left_out": sorted(PARTS - parts),
        # As JSON brings it back: what masks and scans looks into lists, not into tuples.
        "report": json.loads(json.dumps(report_to_json(_shown(loaded, parts)))),
    }
    if "name" in parts:
        snapshot["by"] = report.owner.get_username()
    hidden = [] if "server" in parts else _addresses(loaded.base_url)
    masked: dict[str, Any] = mask_within(snapshot, [*secrets, *hidden])
    return masked


def contents_of_report(report: ConformanceReport) -> dict[str, str]:
    """Describe what there is of each part."""
    findings = report.results.exclude(status="passed").count()
    return {"evidence": f"Of {plural(findings, 'finding')}, each with a curl command", "server": report.base_url}


def _shown(report: Report, parts: frozenset[str]) -> Report:
    results = {name: replace(each, run_ids=()) for name, each in report.results.items()}
    if "evidence" not in parts:
        results = {name: replace(each, evidence=None, sent=()) for name, each in results.items()}
    shown = replace(report, results=results)
    return shown if "server" in parts else replace(shown, base_url="", name=report.model)


def _addresses(base_url: str) -> list[str]:
    """Return the spellings of the server's address that may stand in what was sent and said."""
    parsed = urlsplit(base_url)
    return [text for text in (base_url, parsed.netloc, parsed.hostname or "") if len(text) > 3]
