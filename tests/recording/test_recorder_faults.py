"""One run's fault is that run's alone, and a recorder that breaks, ends or hangs goes on."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from playground.engine.events import Received
from playground.metrics.figures import Figures
from playground.models import Run
from playground.protocol.stream.accumulator import Accumulator
from playground.recording import recorder as records
from playground.recording import recovery, run_writer
from tests.recording.conftest import settled
from tests.support import runs

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


class _FaultError(Exception):
    """What nobody has foreseen."""


async def told_and_settled(recorder: records.Recorder, owner: User, *texts: str) -> list[Run]:
    lives = [runs.live_run(owner) for _ in texts]
    for live, text in zip(lives, texts, strict=True):
        recorder.attach(live)
        runs.tell(live, runs.stream(text))
    await asyncio.wait_for(settled(recorder), 15)
    return [await Run.objects.select_related("content").aget(pk=live.id) for live in lives]


def failing_for(word: str, before: Any) -> Any:
    def take(*arguments: Any, **named: Any) -> Any:
        if any(word in repr(each) for each in arguments):
            raise _FaultError(f"with {word} in it")
        return before(*arguments, **named)

    return take


async def test_an_answer_that_cannot_be_read_fails_alone_and_keeps_its_bytes(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add = Accumulator.add
    monkeypatch.setattr(Accumulator, "add", lambda self, event: failing_for("poison", add)(self, event))
    poisoned, other = await told_and_settled(recorder, owner, "some poison here", "good text")
    assert (poisoned.state, poisoned.failure_kind) == ("failed", "internal")
    assert b"poison" in b"".join(await sync_to_async(lambda: list(poisoned.raw()))())
    assert poisoned.event_count > 0
    assert other.state == "completed"
    assert "good text" in str(other.message())
    assert str(poisoned.pk) in caplog.text
    assert "_FaultError" in caplog.text
    assert "with poison" not in caplog.text
    (after,) = await told_and_settled(recorder, owner, "the next one")
    assert after.state == "completed"


@pytest.mark.parametrize("place", ["search_entry", "store_message"])
async def test_a_message_that_cannot_be_stored_fails_its_run_alone(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    before = getattr(run_writer, place)

    def poisoned(*arguments: Any, **named: Any) -> Any:
        given = (*arguments, *named.values())
        texts = [each.accumulator.message if isinstance(each, Figures) else each for each in given]
        if "poison" in repr(texts):
            raise RecursionError("deep")
        return before(*arguments, **named)

    monkeypatch.setattr(run_writer, place, poisoned)
    bad, good = await told_and_settled(recorder, owner, "some poison here", "good text")
    assert (bad.state, bad.failure_kind, bad.message()) == ("failed", "internal", None)
    assert b"poison" in b"".join(await sync_to_async(lambda: list(bad.raw()))())
    assert (good.state, "good text" in str(good.message())) == ("completed", True)
    assert str(bad.pk) in caplog.text


async def test_events_that_cannot_be_read_again_are_stored_as_bytes(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)

    def unreadable(begin: int, end: int) -> Any:
        if end - begin > 1:
            raise ValueError("zip() argument 2 is shorter than argument 1")
        return between(begin, end)

    between = live.events._between
    monkeypatch.setattr(live.events, "_between", unreadable)
    runs.tell(live, runs.stream("good bytes"))
    await asyncio.wait_for(settled(recorder), 15)
    run = await Run.objects.aget(pk=live.id)
    assert (run.state, run.failure_kind) == ("failed", "internal")
    assert b"".join(await sync_to_async(lambda: list(run.raw()))()) == runs.stream("good bytes")


async def test_a_pass_that_breaks_is_tried_again(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(records, "RETRY_S", 0.01)
    broken = iter([True, True])

    def close_old_connections() -> None:
        if next(broken, False):
            raise _FaultError("no")

    monkeypatch.setattr(records, "close_old_connections", close_old_connections)
    (run,) = await told_and_settled(recorder, owner, "text")
    assert run.state == "completed"
    assert "_FaultError" in caplog.text
    assert recorder.problem is None


async def test_a_recorder_that_ended_is_seen_and_begins_again(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(records, "RETRY_S", 0.05)
    await told_and_settled(recorder, owner, "first")
    assert recorder.problem is None

    class _Gone:
        def clear(self) -> None: ...
        async def wait(self) -> None:
            raise _FaultError("gone")

        def set(self) -> None: ...

    wanted, recorder._wanted = recorder._wanted, _Gone()
    wanted.set()
    while not recorder._task.done():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    assert recorder.problem == "the recorder does not run"
    assert "the recorder ended" in caplog.text
    await asyncio.sleep(0.2)
    assert recorder.problem is None
    (run,) = await told_and_settled(recorder, owner, "second")
    assert run.state == "completed"


async def test_a_recorder_that_hangs_is_seen(recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "STALLED_S", 0.05)
    release = threading.Event()
    monkeypatch.setattr(records, "close_old_connections", lambda: release.wait(20))
    live = runs.live_run(owner)
    recorder.attach(live)
    await asyncio.sleep(0.3)
    assert recorder.problem == "the recorder hangs"
    release.set()
    runs.tell(live, runs.stream("text"))
    await asyncio.wait_for(settled(recorder), 15)
    assert recorder.problem is None


def test_a_run_that_cannot_be_read_again_does_not_keep_the_server_from_starting(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cut = runs.stream("cut off")[:-80]
    bad, good = (runs.live_run(owner) for _ in range(2))
    for live in (bad, good):
        live.publish(list(runs.told(cut))[:-1])
        begun = run_writer.RunWriter(live, 2**20)
        begun.collect()
        with transaction.atomic():
            begun.write()
        begun.written()
    before = recovery._figures_of

    def unreadable(run: Run) -> Any:
        if run.pk == bad.id:
            raise _FaultError("no")
        return before(run)

    monkeypatch.setattr(recovery, "_figures_of", unreadable)
    assert recovery.close_interrupted() == 2
    assert {run.state for run in Run.objects.all()} == {"interrupted"}
    assert str(bad.id) in caplog.text


async def test_a_large_answer_is_taken_in_parts_and_stored_whole(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_writer, "BYTES_AT_ONCE", 100_000)
    live = runs.live_run(owner)
    recorder.attach(live)
    data = runs.stream("word " * 5_000)
    runs.tell(live, data)
    most = 0
    while recorder._recordings:
        most = max(most, *(recording._waiting_bytes for recording in recorder._recordings.values()), 0)
        await asyncio.sleep(0)
    run = await Run.objects.aget(pk=live.id)
    assert (run.state, live.is_stored) == ("completed", True)
    assert b"".join(await sync_to_async(lambda: list(run.raw()))()) == data
    assert run.event_count == live.event_count
    assert most <= 100_000 + 200


async def test_a_json_answer_above_what_is_read_is_stored_whole(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    data = b'{"type":"message","content":[{"type":"text","text":"' + b"x" * (17 * 2**20) + b'"}]}'
    live.publish([Received(1.0, data[at : at + 2**17]) for at in range(0, len(data), 2**17)])
    live.publish([runs.ended()])
    await asyncio.wait_for(settled(recorder), 60)
    run = await Run.objects.select_related("content").aget(pk=live.id)
    assert (run.state, run.message(), run.received_size) == ("completed", None, len(data))
    assert b"".join(await sync_to_async(lambda: list(run.raw()))()) == data
