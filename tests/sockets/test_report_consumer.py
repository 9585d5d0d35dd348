"""The socket of a conformance report: told part by part, to the end, and from where it is after a restart."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import AsyncClient
from django.utils import timezone

from playground.conformance.check import Result
from playground.conformance.plan import Plan, chosen
from playground.conformance.runner import Totals
from playground.models import ConformanceReport
from playground.reports import running, storing
from playground.sockets import report_consumer
from playground.sockets.report_consumer import ReportConsumer

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)
in_database = database_sync_to_async


async def report_of(owner: User) -> ConformanceReport:
    plan = Plan("sandbox-stories", chosen(["answer", "stream"]))
    return await in_database(storing.create)(owner, None, plan)


async def socket_of(user: Any, report: ConformanceReport) -> WebsocketCommunicator:
    client = AsyncClient()
    await client.aforce_login(user)
    socket = WebsocketCommunicator(ReportConsumer.as_asgi(), f"/ws/conformance/{report.pk}/")
    socket.scope["user"], socket.scope["session"] = user, await client.asession()
    socket.scope["url_route"] = {"kwargs": {"report_id": report.pk}}
    return socket


async def frame_of(socket: WebsocketCommunicator) -> Any:
    """The next frame, acknowledged."""
    frame = json.loads(await socket.receive_from(30))
    await socket.send_to(json.dumps({"type": "seen", "frame": frame["frame"]}))
    return frame


async def test_a_report_is_told_part_by_part_to_its_end(owner: User) -> None:
    report = await report_of(owner)
    socket = await socket_of(owner, report)
    assert (await socket.connect(timeout=30))[0]
    first = await frame_of(socket)
    assert first["parts"].keys() == {
        "progress-answer", "progress-stream", "progress-now", "progress-words", "progress-stop"
    }  # fmt: skip
    results = [Result("answer.message", "passed")]
    await in_database(storing.save_progress)(report.pk, results, [], Totals(1), current_check="answer.role")
    second = await frame_of(socket)
    assert second["parts"].keys() == {"progress-answer", "progress-now", "progress-words"}
    assert "1 of" in second["parts"]["progress-answer"]
    await running.start(report.pk)
    while (frame := await frame_of(socket))["type"] == "progress":
        assert frame["parts"]
    assert frame["type"] == "ended"
    assert (await socket.receive_output(30))["code"] == 1000


async def test_a_page_that_returns_after_a_restart_is_told_how_far_the_report_is(owner: User) -> None:
    report = await report_of(owner)
    before = [Result(name, "passed") for name in report.check_ids[:13]]
    await in_database(storing.save_progress)(report.pk, before, [], Totals(7))
    await ConformanceReport.objects.filter(pk=report.pk).aupdate(beat_at=timezone.now() - timedelta(minutes=1))
    socket = await socket_of(owner, report)
    await socket.connect(timeout=30)
    assert "13 of 13 pass" in " ".join((await frame_of(socket))["parts"]["progress-answer"].split())
    [taken_up] = await in_database(storing.claim_cut_off)()
    await running.start(taken_up)
    while (await frame_of(socket))["type"] != "ended":
        pass
    assert (await ConformanceReport.objects.aget(pk=report.pk)).state == "done"


async def test_a_stop_shows_at_its_button(owner: User) -> None:
    report = await report_of(owner)
    socket = await socket_of(owner, report)
    await socket.connect(timeout=30)
    await frame_of(socket)
    await ConformanceReport.objects.filter(pk=report.pk).aupdate(stop_requested=True)
    assert "Stopping" in (await frame_of(socket))["parts"]["progress-stop"]
    await socket.disconnect(timeout=30)


async def test_a_page_that_acknowledges_nothing_is_not_fed_further(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_consumer, "LOOK_EVERY_S", 0.01)
    report = await report_of(owner)
    socket = await socket_of(owner, report)
    await socket.connect(timeout=30)
    for number in range(ReportConsumer.window):
        assert json.loads(await socket.receive_from(30))["frame"] == number + 1
        await ConformanceReport.objects.filter(pk=report.pk).aupdate(requests=number + 1)
    assert await socket.receive_nothing(0.3)
    await socket.send_to('{"type": "seen", "frame": 1}')
    assert json.loads(await socket.receive_from(30))["frame"] == ReportConsumer.window + 1
    await socket.disconnect(timeout=30)


async def test_a_deleted_report_ends_its_socket_and_nonsense_closes_it(owner: User) -> None:
    report = await report_of(owner)
    for said in ("nonsense", '{"type": "seen"}', "[]"):
        socket = await socket_of(owner, report)
        await socket.connect(timeout=30)
        await frame_of(socket)
        await socket.send_to(said)
        assert (await socket.receive_output(30))["code"] == 4400
    socket = await socket_of(owner, report)
    await socket.connect(timeout=30)
    await frame_of(socket)
    await ConformanceReport.objects.all().adelete()
    assert (await frame_of(socket))["type"] == "ended"
