"""Conformance reports in the product: started, followed, marked in the log, stopped, resumed, exported, shared."""

from __future__ import annotations

import asyncio
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from channels.db import database_sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import Connection
from playground.conformance.check import Result
from playground.conformance.checks import AREAS, BY_ID, CHECKS
from playground.conformance.plan import Plan, chosen
from playground.conformance.runner import Totals
from playground.dispatch import process
from playground.models import ConformanceReport, ConformanceRun, Run
from playground.reports import presenting, running, storing
from tests.conformance.gappy_server import GappyServer
from tests.support.markup import markup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {"connection": "sandbox", "model": "sandbox-stories", "areas": ["answer", "stream"], "cap_usd": "0.50",
        "cap_tokens": "200000", "at_once": "2", "pace": "", "failing_model": ""}  # fmt: skip
in_database = database_sync_to_async


@pytest.fixture
async def browser(owner: User) -> AsyncClient:
    found = AsyncClient()
    await found.aforce_login(owner)
    return found


@pytest.fixture
def gappy(settings: Any) -> Iterator[GappyServer]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    server = GappyServer()
    yield server
    server.close()


async def made(browser: AsyncClient, **form: Any) -> ConformanceReport:
    """A report that was started by the form and has come to its end."""
    response = await browser.post("/conformance/start/", FORM | form)
    assert response.status_code == 302, response.content.decode()[-2000:]
    report_id = UUID(response["Location"].strip("/").split("/")[-1])
    if (task := running._tasks.get(report_id)) is not None:  # it may have come to its end already
        await task
    await process.current().recorder.settle()
    return await ConformanceReport.objects.aget(pk=report_id)


def finished(owner: User, *results: Result, areas: tuple[str, ...] = ("answer",)) -> ConformanceReport:
    report = storing.create(owner, None, Plan("sandbox-stories", chosen(areas)))
    storing.save_progress(report.pk, results, [], Totals(), state="done")
    report.refresh_from_db()
    return report


async def text_of(browser: AsyncClient, address: str, status: int = 200) -> str:
    response = await browser.get(address)
    assert response.status_code == status
    return markup(response)


def words_of(page: str) -> str:
    """The page with each run of white space as one space."""
    return " ".join(page.split())


# --- start and follow ---


async def test_a_report_of_the_sandbox_passes_and_each_request_is_a_marked_run(browser: AsyncClient) -> None:
    report = await made(browser)
    assert report.state == "done"
    assert report.requests > 5
    loaded = await in_database(storing.load)(report)
    assert loaded.tally().failed == 0
    assert loaded.tally().waiting == 0
    runs = await in_database(list)(Run.objects.all())
    marks = await in_database(lambda: set(ConformanceRun.objects.values_list("run_id", flat=True)))()
    assert {run.pk for run in runs} == marks
    assert len(runs) == report.requests
    assert {run.source for run in runs} == {"check"}
    page = await text_of(browser, f"/requests/{runs[0].pk}/")
    assert f"/conformance/{report.pk}/" in page


async def test_a_report_leads_to_its_requests_and_to_no_others(browser: AsyncClient) -> None:
    first, second = await made(browser), await made(browser)
    address = f"/requests/?report={second.pk}"
    assert address in await text_of(browser, f"/conformance/{second.pk}/")
    page = await text_of(browser, address)
    marks = in_database(lambda report: [mark.run_id for mark in report.marks.all()])
    assert any(str(run_id) in page for run_id in await marks(second))
    assert not any(str(run_id) in page for run_id in await marks(first))


async def test_the_runs_have_their_wire(browser: AsyncClient) -> None:
    await made(browser, areas=["stream"])
    run = await in_database(lambda: Run.objects.filter(event_count__gt=3, http_status=200).first())()
    assert run is not None
    events = await in_database(run.events)()
    assert events[0].event.name == "message_start"


async def test_findings_show_what_was_sent_what_came_back_and_the_run(browser: AsyncClient, owner: User,
                                                                     gappy: GappyServer) -> None:  # fmt: skip
    connection = await in_database(Connection.objects.create)(owner=owner, name="gappy", base_url=gappy.url)
    report = await made(browser, connection=str(connection.pk), areas=["members", "stream"])
    loaded = await in_database(storing.load)(report)
    failed = {check.id for check in loaded.failed()}
    assert failed >= {"members.stop_sequences", "stream.start_usage", "stream.no_done", "stream.ping"}
    assert loaded.software == "gappy/0.3.1"
    page = await text_of(browser, f"/conformance/{report.pk}/")
    assert "data: [DONE] is OpenAI&#x27;s" in page
    assert re.search(r'<div class="w-line" data-bad>.*?\[DONE\]', page, re.DOTALL)
    assert re.search(r"<mark>.*?delta.*?</mark>", page)
    assert "curl &#x27;" in page
    assert f"/requests/{loaded.results['stream.no_done'].run_ids[0]}/" in page
    assert "<script>" not in page


async def test_the_page_of_a_running_report_names_its_socket(browser: AsyncClient, owner: User) -> None:
    report = await in_database(storing.create)(owner, None, Plan("sandbox-stories", chosen(["answer"])))
    page = await text_of(browser, f"/conformance/{report.pk}/")
    assert f'data-socket="/ws/conformance/{report.pk}/"' in page
    assert "0 of 13" in page
    await running.start(report.pk)
    assert "data-socket" not in await text_of(browser, f"/conformance/{report.pk}/")


async def test_there_is_one_report_of_a_connection_at_a_time(browser: AsyncClient, owner: User) -> None:
    busy = await in_database(storing.create)(owner, None, Plan("sandbox-stories", chosen(["answer"])))
    response = await browser.post("/conformance/start/", FORM)
    assert response["Location"] == f"/conformance/{busy.pk}/"
    assert await ConformanceReport.objects.acount() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"areas": []}, "This field is required."),
        ({"model": ""}, "This field is required."),
        ({"cap_usd": "-1"}, "greater than or equal to 0"),
        ({"cap_tokens": "", "model": "a-model-of-ones-own"}, "Set a limit in tokens instead"),
        ({"connection": "00000000-0000-4000-8000-000000000000"}, "Select a valid choice"),
        ({"pace": "0"}, "greater than or equal to 1"),
    ],
)
async def test_bad_input_is_told_at_its_field_and_kept(browser: AsyncClient, change: Any, words: str) -> None:
    response = await browser.post("/conformance/start/", FORM | {"failing_model": "kept-as-typed"} | change)
    assert response.status_code == 422
    page = markup(response)
    assert words in page
    assert "kept-as-typed" in page
    assert await ConformanceReport.objects.acount() == 0


async def test_a_connection_of_others_cannot_be_checked(browser: AsyncClient, stranger: User) -> None:
    other = await in_database(Connection.objects.create)(owner=stranger, name="theirs", base_url="https://example.com")
    response = await browser.post("/conformance/start/", FORM | {"connection": str(other.pk)})
    assert response.status_code == 422


async def test_the_estimate_follows_the_form(browser: AsyncClient) -> None:
    page = await text_of(browser, "/conformance/estimate/?areas=answer&areas=nonsense&model=claude-sonnet-5")
    assert "at most $" in words_of(page)
    page = await text_of(browser, "/conformance/estimate/?areas=answer&model=unknown")
    assert "price unknown" in page


# --- stop, resume, cap ---


@pytest.mark.slow
async def test_a_stopped_report_keeps_what_it_has(browser: AsyncClient, owner: User) -> None:
    plan = Plan("sandbox-stories", CHECKS, at_once=1, pace=600)
    report = await in_database(storing.create)(owner, None, plan)
    task = running.start(report.pk)
    while not await ConformanceReport.objects.filter(pk=report.pk, requests__gt=0).aexists():
        await asyncio.sleep(0.05)
    await browser.post(f"/conformance/{report.pk}/stop/")
    await task
    report = await ConformanceReport.objects.aget(pk=report.pk)
    loaded = await in_database(storing.load)(report)
    assert report.state == "stopped"
    assert loaded.tally().passed > 0
    assert loaded.tally().skipped > 0
    assert loaded.tally().waiting == 0
    assert "This report was stopped" in await text_of(browser, f"/conformance/{report.pk}/")


async def test_a_report_that_a_restart_cut_off_goes_on_where_it_was(owner: User) -> None:
    plan = Plan("sandbox-stories", chosen(["answer", "errors"]))
    report = await in_database(storing.create)(owner, None, plan)
    before = [Result(check.id, "passed", "from before") for check in plan.checks[:13]]
    await in_database(storing.save_progress)(report.pk, before, [], Totals(7, 100, 50))
    await ConformanceReport.objects.filter(pk=report.pk).aupdate(beat_at=timezone.now() - timedelta(minutes=1))
    assert await in_database(storing.claim_cut_off)() == [report.pk]
    assert await in_database(storing.claim_cut_off)() == []  # it is somebody's now
    await running.start(report.pk)
    report = await ConformanceReport.objects.aget(pk=report.pk)
    loaded = await in_database(storing.load)(report)
    assert report.state == "done"
    assert report.requests > 7
    assert loaded.results["answer.role"].message == "from before"
    assert loaded.tally().waiting == 0


async def test_the_server_takes_up_what_was_cut_off(owner: User) -> None:
    report = await in_database(storing.create)(owner, None, Plan("sandbox-stories", chosen(["answer"])))
    await ConformanceReport.objects.filter(pk=report.pk).aupdate(beat_at=timezone.now() - timedelta(minutes=1))
    looking = asyncio.create_task(running.resume_for_ever(0.05))
    try:
        while await ConformanceReport.objects.filter(pk=report.pk, state="running").aexists():
            await asyncio.sleep(0.05)
    finally:
        looking.cancel()
    loaded = await in_database(storing.load)(await ConformanceReport.objects.aget(pk=report.pk))
    assert loaded.tally().passed == 13


async def test_a_report_whose_connection_is_gone_ends(owner: User) -> None:
    connection = await in_database(Connection.objects.create)(owner=owner, name="gone", base_url="https://example.com")
    report = await in_database(storing.create)(owner, connection, Plan("m", chosen(["answer"])))
    await connection.adelete()
    await running.start(report.pk)
    assert (await ConformanceReport.objects.aget(pk=report.pk)).state == "stopped"


# --- read, export, compare, delete ---


async def test_every_kind_of_file_can_be_downloaded(browser: AsyncClient) -> None:
    report = await made(browser, areas=["answer"])
    for kind in ("json", "junit", "markdown", "html", "badge"):
        response = await browser.get(f"/conformance/{report.pk}/export/{kind}/")
        assert response.status_code == 200
        content = response.content.decode()
        if kind == "json":
            assert json.loads(content)["passed"] == 13
        if kind in ("junit", "badge"):
            ElementTree.fromstring(content)
        if kind == "html":
            assert "<link" not in content
            assert "<script" not in content
            assert "verdict-panel" in content
    assert (await browser.get(f"/conformance/{report.pk}/export/exe/")).status_code == 404


def test_two_reports_are_compared(client: Client, owner: User) -> None:
    client.force_login(owner)
    sound = finished(owner, Result("answer.role", "passed"), Result("answer.type", "passed"))
    broken = finished(owner, Result("answer.role", "failed", "role is gone"), Result("answer.type", "passed"))
    page = client.get("/conformance/compare/", {"before": sound.pk, "after": broken.pk}).content.decode()
    assert "1 broken" in page
    assert "0 fixed" in page
    assert "role is gone" in page
    page = client.get("/conformance/compare/", {"before": broken.pk, "after": sound.pk}).content.decode()
    assert "1 fixed" in page
    assert client.get("/conformance/compare/", {"before": "nonsense", "after": sound.pk}).status_code == 404


def test_what_most_clients_need_stands_first(client: Client, owner: User) -> None:
    client.force_login(owner)
    ids = ("answer.role", "answer.stop_reason", "answer.type")
    report = finished(owner, *(Result(name, "failed", "is gone") for name in ids))
    page = client.get(f"/conformance/{report.pk}/").content.decode()
    places = [page.index(f'id="{name.replace(".", "-")}"') for name in ids]
    assert places[2] < places[0] < places[1]


def test_a_deleted_report_leaves_its_runs(client: Client, owner: User) -> None:
    client.force_login(owner)
    report = finished(owner, Result("answer.role", "passed"))
    assert client.post(f"/conformance/{report.pk}/delete/").status_code == 302
    assert not ConformanceReport.objects.exists()


def test_foreign_words_are_text(client: Client, owner: User) -> None:
    client.force_login(owner)
    nasty = "</pre><script>alert(1)</script>\x00\ud83d"
    report = finished(owner, Result("answer.role", "failed", nasty))
    page = client.get(f"/conformance/{report.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


# --- only what a client needs ---


def test_a_report_shows_only_what_one_client_needs(client: Client, owner: User) -> None:
    client.force_login(owner)
    report = finished(owner, Result("stream.indices", "failed", "begins with 1"),
                      Result("stream.ping", "failed", "no ping"), areas=("stream",))  # fmt: skip
    page = client.get(f"/conformance/{report.pk}/").content.decode()
    assert "begins with 1" in page
    assert "no ping" in page
    page = client.get(f"/conformance/{report.pk}/?client=python").content.decode()
    assert "begins with 1" in page
    assert "no ping" not in page
    assert "anthropic-sdk-python/blob/main/src/anthropic/lib/streaming/_messages.py" in page
    assert "no ping" in client.get(f"/conformance/{report.pk}/?client=nonsense").content.decode()


# --- how it is shown ---


def test_the_marked_line_is_where_the_member_is_or_should_be() -> None:
    lines = presenting.pretty('{"usage": {"input_tokens": 0}, "content": [{"type": "text"}]}', "usage.input_tokens")
    assert [line.text.strip() for line in lines if line.is_marked] == ['"input_tokens": 0']
    lines = presenting.pretty('{"content": [{"type": "text"}]}', "content[0].text")
    assert [line.text.strip() for line in lines if line.is_marked] == ["{"]
    lines = presenting.pretty('{"a": 1}', "role")
    assert [line.text for line in lines if line.is_marked] == ["{"]
    assert presenting.pretty("<html>\nno JSON")[1].text == "no JSON"


def test_every_area_has_its_place(client: Client, owner: User) -> None:
    client.force_login(owner)
    report = finished(owner, *[Result(name, "passed") for name in BY_ID], areas=tuple(AREAS))
    page = client.get(f"/conformance/{report.pk}/").content.decode()
    assert "Every check that applies passes." in page
    assert all(title in page for title in AREAS.values())
    assert page.count('class="glyph"') >= 2 * len(CHECKS)
