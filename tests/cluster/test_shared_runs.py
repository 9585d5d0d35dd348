"""The verbs of live runs, with two processes that meet in Redis: what one starts the other finds, follows and stops."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from channels.db import database_sync_to_async

from playground.cluster import keys
from playground.engine.events import Answered, Ended, Received, Streamed
from playground.engine.live_run import LiveRun, RunMetadata
from playground.engine.rate_limit import Quota, RateLimited, too_many_at_once
from playground.engine.run_spec import RunSpec
from playground.engine.upstream import Outgoing
from tests.engine.scripted_transport import Scripted
from tests.support.raw_upstream import DELTA, START, STOP, TEXT
from tests.support.runs import answer_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.cluster.shared_runs import SharedRuns
    from tests.cluster.redis_server import RedisServer

OUTGOING = Outgoing("POST", "http://upstream.example/v1/messages", (), b"{}")
STREAM = [START, TEXT, *[DELTA] * 40, STOP]
MINE = "user:1"


async def start(runs: SharedRuns, upstream: Scripted, *, quotas: Any = (), **about: Any) -> LiveRun:
    about = {"user_id": 1, "request_body": b'{"model": "m"}'} | about
    client = upstream.client()
    return await runs.astart(
        RunSpec(outgoing=OUTGOING, client=client, owner=MINE, about=RunMetadata(**about), quotas=quotas)
    )


async def found(runs: SharedRuns, run: LiveRun) -> LiveRun:
    there = await runs.afind(run.id, MINE)
    assert there is not None
    return there


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """A test that waits in vain fails, instead of hanging."""
    async with asyncio.timeout(seconds):
        yield


async def test_another_process_finds_a_run_and_reads_the_same_events(registry: Any) -> None:
    here, there = await registry(), await registry()
    upstream = Scripted(*STREAM[:20])
    run = await start(here, upstream, model="m", betas=("b-1",))
    async with within(40):
        other = await found(there, run)
        for chunk in [*STREAM[20:], None]:
            upstream.chunks.put_nowait(chunk)
        told = [event async for event in other.follow()]
    assert told == list(run.events)
    assert (other.about, other.started_at, other.state) == (run.about, run.started_at, "completed")
    assert other.body() == b"".join(STREAM)
    assert answer_of(other).message == answer_of(run).message


async def test_a_reader_goes_on_elsewhere_from_the_number_it_saw_last(registry: Any) -> None:
    here, there = await registry(), await registry()
    upstream = Scripted(*STREAM, None)
    run = await start(here, upstream)
    await run.ended()
    async with within(40):
        other = await found(there, run)
        numbers = [event.number async for event in other.follow(17) if isinstance(event, Streamed)]
    assert numbers == list(range(18, len(STREAM) + 1))


async def test_readers_that_change_process_at_random_moments_miss_nothing_and_read_nothing_twice(registry: Any) -> None:
    """A thousand moments, over twenty runs."""
    processes = [await registry() for _ in range(3)]
    chance = random.Random(13)

    async def story() -> None:
        upstream = Scripted()
        run = await start(chance.choice(processes), upstream)
        feeding = asyncio.ensure_future(feed(upstream))
        seen: list[int] = []
        cuts = sorted(chance.choices(range(1, len(STREAM) + 1), k=50))
        for cut in [*cuts, None]:
            other = await found(chance.choice(processes), run)
            async with aclosing(other.follow(seen[-1] if seen else 0)) as events:
                async for event in events:
                    if isinstance(event, Streamed):
                        seen.append(event.number)
                        if cut is not None and event.number >= cut:
                            break
        await feeding
        assert seen == list(range(1, len(STREAM) + 1))

    async with within(60):
        await asyncio.gather(*(story() for _ in range(20)))


async def feed(upstream: Scripted) -> None:
    for chunk in STREAM:
        await asyncio.sleep(0.005)
        upstream.chunks.put_nowait(chunk)
    upstream.chunks.put_nowait(None)


async def test_a_run_that_nobody_follows_elsewhere_has_no_events_in_redis(
    registry: Any, redis_server: RedisServer
) -> None:
    here, _ = await registry(), await registry()
    run = await start(here, Scripted(*STREAM, None))
    await run.ended()
    await here.publisher.flush()
    assert redis_server.ask("exists", keys.run(run.id))
    assert not redis_server.ask("exists", keys.events(run.id))


async def test_what_is_told_of_a_run_expires(registry: Any, redis_server: RedisServer) -> None:
    here, there = await registry(), await registry()
    run = await start(here, Scripted(*STREAM, None))
    async with within(40):
        await (await found(there, run)).ended()
    await here.publisher.flush()
    names = redis_server.ask("keys", f"{keys.PREFIX}*")
    kept = {name for name in names if redis_server.ask("ttl", name) < 0}
    assert kept == set()
    assert len(names) >= 6


async def test_events_of_one_window_are_one_entry(registry: Any, redis_server: RedisServer) -> None:
    here, there = await registry(), await registry()
    upstream = Scripted(START, TEXT)
    run = await start(here, upstream)
    async with within(40):
        other = await found(there, run)
        before = redis_server.ask("xlen", keys.events(run.id))
        upstream.chunks.put_nowait(b"".join([DELTA] * 30 + [STOP]))
        upstream.chunks.put_nowait(None)
        await other.ended()
    assert redis_server.ask("xlen", keys.events(run.id)) - before <= 3


async def test_nobody_elsewhere_finds_the_run_of_another_owner(registry: Any) -> None:
    here, there = await registry(), await registry()
    run = await start(here, Scripted())
    async with within(40):
        assert await there.afind(run.id, "user:2") is None
        await found(there, run)
        assert await there.afind(run.id, "user:2") is None
        assert there.find(run.id, "user:2") is None
        assert there.references_of("user:2") == []


async def test_a_stop_elsewhere_ends_the_run(registry: Any) -> None:
    here, there = await registry(), await registry()
    upstream = Scripted(START, TEXT)
    run = await start(here, upstream)
    async with within(40):
        other = await found(there, run)
        other.stop()
        ended = await other.ended()
    assert (ended.state, run.state) == ("cancelled", "cancelled")
    assert ended.failure is not None
    assert ended.failure.message == "Stopped."
    assert upstream.is_closed


async def test_an_owners_runs_are_listed_from_all_processes(registry: Any) -> None:
    here, there = await registry(), await registry()
    first = await start(here, Scripted(), idempotency_key="a")
    second = await start(there, Scripted(), source="relay")
    for runs in (here, there):
        references = await asyncio.to_thread(runs.references_of, MINE)
        assert [reference.id for reference in references] == [second.id, first.id]
        assert [(each.source, each.idempotency_key) for each in references] == [("relay", None), ("playground", "a")]


async def test_an_owners_log_tells_what_happens_elsewhere(registry: Any) -> None:
    here, there = await registry(), await registry()
    told: list[tuple[Any, str]] = []

    async def listen() -> None:
        async for run in there.follow_owner(MINE):
            told.append((run.id, run.state))

    listening = asyncio.ensure_future(listen())
    async with within(40):
        while MINE not in there.follower._logs:
            await asyncio.sleep(0.01)
        upstream = Scripted(START, TEXT)
        run = await start(here, upstream)
        while (run.id, "running") not in told:
            await asyncio.sleep(0.01)
        for chunk in (STOP, None):
            upstream.chunks.put_nowait(chunk)
        while (run.id, "completed") not in told:
            await asyncio.sleep(0.01)
    listening.cancel()


async def test_a_double_click_at_two_processes_is_one_run(registry: Any) -> None:
    here, there = await registry(), await registry()
    upstreams = [Scripted(*STREAM), Scripted(*STREAM)]
    async with within(40):
        one, other = await asyncio.gather(
            start(here, upstreams[0], idempotency_key="press"), start(there, upstreams[1], idempotency_key="press")
        )
    assert one.id == other.id
    assert sum(upstream.calls for upstream in upstreams) <= 1


async def test_a_refused_run_gives_its_double_click_key_back(registry: Any) -> None:
    here, there = await registry(), await registry()
    none_left = [("user:1", Quota(None, 0))]
    with pytest.raises(RateLimited):
        await start(here, Scripted(), idempotency_key="press", quotas=none_left)
    async with within(40):
        assert (await start(there, Scripted(), idempotency_key="press")).about.home == there.process


async def test_runs_at_once_count_over_all_processes_until_they_end(registry: Any) -> None:
    here, there = await registry(), await registry()
    quotas = [("user:1", Quota(None, 2))]
    run = await start(here, Scripted(), quotas=quotas)
    await start(there, Scripted(), quotas=quotas)
    with pytest.raises(RateLimited) as refused:
        await start(there, Scripted(), quotas=quotas)
    assert refused.value.message == "At most 2 requests at once. Wait until one has finished, or stop one."
    run.stop()
    await run.ended()
    await here.publisher.flush()
    assert (await start(there, Scripted(), quotas=quotas)).about.home == there.process


async def test_runs_a_minute_count_over_all_processes(registry: Any) -> None:
    here, there = await registry(), await registry()
    quotas = [("user:1", Quota(3, None)), ("key:1", Quota(10, None))]
    for runs in (here, there, here):
        await start(runs, Scripted(), quotas=quotas)
    with pytest.raises(RateLimited) as refused:
        await start(there, Scripted(), quotas=quotas)
    assert refused.value.message.startswith("At most 3 requests per minute. Try again in ")
    assert refused.value.retry_after_s is not None
    assert 1 <= refused.value.retry_after_s <= 60


async def test_short_questions_count_over_all_processes(registry: Any) -> None:
    here, there = await registry(), await registry()
    one = [("fetch:user:1", Quota(None, 1))]
    async with here.admitted(one, "token counts"):
        with pytest.raises(RateLimited) as refused:
            async with there.admitted(one, "token counts"):
                pass
    assert refused.value.message == too_many_at_once(1, "token counts").message
    await here.publisher.flush()
    async with there.admitted(one, "token counts"):
        pass


@pytest.mark.django_db(transaction=True)
async def test_a_deleted_run_is_forgotten_everywhere(registry: Any, settings: Any, redis_server: RedisServer) -> None:
    settings.REDIS_URL = redis_server.url
    here, there = await registry(), await registry()
    run = await start(here, Scripted(*STREAM, None))
    async with within(40):
        await (await found(there, run)).ended()
        await database_sync_to_async(there.forget)(run.id)
        while here.find(run.id, MINE) or there.find(run.id, MINE):
            await asyncio.sleep(0.01)
        assert await there.afind(run.id, MINE) is None


async def test_a_visitors_run_outlives_its_process(registry: Any) -> None:
    here, there = await registry(), await registry()
    run = await start(here, Scripted(*STREAM, None), user_id=None)
    await run.ended()
    await here.drain(0)
    await here.close()
    async with within(40):
        other = await found(there, run)
    assert list(other.events) == list(run.events)
    assert other.about.request_body == run.about.request_body


async def test_a_visitors_run_that_a_stop_cut_off_says_so_elsewhere(registry: Any) -> None:
    here, there = await registry(), await registry()
    run = await start(here, Scripted(*STREAM[:5]), user_id=None)
    async with within(40):
        other = await found(there, run)
        await here.drain(0)
        await here.close()
        ended = await other.ended()
    assert ended.state == "interrupted"
    assert [type(event) for event in other.events if not isinstance(event, Received | Streamed)][1:] == [
        Answered,
        Ended,
    ]


async def test_followers_of_a_process_that_died_are_told(registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.cluster.heartbeat.GONE_AFTER_S", 0.5)
    here, there = await registry(), await registry()
    run = await start(here, Scripted(*STREAM[:5]))
    async with within(40):
        other = await found(there, run)
        for task in here._tasks:  # as if it were killed: it says nothing more
            task.cancel()
        await there.link.commands.delete(keys.lease(here.process))
        ended = await other.ended()
    assert (ended.state, ended.is_cut) == ("interrupted", True)
    assert ended.failure is not None
    assert ended.failure.kind == "server_stopped"
    assert other.event_count == 5


async def test_a_run_that_its_process_has_let_go_of_is_not_found_elsewhere(registry: Any) -> None:
    here, there = await registry(keep_s=0.05), await registry()
    run = await start(here, Scripted(*STREAM, None))
    async with within(40):
        await run.ended()
        while here.find(run.id, MINE) is not None:
            await asyncio.sleep(0.02)
        assert await there.afind(run.id, MINE) is None


async def test_large_answers_in_one_piece_arrive_whole(registry: Any) -> None:
    here, there = await registry(), await registry()
    pieces = [bytes([number]) * 200_000 for number in range(40)]
    run = await start(here, Scripted(*pieces, None))
    async with within(20):
        other = await found(there, run)
        await other.ended()
    assert other.body() == b"".join(pieces)
