"""A report as its page shows it: areas with their squares, findings with what was sent and what came back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.checks import AREAS
from playground.conformance.report_files import to_curl
from playground.conformance.witnesses import CLIENTS, clients_of
from playground.protocol.foreign_text import storable, truncated

if TYPE_CHECKING:
    from playground.conformance.check import Check, Evidence, Result, Sent
    from playground.conformance.report import Report, Tally

_SHOWN_LINES: Final = 400
_GROUPS: Final = (
    ("failed", "must", "Fails what every server must do", "clients break on these"),
    ("failed", "should", "Fails what a server should do", "clients work, but less well"),
    ("failed", "may", "Fails what a server may do", "few clients notice"),
    ("inconclusive", None, "Inconclusive", "the model or the server's load left it open"),
    ("unsupported", None, "Not supported", "refused clearly, or not there: no fault"),
    ("skipped", None, "Skipped", "not asked"),
)


@dataclass(frozen=True)
class Line:
    """One line of pretty JSON; `is_marked`: the offending member stands here."""

    text: str
    is_marked: bool = False


@dataclass(frozen=True)
class SentRequest:
    sent: Sent
    lines: list[Line]
    curl: str


@dataclass(frozen=True)
class Finding:
    """A check and what came of it. `result` is None while it waits."""

    check: Check
    result: Result | None

    @property
    def status(self) -> str:
        return self.result.status if self.result is not None else "waiting"

    @property
    def anchor(self) -> str:
        return self.check.id.replace(".", "-")

    @property
    def requests(self) -> list[SentRequest]:
        sent = self.result.sent if self.result is not None else ()
        return [SentRequest(each, pretty(each.body), to_curl(each)) for each in sent]

    @property
    def evidence(self) -> Evidence | None:
        return self.result.evidence if self.result is not None else None

    @property
    def body_lines(self) -> list[Line]:
        evidence = self.evidence
        return pretty(evidence.body, evidence.member) if evidence is not None and evidence.body else []

    @property
    def run_id(self) -> str:
        """The run that shows the fault: of the step that failed, where each step has its run."""
        if self.result is None or not self.result.run_ids:
            return ""
        place = min(self.result.failed_step, len(self.result.run_ids) - 1)
        return self.result.run_ids[place]


@dataclass(frozen=True)
class Group:
    status: str
    title: str
    words: str
    findings: list[Finding]


@dataclass(frozen=True)
class Area:
    name: str
    title: str
    tally: Tally
    findings: list[Finding]


def page_context(loaded: Report, client: str = "") -> dict[str, Any]:
    """Return what the templates of a report need. `client` is the id of one: only what it needs is shown then."""
    chosen = next((each for each in CLIENTS if each.id == client), None)
    shown = loaded if chosen is None else loaded.only(chosen.id)
    groups = groups_of(shown)
    return {
        "told": loaded,
        "checked_at": datetime.fromisoformat(loaded.started_at),
        "cost": Decimal(loaded.usd) if loaded.usd else None,
        "tally": loaded.tally(),
        "levels": loaded.by_level(),
        "clients": [(each, loaded.only(each.id).tally()) for each in CLIENTS],
        "client": chosen,
        "shown_tally": shown.tally(),
        "areas": areas_of(shown),
        "groups": groups,
        "finding_count": sum(len(group.findings) for group in groups),
        "is_owner": False,
        "shows_evidence": True,
    }


def areas_of(report: Report) -> list[Area]:
    """Return the areas in the order of the reference, each with all its checks."""
    return [
        Area(
            area,
            AREAS[area],
            tally,
            [Finding(check, report.results.get(check.id)) for check in report.checks if check.area == area],
        )
        for area, tally in report.by_area().items()
    ]


def groups_of(report: Report) -> list[Group]:
    """Return the checks that did not pass: failed musts first, among them by how many clients are known to need
    them."""
    findings = [Finding(check, report.results.get(check.id)) for check in report.checks]
    findings.sort(key=lambda each: -len(clients_of(each.check.id)) if each.status == "failed" else 0)
    groups = [
        Group(
            status,
            title,
            words,
            [each for each in findings if each.status == status and level in (None, each.check.level)],
        )
        for status, level, title, words in _GROUPS
    ]
    return [group for group in groups if group.findings]


def pretty(text: str, member: str = "") -> list[Line]:
    """JSON with one member a line, the named one marked; other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return [Line(line) for line in text[:20_000].splitlines()[:_SHOWN_LINES]]
    member_path = re.sub(r"\[\]", "[0]", member)
    members = list(_told(value, "", ""))
    places = {place for place, _ in members}
    while member_path and member_path not in places:  # a missing member: where it should be
        member_path = member_path.rpartition("[" if member_path.endswith("]") else ".")[0]
    lines = []
    is_first = True
    for place, line in members[:_SHOWN_LINES]:
        is_marked = bool(member) and is_first and place == member_path
        is_first = is_first and not is_marked
        lines.append(Line(line, is_marked))
    return lines


def _told(value: Any, place: str, indent: str, name: str = "", end: str = "") -> Iterator[tuple[str, str]]:
    """(path, line) of each line of a value."""
    if isinstance(value, dict) and value:
        yield place, f"{indent}{name}{{"
        for number, (key, inner) in enumerate(value.items()):
            comma = "," if number < len(value) - 1 else ""
            below = f"{place}.{key}" if place else key
            yield from _told(inner, below, f"{indent}  ", f"{_text(key)}: ", comma)
        yield "", f"{indent}}}{end}"
    elif isinstance(value, list) and value:
        yield place, f"{indent}{name}["
        for number, inner in enumerate(value):
            yield from _told(inner, f"{place}[{number}]", f"{indent}  ", "", "," if number < len(value) - 1 else "")
        yield "", f"{indent}]{end}"
    else:
        yield place, f"{indent}{name}{_text(value)}{end}"


def _text(value: Any) -> str:
    return storable(truncated(json.dumps(value, ensure_ascii=False), 2_000))
