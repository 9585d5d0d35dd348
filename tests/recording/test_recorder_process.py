"""The recorder in a process of its own: it stores the same, and its end costs nothing that the server still has."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async

from playground.engine.events import Answered, Ended, Received, Requested
from playground.models import Run, RunBatch
from playground.recording import recorder_process as records
from playground.workers.pool import workers
from tests.support import runs
from tests.support.examples import one_of_each

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", autouse=True)
def template() -> Iterator[None]:
    """The process that the recorders of these tests are forked from: its start takes more time than most tests."""
    yield
    workers.stop()  # the next file's may have another database


@pytest.fixture
async def recorder() -> Any:
    recorder = records.RecorderProcess(every_s=0.01)
    yield recorder
    await recorder.stop()


def the_process() -> int:
    """The recorder's process: the template's youngest child. Those of tests before may not have ended yet."""
    template = workers._process
    assert template is not None
    *_, child = Path(f"/proc/{template.pid}/task/{template.pid}/children").read_text().split()
    return int(child)


async def stored_bytes(run: Run) -> bytes:
    return b"".join([bytes(batch.data) async for batch in RunBatch.objects.filter(run=run).order_by("start")])


async def settled(recorder: records.RecorderProcess) -> None:
    while recorder._runs:
        await recorder.settle()


async def test_a_run_is_stored_as_it_was(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner, body=runs.body_of("x" * 1_000_000))
    recorder.attach(live)
    data = runs.stream("Rayleigh scattering.", thinking="Let me see.")
    runs.tell(live, data)
    await settled(recorder)
    run = await Run.objects.select_related("content").aget(pk=live.id)
    assert (run.owner_id, run.state, run.http_status) == (owner.pk, "completed", 200)
    assert (run.input_tokens, run.output_tokens, run.stop_reason) == (21, 9, "end_turn")
    assert run.request_body == live.about.request_body
    assert run.message() == runs.answer_of(live).message
    assert await stored_bytes(run) == data
    assert live.is_stored
    assert not recorder.is_storing(live.id)


async def test_an_answer_in_one_piece_is_stored(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    body = b'{"id":"m","type":"message","content":[{"type":"text","text":"Because."}],"usage":{"output_tokens":4}}'
    live.publish([Requested(0.0, "POST", "http://h", (), 2), Answered(1.0, 200, ())])
    live.publish([Received(2.0, body[:30])])
    live.publish([Received(3.0, body[30:]), Ended(4.0, "completed", None)])
    await settled(recorder)
    run = await Run.objects.select_related("content").aget(pk=live.id)
    assert (run.state, run.output_tokens, run.event_count) == ("completed", 4, 0)
    assert run.message()["content"][0]["text"] == "Because."


async def test_what_was_told_is_there_once_it_is_settled(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    events = runs.told(runs.stream("one two three"))
    live.publish(events[:8])
    await recorder.settle()
    run = await Run.objects.aget(pk=live.id)
    assert run.state == "running"
    assert await RunBatch.objects.filter(run=run).aexists()
    assert recorder.is_storing(live.id)
    assert recorder.problem is None
    live.publish([*events[8:], runs.ended()])  # its stop waits for what has not ended


@pytest.mark.parametrize("ends_meanwhile", one_of_each([False, True]))
async def test_a_killed_process_loses_nothing(recorder: Any, owner: User, ends_meanwhile: bool) -> None:
    live, other = runs.live_run(owner), runs.live_run(owner)
    data = runs.stream("one two three four five six seven eight nine ten")
    events = runs.told(data, chunk=60)
    for run in (live, other):
        recorder.attach(run)
        run.publish(events[: len(events) // 2])
    await recorder.settle()
    killed = the_process()
    os.kill(killed, signal.SIGKILL)
    rest = [*events[len(events) // 2 :], Ended(events[-1].at_ms, "completed", None)]
    if ends_meanwhile:
        live.publish(rest)
    await recorder.settle()
    assert the_process() != killed
    if not ends_meanwhile:
        live.publish(rest)
    other.publish(rest)
    await settled(recorder)
    for run in (live, other):
        stored = await Run.objects.select_related("content").aget(pk=run.id)
        assert (stored.state, stored.event_count, stored.log_complete) == ("completed", live.event_count, True)
        assert await stored_bytes(stored) == data
        assert len(await sync_to_async(stored.events)()) == live.event_count


async def test_readiness_sees_a_process_that_does_not_run(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise OSError

    monkeypatch.setattr(records, "_AWAY_S", -1.0)
    recorder = records.RecorderProcess(every_s=0.01, connect=refuse)
    recorder.attach(runs.live_run(owner))
    await asyncio.sleep(0)
    assert recorder.problem == "the recorder does not run"
    await recorder.stop(0.05)


async def test_readiness_sees_a_process_that_hangs(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    await recorder.settle()
    os.kill(the_process(), signal.SIGSTOP)
    recorder._heard_at = time.monotonic() - records.STALLED_S - 1
    assert recorder.problem == "the recorder hangs"
    os.kill(the_process(), signal.SIGCONT)
    runs.tell(live)
    await settled(recorder)
    assert recorder.problem is None


async def test_who_gives_up_waiting_disturbs_nobody(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    waiting = asyncio.ensure_future(recorder.settle())
    await asyncio.sleep(0)
    waiting.cancel()
    runs.tell(live, runs.stream("Rayleigh scattering."))
    await settled(recorder)
    assert live.is_stored


async def test_one_runs_fault_leaves_the_others_stored(recorder: Any, owner: User) -> None:
    bad, good = runs.live_run(owner, connection_name=7), runs.live_run(owner)  # a name that is no text
    for run in (bad, good):
        recorder.attach(run)
        runs.tell(run, runs.stream("Rayleigh scattering."))
    await settled(recorder)
    assert (await Run.objects.aget(pk=good.id)).state == "completed"
    assert not await Run.objects.filter(pk=bad.id).aexists()
    assert not bad.is_stored


async def test_what_a_gone_server_had_told_is_still_written(owner: User) -> None:
    recorder = records.RecorderProcess(every_s=0.01)
    live = runs.live_run(owner)
    recorder.attach(live)
    await recorder.settle()
    runs.tell(live, runs.stream("Rayleigh scattering."))
    await recorder._pass(recorder._writer)
    child = the_process()
    recorder._task.cancel()
    recorder._hang_up()
    while Path(f"/proc/{child}/status").exists() and "Z (zombie)" not in Path(f"/proc/{child}/status").read_text():
        await asyncio.sleep(0.02)
    assert (await Run.objects.aget(pk=live.id)).state == "completed"
