"""Reports as JSON, Markdown, JUnit, badge and curl; and two of them compared."""

from __future__ import annotations

import json
import shlex
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from playground.conformance.check import Result, Sent
from playground.conformance.checks import CHECKS, common_requests
from playground.conformance.report import Report, difference, report_from_json, report_to_json
from playground.conformance.report_files import to_badge, to_curl, to_junit, to_markdown
from tests.conformance.broken_server import Fault, Server, body
from tests.conformance.check_faults import fault_of

NASTY = 'bad | <b>"x"</b> `code` \x00 \ud83d & ]]>'


async def make_report(fault: Fault | None = None, **changes: object) -> Report:
    results = await Server().results(fault)
    made = Report("my server", "https://example.com", "model-1", "2026-11-29T14:29:00+00:00",
                  tuple(check.id for check in CHECKS), results, duration_s=12.5, requests=176)  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_report_is_read_back_as_it_was_written() -> None:
    report = await make_report(fault_of("stream.indices"))
    assert report_from_json(json.loads(json.dumps(report_to_json(report)))) == report


async def test_what_a_later_version_has_added_is_left_out() -> None:
    told = report_to_json(await make_report(fault_of("stream.indices")))
    told["results"][0]["later"] = {"x": 1}
    told["later"] = True
    assert report_from_json(told).tally().passed > 100


async def test_figures_count_what_was_judged() -> None:
    report = await make_report(fault_of("tools.call"))
    tally = report.tally()
    assert tally.failed == 1
    assert tally.skipped > 10
    assert tally.applicable == tally.passed + 1
    assert sum(each.total for each in report.by_level().values()) == len(CHECKS)
    assert sum(each.total for each in report.by_area().values()) == len(CHECKS)
    assert report.worst_level() == "must"
    assert "1 check fails, in Tool use." in report.in_words()


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        ((), "Every check that applies passes."),
        (("answer.role",), "1 check fails, in Response in JSON. It breaks clients."),
        (("answer.cache_tokens",), "1 check fails, in Response in JSON. It breaks no client outright."),
        (("answer.role", "answer.cache_tokens"),
         "2 checks fail, most in Response in JSON (2). 1 of them breaks clients."),
    ],
)  # fmt: skip
def test_the_verdict_is_a_sentence(failed: tuple[str, ...], words: str) -> None:
    names = ("answer.role", "answer.cache_tokens")
    results = {name: Result(name, "failed" if name in failed else "passed") for name in names}
    assert Report("n", "u", "m", "2026-11-29T14:29:00+00:00", names, results).in_words() == words


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (("passed", "skipped", "skipped"), "No check fails; 2 were skipped."),
        (("skipped", "inconclusive", "passed"), "No check fails; 1 is inconclusive and 1 was skipped."),
    ],
)
def test_a_verdict_without_faults_says_what_is_still_open(outcomes: tuple[str, str], words: str) -> None:
    names = ("answer.role", "answer.cache_tokens", "stream.no_done")
    results = {name: Result(name, outcome) for name, outcome in zip(names, outcomes, strict=True)}
    assert Report("n", "u", "m", "2026-11-29T14:29:00+00:00", names, results).in_words() == words


async def test_the_evidence_marks_the_offending_event() -> None:
    report = await make_report(fault_of("stream.no_done"))
    evidence = report.results["stream.no_done"].evidence
    assert evidence is not None
    assert next(data for number, _, _, data in evidence.events if number == evidence.marked) == "[DONE]"


async def test_the_evidence_names_the_offending_member() -> None:
    report = await make_report(fault_of("answer.role"))
    result = report.results["answer.role"]
    assert result.evidence is not None
    assert result.evidence.member == "role"
    assert '"bot"' in result.evidence.body
    assert json.loads(result.sent[0].body)["model"] == "sandbox-stories"


@pytest.mark.parametrize(("fail_on", "failures"), [("must", 0), ("should", 1), ("may", 1)])
async def test_junit_counts_what_fails_from_a_level_on(fail_on: str, failures: int) -> None:
    report = await make_report(fault_of("content.neighbours"))
    root = ElementTree.fromstring(to_junit(report, fail_on))  # type: ignore[arg-type]
    assert root.get("failures") == str(failures)
    assert root.get("tests") == str(len(CHECKS))
    assert len(root.findall(".//failure")) == failures
    suites = root.findall("testsuite")
    assert sum(int(suite.get("tests", "0")) for suite in suites) == len(CHECKS)


async def test_junit_says_where_a_reason_can_be_read() -> None:
    report = await make_report(fault_of("stream.no_done"))
    text = ElementTree.fromstring(to_junit(report)).findtext(".//failure") or ""
    assert "https://github.com/vllm-project/vllm/pull/37510" in text


async def test_foreign_words_are_no_markup() -> None:
    report = await make_report(
        body(lambda value: value.update(role=NASTY), common_requests.PLAIN), name=NASTY, model=NASTY
    )
    root = ElementTree.fromstring(to_junit(report))
    assert "<b>" in (root.find(".//failure") or root.findall(".//failure")[0]).get("message", "")
    markdown = to_markdown(report)
    assert "<b>" not in markdown.replace("\\<b\\>", "").replace("`" + NASTY.split(chr(0))[0], "").split("Model")[0]
    assert len(markdown.splitlines()[0].split("\n")) == 1
    ElementTree.fromstring(to_badge(report))


async def test_the_badge_turns_red_by_a_failed_must_and_grey_by_age() -> None:
    sound, broken = await make_report(), await make_report(fault_of("answer.role"))
    now = datetime(2026, 11, 30, tzinfo=UTC)
    colours = [to_badge(sound, now), to_badge(broken, now), to_badge(sound, now + timedelta(days=91))]
    fills = [ElementTree.fromstring(badge)[2].get("fill") for badge in colours]
    assert len(set(fills)) == 3
    assert "29 Nov 2026" in colours[0]


def test_curl_repeats_the_request_with_a_key_from_the_environment() -> None:
    headers = (("x-api-key", "••••"), ("anthropic-version", "2023-06-01"), ("x-note", "it's"))
    body_text = '{"model":"m","text":"JSON it\'s"}'
    command = to_curl(Sent("POST", "https://example.com/v1/messages", headers, body_text, len(body_text)))
    first, _, rest = command.partition("<<")
    words = shlex.split(first.replace("\\\n", " "))
    assert words[:2] == ["curl", "https://example.com/v1/messages"]
    assert "x-api-key: $ANTHROPIC_API_KEY" in words
    assert "x-note: it's" in words
    mark = rest.splitlines()[0].strip("'")
    assert rest.splitlines() == [f"'{mark}'", body_text, mark]
    assert mark != "JSON"


def test_curl_says_when_the_body_is_too_large_to_be_in_it() -> None:
    command = to_curl(Sent("POST", "https://example.com/v1/messages", (), "{", 5_242_880))
    assert "5,242,880 bytes" in command
    assert "<<" not in command


async def test_two_reports_differ_in_what_was_fixed_and_broken() -> None:
    before = await make_report(fault_of("answer.role"))
    after = await make_report(fault_of("stream.no_done"))
    told = difference(before, after)
    assert [check.id for check in told.fixed] == ["answer.role"]
    assert [check.id for check in told.broken] == ["stream.no_done"]
    assert told.same == len(CHECKS) - 2
    assert (told.only_before, told.only_after) == (0, 0)


async def test_only_checks_of_both_are_compared() -> None:
    whole = await make_report()
    part = replace(whole, results={"answer.role": Result("answer.role", "passed")}, check_ids=("answer.role",))
    told = difference(whole, part)
    assert (told.same, told.only_before, told.only_after) == (1, len(CHECKS) - 1, 0)
