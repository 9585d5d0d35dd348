"""What the recorder writes, and when it cannot."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections, transaction

from playground.databases.sqlite3.idle_connections import idle
from playground.engine.events import Failure
from playground.metrics.figures import MOST_TOKENS
from playground.models import Run, RunBatch, RunContent
from playground.recording import client_session, recovery, run_writer
from playground.recording import recorder as records
from playground.request_log.rows import row_of
from tests.recording.conftest import settled
from tests.support import runs

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_run_is_stored_with_its_figures_and_its_content(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    runs.tell(live, runs.stream("Rayleigh scattering.", thinking="Let me see."))
    await settled(recorder)
    run = await Run.objects.select_related("content").aget(pk=live.id)
    assert (run.owner_id, run.state, run.http_status, run.status_class) == (owner.pk, "completed", 200, 2)
    assert (run.input_tokens, run.output_tokens, run.cache_read_tokens, run.cache_write_tokens) == (21, 9, 4, None)
    assert (run.stop_reason, run.request_id, run.agent) == ("end_turn", "req_011CVx4", "anthropic-python 2.12.0")
    assert set(run.phases) == {"waiting", "thinking", "text"}
    assert run.first_token_ms is not None
    assert run.first_byte_ms == 20.0
    assert run.request_body == live.about.request_body
    assert run.message() == runs.answer_of(live).message
    assert "Rayleigh scattering." in run.message()["content"][1]["text"]


async def test_the_bytes_and_the_events_come_back_as_they_were_received(recorder: Any, owner: User) -> None:
    data = runs.stream("one two three four five six seven eight nine ten")
    live = runs.live_run(owner)
    recorder.attach(live)
    for event in runs.told(data, chunk=37):
        live.publish([event])
        await asyncio.sleep(0.001)  # so that several batches are made, cut anywhere
    live.publish([runs.ended()])
    await settled(recorder)

    def check() -> None:
        run = Run.objects.get(pk=live.id)
        streamed = [event for event in live.events if type(event).__name__ == "Streamed"]
        assert b"".join(run.raw()) == data
        assert RunBatch.objects.filter(run=run).count() > 1
        assert [event.event.data for event in run.events()] == [event.event.data for event in streamed]
        for first in range(1, len(streamed) + 1):
            window = run.events(first, first + 2)
            assert [event.number for event in window] == list(range(first, min(first + 3, len(streamed) + 1)))
            assert window[0].event.data == streamed[first - 1].event.data
        assert runs.accumulated(run.events()) == run.message()

    await sync_to_async(check)()


async def test_what_was_told_faster_than_it_is_taken_is_stored_whole_before_anybody_goes_on(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "AT_ONCE", 7)
    live = runs.live_run(owner)
    recorder.attach(live)
    runs.tell(live, runs.stream(" ".join(f"word{number}" for number in range(100))), chunk=50)
    assert len(live.events) > 10 * records.AT_ONCE
    await recorder.settle()
    run = await Run.objects.aget(pk=live.id)
    assert run.state == "completed"
    assert await sync_to_async(lambda: b"".join(run.raw()))() == live.body()


async def test_the_row_is_there_while_the_run_goes_on(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    live.publish(runs.told(runs.stream())[:4])
    await recorder.settle()
    assert (await Run.objects.aget(pk=live.id)).state == "running"
    live.publish([runs.ended("cancelled", Failure("stopped", "Stopped."))])
    await settled(recorder)
    run = await Run.objects.aget(pk=live.id)
    assert (run.state, run.failure_kind, run.http_status) == ("cancelled", "stopped", 200)


async def test_a_visitors_run_is_not_stored(recorder: Any, db: None) -> None:
    live = runs.live_run(None)
    recorder.attach(live)
    runs.tell(live)
    await settled(recorder)
    assert await Run.objects.acount() == 0


async def test_only_figures_are_kept_when_content_is_switched_off(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner, keep_content=False)
    recorder.attach(live)
    runs.tell(live)
    await settled(recorder)
    run = await Run.objects.aget(pk=live.id)
    assert (run.content_kept, run.output_tokens, run.event_count) == (False, 9, 7)
    assert await RunContent.objects.acount() == 0
    assert await RunBatch.objects.acount() == 0


async def test_an_answer_that_is_no_stream_is_stored_whole(recorder: Any, owner: User) -> None:
    content = [{"type": "text", "text": "Hi"}]
    message = {"id": "msg_2", "type": "message", "content": content, "usage": {"input_tokens": 3}}
    live = runs.live_run(owner, stream=False)
    recorder.attach(live)
    events = runs.told(b"")
    live.publish([*events, type(runs.told(b"x")[2])(30.0, json.dumps(message).encode()), runs.ended()])
    await settled(recorder)
    run = await Run.objects.select_related("content").aget(pk=live.id)
    assert run.message()["content"] == message["content"]
    assert (run.event_count, run.input_tokens, run.received_size) == (0, 3, len(json.dumps(message)))


async def test_final_states_do_not_change(recorder: Any, owner: User) -> None:
    live = runs.live_run(owner)
    recorder.attach(live)
    live.publish(runs.told(runs.stream())[:4])
    await recorder.settle()
    await Run.objects.filter(pk=live.id).aupdate(state="interrupted")
    live.publish([runs.ended()])
    await settled(recorder)
    assert (await Run.objects.aget(pk=live.id)).state == "interrupted"


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While it is set, the database is."""
    is_away = threading.Event()
    is_away.set()
    store = run_writer.RunWriter.write_all

    def write(due: list[run_writer.RunWriter]) -> None:
        if is_away.is_set():
            raise OperationalError("the database is away")
        store(due)

    monkeypatch.setattr(run_writer.RunWriter, "write_all", write)
    return is_away


async def test_while_the_database_is_away_runs_wait_and_nothing_is_lost(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch, away: threading.Event
) -> None:
    monkeypatch.setattr(records, "RETRY_S", 0.01)
    live = runs.live_run(owner)
    recorder.attach(live)
    runs.tell(live)
    await recorder.settle()
    assert recorder.failing
    assert await Run.objects.acount() == 0
    away.clear()
    await settled(recorder)
    assert not recorder.failing
    run = await Run.objects.aget(pk=live.id)
    assert (run.state, run.event_count, run.log_complete) == ("completed", 7, True)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's one writer at a time")
async def test_while_somebody_else_holds_the_database_runs_wait(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RETRY_S", 0.01)
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.05)
    idle.close_all()  # one that was opened before would wait for 20 s
    recorder = records.Recorder(every_s=0.01)
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    live = runs.live_run(owner)
    recorder.attach(live)
    runs.tell(live)
    await recorder.settle()
    assert recorder.failing
    other.execute("ROLLBACK")
    other.close()
    await settled(recorder)
    assert not recorder.failing
    assert (await Run.objects.aget(pk=live.id)).event_count == 7
    await recorder.stop()
    idle.close_all()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL ends connections when it restarts")
async def test_a_restart_of_the_database_loses_nothing(
    recorder: Any, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "RETRY_S", 0.01)

    def end_the_recorders_connection(pid: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    live = runs.live_run(owner)
    recorder.attach(live)
    told = runs.told(runs.stream())
    live.publish(told[:5])
    await recorder.settle()
    backend = recorder._thread.submit(lambda: connection.connection.info.backend_pid).result()
    await sync_to_async(end_the_recorders_connection)(backend)
    live.publish([*told[5:], runs.ended()])
    await settled(recorder)
    run = await Run.objects.aget(pk=live.id)
    assert (run.state, run.event_count, run.log_complete) == ("completed", 7, True)


async def test_what_does_not_fit_while_the_database_is_away_is_told_to_be_missing(
    owner: User, monkeypatch: pytest.MonkeyPatch, away: threading.Event
) -> None:
    monkeypatch.setattr(records, "RETRY_S", 0.01)
    recorder = records.Recorder(every_s=0.01, most_waiting=400)
    recorder.failing = True
    live = runs.live_run(owner)
    recorder.attach(live)
    for event in runs.told(runs.stream("word " * 40)):
        live.publish([event])
        if live.received_size % 1000 == 0:
            await recorder.settle()
    live.publish([runs.ended()])
    await recorder.settle()
    away.clear()
    await settled(recorder)
    run = await Run.objects.aget(pk=live.id)
    assert (run.state, run.log_complete) == ("completed", False)
    assert sum([len(batch.data) async for batch in RunBatch.objects.filter(run=run)]) <= 400
    await recorder.stop()


async def test_a_run_whose_owner_is_gone_does_not_cost_the_others_theirs(
    recorder: Any, owner: User, stranger: User
) -> None:
    lost, kept = runs.live_run(stranger), runs.live_run(owner)
    await sync_to_async(stranger.delete)()
    for live in (lost, kept):
        recorder.attach(live)
        runs.tell(live)
    await settled(recorder)
    assert [run.pk async for run in Run.objects.all()] == [kept.id]


@pytest.mark.parametrize(
    "bad", ["NUL \x00 in it", "half \ud800 a pair", "\ufffe\uffff", "x" * 3000, "'; DROP TABLE", "%s {} \\"]
)
def test_any_text_can_be_stored_and_searched(owner: User, bad: str) -> None:
    body = runs.body_of(bad + " needle")
    live = runs.live_run(owner, body=body, model=bad, user_agent=bad, access_key_name=bad, client_address=bad)
    answer = runs.stream("haystack").replace(b"haystack", json.dumps(bad)[1:-1].encode() + b" haystack")
    run = runs.store(runs.tell(live, answer))
    assert run.state == "completed"
    assert run.request_body == body
    assert runs.search_ids(owner, "needle") == runs.search_ids(owner, "haystack") == [run.pk]
    assert runs.search_ids(owner, bad) in ([run.pk], [])


@pytest.mark.parametrize("count", [1.5, "many", None, True, [1]])
def test_a_count_that_is_no_count_is_left_out(owner: User, count: Any) -> None:
    data = runs.stream().replace(b'"output_tokens": 9', b'"output_tokens": ' + json.dumps(count).encode())
    run = runs.store(runs.tell(runs.live_run(owner, base_url="https://api.example.org"), data))
    assert run.output_tokens in (None, 1)
    assert not run.tokens_clamped


@pytest.mark.parametrize(("claimed", "kept"), [(-1, 0), (-(2**62), 0), (2**62, MOST_TOKENS), (2**70, MOST_TOKENS)])
def test_a_count_that_cannot_be_is_brought_into_what_can_and_marked(owner: User, claimed: int, kept: int) -> None:
    data = runs.stream().replace(b'"output_tokens": 9', b'"output_tokens": ' + json.dumps(claimed).encode())
    run = runs.store(runs.tell(runs.live_run(owner, base_url="https://api.example.org"), data))
    assert (run.output_tokens, run.tokens_clamped, run.cost_usd) == (kept, True, None)
    assert row_of(run).outgoing == f"{kept:,}?"


def test_a_run_that_a_stop_of_the_server_cut_off_is_told_from_what_was_stored(owner: User) -> None:
    live = runs.live_run(owner)
    live.publish(runs.told(runs.stream("Rayleigh scattering makes it blue."))[:-3])
    half = runs.store(live)
    assert half.state == "running"
    assert recovery.close_interrupted() == 1
    run = Run.objects.get(pk=live.id)
    assert (run.state, run.failure_kind, run.http_status) == ("interrupted", "server_stopped", 200)
    assert run.event_count == live.event_count
    assert "Rayleigh" in run.message()["content"][0]["text"]
    assert runs.search_ids(owner, "rayleigh") == [run.pk]
    assert recovery.close_interrupted() == 0


def test_a_run_that_goes_on_is_not_closed(owner: User) -> None:
    live = runs.live_run(owner)
    live.publish(runs.told(runs.stream())[:4])
    runs.store(live)
    assert recovery.close_interrupted(live=[live.id]) == 0


def test_writing_the_same_twice_changes_nothing(owner: User) -> None:
    """A commit may come through although the connection broke before it said so."""
    live = runs.tell(runs.live_run(owner))
    writer = run_writer.RunWriter(live, 2**24)
    writer.collect()
    writer.write()
    writer.write()
    assert Run.objects.count() == RunContent.objects.count() == 1
    assert b"".join(Run.objects.get().raw()) == live.body()


def test_events_that_are_told_later_than_their_bytes_are_stored_with_the_next(owner: User) -> None:
    data = runs.stream("one two three")
    live = runs.live_run(owner)
    writer = run_writer.RunWriter(live, 2**24)
    for event in [*runs.told(data, chunk=90), runs.ended()]:
        live.publish([event])  # each looked at alone: between bytes and the events that end in them, too
        writer.collect()
        writer.write()
        writer.written()
    run = Run.objects.get()
    assert b"".join(run.raw()) == data
    assert [event.event.data for event in run.events()] == [
        event.event.data for event in live.events if type(event).__name__ == "Streamed"
    ]


def test_storing_takes_few_queries(owner: User, django_assert_num_queries: Any) -> None:
    writer = run_writer.RunWriter(runs.tell(runs.live_run(owner)), 2**24)
    writer.collect()
    with transaction.atomic(), django_assert_num_queries(7 if connection.vendor == "sqlite" else 6):
        writer.write()


def test_the_client_session_is_read_where_clients_put_it() -> None:
    user = "user_1_account_2_session_0b6c-77"
    assert client_session.session_of([], json.dumps({"metadata": {"user_id": user}}).encode()) == "0b6c-77"
    inner = json.dumps({"device_id": "d", "session_id": "s-9"})
    assert client_session.session_of([], json.dumps({"metadata": {"user_id": inner}}).encode()) == "s-9"
    assert client_session.session_of([("X-Session-Id", "s-1")], b"not JSON") == "s-1"
    for body in (b"", b"not JSON", b'{"metadata": {"user_id": ["session"]}}', b'{"metadata": "user_id session"}'):
        assert client_session.session_of([], body) == ""
