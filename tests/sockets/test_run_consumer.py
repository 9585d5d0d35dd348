"""Following a run over a websocket: who may, in which order, from where on, and what a page may say."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from playground.engine.events import Ended, Failure, Received, RunEvent, Streamed
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.sockets import close_codes, owner_consumer, run_consumer
from playground.sockets.frame_rate import LoopLag
from tests.support.examples import one_of_each
from tests.support.runs import ended, stream, tell, told

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "one two three four five six seven eight nine ten"


def in_pieces(events: list[RunEvent], *cuts: int) -> list[list[RunEvent]]:
    edges = [0, *cuts, len(events)]
    return [events[start:stop] for start, stop in pairwise(edges)]


# --- Order, gathering, resuming ------------------------------------------------------------------------------------


async def test_steps_events_and_patches_come_in_order(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    tell(visitors_run, stream(WORDS))
    assert await socket.until_closed() == 1000
    assert [frame["type"] for frame in socket.frames if frame["type"] != "draw"][:2] == ["requested", "answered"]
    assert socket.frames[-1]["type"] == "ended"
    assert socket.numbers == list(range(1, visitors_run.event_count + 1))
    assert [frame["frame"] for frame in socket.frames] == list(range(1, len(socket.frames) + 1))
    assert {patch["op"] for patch in socket.patches} >= {"figures", "block", "ending"}


async def test_the_last_patches_come_before_the_end(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    tell(visitors_run, stream(WORDS))
    await socket.until_closed()
    kinds = [frame["type"] for frame in socket.frames]
    drawn = [number for number, frame in enumerate(socket.frames) if frame.get("draw")]
    assert drawn[-1] < kinds.index("ended")


async def test_the_first_event_after_a_pause_leaves_at_once_and_those_behind_it_together(
    open_socket: Any, visitors_run: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoopLag, "window_s", 0.5)  # however late this machine's loop is
    socket = await open_socket()
    events = told(stream(WORDS), chunk=150)
    deltas = [event for event in events if isinstance(event, Streamed) and event.event.name == "content_block_delta"]
    visitors_run.publish(events[: events.index(deltas[0])])
    await socket.until_number(deltas[0].number - 1)
    before = len(socket.frames)
    visitors_run.publish([deltas[0]])
    await socket.next()
    for delta in deltas[1:6]:
        visitors_run.publish([Received(delta.at_ms, b"as it came"), delta])
        await asyncio.sleep(0)
    await socket.until_number(deltas[5].number)
    gathered = [len(frame["events"]) for frame in socket.frames[before:] if frame.get("events")]
    assert gathered[0] == 1
    assert gathered[1] == 5


@pytest.mark.parametrize("after", [0, 1, 2, 5, 11, 12, 13, 99])
async def test_who_returns_gets_what_is_missing_and_nothing_twice(
    open_socket: Any, visitors_run: LiveRun, after: int
) -> None:
    tell(visitors_run, stream(WORDS))
    socket = await open_socket(f"?after={after}")
    await socket.until_closed()
    assert socket.numbers == list(range(min(after, visitors_run.event_count) + 1, visitors_run.event_count + 1))
    assert "one two three" in "".join(patch.get("html", "") for patch in socket.patches)


async def test_who_returns_to_a_run_that_goes_on_gets_only_newer_patches(
    open_socket: Any, visitors_run: LiveRun
) -> None:
    events = told(stream("alpha\n\nbeta\n\ngamma".replace("\n\n", " \n\n ")), chunk=150)
    stays = await open_socket()
    first, rest = events[: len(events) // 2], events[len(events) // 2 :]
    visitors_run.publish(first)
    await stays.until_number(max(event.number for event in first if isinstance(event, Streamed)))
    place = next(frame["drawn"] for frame in reversed(stays.frames) if "drawn" in frame)
    returns = await open_socket(f"?after={stays.numbers[-1]}&drawn={place}")
    visitors_run.publish([*rest, ended()])
    await asyncio.gather(stays.until_closed(), returns.until_closed())
    assert [patch["op"] for patch in returns.patches].count("block") == 0
    assert stays.numbers[len(stays.numbers) - len(returns.numbers) :] == returns.numbers


async def test_a_place_in_a_drawing_that_is_gone_means_everything_is_drawn_again(
    open_socket: Any, visitors_run: LiveRun
) -> None:
    tell(visitors_run, stream(WORDS))
    socket = await open_socket("?after=5&drawn=deadbeef.99")
    await socket.until_closed()
    assert "block" in [patch["op"] for patch in socket.patches]


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?after=" + "9" * 14, "?drawn=.", "?drawn=%00", "?after="])
async def test_a_senseless_place_to_go_on_from_is_the_beginning_or_the_end(
    open_socket: Any, visitors_run: LiveRun, query: str
) -> None:
    tell(visitors_run)
    assert await (await open_socket(query)).until_closed() == 1000


async def test_two_sockets_of_one_run_see_the_same(open_socket: Any, visitors_run: LiveRun) -> None:
    sockets = [await open_socket(), await open_socket()]
    for piece in in_pieces(told(stream(WORDS), chunk=100), 4, 9, 15):
        visitors_run.publish(piece)
        await asyncio.sleep(0)
    visitors_run.publish([ended()])
    await asyncio.gather(*(socket.until_closed() for socket in sockets))
    assert sockets[0].numbers == sockets[1].numbers
    assert sockets[0].patches[-1] == sockets[1].patches[-1]


async def test_no_frame_is_larger_than_daphne_sends(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    sizes: list[int] = []
    receive = socket.communicator.receive_output

    async def measured(timeout: float = 1) -> Any:
        message = await receive(timeout)
        sizes.append(len(message.get("text", "").encode()))
        return message

    socket.communicator.receive_output = measured
    tell(visitors_run, stream(f"```{'x' * 150_000} {'ü' * 150_000}"), chunk=20_000)
    assert await socket.until_closed() == 1000
    assert max(sizes) < 2**16 * 4
    assert socket.frames[-1]["type"] == "ended"


# --- What a page may say ------------------------------------------------------------------------------------------


async def test_stop_ends_the_run(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    visitors_run.stop = lambda: visitors_run.publish([Ended(9.0, "cancelled", Failure("stopped", "Stopped."))])  # type: ignore[method-assign]
    visitors_run.publish(told(stream(WORDS))[:8])
    await socket.say({"type": "stop"})
    await socket.until_closed()
    assert visitors_run.state == "cancelled"
    assert socket.frames[-1]["state"] == "cancelled"


async def test_leaving_stops_nothing(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    visitors_run.publish(told(stream(WORDS))[:8])
    await socket.next()
    await socket.leave()
    assert visitors_run.state == "running"


@pytest.mark.parametrize("words", ["{", "[]", '"stop"', "null", '{"type": "shout"}', "{}", '{"type": ["stop"]}'])
async def test_words_that_mean_nothing_close_the_socket(open_socket: Any, words: str) -> None:
    socket = await open_socket()
    await socket.say(words)
    assert await socket.until_closed() == close_codes.BAD_FRAMES


async def test_too_many_words_close_the_socket(open_socket: Any) -> None:
    socket = await open_socket()
    for number in range(60):
        await socket.say({"type": "seen", "frame": number})
    assert await socket.until_closed() == close_codes.TOO_MANY


async def test_a_page_that_acknowledges_nothing_is_fed_no_further_and_then_let_go(
    open_socket: Any, visitors_run: LiveRun, monkeypatch: Any
) -> None:
    monkeypatch.setattr(owner_consumer, "LONGEST_WAIT_S", 0.3)
    socket = await open_socket()
    socket.acknowledges = False
    tell(visitors_run, stream("word " * 20_000), chunk=2_000)
    assert await socket.until_closed() == close_codes.TOO_SLOW
    assert sum(len(json.dumps(frame)) for frame in socket.frames) < run_consumer.WINDOW_BYTES + 200_000
    assert socket.numbers[-1] < visitors_run.event_count
    returns = await open_socket(f"?after={socket.numbers[-1]}")
    assert await returns.until_closed() == 1000
    assert socket.numbers + returns.numbers == list(range(1, visitors_run.event_count + 1))


@pytest.mark.parametrize("seen", one_of_each([{"frame": 10**9}, {"number": 10**9}]))
async def test_events_or_frames_can_be_acknowledged(
    open_socket: Any, visitors_run: LiveRun, monkeypatch: Any, seen: dict[str, int]
) -> None:
    monkeypatch.setattr(owner_consumer, "LONGEST_WAIT_S", 0.5)
    socket = await open_socket()
    socket.acknowledges = False
    tell(visitors_run, stream("word " * 5_000), chunk=2_000)
    while isinstance(frame := await socket.next(), dict) and frame["type"] != "ended":
        if frame["frame"] % 3 == 0:
            await socket.say({"type": "seen"} | seen)
            await asyncio.sleep(0.11)
    assert socket.numbers[-1] == visitors_run.event_count


async def test_a_run_that_the_server_cuts_off_says_so(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    visitors_run.publish([*told(stream(WORDS))[:8], ended("interrupted", Failure("server_stopping", "Stopped."))])
    assert await socket.until_closed() == close_codes.SERVER_RESTARTS


def test_nobody_in_particular_owns_nothing() -> None:
    assert visitors.owner_of({"user": AnonymousUser(), "headers": []}) is None
