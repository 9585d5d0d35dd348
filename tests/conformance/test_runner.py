"""The runner: three tries, one finding where nothing can work, caps, pace, stop, and going on after a restart."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from playground.conformance.check import Request, Result
from playground.conformance.checks import AREAS, CHECKS, FIRST, common_requests, member_checks
from playground.conformance.direct_sender import SANDBOX_FAILING_MODEL
from playground.conformance.http_exchange import Exchange
from playground.conformance.plan import Plan, chosen, estimate
from playground.conformance.runner import Runner
from playground.engine.events import Ended, Failure
from tests.conformance.broken_server import MODEL, Answer, Asked, Clean, Fault, Server, answers, body, is_one_of


class Report:
    """A run of the catalogue against a server, with what it waited for."""

    def __init__(self, fault: Fault | None = None, **plan: Any) -> None:
        self.server = Server()
        self.fault = fault
        self.results: dict[str, Result] = {}
        self.asked: list[Request] = []
        self.waited: list[float] = []
        named = {"model": MODEL, "checks": CHECKS, "failing_model": SANDBOX_FAILING_MODEL, "at_once": 1} | plan
        done = named.pop("done", {})
        self.runner = Runner(Plan(**named), self.send, self.keep, done=done, sleep=self.wait)

    async def send(self, request: Request) -> Exchange:
        self.asked.append(request)
        return await self.server.send(request, self.fault)

    def keep(self, result: Result) -> None:
        self.results[result.id] = result

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    async def run(self) -> Report:
        await self.runner.run()
        return self


def statuses(report: Report) -> set[str]:
    return {result.status for result in report.results.values()}


async def test_a_model_that_says_something_else_is_asked_three_times_and_not_blamed() -> None:
    chatter = body(lambda value: value["content"][0].update(text="I would rather not."), member_checks.STOPPED)
    report = await Report(chatter, checks=chosen(["members"])).run()
    result = report.results["members.stop_sequence_named"]
    assert (result.status, result.tries) == ("inconclusive", 3)
    assert report.asked.count(member_checks.STOPPED) == 3


async def test_a_server_that_is_busy_is_waited_for_as_it_asks() -> None:
    left = [2]

    async def busy(asked: Asked, clean: Clean) -> Answer | None:
        if asked.request is not common_requests.TOOL or not left[0]:
            return None
        left[0] -= 1
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        headers = {"content-type": "application/json", "retry-after": "7"}
        return Answer(529, headers, ((0.0, json.dumps(error).encode()),))

    report = await Report(busy, checks=chosen(["tools"])).run()
    assert report.results["tools.call"].status == "passed"
    assert report.asked.count(common_requests.TOOL) == 3
    assert report.waited == [7.0, 7.0]


async def test_a_server_that_stays_busy_is_inconclusive() -> None:
    error = '{"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}}'
    busy = answers(429, error, "application/json", is_one_of(common_requests.TOOL))
    report = await Report(busy, checks=chosen(["tools"])).run()
    assert report.results["tools.call"].status == "inconclusive"


async def test_a_refused_key_is_one_finding_after_one_request() -> None:
    error = '{"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}'
    report = await Report(answers(401, error, "application/json", lambda _: True)).run()
    assert [name for name, result in report.results.items() if result.status == "failed"] == [FIRST]
    assert len(report.asked) == 1
    assert report.results["models.list"].message == "The key was refused."


async def test_an_address_that_nobody_answers_at_is_one_finding() -> None:
    report = Report()

    async def nobody(request: Request) -> Exchange:
        report.asked.append(request)
        exchange = Exchange(request, b"")
        exchange.add(Ended(1.0, "failed", Failure("connect", "Nobody answers at 127.0.0.1:9.")))
        return exchange

    report.runner.send = nobody
    await report.run()
    assert [name for name, result in report.results.items() if result.status == "failed"] == [FIRST]
    assert "Nobody answers" in report.results[FIRST].message
    assert set(report.asked) == {common_requests.PLAIN}


async def test_an_answer_counts_more_than_a_connection_that_closed() -> None:
    report = Report(answers(500, "crashed", "text/plain", is_one_of(common_requests.TOOL)), checks=chosen(["tools"]))
    send = report.runner.send

    async def closes_at_last(request: Request) -> Exchange:
        exchange = await send(request)
        if request is common_requests.TOOL and report.asked.count(request) == 3:
            exchange = Exchange(request, b"")
            exchange.add(Ended(1.0, "failed", Failure("closed", "The server closed the connection.")))
        return exchange

    report.runner.send = closes_at_last
    await report.run()
    assert report.asked.count(common_requests.TOOL) == 3
    assert report.results["tools.call"].message.startswith("HTTP 500")


async def test_what_depends_on_a_failed_check_is_skipped_and_says_so() -> None:
    report = await Report(body(lambda value: value.update(id=""), common_requests.PLAIN)).run()
    result = report.results["answer.ids_differ"]
    assert (result.status, result.message) == ("skipped", "Depends on “id is a text”, which failed.")


async def test_the_cap_stops_before_the_request_that_would_pass_it() -> None:
    report = await Report(model="claude-sonnet-5", cap_usd=Decimal("0.0001")).run()
    assert all(request.expected_tokens() == (0, 0) for request in report.asked)
    assert report.results[FIRST].status == "skipped"
    assert "cap of $0.0001" in report.results[FIRST].message


async def test_without_a_price_the_cap_is_in_tokens() -> None:
    report = await Report(model="a-model-of-ones-own", cap_tokens=2_000).run()
    spent = report.runner.totals
    assert 0 < spent.input_tokens + spent.output_tokens <= 2_000
    assert "skipped" in statuses(report)


async def test_a_stopped_report_keeps_what_it_has() -> None:
    report = Report()

    def keep_and_stop(result: Result) -> None:
        report.keep(result)
        if len(report.results) == 20:
            report.runner.stop()

    report.runner.on_result = keep_and_stop
    await report.run()
    messages = {result.message for result in list(report.results.values())[20:]}
    assert messages == {"The report was stopped."}
    assert len(report.results) == len(CHECKS)


async def test_a_report_goes_on_with_what_is_left() -> None:
    before = await Report(checks=chosen(["answer"])).run()
    after = await Report(done=before.results).run()
    assert not before.results.keys() & after.results.keys()
    assert before.results.keys() | after.results.keys() == {check.id for check in CHECKS}


async def test_the_pace_is_kept() -> None:
    report = await Report(checks=chosen(["answer"]), pace=6.0).run()
    assert len(report.waited) == len(report.asked) - 1
    assert max(report.waited) > 9


@pytest.mark.parametrize("at_once", [1, 2, 3, 50])
async def test_at_most_three_requests_are_under_way(at_once: int) -> None:
    report = Report(at_once=at_once)
    under_way: list[int] = [0]
    most = [0]
    send = report.runner.send

    async def counted(request: Request) -> Exchange:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        try:
            return await send(request)
        finally:
            under_way[0] -= 1

    report.runner.send = counted
    await report.run()
    assert most[0] <= min(at_once, 3)
    assert len(report.results) == len(CHECKS)


async def test_what_a_models_description_denies_is_not_asked() -> None:
    def blind(value: Any) -> None:
        value["capabilities"]["image_input"]["supported"] = False

    from playground.conformance.checks.model_checks import ONE

    report = await Report(body(blind, ONE), checks=chosen(["media"])).run()
    assert report.results["media.image"].status == "skipped"
    assert "has no vision" in report.results["media.image"].message


def test_areas_bring_what_they_depend_on() -> None:
    assert FIRST in {check.id for check in chosen(["thinking"])}
    assert {check.area for check in chosen(["http"])} >= {"http", "answer", "stream"}
    assert chosen() == CHECKS
    assert {check.area for check in CHECKS} == set(AREAS)


def test_the_estimate_counts_shared_requests_once() -> None:
    told = estimate(CHECKS, "claude-sonnet-5")
    assert told.requests < len(CHECKS)
    assert told.usd is not None
    assert estimate(CHECKS, "a-model-of-ones-own").usd is None
    assert estimate(CHECKS, MODEL).usd == 0
