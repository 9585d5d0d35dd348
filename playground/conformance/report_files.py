"""A report as files for other programs: Markdown, JUnit, a badge; and one request as a curl command."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from playground.conformance.check import LEVELS
from playground.conformance.checks import AREAS
from playground.conformance.report import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.conformance.check import Check, Level, Result, Sent
    from playground.conformance.report import Report

STALE_AFTER: Final = timedelta(days=90)
KEY_VARIABLE: Final = "ANTHROPIC_API_KEY"
_WORDS: Final = {
    "failed": "Fails",
    "inconclusive": "Inconclusive",
    "unsupported": "Not supported",
    "skipped": "Skipped",
}
# What XML 1.0 cannot hold, and halves of surrogate pairs.
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def to_markdown(report: Report) -> str:
    """A table by area and level, and a list of what failed. Foreign words stand in code or are escaped."""
    tally = report.tally()
    figures = (
        f"**{tally.passed} of {tally.applicable}** applicable checks pass ({tally.failed} fail, {tally.inconclusive} "
        f"inconclusive, {tally.unsupported} not supported, {tally.skipped} skipped)."
    )
    about = (
        f"Model {_code(report.model)} at {_code(report.base_url)}, {report.started_at[:10]}, "
        f"checks of {report.edition}, {report.requests} requests."
    )
    lines = [
        f"# Conformance of {_plain(report.name)}",
        "",
        figures,
        "",
        about,
        "",
        "| Area | " + " | ".join(LEVELS) + " |",
        "|---|" + "---|" * len(LEVELS),
    ]
    for area in report.by_area():
        cells = []
        for level in LEVELS:
            each = report.tally(check for check in report.checks if check.area == area and check.level == level)
            cells.append(f"{each.passed} of {each.applicable}" if each.applicable else "-")
        lines.append(f"| {AREAS[area]} | " + " | ".join(cells) + " |")
    for status in FINDINGS:
        checks = [check for check in report.checks if check.id in report.results
                 and report.results[check.id].status == status]  # fmt: skip
        if checks:
            lines += ["", f"## {_WORDS[status]}", ""]
            lines += [
                f"- `{check.id}` ({check.level}): {check.title}. {_plain(report.results[check.id].message)}"
                for check in checks
            ]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Foreign text as text: no markup, no line break."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    return "`" + " ".join(text.replace("`", "'").split()) + "`"


def to_junit(report: Report, fail_on: Level = "may") -> str:
    """JUnit's XML: a suite per area, a case per check. What fails below the level `fail_on` counts as skipped."""
    counted = LEVELS[: LEVELS.index(fail_on) + 1]
    suites: list[str] = []
    failed = skipped = total = 0
    for area in report.by_area():
        checks = [check for check in report.checks if check.area == area and check.id in report.results]
        cases = [_case(check, report.results[check.id], counted) for check in checks]
        failing, skipping = (sum(tag in case for case in cases) for tag in ("<failure ", "<skipped "))
        suites.append(
            f'<testsuite name={_attribute(AREAS[area])} tests="{len(cases)}" failures="{failing}" errors="0" '
            f'skipped="{skipping}" timestamp={_attribute(report.started_at[:19])} time="0">{"".join(cases)}</testsuite>'
        )
        failed, skipped, total = failed + failing, skipped + skipping, total + len(cases)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name={_attribute(report.name)} tests="{total}" failures="{failed}" errors="0" '
        f'skipped="{skipped}" time="{report.duration_s:.1f}">{"".join(suites)}</testsuites>\n'
    )


def _case(check: Check, result: Result, counted: Sequence[Level]) -> str:
    inside = ""
    if result.status == "failed" and check.level in counted:
        read_in = "".join(f"\n{each.label}: {each.source}" for each in check.witnesses)
        text = f"Expected: {check.expects}\nSource: {check.source}\nWhy it matters: {check.why}{read_in}"
        about = f"type={_attribute(check.level)} message={_attribute(result.message)}"
        inside = f"<failure {about}>{_text(text)}</failure>"
    elif result.status != "passed":
        word = f"fails ({check.level})" if result.status == "failed" else _WORDS[result.status].lower()
        inside = f"<skipped message={_attribute(f'{word}: {result.message}')}/>"
    named = f"classname={_attribute('conformance.' + check.area)} name={_attribute(f'{check.id}: {check.title}')}"
    return f'<testcase {named} time="0">{inside}</testcase>'


def _text(text: str) -> str:
    return escape(_NOT_IN_XML.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_IN_XML.sub("\ufffd", text))


def to_badge(report: Report, now: datetime | None = None) -> str:
    """An SVG of two fields. Green without a failed must, red with one; grey after 90 days."""
    tally = report.tally()
    day = datetime.fromisoformat(report.started_at)
    is_stale = (now or datetime.now(UTC)) - day > STALE_AFTER
    colour = "#6b6b6b" if is_stale else "#a32b2b" if report.failed("must") else "#1f7a45"
    left, right = "Messages API", f"{tally.passed}/{tally.applicable} · {day.day} {day:%b %Y}"
    first, second = _width(left), _width(right)
    whole = first + second
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" '
        f'aria-label="{left}: {right}"><title>{left}: {right}</title>'
        f'<rect width="{first}" height="20" fill="#444"/>'
        f'<rect x="{first}" width="{second}" height="20" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{first / 2}" y="14">{left}</text><text x="{first + second / 2}" y="14">{right}</text></g></svg>\n'
    )


def _width(text: str) -> int:
    return round(len(text) * 6.6) + 14


def to_curl(sent: Sent) -> str:
    """The request as a command. The key comes from the environment; a body that was cut says so."""
    options = [f"--request {sent.method}"] if sent.method != "POST" else []
    for name, value in sent.headers:
        if name == "user-agent":
            continue
        if name == "x-api-key":
            options.append(f'--header "x-api-key: ${KEY_VARIABLE}"')
        elif name == "authorization":
            options.append(f'--header "authorization: Bearer ${KEY_VARIABLE}"')
        else:
            options.append(f"--header {_quoted(f'{name}: {value}' if value else f'{name};')}")
    command = " \\\n  ".join([f"curl {_quoted(sent.url)}", *options])
    if not sent.size:
        return command + "\n"
    if len(sent.body.encode("utf-8", "replace")) != sent.size or "\ufffd" in sent.body:
        return f"{command} \\\n  --data-binary @body  # {sent.size:,} bytes, which are in the run\n"
    mark = "JSON" if "JSON" not in sent.body else f"JSON_{uuid.uuid5(uuid.NAMESPACE_OID, sent.body).hex[:12]}"
    return f"{command} \\\n  --data-binary @- <<'{mark}'\n{sent.body}\n{mark}\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
