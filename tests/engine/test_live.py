"""Runs in progress: whoever follows gets everything once, and a run ends once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from playground.engine.events import Ended, Streamed
from playground.engine.live import LiveRuns, Stopping
from playground.engine.live_run import LiveRun, RunMetadata
from playground.engine.rate_limit import Quota, RateLimited
from playground.engine.run_spec import RunSpec
from playground.engine.upstream import Outgoing
from tests.engine.scripted_transport import Scripted
from tests.support.raw_upstream import DELTA, START, STOP, TEXT
from tests.support.runs import answer_of

OUTGOING = Outgoing("POST", "http://upstream.example/v1/messages", (), b"{}")
STREAM = [START, TEXT, *[DELTA] * 9, STOP]
Quotas = Sequence[tuple[str, Quota]]


def start(
    live: LiveRuns, upstream: Scripted, owner: str = "user:1", *, quotas: Quotas = (), **about: object
) -> LiveRun:
    about_run = RunMetadata(**about)
    return live.start(RunSpec(outgoing=OUTGOING, client=upstream.client(), owner=owner, about=about_run, quotas=quotas))


async def numbers_of(run: LiveRun, after: int = 0) -> list[int]:
    return [event.number async for event in run.follow(after) if isinstance(event, Streamed)]


async def test_a_run_goes_on_without_anybody_following() -> None:
    run = start(LiveRuns(), Scripted(*STREAM, None))
    assert (await run.ended()).state == "completed"
    assert run.event_count == len(STREAM)


async def test_late_and_early_followers_get_the_same() -> None:
    run = start(LiveRuns(), Scripted(*STREAM, None))
    early = asyncio.ensure_future(numbers_of(run))
    await run.ended()
    assert await early == await numbers_of(run) == list(range(1, len(STREAM) + 1))


@given(
    cuts=some.lists(some.integers(0, 14), max_size=6), pace=some.lists(some.integers(0, 3), min_size=12, max_size=12)
)
def test_following_from_any_number_at_any_moment_has_no_gap_and_no_double(cuts: list[int], pace: list[int]) -> None:
    """A reader that leaves after so many events and returns with the last number it saw, again and again."""

    async def story() -> None:
        upstream = Scripted()
        run = start(LiveRuns(), upstream)

        async def feed() -> None:
            for chunk, pause in zip(STREAM, pace, strict=True):
                for _ in range(pause):
                    await asyncio.sleep(0)
                upstream.chunks.put_nowait(chunk)
            upstream.chunks.put_nowait(None)

        feeding = asyncio.ensure_future(feed())
        seen: list[int] = []
        for cut in [*cuts, 99]:
            events = run.follow(after=seen[-1] if seen else 0)
            async for event in events:
                if isinstance(event, Streamed):
                    seen.append(event.number)
                    cut -= 1
                if cut <= 0:
                    break
            await events.aclose()
        await feeding
        assert seen == list(range(1, len(STREAM) + 1))

    asyncio.run(story())


async def test_a_number_beyond_the_last_waits_for_the_next() -> None:
    upstream = Scripted(START)
    run = start(LiveRuns(), upstream)
    while run.event_count < 1:
        await run.wait()
    following = asyncio.ensure_future(numbers_of(run, after=1000))
    for chunk in (TEXT, STOP, None):
        upstream.chunks.put_nowait(chunk)
    assert await following == [2, 3]


@pytest.mark.parametrize("when", ["before it was sent", "before the first byte", "in mid-stream"])
async def test_stop_closes_the_upstream_and_keeps_what_came(when: str) -> None:
    upstream = Scripted(*([START, TEXT, DELTA] if when == "in mid-stream" else []))
    run = start(LiveRuns(), upstream)
    if when != "before it was sent":
        while run.status is None or (when == "in mid-stream" and run.event_count < 3):
            await run.wait()
    run.stop()
    last = await run.ended()
    assert (last.state, last.failure.kind) == ("cancelled", "stopped")
    assert run.event_count == (3 if when == "in mid-stream" else 0)
    assert upstream.is_closed == (when != "before it was sent")


async def test_a_final_state_never_changes() -> None:
    run = start(LiveRuns(), Scripted(*STREAM, None))
    await run.ended()
    run.stop()
    await asyncio.sleep(0)
    assert run.state == "completed"
    assert [event for event in run.events if isinstance(event, Ended)] == [run.events[-1]]


async def test_a_run_is_found_by_its_owner_only() -> None:
    live = LiveRuns()
    run = start(live, Scripted(), owner="visitor:abc")
    assert live.find(run.id, "visitor:abc") is run
    assert live.find(run.id, "visitor:other") is None
    assert live.find(run.id, "user:1") is None
    run.stop()
    await run.ended()


async def test_a_double_click_is_one_run() -> None:
    live, upstream = LiveRuns(), Scripted(*STREAM, None)
    first = start(live, upstream, idempotency_key="click-1")
    assert start(live, upstream, idempotency_key="click-1") is first
    assert start(live, Scripted(None), idempotency_key="click-2") is not first
    assert start(live, Scripted(None), owner="user:2", idempotency_key="click-1") is not first
    await first.ended()
    assert upstream.calls == 1


async def test_runs_at_once_are_limited_and_an_ended_run_makes_room() -> None:
    live, upstream = LiveRuns(), Scripted()
    quotas = [("user:1", Quota(per_minute=None, at_once=1))]
    run = start(live, upstream, quotas=quotas)
    with pytest.raises(RateLimited) as refused:
        start(live, upstream, quotas=quotas)
    assert refused.value.retry_after_s is None
    run.stop()
    await run.ended()
    await asyncio.sleep(0)
    after = start(live, Scripted(None), quotas=quotas)
    assert (await after.ended()).state == "failed"


async def test_runs_a_minute_are_limited() -> None:
    live = LiveRuns()
    quotas = [("address:10.0.0.1", Quota(per_minute=2, at_once=None))]
    runs = [start(live, Scripted(None), owner="visitor:x", quotas=quotas) for _ in "12"]
    with pytest.raises(RateLimited) as refused:
        start(live, Scripted(None), owner="visitor:y", quotas=quotas)
    assert 50 < refused.value.retry_after_s <= 60
    for run in runs:
        await run.ended()


async def test_a_run_stays_for_a_while_and_then_is_gone() -> None:
    live = LiveRuns(keep_s=0.05)
    run = start(live, Scripted(*STREAM, None))
    await run.ended()
    assert live.find(run.id, "user:1") is run
    await asyncio.sleep(0.1)
    assert live.find(run.id, "user:1") is None


async def test_ended_runs_leave_early_when_they_hold_too_much() -> None:
    live = LiveRuns(keep_bytes=1000)
    runs = [start(live, Scripted(*STREAM, None)) for _ in range(3)]
    for run in runs:
        await run.ended()
    await asyncio.sleep(0.01)
    assert [live.find(run.id, "user:1") for run in runs] == [None, None, runs[2]]


async def test_an_owner_sees_their_runs_start_and_end_and_nobody_elses() -> None:
    live = LiveRuns()
    changes = live.follow_owner("user:1")
    told = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    other = start(live, Scripted(None), owner="user:2")
    run = start(live, Scripted(*STREAM, None))
    assert await told is run
    while not run.is_over:
        assert await anext(changes) is run
    await changes.aclose()
    await other.ended()
    assert live._watchers == {}


async def test_draining_lets_runs_finish_refuses_new_ones_and_interrupts_the_rest() -> None:
    live = LiveRuns()
    finishing, hanging = start(live, Scripted(*STREAM, None)), start(live, Scripted(START))
    await live.drain(0.2)
    assert finishing.state == "completed"
    assert (hanging.state, hanging.failure.kind) == ("interrupted", "server_stopping")
    assert hanging.event_count == 1
    with pytest.raises(Stopping):
        start(live, Scripted(None))


async def test_the_message_so_far_is_accumulated() -> None:
    upstream = Scripted(START, TEXT, DELTA)
    run = start(LiveRuns(), upstream)
    while run.event_count < 3:
        await run.wait()
    assert answer_of(run).message["content"][0]["text"] == "Hi"
    assert answer_of(run).ending == "open"
    for chunk in (DELTA, None):
        upstream.chunks.put_nowait(chunk)
    await run.ended()
    assert answer_of(run).message["content"][0]["text"] == "HiHi"
    assert answer_of(run).ending == "truncated"


async def test_a_fault_of_our_own_ends_the_run_and_tells_no_text() -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise RuntimeError("text with a secret")

    spec = RunSpec(outgoing=OUTGOING, client=httpx.AsyncClient(transport=Broken()), owner="user:1", about=RunMetadata())
    run = LiveRuns().start(spec)
    last = await run.ended()
    assert (last.state, last.failure.kind) == ("failed", "internal")
    assert "secret" not in repr(last)


async def test_what_is_known_of_crowds_is_dropped_once_it_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    live, now = LiveRuns(), [1000.0]
    monkeypatch.setattr("playground.engine.rate_limit.time.monotonic", lambda: now[0])
    for number in range(3_000):
        async with live.admitted([(f"address:{number}", Quota())], "token counts"):
            pass
    assert len(live._quotas) == 3_000
    now[0] += 61.0
    for number in range(1_500):  # the next look comes when there are twice as many
        async with live.admitted([(f"address:new-{number}", Quota())], "token counts"):
            pass
    assert len(live._quotas) <= 1_500


async def test_a_short_question_counts_against_all_its_quotas_or_none() -> None:
    live = LiveRuns()
    wide, narrow = ("user", Quota(None, 2)), ("key", Quota(None, 1))
    async with live.admitted([wide, narrow], "token counts"):
        with pytest.raises(RateLimited) as refused:
            async with live.admitted([wide, narrow], "token counts"):
                pass
        assert refused.value.message == "At most 1 token counts at once. Try again in a moment."
        async with live.admitted([wide], "token counts"):
            pass
