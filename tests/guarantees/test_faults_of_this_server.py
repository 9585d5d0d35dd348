"""The faults on our side: a browser or client that leaves, a database that is away, a clock that jumps, a kill."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
import time
from contextlib import suppress
from typing import Any

import httpx
import pytest
from channels.db import database_sync_to_async
from django.db import OperationalError, connection, connections

from accounts.models import User
from playground.engine.events import RunEvent, Streamed
from playground.models import Draft, Run, RunBatch
from playground.protocol.stream.accumulator import Accumulator
from playground.recording import recovery, run_writer
from playground.recording.run_writer import RunWriter
from tests.guarantees.test_fault_matrix import BODY, House, house
from tests.support.raw_upstream import DELTA, START, STOP, TEXT, Exchange, serving
from tests.support.runs import ended, live_run, stream, told

__all__ = ["house"]
pytestmark = pytest.mark.django_db(transaction=True)
STARTED = START + TEXT + DELTA


class Stepwise:
    """An upstream that says the beginning, and the rest when it is told to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.requests = 0

    async def __call__(self, exchange: Exchange) -> None:
        self.requests += 1
        await exchange.stream(STARTED)
        waiting = asyncio.ensure_future(exchange.until_gone())
        await self.go_on.wait()
        waiting.cancel()
        await exchange.chunk(DELTA + STOP)
        await exchange.close_stream()


class Page:
    """The owner's browser on the playground page: no socket, just what it posts."""

    def __init__(self, house: House) -> None:
        self.client = httpx.AsyncClient(base_url=house.url, cookies={"sessionid": house.cookie}, timeout=30)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        if "csrftoken" not in self.client.cookies:
            await self.client.get("/")
        data = {f":{name}": value for name, value in fields.items()}
        return await self.client.post(path, data=data, headers={"x-csrftoken": self.client.cookies["csrftoken"]})

    async def send(self, **fields: str) -> httpx.Response:
        return await self.post(
            "/send", **{"mode": "json", "json": BODY.decode(), "anyway": "1", "version": await self.version()} | fields
        )

    async def version(self) -> str:
        return re.search(r'data-version="(\d+)"', (await self.client.get("/")).text)[1]


def run_id_of(answer: httpx.Response) -> str:
    return re.search(r'data-run="([0-9a-f-]{36})"', answer.text)[1]


async def open_page(house: House, address: str) -> Page:
    await house.to(address)

    def choose() -> None:
        connection = house.owner.connections.get()
        Draft(user=house.owner, body=BODY, connection=connection).keep()

    await database_sync_to_async(choose)()
    return Page(house)


async def ended_run(house: House) -> tuple[Run, bytes]:
    for _ in range(1200):
        run, kept = await house.run()
        if run.is_final:
            return run, kept
        await asyncio.sleep(0.05)
    raise AssertionError("the run did not end")


async def until_stored(house: House, data: bytes) -> None:
    for _ in range(1200):
        with suppress(Run.DoesNotExist):
            if (await house.run())[1] == data:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("it was not stored")


# --- Those who wait for the answer ----------------------------------------------------------------------------------


async def test_a_run_goes_on_to_its_end_though_no_page_follows_it(house: House) -> None:
    script = Stepwise()
    async with serving(script) as upstream:
        page = await open_page(house, upstream.url)
        await page.send()
        await page.client.aclose()
        await until_stored(house, STARTED)
        script.go_on.set()
        run, kept = await ended_run(house)
    assert (run.state, kept) == ("completed", STARTED + DELTA + STOP)


async def test_pressing_twice_makes_one_run(house: House) -> None:
    script = Stepwise()
    async with serving(script) as upstream:
        page = await open_page(house, upstream.url)
        version = await page.version()
        first = await page.send(**{"idempotency-key": "one"}, version=version)
        again = await page.send(**{"idempotency-key": "one"}, version=await page.version())
        other = await page.send(**{"idempotency-key": "other"}, version=await page.version())
        assert run_id_of(first) == run_id_of(again) != run_id_of(other)
        while script.requests < 2:
            await asyncio.sleep(0.02)
        assert script.requests == 2
        await house.forget_live_runs()
        await page.client.aclose()


async def test_a_client_of_the_relay_that_leaves_ends_its_run_and_what_came_is_kept(house: House) -> None:
    async with serving(Stepwise()) as upstream:
        await house.to(upstream.url)
        headers = {"x-api-key": house.secret}
        async with (
            httpx.AsyncClient(base_url=house.url, headers=headers) as client,
            client.stream("POST", "/v1/messages", content=BODY) as answer,
        ):
            chunks = answer.aiter_raw()
            assert await anext(chunks)
            await until_stored(house, STARTED)
            assert (await house.run())[0].state == "running"
        run, kept = await ended_run(house)
    assert (run.state, run.failure_kind, kept) == ("cancelled", "stopped", STARTED)


# --- The clock ------------------------------------------------------------------------------------------------------


async def test_a_clock_that_jumps_changes_neither_durations_nor_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Stepwise()
    real = time.time
    async with serving(script) as upstream:
        page = await open_page(house, upstream.url)
        await page.send()
        await until_stored(house, STARTED)
        monkeypatch.setattr(time, "time", lambda: real() - 86_400)
        script.go_on.set()
        run, _ = await ended_run(house)
        monkeypatch.undo()
        await page.client.aclose()
    assert 0 < run.first_byte_ms <= run.first_token_ms <= run.duration_ms < 60_000
    times = [event.at_ms for event in await database_sync_to_async(run.events)()]
    assert times == sorted(times)


# --- The database ---------------------------------------------------------------------------------------------------


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Switch off and on: while it is off, nothing can be stored."""

    class Switch:
        is_off = False

    real = run_writer.RunWriter.write_all

    def write_all(recordings: Any) -> None:
        if Switch.is_off:
            raise OperationalError("the database is away")
        real(recordings)

    monkeypatch.setattr(run_writer.RunWriter, "write_all", staticmethod(write_all))
    monkeypatch.setattr("playground.recording.recorder.RETRY_S", 0.05)
    wrapper = connections["default"].__class__
    connect = wrapper.ensure_connection

    def ensure_connection(self: Any) -> None:
        if Switch.is_off and threading.current_thread().name.startswith("recorder"):
            raise OperationalError("the database is away")
        connect(self)

    monkeypatch.setattr(wrapper, "ensure_connection", ensure_connection)
    return Switch


async def until_failing(house: House, expected: bool) -> None:
    from playground.dispatch import process

    async def failing() -> bool:
        return process.current().recorder.failing

    for _ in range(1200):
        if await house.there(failing) == expected:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"the recorder is not {'failing' if expected else 'well'}")


async def test_while_the_database_is_away_a_stream_goes_on_and_is_stored_later(
    house: House, database_away: Any
) -> None:
    script = Stepwise()
    async with serving(script) as upstream:
        await house.to(upstream.url)
        told = asyncio.ensure_future(house.post())
        await until_stored(house, STARTED)
        database_away.is_off = True
        script.go_on.set()
        status, _, data, is_whole = await told
        assert is_whole
        assert (status, data) == (200, STARTED + DELTA + STOP)
        await until_failing(house, True)
        run = await database_sync_to_async(Run.objects.get)()
        assert not run.is_final, "nothing half-written looks whole"
        database_away.is_off = False
        await until_failing(house, False)
        run, kept = await ended_run(house)
    assert (run.state, kept, run.log_complete) == ("completed", STARTED + DELTA + STOP, True)


async def test_while_nothing_can_be_stored_nothing_is_sent_and_the_input_is_kept(
    house: House, database_away: Any
) -> None:
    script = Stepwise()
    async with serving(script) as upstream:
        page = await open_page(house, upstream.url)
        await page.send()
        await until_stored(house, STARTED)
        database_away.is_off = True
        script.go_on.set()
        await until_failing(house, True)
        typed = BODY.decode().replace("Hello", "typed while it was away")
        refused = await page.send(json=typed)
        assert refused.status_code in {200, 503}
        assert "cannot be stored" in refused.text
        assert "typed while it was away" in (await page.client.get("/draft/body")).text
        status, _, data, is_whole = await house.post()
        assert is_whole
        assert (status, json.loads(data)["error"]["type"]) == (503, "api_error")
        assert script.requests == 1
        database_away.is_off = False
        await until_failing(house, False)
        await page.client.aclose()


async def test_a_locked_database_holds_up_no_stream(house: House) -> None:
    script = Stepwise()
    async with serving(script) as upstream:
        await house.to(upstream.url)
        told = asyncio.ensure_future(house.post())
        await until_stored(house, STARTED)
        lock = await asyncio.to_thread(Lock)
        script.go_on.set()
        status, _, data, is_whole = await told
        assert is_whole
        assert (status, data) == (200, STARTED + DELTA + STOP)
        await asyncio.to_thread(lock.release)
        run, kept = await ended_run(house)
    assert (run.state, kept) == ("completed", STARTED + DELTA + STOP)


class Lock:
    """Another program that writes and does not finish."""

    def __init__(self) -> None:
        self.other = connection.copy()
        self.other.ensure_connection()
        with self.other.cursor() as cursor:
            if self.other.vendor == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            else:
                cursor.execute("BEGIN")
                cursor.execute("LOCK TABLE playground_run, playground_runbatch IN EXCLUSIVE MODE")
        self.other.inc_thread_sharing()

    def release(self) -> None:
        with self.other.cursor() as cursor:
            cursor.execute("ROLLBACK")
        self.other.close()


# --- A kill ---------------------------------------------------------------------------------------------------------

KILLS = 1_000


def steps_of(events: list[RunEvent]) -> list[list[RunEvent]]:
    """As the engine tells them: what one read brought comes together."""
    steps: list[list[RunEvent]] = []
    for event in events:
        if isinstance(event, Streamed):
            steps[-1].append(event)
        else:
            steps.append([event])
    return steps


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_what_was_stored_and_says_interrupted(owner: User) -> None:
    """What the recorder wrote before the kill is all there is; the next start makes the most of it."""
    chance = random.Random(20261122)
    data = stream("one two three four five six", thinking="let me see")
    written: dict[Any, int] = {}
    for _ in range(KILLS):
        live = live_run(owner)
        each = RunWriter(live, 2**24)
        steps = steps_of([*told(data, chunk=chance.randint(1, 400)), ended()])
        at = 0
        for cut in sorted(chance.sample(range(1, len(steps)), k=min(len(steps) - 1, chance.randint(0, 3)))):
            live.publish([event for step in steps[at:cut] for event in step])
            at = cut
            each.collect()
            each.write()
            each.written()
            written[live.id] = each.figures.received_size
    recovery.close_interrupted()
    runs = list(Run.objects.all())
    assert {run.pk for run in runs} == written.keys()
    batches: dict[Any, bytes] = {}
    for run_id, piece in RunBatch.objects.order_by("run_id", "start").values_list("run_id", "data"):
        batches[run_id] = batches.get(run_id, b"") + bytes(piece)
    for run in runs:
        kept = batches.get(run.pk, b"")
        assert (run.state, run.failure_kind) == ("interrupted", "server_stopped")
        assert kept == data[: written[run.pk]]
        assert run.received_size == len(kept)
    for run in runs:
        accumulator = Accumulator()
        for streamed in run.events():
            accumulator.add(streamed.event)
        accumulator.finish()
        assert (run.message() or {}).get("content", []) == accumulator.message.get("content", [])
